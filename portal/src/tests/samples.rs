//! Every page with sample values.

use askama::Template;
use http::StatusCode;
use stagedoor_identity::EndReason;
use stagedoor_identity::session::Ended;
use stagedoor_policy::time::Timestamp;

use super::samples_accounts::account_pages;
use super::samples_devices::device_pages;
use super::samples_own::own_change_pages;
use crate::page::*;
use crate::refusal::{Look, PageLook, RefusalView, render};
use crate::when::When;
use crate::{qr, words};

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_795_362_360_000_000);
const TYPED: &str = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP";
const URI: &str =
    "otpauth://totp/Stagedoor:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Stagedoor&digits=6&period=30";

/// A page under its name.
pub(super) type Named = (&'static str, String);

/// Every page and what it is called.
pub(super) fn pages() -> Vec<Named> {
    [
        ways_in(),
        factor_pages(),
        password_pages(),
        own_pages(),
        own_change_pages(),
        account_pages(),
        device_pages(),
        refusals(),
    ]
    .concat()
}

fn ways_in() -> Vec<Named> {
    vec![
        ("login", login(|_| {})),
        (
            "login-wrong",
            login(|page| {
                page.error = Some("The name or the password is wrong.".to_owned());
                page.name = "alice".to_owned();
            }),
        ),
        (
            "login-displaced",
            login(|page| {
                let reason = EndReason::Displaced {
                    by: [198, 51, 100, 7].into(),
                };
                page.notice = Some(words::ended(&Ended {
                    at_micros: NOW.as_micros(),
                    reason,
                }));
            }),
        ),
        ("login-signed-in", login(|page| page.look = look(Some("alice")))),
    ]
}

fn factor_pages() -> Vec<Named> {
    vec![
        (
            "second-factor",
            text(&SecondFactorPage {
                look: look(None),
                token: token(),
                error: None,
            }),
        ),
        (
            "second-factor-wrong",
            text(&SecondFactorPage {
                look: look(None),
                token: token(),
                error: Some(
                    "The code is wrong, or it was used before. Wait for the next one and try again.".to_owned(),
                ),
            }),
        ),
        ("enrol", enrol(true, None)),
        (
            "enrol-wrong",
            enrol(
                true,
                Some("The code is wrong, or it was used before. Wait for the next one and try again."),
            ),
        ),
        ("profile-enrol", enrol(false, None)),
        ("recovery-codes", recovery_codes()),
    ]
}

fn password_pages() -> Vec<Named> {
    vec![
        (
            "new-password",
            text(&NewPasswordPage {
                look: look(None),
                token: token(),
                error: None,
                problems: Vec::new(),
            }),
        ),
        (
            "new-password-unfit",
            text(&NewPasswordPage {
                look: look(None),
                token: token(),
                error: Some("The new password entered does not meet the requirements.".to_owned()),
                problems: vec![
                    "use at least 15 characters".to_owned(),
                    "do not use the account's name in it".to_owned(),
                ],
            }),
        ),
        ("invitation", link(true, None)),
        (
            "reset-unfit",
            link(false, Some("The new password confirmation does not match.")),
        ),
        (
            "link-dead",
            text(&DeadLinkPage {
                look: look(None),
                sentence: "This link has been used or has run out. Please ask for a new one.".to_owned(),
                invited: true,
            }),
        ),
        (
            "reset",
            text(&AskResetPage {
                look: look(None),
                token: token(),
                asked: true,
            }),
        ),
        (
            "password-set",
            text(&PasswordSetPage {
                look: look(None),
                name: "alice".to_owned(),
            }),
        ),
        (
            "setup",
            text(&SetupPage {
                look: look(None),
                token: token(),
                link: "sample".to_owned(),
                name: "root".to_owned(),
                error: Some("Please mend this:".to_owned()),
                problems: vec!["The new password confirmation does not match.".to_owned()],
            }),
        ),
    ]
}

fn own_pages() -> Vec<Named> {
    vec![
        (
            "logout",
            text(&LogoutPage {
                look: look(Some("alice")),
                token: token(),
            }),
        ),
        (
            "logged-out",
            text(&LogoutPage {
                look: look(None),
                token: String::new(),
            }),
        ),
        ("profile", profile(false)),
        ("profile-factor", profile(true)),
        (
            "profile-password",
            text(&OwnPasswordPage {
                look: look(Some("alice")),
                token: token(),
                error: Some("The current password is wrong.".to_owned()),
                current_is_wrong: true,
                problems: Vec::new(),
            }),
        ),
        (
            "profile-second-factor",
            text(&OwnSecondFactorPage {
                look: look(Some("alice")),
                token: token(),
                error: None,
                again: true,
            }),
        ),
        (
            "login-recovery",
            login(|page| {
                page.name = "alice".to_owned();
                page.link = token();
            }),
        ),
        ("whoami", whoami(Some("alice"))),
        ("whoami-stranger", whoami(None)),
    ]
}

pub(super) fn look(account: Option<&str>) -> PageLook {
    PageLook::new(&plain_look(), account.map(str::to_owned))
}

fn plain_look() -> Look {
    Look {
        prefix: "/.stagedoor/".to_owned(),
        title: "Stagedoor".to_owned(),
    }
}

pub(super) fn token() -> String {
    "c2FtcGxl".to_owned()
}

/// The path of a picture; the mark stands in for one.
pub(super) fn portrait() -> String {
    format!("/.stagedoor/assets/{}", crate::assets::mark_name())
}

pub(super) fn text(page: &impl Template) -> String {
    page.render().unwrap()
}

fn login(change: impl FnOnce(&mut LoginPage)) -> String {
    let mut page = LoginPage {
        look: look(None),
        token: token(),
        to: "/devices".to_owned(),
        name: String::new(),
        notice: None,
        error: None,
        host: "console.example.org".to_owned(),
        onward: "/devices".to_owned(),
        link: String::new(),
        reset: true,
    };
    change(&mut page);
    text(&page)
}

fn link(invited: bool, error: Option<&str>) -> String {
    text(&LinkPasswordPage {
        look: look(None),
        token: token(),
        link: "c2FtcGxl".to_owned(),
        name: "alice".to_owned(),
        invited,
        action: if invited { "invitation" } else { "reset" },
        error: error.map(str::to_owned),
        problems: Vec::new(),
    })
}

fn enrol(demanded: bool, error: Option<&str>) -> String {
    text(&EnrolPage {
        look: look((!demanded).then_some("alice")),
        token: token(),
        error: error.map(str::to_owned),
        qr: qr::image(URI),
        typed: TYPED.to_owned(),
        action: "login/enrol",
        demanded,
    })
}

fn recovery_codes() -> String {
    let codes = (0..10)
        .map(|number| format!("k7q{number}-2dxw-9h4t-zc{number}r"))
        .collect();
    text(&RecoveryCodesPage {
        look: look(None),
        codes,
        onward: "/".to_owned(),
        host: "console.example.org".to_owned(),
        at: When::of(NOW),
    })
}

fn profile(second_factor: bool) -> String {
    let row = |agent: &str, current: bool, address: &str, channel: &str| SessionRow {
        id: "0199".to_owned(),
        current,
        address: address.to_owned(),
        agent: agent.to_owned(),
        channel: channel.to_owned(),
        opened: When::of(NOW),
        used: When::of(NOW),
    };
    text(&ProfilePage {
        look: look(Some("alice")),
        token: token(),
        done: second_factor.then(|| "One other session has ended.".to_owned()),
        display_name: "Alice Example".to_owned(),
        picture: second_factor.then(portrait),
        pictures: true,
        email: Some("alice@example.org".to_owned()),
        chosen: vec![ChosenRow {
            title: "Landing page".to_owned(),
            choice: "dashboard".to_owned(),
        }],
        role: "super-admin".to_owned(),
        last_sign_in: Some(When::of(NOW)),
        second_factor,
        recovery_codes_left: 8,
        sessions: vec![
            row("Firefox on Linux", true, "203.0.113.9", ""),
            row("Safari on iPhone", false, "2001:db8:1234:5678:9abc:def0:1234:5678", ""),
            row("inventory-client/2.4", false, "198.51.100.7", "client"),
        ],
        address: "203.0.113.9".to_owned(),
    })
}

fn whoami(account: Option<&str>) -> String {
    text(&WhoamiPage {
        look: look(account),
        address: "203.0.113.9".to_owned(),
        account: account.map(str::to_owned),
        role: account.map(|_| "super-admin".to_owned()),
        channel: account.map(|_| "browser".to_owned()),
        expires: account.map(|_| When::of(NOW)),
        site: Some("console".to_owned()),
        scheme: "https",
        host: "console.example.org".to_owned(),
    })
}

fn refusals() -> Vec<Named> {
    let named = [
        ("refused-400", 400, "ambiguous_path"),
        ("refused-403", 403, "not_granted"),
        ("refused-403-address", 403, "address_not_allowed_site"),
        ("refused-404", 404, "not_found"),
        ("refused-413", 413, "too_large"),
        ("refused-421", 421, "unknown_host"),
        ("refused-431", 431, "headers_too_large"),
        ("refused-500", 500, "internal"),
        ("refused-502", 502, "upstream_unreachable"),
        ("refused-503", 503, "unavailable"),
        ("refused-504", 504, "upstream_timeout"),
    ];
    let mut pages: Vec<_> = named
        .iter()
        .map(|(name, status, code)| (*name, refused(*status, code, |_| {})))
        .collect();
    pages.push((
        "refused-displaced",
        refused(401, "sign_in_required", |view| {
            let reason = EndReason::Displaced {
                by: [198, 51, 100, 7].into(),
            };
            view.ended = Some(Ended {
                at_micros: NOW.as_micros(),
                reason,
            });
            view.sign_in_link = Some("/.stagedoor/login".to_owned());
        }),
    ));
    pages
}

fn refused(status: u16, code: &str, change: impl FnOnce(&mut RefusalView)) -> String {
    let mut view = RefusalView::new(plain_look(), StatusCode::from_u16(status).unwrap(), code);
    view.support_code = Some("K7QM-2DXW".to_owned());
    view.request_id = Some("0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned());
    view.at = Some(NOW);
    view.site = Some("console".to_owned());
    view.address = Some([203, 0, 113, 9].into());
    view.account = Some("bob".to_owned());
    change(&mut view);
    render(&view).2
}
