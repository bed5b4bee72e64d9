//! What a door that has been told many secrets writes and shows: its log at every level and in every format, the access log,
//! the audit, the metrics, its error pages, what its commands print. None of the secrets is in any of it, however dressed.

use stagedoor_tests::Door;
use stagedoor_tests::encoding::{base64, base64_url, hex, percent};

#[path = "secrets/drive.rs"]
mod drive;

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];
const FORMATS: [&str; 2] = ["text", "json"];

/// A secret, what it is, and all that was told to or by the door so far.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// Remembers it.
    pub(crate) fn keep(&mut self, what: &'static str, text: impl Into<String>) -> String {
        let text = text.into();
        assert!(text.len() >= 6, "{what} `{text}` is too short to be looked for");
        self.0.push((what, text.clone()));
        text
    }

    /// Which of them is in there, if any, and in which line.
    fn found_in(&self, text: &str) -> Option<String> {
        self.0.iter().find_map(|(what, secret)| {
            let spelt = dressed(secret).into_iter().find(|spelt| holds(text, spelt))?;
            let line = text.lines().find(|line| holds(line, &spelt)).unwrap_or(text);
            Some(format!("the {what} `{secret}` as `{spelt}`: {line}"))
        })
    }

    /// Fails where any of them is in there.
    fn must_not_be_in(&self, place: &str, text: &str) {
        if let Some(found) = self.found_in(text) {
            panic!("{place} holds {found}");
        }
    }
}

/// A secret in the spellings in which somebody may write it without thinking of it.
fn dressed(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let listed = format!("{bytes:?}");
    let mut all = vec![
        secret.to_owned(),
        // As it is kept that is shown in groups to be typed.
        secret.replace([' ', '-'], ""),
        percent(secret),
        percent(secret).to_lowercase(),
        percent(secret).replace("%20", "+"),
        percent(secret).to_lowercase().replace("%20", "+"),
        secret.escape_default().to_string(),
        hex(bytes),
        hex(bytes).to_uppercase(),
        listed.trim_matches(['[', ']']).to_owned(),
    ];
    // In base64 of something longer it begins at one of three places; what its neighbours have a part in is left out.
    for before in 0..3 {
        let shifted = [&b"\0\0"[..before], bytes].concat();
        let whole = &shifted[..shifted.len() / 3 * 3];
        let skipped = if before == 0 { 0 } else { 4 };
        for text in [base64(whole), base64_url(whole)] {
            let inner = text[skipped.min(text.len())..].to_owned();
            if inner.len() >= 8 {
                all.push(inner);
            }
        }
    }
    all
}

/// Whether it is in there; digits alone only where they are no part of a longer number.
fn holds(text: &str, spelt: &str) -> bool {
    let is_number = spelt.bytes().all(|byte| byte.is_ascii_digit());
    let joins = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '.' || letter == '-')
    };
    text.match_indices(spelt).any(|(at, found)| {
        !is_number || !(joins(text[..at].chars().next_back()) || joins(text[at + found.len()..].chars().next()))
    })
}

#[test]
fn a_secret_is_found_however_it_is_dressed() {
    let secret = "a key/under the mat?";
    let mut secrets = Secrets::default();
    secrets.keep("test", secret);
    let padded = |before: &str| base64(format!("{before}{secret}, and more").as_bytes());
    for text in [
        format!("x{secret}x"),
        format!("\"{secret:?}\""),
        "path=/a%20key%2Funder%20the%20mat%3F".to_owned(),
        "a+key%2funder+the+mat%3f".to_owned(),
        hex(format!("<{secret}>").as_bytes()),
        format!("{:?}", secret.as_bytes().to_vec()),
        padded(""),
        padded("x"),
        padded("xy"),
        padded("user:"),
    ] {
        assert!(secrets.found_in(&text).is_some(), "{text}");
    }
    assert_eq!(secrets.found_in("a key under another mat"), None);
    secrets.keep("code", "123456");
    assert_eq!(secrets.found_in("2026-01-01T00:00:00.123456Z 9123456"), None);
    assert!(secrets.found_in("code=123456 ").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_anything_that_a_door_writes_or_shows() {
    for format in FORMATS {
        for level in LEVELS {
            let at = format!("{level}, {format}: ");
            let mut driven = drive::drive(level, format).await;
            let secrets = &driven.secrets;
            for (place, text) in &driven.shown {
                secrets.must_not_be_in(&format!("{at}{place}"), text);
            }
            for (place, text) in printed(&driven.door) {
                secrets.must_not_be_in(&format!("{at}{place}"), &text);
            }
            // Ended, so that all is written.
            driven.door.process().signal(rustix::process::Signal::INT);
            driven.door.process().end_within(drive::MOMENT);
            let access = std::fs::read_to_string(driven.door.folder().join("access.log")).expect("an access log");
            assert!(
                access.lines().count() > 20 && access.contains("/.stagedoor/setup"),
                "{access}"
            );
            secrets.must_not_be_in(&format!("{at}access log"), &access);
            // The link is shown once, to whoever starts the door, and nowhere else.
            let log = driven.door.log();
            assert_eq!(log.matches(&driven.link).count(), 1, "{log}");
            secrets.must_not_be_in(&format!("{at}log"), &log.replacen(&driven.link, "", 1));
        }
    }
}

/// What the commands print about all that there is.
fn printed(door: &Door) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for command in [
        "check",
        "policy show",
        "policy get",
        "policy status",
        "policy explain --as ada --from 127.0.0.1 GET http://console.localhost/page",
        "account list",
        "account show ada",
        "account show bea",
        "session list",
        "lockout list",
        "token list",
        "audit --limit 1000",
    ] {
        for output in [&[][..], &["--output", "json"]] {
            let arguments: Vec<&str> = command.split(' ').chain(output.iter().copied()).collect();
            let printed = door.command(&arguments);
            let text = [printed.stdout, printed.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            assert!(printed.status.success(), "{command}: {text}");
            all.push((format!("{arguments:?}"), text));
        }
    }
    all
}
