//! The pages about accounts with sample values.

use super::samples::{NOW, Named, look, portrait, text, token};
use crate::accounts::May;
use crate::accounts::page::*;
use crate::refusal::PageLook;
use crate::when::When;

pub(super) fn account_pages() -> Vec<Named> {
    vec![
        ("accounts", accounts(|_| {})),
        (
            "accounts-none",
            accounts(|page| {
                page.rows.clear();
                page.searched = "Nobody".to_owned();
                page.begun = false;
            }),
        ),
        (
            "accounts-too-long",
            accounts(|page| {
                page.error = Some("Please enter at most 20 characters of the name.".to_owned());
                page.searched = "x".repeat(21);
                page.next = None;
            }),
        ),
        ("account", account(|_| {})),
        (
            "account-refused",
            account(|page| {
                page.done = None;
                let sentence = "This is the last Super Admin. User information cannot be modified.";
                page.errors = vec![sentence.to_owned()];
                page.may = May::default();
                page.own = true;
            }),
        ),
        ("account-delete", confirm()),
        ("account-password", password(&[])),
        (
            "account-password-unfit",
            password(&["The new password entered does not meet the requirements."]),
        ),
        ("account-add", form(|_| {})),
        ("account-add-wrong", form(wrong)),
        (
            "account-invite",
            form(|page| {
                page.invites = true;
                page.email = Some(Field {
                    value: "nora".to_owned(),
                    problems: vec!["an address such as `name@example.org`".to_owned()],
                });
            }),
        ),
        (
            "account-link",
            text(&ShownLinkPage {
                look: administrator(),
                id: "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned(),
                name: "nora_1".to_owned(),
                invited: true,
                link: "https://console.example.org/.stagedoor/invitation?token=c2FtcGxl".to_owned(),
            }),
        ),
        (
            "account-recovery-link",
            text(&ShownLinkPage {
                look: administrator(),
                id: "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned(),
                name: "nora_1".to_owned(),
                invited: false,
                link: "https://console.example.org/.stagedoor/recovery?token=c2FtcGxl".to_owned(),
            }),
        ),
        ("account-edit", form(edit)),
        (
            "account-edit-unreachable",
            form(|page| {
                edit(page);
                page.unreachable = Some(Unreachable {
                    address: "203.0.113.9".to_owned(),
                    networks: "198.51.100.7".to_owned(),
                });
            }),
        ),
    ]
}

pub(super) fn administrator() -> PageLook {
    PageLook {
        administers: true,
        ..look(Some("alice"))
    }
}

fn state(name: &'static str, until: bool) -> State {
    State {
        name,
        until: until.then(|| When::of(NOW)),
    }
}

fn accounts(change: impl FnOnce(&mut AccountsPage)) -> String {
    let row = |display_name: &str, name: &str, role: &str, state| AccountRow {
        picture: (name == "general_1").then(portrait),
        id: "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned(),
        display_name: display_name.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
        devices: 2,
        registered: "2026-11-22".to_owned(),
        last_sign_in: (role != "device-admin").then(|| When::of(NOW)),
        state,
    };
    let mut page = AccountsPage {
        look: administrator(),
        done: Some("The account is deleted.".to_owned()),
        error: None,
        searched: String::new(),
        begun: true,
        may_add: true,
        sees_devices: true,
        rows: vec![
            row("Alice Example", "alice", "super-admin", state("active", false)),
            row("게로", "general_1", "general-admin", state("locked", true)),
            row("", "device_1", "device-admin", state("invited", true)),
        ],
        first: "name=".to_owned(),
        next: Some("name=&after=device_1".to_owned()),
    };
    change(&mut page);
    text(&page)
}

fn linked(name: &str) -> LinkedDevice {
    LinkedDevice {
        name: name.to_owned(),
        registered: "2026-11-22".to_owned(),
        last_seen: name.is_ascii().then(|| When::of(NOW)),
    }
}

fn account(change: impl FnOnce(&mut AccountPage)) -> String {
    let mut page = AccountPage {
        look: administrator(),
        token: token(),
        version: 7,
        done: Some("The account has been unlocked.".to_owned()),
        errors: Vec::new(),
        id: "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned(),
        heading: "게로 Gero".to_owned(),
        picture: Some(portrait()),
        display_name: "게로 Gero".to_owned(),
        name: "general_1".to_owned(),
        email: Some("gero@example.org".to_owned()),
        role: "general-admin".to_owned(),
        own: false,
        networks: vec!["198.51.100.7".to_owned(), "192.0.2.1".to_owned()],
        grants: vec!["console/devices: view, reboot".to_owned()],
        devices: 2,
        linked: ["Scanner 1", "검표기 2"].map(linked).into(),
        registered: "2026-11-22".to_owned(),
        last_sign_in: Some(When::of(NOW)),
        second_factor: true,
        password_temporary: false,
        sessions: 1,
        state: state("locked", true),
        may: May {
            edit: true,
            reset_password: true,
            reset_second_factor: true,
            send_recovery: true,
            unlock: true,
            end_sessions: true,
            disable: true,
            enable: true,
            reinstate: true,
            delete: true,
            invite_again: true,
            hand_over: true,
        },
    };
    change(&mut page);
    text(&page)
}

fn confirm() -> String {
    text(&ConfirmPage {
        look: administrator(),
        token: token(),
        version: 7,
        id: "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned(),
        act: "delete",
        question: "Delete this account?",
        consequence: "Its sessions end now. What it did stays in the audit. This cannot be undone.",
        button: "Delete",
        called: "게로 Gero".to_owned(),
        name: "general_1".to_owned(),
    })
}

fn password(problems: &[&str]) -> String {
    text(&TemporaryPasswordPage {
        look: administrator(),
        token: token(),
        id: "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned(),
        called: "게로 Gero".to_owned(),
        name: "general_1".to_owned(),
        problems: problems.iter().map(|&problem| problem.to_owned()).collect(),
    })
}

fn field(value: &str) -> Field {
    Field {
        value: value.to_owned(),
        problems: Vec::new(),
    }
}

fn choice(name: &str, chosen: bool) -> Choice {
    Choice {
        name: name.to_owned(),
        chosen,
    }
}

fn form(change: impl FnOnce(&mut AccountFormPage)) -> String {
    let role = |name: &str| RoleChoice {
        with_networks: name != "device-admin",
        name: name.to_owned(),
        chosen: name == "device-admin",
    };
    let row = |number, place: &str, actions| GrantRow {
        place: place.to_owned(),
        number,
        levels: vec![choice("none", false), choice("view", true), choice("manage", false)],
        actions,
    };
    let mut page = AccountFormPage {
        look: administrator(),
        token: token(),
        there: None,
        invites: false,
        email: None,
        errors: Vec::new(),
        display_name: field(""),
        name: field(""),
        roles: ["device-admin", "general-admin", "super-admin"].map(role).into(),
        role_problems: Vec::new(),
        networks: Some(field("")),
        networks_for: vec!["general-admin".to_owned()],
        unreachable: None,
        password_problems: Vec::new(),
        grants: Some(vec![
            row(
                0,
                "console/devices",
                vec![choice("reboot", true), choice("wipe", false)],
            ),
            row(1, "console/logs", Vec::new()),
        ]),
        grant_problems: Vec::new(),
    };
    change(&mut page);
    text(&page)
}

fn wrong(page: &mut AccountFormPage) {
    let told = |sentence: &str| vec![sentence.to_owned()];
    page.display_name = Field {
        value: "x".repeat(21),
        problems: told("Please enter a name within 20 characters."),
    };
    page.name.problems = told("The same ID already exists.");
    page.networks = Some(Field {
        value: "10.0.0.0".to_owned(),
        problems: told("The IP address format is invalid."),
    });
    page.role_problems = told("Permission denied");
    page.password_problems = told("The new password confirmation does not match.");
    page.grant_problems = told("the role `device-admin` may not be granted `logs`");
    page.errors = told("Permission denied.");
}

fn edit(page: &mut AccountFormPage) {
    page.there = Some(There {
        id: "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911".to_owned(),
        called: "게로 Gero".to_owned(),
        version: 7,
    });
    page.display_name = field("게로 Gero");
    page.name = field("general_1");
}
