//! What a policy says about accounts.

use crate::rules::{ChangedBy, Enrolment, HeldBy, MessageKey, NameShape, PreferenceRules, RoleRules, Rules, SeatRules};
use crate::test_support::{compiled, console, role, texts};

/// A head that hands over to admins, admins that manage operators, operators that nobody changes.
fn house() -> Rules {
    let mut rules = console();
    let head = RoleRules {
        held_by: HeldBy::One,
        handed_to: Some(texts(&["admin", "operator"])),
        hands_down_to: Some("viewer".to_owned()),
        administers: texts(&["*"]),
        ..role(&[("*", "all")])
    };
    rules.roles.insert("head".to_owned(), head);
    let admin = rules.roles.get_mut("admin").unwrap();
    admin.administers = texts(&["viewer", "operator"]);
    admin.keep_at_least = 2;
    admin.role_changed_by = ChangedBy::Holder;
    rules.roles.get_mut("operator").unwrap().role_changed_by = ChangedBy::Nobody;
    rules
}

#[test]
fn without_a_word_about_accounts_everything_is_as_it_was() {
    let policy = compiled(&console());
    assert_eq!(policy.keep_at_least("admin"), 0);
    assert_eq!(policy.held_by("admin"), HeldBy::Any);
    assert!(!policy.handed_to("admin", "viewer"));
    assert_eq!(policy.role_changed_by("admin"), ChangedBy::Administrators);
    assert_eq!(policy.administers("admin").count(), 0);
    assert!(policy.seats().is_empty() && policy.preferences().is_empty());
    assert_eq!(policy.enrolment(), Enrolment::Password);
    assert!(!policy.linked_device("browser"));
    assert_eq!(policy.invitation().valid_for.as_secs(), 7 * 86_400);
    assert_eq!(policy.reset().valid_for.as_secs(), 1800);
    for key in MessageKey::ALL {
        assert_eq!((policy.message(*key), policy.own_message(*key)), (key.sentence(), None));
    }
}

#[test]
fn a_role_of_one_is_handed_to_the_roles_it_names_and_no_other() {
    let policy = compiled(&house());
    assert_eq!(policy.held_by("head"), HeldBy::One);
    assert_eq!(policy.keep_at_least("head"), 1, "exactly one is at least one");
    let takers: Vec<&str> = policy.roles().filter(|to| policy.handed_to("head", to)).collect();
    assert_eq!(takers, ["admin", "operator"]);
    assert!(!policy.handed_to("head", "ghost") && !policy.handed_to("ghost", "admin"));
    assert_eq!(policy.hands_down_to("head"), Some("viewer"));
    let mut rules = house();
    rules.roles.get_mut("head").unwrap().handed_to = None;
    let policy = compiled(&rules);
    let takers: Vec<&str> = policy.roles().filter(|to| policy.handed_to("head", to)).collect();
    assert_eq!(takers, ["admin", "operator", "remover", "viewer"], "any but itself");
}

#[test]
fn who_may_change_a_role_and_whom_a_role_administers_is_as_written() {
    let policy = compiled(&house());
    assert_eq!(policy.role_changed_by("admin"), ChangedBy::Holder);
    assert_eq!(policy.role_changed_by("operator"), ChangedBy::Nobody);
    assert_eq!(policy.role_changed_by("ghost"), ChangedBy::Administrators);
    assert_eq!(policy.administers("admin").collect::<Vec<_>>(), ["operator", "viewer"]);
    assert!(policy.may_administer("admin", "viewer") && !policy.may_administer("admin", "head"));
    assert!(!policy.may_administer("viewer", "viewer") && !policy.may_administer("ghost", "viewer"));
    assert_eq!(policy.administers("head").count(), 5);
    assert!(
        policy.may_administer("head", "ghost") && !policy.may_administer("admin", "ghost"),
        "an account whose role is gone is managed by whoever manages all"
    );
    assert_eq!((policy.keep_at_least("admin"), policy.keep_at_least("ghost")), (2, 0));
}

#[test]
fn seats_are_found_by_the_roles_that_take_them() {
    let mut rules = house();
    let seats = SeatRules {
        roles: texts(&["admin", "operator"]),
        at_most: 5,
        advice: Some("Ask for more.".to_owned()),
    };
    rules.seats.insert("staff".to_owned(), seats);
    let policy = compiled(&rules);
    let of = |role| {
        let seats = policy.seats_of(role);
        seats
            .map(|seats| (seats.name.as_str(), seats.at_most))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("admin"), [("staff", 5)]);
    assert_eq!(of("viewer"), []);
    assert_eq!(policy.seats()[0].advice.as_deref(), Some("Ask for more."));
}

#[test]
fn a_preference_is_one_of_its_choices_and_reaches_consoles_by_a_header_of_ours() {
    let mut rules = console();
    let preference = |header: Option<&str>| PreferenceRules {
        choices: texts(&["calendar", "dashboard"]),
        default: "dashboard".to_owned(),
        header: header.map(str::to_owned),
        leads: header
            .is_none()
            .then(|| ("calendar".to_owned(), "/calendar".to_owned()))
            .into_iter()
            .collect(),
        ..PreferenceRules::default()
    };
    rules.preferences.insert("landing_page".to_owned(), preference(None));
    let named = preference(Some("x-stagedoor-preference-Day"));
    rules.preferences.insert("per-day".to_owned(), named);
    let policy = compiled(&rules);
    let [landing, day] = policy.preferences() else {
        panic!("two")
    };
    assert_eq!(landing.header, "X-Stagedoor-Preference-Landing-Page");
    assert_eq!(
        (landing.title.as_str(), day.header.as_str()),
        ("landing_page", "x-stagedoor-preference-Day")
    );
    assert_eq!(landing.holds(Some("calendar")), "calendar");
    assert_eq!(landing.holds(Some("gone")), "dashboard");
    assert_eq!(landing.holds(None), "dashboard");
    let chosen = |choice: &str| [("landing_page".to_owned(), choice.to_owned())].into();
    assert_eq!(policy.leads_to(&chosen("calendar")), Some("/calendar"));
    assert_eq!(policy.leads_to(&chosen("dashboard")), None);
    assert_eq!(policy.leads_to(&chosen("gone")), None, "the default holds");
}

#[test]
fn a_channel_tells_its_own_sentence_before_that_of_the_policy() {
    let mut rules = console();
    rules.channels.entry("client".to_owned()).or_default().refused = Some("can't log in to the client".to_owned());
    rules.channels.entry("mobile".to_owned()).or_default().linked_device = true;
    rules
        .messages
        .insert(MessageKey::ChannelRefused, "can't access the web UI".to_owned());
    let policy = compiled(&rules);
    assert_eq!(policy.channel_refused("client"), "can't log in to the client");
    assert_eq!(policy.channel_refused("browser"), "can't access the web UI");
    assert!(policy.linked_device("mobile") && !policy.linked_device("client"));
}

#[test]
fn names_are_judged_as_typed() {
    let mut rules = console();
    let policy = compiled(&rules);
    for fit in ["Ann.Lee+x@corp", "a", &"x".repeat(64)] {
        assert_eq!(policy.check_account_name(fit), Ok(()), "{fit}");
    }
    for unfit in ["", "ä", "a b", &"x".repeat(65)] {
        assert_eq!(policy.check_account_name(unfit).unwrap_err().len(), 1, "{unfit}");
    }
    rules.account.name_at_least = 5;
    rules.account.name_at_most = 20;
    rules.account.name_shape = NameShape::LowercaseIdentifier;
    let policy = compiled(&rules);
    for fit in ["admin", "a1234", "a____", &"x".repeat(20)] {
        assert_eq!(policy.check_account_name(fit), Ok(()), "{fit}");
    }
    for unfit in ["Admin", "1admin", "_admin", "adm.in", "admi", &"x".repeat(21), "adminé"] {
        assert_eq!(policy.check_account_name(unfit).unwrap_err().len(), 1, "{unfit}");
    }
    assert_eq!(
        policy.check_account_name("A.b").unwrap_err().len(),
        2,
        "every fault is told"
    );
    let sentence = "Please start with a lowercase letter.".to_owned();
    rules.messages.insert(MessageKey::NameUnfit, sentence.clone());
    assert_eq!(compiled(&rules).check_account_name("A.b"), Err(vec![sentence]));
}

#[test]
fn display_names_are_counted_in_characters_of_any_script() {
    let mut rules = console();
    rules.account.display_name_at_least = 1;
    rules.account.display_name_at_most = 20;
    let sentence = "Please enter a name within 20 characters.".to_owned();
    rules.messages.insert(MessageKey::DisplayNameUnfit, sentence.clone());
    let policy = compiled(&rules);
    for fit in ["A", "김관리자", &"й".repeat(20), "<b>&'\"", " "] {
        assert_eq!(policy.check_display_name(fit), Ok(()), "{fit}");
    }
    for unfit in ["", &"й".repeat(21)] {
        assert_eq!(policy.check_display_name(unfit), Err(vec![sentence.clone()]), "{unfit}");
    }
    assert_eq!(
        policy.check_display_name("a\u{7}"),
        Err(vec!["no control characters".to_owned()]),
        "which the policy's sentence does not explain"
    );
    let policy = compiled(&console());
    assert_eq!(policy.check_display_name(""), Ok(()));
    let long = "x".repeat(101);
    assert_eq!(
        policy.check_display_name(&long),
        Err(vec!["at most 100 characters".to_owned()])
    );
}
