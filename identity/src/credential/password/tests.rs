use proptest::prelude::*;
use stagedoor_policy::rules::{CharacterClass, OtherCharacters, PasswordRules, Rules};
use stagedoor_policy::{Revision, compile};

use super::*;

fn policy(password: PasswordRules) -> Policy {
    let rules = Rules {
        password,
        title: "Ticket Office".to_owned(),
        ..Rules::default()
    };
    compile(&rules, Revision(1)).unwrap()
}

fn owner() -> Owner {
    Owner {
        name: AccountName::parse("ann.lee").unwrap(),
        display_name: "Ann-Kathrin Lee".to_owned(),
        email: Some("a.k.lee@box-company.example".to_owned()),
    }
}

fn told(password: &str, rules: PasswordRules) -> Vec<String> {
    faults(&Password::new(password).unwrap(), &owner(), &policy(rules))
}

fn sentences(password: &str) -> Vec<String> {
    told(password, PasswordRules::default())
}

/// The rules of the third manual.
fn legacy() -> PasswordRules {
    PasswordRules {
        at_least: 10,
        at_most: 20,
        require: CharacterClass::ALL.to_vec(),
        special: "$!@%*#?&".to_owned(),
        other_characters: OtherCharacters::Refuse,
        repeats_at_most: 1,
        runs_at_most: 2,
        ..PasswordRules::default()
    }
}

const GUESSABLE: &str = "choose one that is harder to guess: no much-used password, and not words or patterns alone";
const CONTEXT: &str = "do not use the account's name, its address or the name of this place in it";

#[test]
fn a_long_sentence_in_any_script_is_a_good_password() {
    for good in [
        "correct horse battery staple",
        "весенний дождь по крыше",
        "열두 글자가 넘는 문장 하나",
        "Kv7$mQx2pLKvR4!",
    ] {
        assert_eq!(sentences(good), Vec::<String>::new(), "{good}");
    }
}

#[test]
fn length_is_counted_in_characters_not_in_bytes() {
    assert_eq!(sentences("дождьпокрышедо"), ["use at least 15 characters"]);
    assert!(sentences("дождьпокрышедом").is_empty());
    let long = |length| {
        "ветер дождь крыша улица "
            .chars()
            .cycle()
            .take(length)
            .collect::<String>()
    };
    assert!(sentences(&long(128)).is_empty());
    assert_eq!(sentences(&long(129)), ["use at most 128 characters"]);
}

#[test]
fn every_rule_that_is_not_kept_is_told_at_once() {
    assert_eq!(
        sentences("Ann.Lee\u{7}"),
        ["use at least 15 characters", "use no control characters", CONTEXT]
    );
}

#[test]
fn what_belongs_to_the_account_or_the_door_is_refused() {
    for bad in [
        "xxANN.LEExx12 Rv",
        "kathrin's garden 7",
        "box-company rules ok",
        "Rv ticketoffice 77 Q",
    ] {
        assert_eq!(sentences(bad), [CONTEXT], "{bad}");
    }
    let mut rules = PasswordRules::default();
    rules.context_words.push("Backstage".to_owned());
    assert_eq!(told("my back-stage pass 81 Q", rules), [CONTEXT]);
}

#[test]
fn the_commonest_and_the_easily_guessed_are_refused_and_only_where_the_policy_says_so() {
    for bad in [
        "aaaaaaaaaaaaaaaa",
        "Password1234567",
        "P@ssw0rd1!P@ssw0rd1!",
        "qwertyuiop12345!",
        "qazwsxedcrfvtgb",
        "1q2w3e4r5t6y7u8i",
        "123456789012345",
        "passwordpassword",
        "Welcome123456789",
        "abcdefghijklmnop",
        "liverpool1892!!!",
        "drowssap43214321",
        "iloveyouforever",
    ] {
        assert_eq!(sentences(bad), [GUESSABLE], "{bad}");
        let rules = PasswordRules {
            breached: Breached::Allow,
            ..PasswordRules::default()
        };
        assert_eq!(told(bad, rules), Vec::<String>::new(), "{bad}");
    }
}

#[test]
fn the_legacy_rules_keep_the_list_of_breached_passwords() {
    for good in ["Kv7$mQx2pL", "R4!tZ9*wB2m", "Kv7$mQx2pLKv7$mQx2pL"] {
        assert_eq!(told(good, legacy()), Vec::<String>::new(), "{good}");
    }
    // Both keep the rules of composition but one, and everybody tries them.
    let repeats = PasswordRules {
        repeats_at_most: 0,
        ..legacy()
    };
    for bad in ["P@ssw0rd1!", "Passw0rd!2"] {
        assert_eq!(told(bad, repeats.clone()), [GUESSABLE], "{bad}");
    }
}

#[test]
fn a_password_is_looked_at_whole_and_refused_when_too_long_never_cut() {
    // Equal in their first 72 bytes, which some hashes stop at.
    let begin = "ветер и дождь по крыше, а дома тепло и тихо";
    let (same, but_for_its_end) = (format!("{begin}!"), format!("{begin}\u{0}"));
    assert!(begin.len() > 72);
    assert!(sentences(&same).is_empty());
    assert_eq!(sentences(&but_for_its_end), ["use no control characters"]);
    assert_eq!(told("Kv7$mQx2pLKv7$mQx2pLw", legacy()), ["use at most 20 characters"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics_and_what_is_taken_keeps_its_length(text in any::<String>()) {
        if let Some(password) = Password::new(text.clone()) {
            let told = faults(&password, &owner(), &policy(PasswordRules::default()));
            let length = text.chars().count();
            prop_assert!(!told.is_empty() || (15..=128).contains(&length));
        }
    }

    #[test]
    fn random_characters_are_hard_enough_to_guess(text in "[a-zA-Z0-9]{16,128}") {
        let text = format!("{text}Rv7$kQ");
        prop_assume!(text.chars().count() <= 128);
        prop_assert!(!sentences(&text).contains(&GUESSABLE.to_owned()), "{}", text);
    }
}
