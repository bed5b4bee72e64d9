//! Fifth: the way to the console. Only an [`Admitted`] opens it; every managed header is deleted, then ours are set.

use std::sync::Arc;

use pingora::Result;
use pingora::http::RequestHeader;
use stagedoor_config::Site;
use stagedoor_identity::Account;
use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;
use stagedoor_portal::is_own_cookie;

use crate::assertion::Assertions;
use crate::headers::remove_managed;
use crate::loops::{Mark, SPELT};
use crate::preferences;
use crate::request_id::RequestId;
use crate::stage::decide::Admitted;
use crate::upstream::authority;
use crate::upstream::lines::Lines;

/// Names for user, role, display name and e-mail, by preset.
const STAGEDOOR: [&str; 4] = [
    "X-Stagedoor-User",
    "X-Stagedoor-Role",
    "X-Stagedoor-Name",
    "X-Stagedoor-Email",
];
const REMOTE: [&str; 4] = ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"];
const FORWARDED: [&str; 4] = [
    "X-Forwarded-User",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Email",
];

const FORWARDED_FOR: &str = "X-Forwarded-For";
const FORWARDED_PROTO: &str = "X-Forwarded-Proto";
const FORWARDED_HOST: &str = "X-Forwarded-Host";
const REQUEST_ID: &str = "X-Stagedoor-Request-Id";
const ASSERTION: &str = "X-Stagedoor-Assertion";

/// What the request forwarded says of itself beyond what the visitor sent.
#[derive(Debug)]
pub struct Passport<'a> {
    /// What was let through.
    pub admitted: &'a Arc<Admitted>,
    /// The site it is for.
    pub site: &'a Site,
    /// When it was let through.
    pub now: Timestamp,
    /// The request's name.
    pub id: RequestId,
    /// Whether the visitor came by TLS.
    pub secure: bool,
    /// `Host` as the visitor sent it.
    pub host: &'a [u8],
    /// The rules it was let through by.
    pub policy: &'a Policy,
    /// Where assertions are signed.
    pub assertions: &'a Assertions,
    /// That it came through this door.
    pub mark: &'a Mark,
}

/// Makes the visitor's request the one that goes to the console: what is left of its own, and `lines` behind it.
///
/// # Errors
/// Where a header value cannot be written: the request fails rather than go out incomplete.
pub fn rewrite(request: &mut RequestHeader, passport: &Passport<'_>, lines: &mut Lines) -> Result<()> {
    lines.begin();
    if passport.admitted.rewritten {
        // `set_uri` also drops pingora's verbatim copy of what the visitor sent.
        let uri = passport.admitted.path_and_query.as_str().parse::<http::Uri>();
        request.set_uri(uri.map_err(|_| pingora::Error::new(pingora::ErrorType::InvalidHTTPHeader))?);
    }
    remove_managed(request);
    keep_only_their_cookies(request)?;
    name_host(request, passport)?;
    say_where_from(lines, passport)?;
    say_who(lines, passport)?;
    lines.end();
    Ok(())
}

/// Joins what cookie headers there are into one (HTTP/2 sends crumbs, HTTP/1 consoles read one line), without ours.
fn keep_only_their_cookies(request: &mut RequestHeader) -> Result<()> {
    let fields = request.headers.get_all(http::header::COOKIE);
    let (count, mut ours) = (fields.iter().count(), false);
    let mut kept: Vec<u8> = Vec::new();
    for pair in fields
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
    {
        let pair = pair.trim_ascii();
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        if is_own_cookie(name) {
            ours = true;
        } else if !pair.is_empty() {
            if !kept.is_empty() {
                kept.extend_from_slice(b"; ");
            }
            kept.extend_from_slice(pair);
        }
    }
    if count <= 1 && !ours {
        return Ok(());
    }
    request.remove_header(&http::header::COOKIE);
    if kept.is_empty() {
        Ok(())
    } else {
        request.insert_header(http::header::COOKIE, kept)
    }
}

/// HTTP/2 visitors send `:authority`, which an HTTP/1 console reads as `Host`.
fn name_host(request: &mut RequestHeader, passport: &Passport<'_>) -> Result<()> {
    if !passport.site.pass_host {
        return request.insert_header(http::header::HOST, authority(&passport.site.upstream));
    }
    let mut hosts = request.headers.get_all(http::header::HOST).iter();
    let stands_there = hosts.next().is_some_and(|host| host.as_bytes() == passport.host) && hosts.next().is_none();
    if stands_there {
        return Ok(());
    }
    request.insert_header(http::header::HOST, passport.host)
}

fn say_where_from(lines: &mut Lines, passport: &Passport<'_>) -> Result<()> {
    lines.say_address(FORWARDED_FOR, passport.admitted.address.ip());
    lines.say(FORWARDED_PROTO, if passport.secure { b"https" } else { b"http" })?;
    lines.say(FORWARDED_HOST, passport.host)?;
    lines.say_id(REQUEST_ID, passport.id);
    lines.say_value(SPELT, passport.mark.value());
    Ok(())
}

fn say_who(lines: &mut Lines, passport: &Passport<'_>) -> Result<()> {
    let Some(session) = &passport.admitted.session else {
        return Ok(());
    };
    let account = session.account();
    let presets = passport.site.identity_headers;
    for names in [
        (presets.stagedoor, &STAGEDOOR),
        (presets.remote, &REMOTE),
        (presets.forwarded, &FORWARDED),
    ] {
        if let (true, names) = names {
            introduce(lines, &account, names)?;
        }
    }
    preferences::tell(lines, session, &account, passport.policy)?;
    if passport.site.assertion {
        let assertion = passport
            .assertions
            .of(session, &account, &passport.admitted.site, passport.now)?;
        lines.say_value(ASSERTION, &assertion);
    }
    Ok(())
}

fn introduce(lines: &mut Lines, account: &Account, names: &[&str; 4]) -> Result<()> {
    let email = account.email.as_deref().unwrap_or_default();
    let values = [account.name.as_str(), &account.role, &account.display_name, email];
    let said = names.iter().zip(values).filter(|(_, value)| !value.is_empty());
    said.into_iter()
        .try_for_each(|(name, value)| lines.say(name, value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cookies: &[&str]) -> RequestHeader {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        for cookie in cookies {
            request.append_header(http::header::COOKIE, *cookie).unwrap();
        }
        request
    }

    fn forwarded(cookies: &[&str]) -> Option<String> {
        let mut request = request(cookies);
        keep_only_their_cookies(&mut request).unwrap();
        assert!(request.headers.get_all(http::header::COOKIE).iter().count() <= 1);
        request
            .headers
            .get(http::header::COOKIE)
            .map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn our_cookies_never_reach_the_console_and_theirs_arrive_in_one_line() {
        assert_eq!(forwarded(&["stagedoor=abc"]), None);
        assert_eq!(
            forwarded(&["a=1; __Host-stagedoor=abc; b=2"]).as_deref(),
            Some("a=1; b=2")
        );
        assert_eq!(
            forwarded(&["a=1", "stagedoor-form=x", "b=2"]).as_deref(),
            Some("a=1; b=2")
        );
        assert_eq!(forwarded(&["a=1;b=\"x;y\""]).as_deref(), Some("a=1;b=\"x;y\""));
        assert_eq!(forwarded(&["stagedoorman=1"]).as_deref(), Some("stagedoorman=1"));
    }

    #[test]
    fn no_visitor_can_say_what_the_door_says() {
        let others = [
            FORWARDED_FOR,
            FORWARDED_PROTO,
            FORWARDED_HOST,
            REQUEST_ID,
            ASSERTION,
            SPELT,
        ];
        for name in [STAGEDOOR, REMOTE, FORWARDED].concat().into_iter().chain(others) {
            assert!(crate::headers::is_managed(name), "{name}");
        }
    }
}
