//! The pages where one changes what is one's own, with sample values.

use super::samples::{Named, look, portrait, text, token};
use crate::accounts::page::{Choice, Field};
use crate::profile::page::*;

pub(super) fn own_change_pages() -> Vec<Named> {
    vec![
        ("profile-details", details(Vec::new())),
        (
            "profile-details-unfit",
            details(vec!["Please enter a name within 20 characters.".to_owned()]),
        ),
        ("profile-name", name()),
        ("profile-picture", picture(None)),
        (
            "profile-picture-large",
            picture(Some(
                "This picture is too large: at most 256 KiB are taken. Please choose a smaller one.",
            )),
        ),
        ("profile-email", email(true)),
        ("profile-email-no-mail", email(false)),
        ("email", confirm(false)),
        ("email-confirmed", confirm(true)),
    ]
}

fn details(problems: Vec<String>) -> String {
    let choice = |name: &str, chosen: bool| Choice {
        name: name.to_owned(),
        chosen,
    };
    let row = |name: &str, title: &str, choices: Vec<Choice>| PreferenceRow {
        name: name.to_owned(),
        title: title.to_owned(),
        choices,
    };
    text(&OwnDetailsPage {
        look: look(Some("alice")),
        token: token(),
        version: 3,
        errors: Vec::new(),
        display_name: Field {
            value: "Alice Example".to_owned(),
            problems,
        },
        preferences: vec![
            row(
                "calendar-view",
                "Calendar view",
                vec![choice("5", true), choice("10", false)],
            ),
            row(
                "landing",
                "Landing page",
                vec![choice("calendar", false), choice("dashboard", true)],
            ),
        ],
        preference_problems: Vec::new(),
    })
}

fn name() -> String {
    text(&OwnNamePage {
        look: look(Some("alice")),
        token: token(),
        name: Field {
            value: "alicia".to_owned(),
            problems: Vec::new(),
        },
        proof: Proof {
            error: Some("The current password is wrong.".to_owned()),
            password_is_wrong: true,
        },
    })
}

fn email(letters: bool) -> String {
    text(&OwnEmailPage {
        look: look(Some("alice")),
        token: token(),
        present: Some("alice@example.org".to_owned()),
        letters,
        changed_by: vec!["head".to_owned(), "admin".to_owned()],
        email: Field::default(),
        proof: Proof::default(),
    })
}

fn picture(error: Option<&str>) -> String {
    text(&OwnPicturePage {
        look: look(Some("alice")),
        token: token(),
        picture: Some(portrait()),
        at_most: "256 KiB".to_owned(),
        error: error.map(str::to_owned),
    })
}

fn confirm(confirmed: bool) -> String {
    text(&ConfirmEmailPage {
        look: look(None),
        token: token(),
        link: "c2FtcGxl".to_owned(),
        name: "alice".to_owned(),
        confirmed,
    })
}
