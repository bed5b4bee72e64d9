//! `[preferences]`: choices that reach consoles as headers.

use std::collections::BTreeMap;

use super::Faults;
use super::people::check_sentence;
use crate::fault::KeyPath;
use crate::policy::Preference;
use crate::request::Target;
use crate::rules::{PreferenceRules, Rules};

/// Every header of a preference begins like this, in any case. The door takes all names that begin with `X-Stagedoor-` out
/// of what visitors send, in every spelling; no other name is safe from them, and none of its own headers begins like this.
const HEADER_PREFIX: &str = "X-Stagedoor-Preference-";
/// Bytes of a header's name.
const HEADER_BYTES_MAX: usize = 100;
/// Bytes of a choice.
const CHOICE_BYTES_MAX: usize = 64;
/// How many preferences there may be: each is a header of every request.
const PREFERENCES_MAX: usize = 32;

/// Every preference, as far as it makes sense.
pub(super) fn preferences(rules: &Rules, faults: &mut Faults) -> Vec<Preference> {
    if rules.preferences.len() > PREFERENCES_MAX {
        let message = format!("there may be at most {PREFERENCES_MAX} preferences");
        let help = "each is a header of every request; take some out".to_owned();
        faults.add(KeyPath::of(["preferences"]), message, help);
    }
    let mut headers = BTreeMap::new();
    let mut found = Vec::new();
    let mut leading = None;
    for (name, own) in &rules.preferences {
        let at = KeyPath::of(["preferences", name]);
        faults.check_name(&at, "a preference", name);
        check_choices(own, &at, faults);
        check_leads(own, &at, faults);
        if !own.leads.is_empty()
            && let Some(other) = leading.replace(name)
        {
            let message = format!("`preferences.{other}` leads somewhere already");
            faults.add(
                at.key("leads"),
                message,
                "one preference leads; take one out".to_owned(),
            );
        }
        let header = header(name, own, &at, faults);
        // `-` and `_` are one character to a console that folds names.
        if let Some(other) = headers.insert(header.to_ascii_lowercase().replace('_', "-"), name) {
            let message = format!("the header of `preferences.{other}` has that name already");
            let help = "give each a header of its own".to_owned();
            faults.add(
                if own.header.is_some() {
                    at.key("header")
                } else {
                    at.clone()
                },
                message,
                help,
            );
        }
        if let Some(title) = &own.title {
            check_sentence(title, &at.key("title"), faults);
        }
        found.push(Preference {
            name: name.clone(),
            title: own.title.clone().unwrap_or_else(|| name.clone()),
            choices: own.choices.clone(),
            default: own.default.clone(),
            header,
            leads: own.leads.clone(),
        });
    }
    found
}

fn check_choices(own: &PreferenceRules, at: &KeyPath, faults: &mut Faults) {
    for (index, choice) in own.choices.iter().enumerate() {
        let here = at.key("choices").index(index);
        if !is_choice(choice) {
            let help = format!("choices are 1 to {CHOICE_BYTES_MAX} characters of A-Z, a-z, 0-9, `.`, `_` and `-`");
            faults.add(here, format!("`{choice}` cannot be a header's value"), help);
        } else if own.choices.iter().take(index).any(|before| before == choice) {
            faults.add(here, format!("`{choice}` stands twice"), "take one out".to_owned());
        }
    }
    if own.choices.is_empty() {
        faults.add(
            at.key("choices"),
            "there is nothing to choose",
            "name the choices".to_owned(),
        );
    } else if !own.choices.contains(&own.default) {
        let message = format!("`{}` is none of the choices", own.default);
        let help = format!("write one of `{}`, or add it there", own.choices.join("`, `"));
        faults.add(at.key("default"), message, help);
    }
}

fn check_leads(own: &PreferenceRules, at: &KeyPath, faults: &mut Faults) {
    for (choice, path) in &own.leads {
        let here = at.key("leads").key(choice);
        if !own.choices.contains(choice) {
            let help = format!("write one of `{}`", own.choices.join("`, `"));
            faults.add(here, format!("`{choice}` is none of the choices"), help);
        } else if !is_path(path) {
            let message = format!("`{}` is no path of a console's", path.escape_debug());
            let help = "write a path as the door forwards it, such as `/calendar`, without a host".to_owned();
            faults.add(here, message, help);
        }
    }
}

/// A target of one reading in its one spelling, so that it leads to no other host.
fn is_path(text: &str) -> bool {
    let target = Target::parse(&http::Method::GET, text.as_bytes());
    target.is_ok_and(|target| target.rewritten().is_none())
}

fn is_choice(text: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=CHOICE_BYTES_MAX).contains(&text.len()) && text.bytes().all(fit)
}

/// The header a preference asks for, or one made of its name.
fn header(name: &str, own: &PreferenceRules, at: &KeyPath, faults: &mut Faults) -> String {
    let Some(header) = &own.header else {
        return HEADER_PREFIX.to_owned() + &in_title_case(name);
    };
    let prefix = header.get(..HEADER_PREFIX.len());
    let ours = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(HEADER_PREFIX));
    let rest = header.get(HEADER_PREFIX.len()..).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !ours {
        faults.add(
            at.key("header"),
            format!("`{header}` could be set by visitors, or means something else to a console"),
            format!(
                "write `{HEADER_PREFIX}{}`: such names are taken out of what visitors send",
                in_title_case(name)
            ),
        );
    } else if rest.is_empty() || !rest.bytes().all(plain) || header.len() > HEADER_BYTES_MAX {
        let help =
            format!("it has at most {HEADER_BYTES_MAX} characters, after `{HEADER_PREFIX}` of A-Z, a-z, 0-9 and `-`");
        faults.add(
            at.key("header"),
            format!("`{header}` is not the name of a header"),
            help,
        );
    }
    header.clone()
}

/// `events-per_day` as `Events-Per-Day`.
fn in_title_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split(['-', '_']).map(word).collect::<Vec<_>>().join("-")
}
