use proptest::prelude::*;

use super::*;

/// The legacy rules with both open questions decided: no character twice in a row, no three that follow each other.
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

fn broken(password: &str, rules: &PasswordRules) -> Vec<&'static str> {
    let context = ContextWords::default().and_word("filingbox").and_name("Ann Lee");
    faults(password, rules, &context)
        .iter()
        .map(PasswordFault::rule)
        .collect()
}

#[test]
fn passwords_that_keep_the_legacy_rules_are_taken() {
    for fit in [
        "Kv7$mQx2pL",
        "R4!tZ9*wB2m",
        "Kv7$mQx2pLKv7$mQx2pL",
        "aB1$aB1$aB1$",
        "Zx9?Zx9?Zx",
    ] {
        assert_eq!(broken(fit, &legacy()), Vec::<&str>::new(), "{fit}");
    }
}

#[test]
fn each_legacy_rule_is_told_by_its_own_name() {
    for (unfit, rules) in [
        ("Kv7$mQx2p", &["too_short"][..]),
        ("Kv7$mQx2pLKv7$mQx2pLx", &["too_long"]),
        ("kv7$mqx2pl", &["lacks_upper"]),
        ("KV7$MQX2PL", &["lacks_lower"]),
        ("Kvs$mQxtpL", &["lacks_digit"]),
        ("Kv7smQx2pL", &["lacks_special"]),
        ("Kv7$mmQx2p", &["repeats"]),
        ("Kv7$mMQx2p", &["repeats"]),
        ("Kv7$$mQx2p", &["repeats"]),
        ("Kv7$qweX2pL", &["runs"]),
        ("Kv7$ewqX2pL", &["runs"]),
        ("Kv7$QwEX2pL", &["runs"]),
        ("Kv7$X2345pL", &["runs"]),
        ("Kv7$X432pL9", &["runs"]),
        ("Kv7$X901pL8", &[]),
        ("Kv7$X890pL3", &["runs"]),
        ("Kv7!@#X2pLm", &["runs"]),
        ("Kv71@3X2pLm", &["runs"]),
        ("Kv7$abcX2pL", &["runs"]),
        ("Kv7$ZyXm2pL", &["runs"]),
        ("Kv7^mQx2pL", &["lacks_special", "other_character"]),
        ("Kv7$^mQx2pL", &["other_character"]),
        ("Kv7$ mQx2pL", &["other_character"]),
        ("Kv7$\tmQx2pL", &["control_character", "other_character"]),
        ("Kv7$\u{0}mQx2pL", &["control_character", "other_character"]),
        ("Kv7$éQx2pL", &["other_character"]),
        ("Kv7$日Qx2pL", &["other_character"]),
        ("Ann.Lee7$Qx", &["repeats", "other_character", "context_word"]),
        ("Kv7$FilingBox", &["context_word"]),
        ("Kv$F1lingBox", &[]),
        (
            "",
            &[
                "too_short",
                "lacks_upper",
                "lacks_lower",
                "lacks_digit",
                "lacks_special",
            ],
        ),
    ] {
        let mut told = broken(unfit, &legacy());
        let mut expected = rules.to_vec();
        told.sort_unstable();
        expected.sort_unstable();
        assert_eq!(told, expected, "{unfit:?}");
    }
}

#[test]
fn each_open_question_of_the_legacy_rules_is_a_setting() {
    let with = |change: fn(&mut PasswordRules)| {
        let mut rules = legacy();
        change(&mut rules);
        rules
    };
    let allowed = with(|rules| rules.other_characters = OtherCharacters::Allow);
    assert_eq!(broken("Kv7$^mQx2pL", &allowed), [""; 0]);
    assert_eq!(
        broken("Kv7^mQx2pL", &allowed),
        ["lacks_special"],
        "allowed is not yet special"
    );
    let exact = with(|rules| rules.repeats_fold_case = false);
    assert_eq!(broken("Kv7$mMQx2p", &exact), [""; 0]);
    assert_eq!(broken("Kv7$mmQx2p", &exact), ["repeats"]);
    let pairs = with(|rules| rules.repeats_at_most = 2);
    assert_eq!(broken("Kv7$mmQx2p", &pairs), [""; 0]);
    assert_eq!(broken("Kv7$mmmQx2p", &pairs), ["repeats"]);
    let longer = with(|rules| rules.runs_at_most = 3);
    assert_eq!(broken("Kv7$qweX2pL", &longer), [""; 0]);
    assert_eq!(broken("Kv7$qwerX2pL", &longer), ["runs"]);
    let none = with(|rules| rules.runs_at_most = 1);
    assert_eq!(broken("Kv7$qwX2pLm", &none), ["runs"], "not even two");
}

#[test]
fn the_modern_rules_ask_for_length_and_nothing_of_the_make_up() {
    let rules = PasswordRules::default();
    for fit in [
        "correct horse battery staple",
        "aaaaaaaaaaaaaaa",
        "qwertyuiop[]asdf",
        "весенний дождь и",
        "열두 글자가 넘는 문장 하나",
        &"x".repeat(128),
    ] {
        assert_eq!(broken(fit, &rules), [""; 0], "{fit}");
    }
    assert_eq!(broken("fourteen chars", &rules), ["too_short"]);
    assert_eq!(broken(&"x".repeat(129), &rules), ["too_long"]);
    assert_eq!(broken("дождьпокрышидо", &rules), ["too_short"], "characters, not bytes");
}

#[test]
fn runs_are_found_on_every_row_and_in_both_directions() {
    for (run, length) in [
        ("q", 1),
        ("qw", 2),
        ("qwq", 2),
        ("poiuytrewq", 10),
        ("asdfghjkl;'", 11),
        ("zxcvbnm,./", 10),
        ("0123456789", 10),
        ("7890-=", 6),
        ("!@#$%^&*()", 10),
        ("abcdefghijklmnopqrstuvwxyz", 26),
        ("xyzabc", 3),
        ("azerty", 6),
        ("qwertz", 6),
        ("йцукен", 6),
        ("нЕкУцЙ", 6),
        ("абвгд", 5),
        ("ㅁㄴㅇㄹ", 4),
        ("1qaz", 2),
        ("aqbwce", 1),
        ("", 0),
        ("日本語", 1),
    ] {
        assert_eq!(runs::longest(run), length, "{run}");
    }
}

#[test]
fn words_of_the_account_are_found_in_every_spelling_and_pieces_only_when_long() {
    let context = ContextWords::default()
        .and_word("annlee")
        .and_name("Ann-Kathrin Lee")
        .and_email("a.lee-müller@mail.company.co.uk");
    for held in [
        "xxAnn.LEExx",
        "my kathrin!",
        "KATHRIN",
        "aLeeMüller9",
        "the-company-one",
        "c.o.m.p.a.n.y",
        "x mail x",
    ] {
        assert!(context.are_in(held), "{held}");
    }
    for free in ["lee", "ann", "sleeping", "co", "uk", "planning a feast", "", "!!!"] {
        assert!(!context.are_in(free), "{free}");
    }
    assert!(
        !ContextWords::default()
            .and_word("")
            .and_name("!!")
            .and_email("@")
            .are_in("anything")
    );
}

#[test]
fn no_sentence_quotes_the_password_and_every_rule_has_its_own_name() {
    let every = [
        PasswordFault::TooShort(1),
        PasswordFault::TooLong(1),
        PasswordFault::ControlCharacter,
        PasswordFault::Lacks(CharacterClass::Upper, String::new()),
        PasswordFault::Lacks(CharacterClass::Lower, String::new()),
        PasswordFault::Lacks(CharacterClass::Digit, String::new()),
        PasswordFault::Lacks(CharacterClass::Special, "$!".to_owned()),
        PasswordFault::OtherCharacter("$!".to_owned()),
        PasswordFault::Repeats(1),
        PasswordFault::Runs(2),
        PasswordFault::ContextWord,
        PasswordFault::Guessable,
    ];
    let names: std::collections::BTreeSet<_> = every.iter().map(PasswordFault::rule).collect();
    let sentences: std::collections::BTreeSet<_> = every.iter().map(PasswordFault::sentence).collect();
    assert_eq!((names.len(), sentences.len()), (every.len(), every.len()));
}

proptest! {
    #[test]
    fn no_text_panics_and_lengths_are_those_of_the_whole_text(text in any::<String>(), at_least in 1u32..40, more in 0u32..40) {
        let rules = PasswordRules { at_least, at_most: at_least + more, ..legacy() };
        let told = broken(&text, &rules);
        let length = u32::try_from(text.chars().count()).unwrap();
        prop_assert_eq!(told.contains(&"too_short"), length < rules.at_least);
        prop_assert_eq!(told.contains(&"too_long"), length > rules.at_most);
    }

    #[test]
    fn what_stands_at_the_end_of_a_long_password_counts_as_much_as_its_beginning(length in 1usize..2000) {
        let rules = PasswordRules { at_most: 4000, other_characters: OtherCharacters::Refuse, ..PasswordRules::default() };
        let long = "aB".repeat(length);
        prop_assert!(!broken(&long, &rules).contains(&"other_character"));
        let told = broken(&format!("{long}é"), &rules);
        prop_assert!(told.contains(&"other_character"));
    }

    #[test]
    fn runs_and_repeats_are_the_same_backwards(text in "[a-zA-Z0-9!@#йцу]{0,30}") {
        let backwards: String = text.chars().rev().collect();
        prop_assert_eq!(runs::longest(&text), runs::longest(&backwards));
        prop_assert_eq!(longest_repeat(&text, true), longest_repeat(&backwards, true));
        prop_assert!(longest_repeat(&text, false) <= longest_repeat(&text, true));
    }
}
