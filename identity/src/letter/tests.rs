use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::testing::SeededChance;

/// 22 November 2026, 15:46:00.
const AT: Timestamp = Timestamp::from_micros(1_795_362_360_000_000);

fn head() -> Letterhead {
    Letterhead {
        title: "Box office".to_owned(),
        public_url: "https://door.example.org".to_owned(),
        domain: "example.org".to_owned(),
        letters_max: 10,
        retry_first: Duration::from_secs(30),
        give_up_after: Duration::from_secs(3 * 86_400),
    }
}

fn link() -> Link {
    head().link("/.stagedoor/link#", "AbC-_123")
}

fn letter(says: Says) -> Letter {
    Letter {
        account: None,
        to: "ann@example.org".to_owned(),
        display_name: "Ann Lee".to_owned(),
        says,
    }
}

fn change() -> Change {
    Change {
        at: AT,
        from: Some("192.0.2.7".parse().unwrap()),
    }
}

fn every_letter() -> Vec<Says> {
    let (valid_until, asked_from) = (
        AT.after(Duration::from_secs(1800)),
        Some("2001:db8::7".parse().unwrap()),
    );
    vec![
        Says::Invitation {
            name: "ann".to_owned(),
            link: link(),
            valid_until,
        },
        Says::InvitationReminder {
            name: "ann".to_owned(),
            link: link(),
            valid_until,
        },
        Says::PasswordReset {
            link: link(),
            valid_until,
            asked_from,
        },
        Says::SecondFactorRecovery {
            link: link(),
            valid_until,
        },
        Says::EmailConfirmation {
            name: "ann".to_owned(),
            link: link(),
            valid_until,
            asked_from,
        },
        Says::InactivityWarning {
            blocked_at: valid_until,
        },
        Says::PasswordChanged(change()),
        Says::SecondFactorChanged(change()),
        Says::EmailChanged(Change { from: None, ..change() }),
        Says::Trial,
    ]
}

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&Secret::new([byte; 32])).unwrap()
}

/// Each file holds the letter as it is to be read; `STAGEDOOR_UPDATE_DOCS=1` writes them anew, to be read through.
#[test]
fn every_letter_reads_as_its_file_says() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/letter/golden");
    let mut kinds = Vec::new();
    for says in every_letter() {
        let kind = says.kind();
        let rendered = letter(says).render(&head());
        let seen = format!(
            "Subject: {}\n\n{}\n{}",
            rendered.subject, &*rendered.text, &*rendered.html
        );
        let file = folder.join(format!("{}.txt", kind.name()));
        if std::env::var_os("STAGEDOOR_UPDATE_DOCS").is_some() {
            std::fs::write(&file, &seen).unwrap();
        }
        let wanted = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(seen, wanted, "{}", file.display());
        kinds.push(kind);
    }
    assert_eq!(kinds, LetterKind::ALL, "every kind has its letter here");
}

#[test]
fn every_kind_is_found_by_its_name_and_replaces_only_letters_of_its_own_link() {
    for kind in LetterKind::ALL {
        assert_eq!(LetterKind::from_name(kind.name()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        assert!(kind.replaces().is_empty() || kind.replaces().contains(&kind));
    }
    assert_eq!(LetterKind::from_name("love_letter"), None);
}

#[test]
fn a_letter_loads_nothing_and_links_to_the_door_alone() {
    for says in every_letter() {
        let html = letter(says).render(&head()).html;
        for loading in [
            "<img",
            "<style",
            "<script",
            "<link",
            "src=",
            "url(",
            "background",
            "<iframe",
            "<form",
        ] {
            assert!(!html.contains(loading), "{loading}: {}", *html);
        }
        for address in html.split("href=\"").skip(1) {
            assert!(address.starts_with("https://door.example.org/"), "{address}");
        }
    }
}

#[test]
fn a_link_stands_whole_on_a_line_of_its_own_and_is_never_printed() {
    let long = head().link("/.stagedoor/link#", &"x".repeat(300));
    let shown = format!("{long:?}");
    assert!(!shown.contains("xxx"), "{shown}");
    let letter = letter(Says::PasswordReset {
        link: long.clone(),
        valid_until: AT,
        asked_from: None,
    });
    let rendered = letter.render(&head());
    assert!(rendered.text.lines().any(|line| line == long.expose()));
    assert!(!format!("{letter:?}{rendered:?}").contains("xxx"));
}

#[test]
fn markup_in_a_name_or_title_is_text() {
    let mut letter = letter(Says::Trial);
    letter.display_name = "<b onclick='x'>&\"Ann\"</b>".to_owned();
    let head = Letterhead {
        title: "<script>alert(1)</script>".to_owned(),
        ..head()
    };
    let html = letter.render(&head).html;
    assert!(html.contains("&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;Ann&quot;&lt;/b&gt;"));
    assert!(!html.contains("<script") && !html.contains("<b "), "{}", *html);
}

proptest! {
    #[test]
    fn nothing_typed_breaks_the_subject_or_begins_a_line_of_its_own(typed in "\\PC{0,40}[\r\n\u{0}\u{85}\u{2028}\u{202e}]{1,4}\\PC{0,200}") {
        let mut letter = letter(Says::Trial);
        letter.display_name.clone_from(&typed);
        let head = Letterhead { title: typed, ..head() };
        let rendered = letter.render(&head);
        prop_assert!(!rendered.subject.chars().any(char::is_control), "{:?}", rendered.subject);
        let forged = |c: char| matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{202e}' | '\0');
        prop_assert!(!rendered.text.contains(forged) && !rendered.html.contains(forged));
    }
}

#[test]
fn a_letter_is_sealed_and_opens_for_its_own_id_address_and_key_only() {
    let chance = SeededChance::new(1);
    let says = Says::PasswordReset {
        link: link(),
        valid_until: AT,
        asked_from: None,
    };
    let queued = letter(says).seal(&head(), &sealer(1), &chance, AT).unwrap();
    let readable = String::from_utf8_lossy(&queued.sealed);
    assert!(!readable.contains("AbC-_123") && !readable.contains("password"));
    let opened = sealer(1).open(&queued).unwrap();
    assert!(opened.rendered.text.contains("AbC-_123"));
    assert_eq!(opened.message_id, format!("{}@example.org", queued.id.0));
    assert!(sealer(2).open(&queued).is_none());
    let to_another = QueuedLetter {
        to: "eve@example.org".to_owned(),
        ..queued.clone()
    };
    assert!(sealer(1).open(&to_another).is_none());
    assert!(!format!("{queued:?}").contains("ann@example.org"));
}

#[test]
fn a_letter_is_not_sent_once_its_link_has_ended_or_its_days_are_over() {
    let chance = SeededChance::new(1);
    let sealed = |says| letter(says).seal(&head(), &sealer(1), &chance, AT).unwrap();
    let soon = AT.after(Duration::from_secs(1800));
    let reset = sealed(Says::PasswordReset {
        link: link(),
        valid_until: soon,
        asked_from: None,
    });
    assert_eq!(reset.give_up_at, soon);
    let in_three_days = AT.after(Duration::from_secs(3 * 86_400));
    let invitation = sealed(Says::Invitation {
        name: "ann".to_owned(),
        link: link(),
        valid_until: AT.after(Duration::from_secs(7 * 86_400)),
    });
    assert_eq!(invitation.give_up_at, in_three_days);
    assert_eq!(sealed(Says::Trial).give_up_at, in_three_days);
    assert_eq!((reset.due_at, reset.letters_max), (AT, 10));
}

#[test]
fn each_wait_is_about_twice_the_one_before_and_an_hour_at_most() {
    let chance = SeededChance::new(7);
    for (failures, longest_s) in [
        (1, 30),
        (2, 60),
        (3, 120),
        (7, 1920),
        (8, 3600),
        (9, 3600),
        (u32::MAX, 3600),
    ] {
        for _try in 0..50 {
            let wait = retry_after(failures, Duration::from_secs(30), &chance);
            let longest = Duration::from_secs(longest_s);
            assert!(wait <= longest && wait >= longest * 3 / 4, "{failures}: {wait:?}");
        }
    }
    let waits: std::collections::BTreeSet<_> = (0..50)
        .map(|_| retry_after(9, Duration::from_secs(30), &chance))
        .collect();
    assert!(waits.len() > 10, "chance spreads them");
}
