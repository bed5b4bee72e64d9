//! Every key about accounts arrives as it was meant, and is told with its place where it is wrong.

use std::time::Duration;

use stagedoor_policy::rules::{
    AccountNetworkRules, AccountRules, Breached, ChangedBy, CharacterClass, Enrolment, Family, HeldBy, MessageKey,
    NameShape, NetworkListRules, NetworkShape, OtherCharacters, PasswordRules, PreferenceRules, ReturnsBy, SeatRules,
};

use super::{BUILDING, Folder, POLICY, told};
use crate::describe::{POLICY as DESCRIPTION, leaves};

const HOUSE: &str = r#"
[site.console]
networks = ["198.51.100.0/24"]
network_rules = { at_most = 10, refuse_private = true }
[site.console.areas]
all = { paths = ["/**"] }
[role.head]
may = { "*" = "all" }
held_by = "one"
handed_to = ["admin"]
hands_down_to = "admin"
administers = "*"
[role.admin]
keep_at_least = 2
role_changed_by = "self"
administers = ["clerk"]
may_be_granted = ["console/all"]
network_rules = { shape = "addresses" }
[role.admin.account_networks]
required = true
at_most = 5
changed_by = "self"
shape = "addresses"
family = "ipv4"
octets_at_most = 254
refuse_network_addresses = true
refuse_private = true
text_at_least = 7
text_at_most = 79
[role.clerk]
role_changed_by = "nobody"
may_be_granted = []
account_networks = { family = "ipv6" }
[seats.staff]
roles = ["admin", "clerk"]
at_most = 5
advice = "Ask for more."
[account]
name_at_least = 5
name_at_most = 20
name_shape = "lowercase-identifier"
display_name_at_least = 1
display_name_at_most = 30
[password]
at_least = 10
at_most = 20
require = ["upper", "special"]
special = "$!@%*#?&"
other_characters = "refuse"
repeats_at_most = 1
repeats_fold_case = false
runs_at_most = 2
breached = "allow"
context_words = ["backstage"]
[second_factor]
enrolment = "right"
[channel.client]
linked_device = true
refused = "can't log in to the client"
[invitation]
valid_for = "3d"
[reset]
valid_for = "15m"
[inactivity]
block_after = "30d"
warn_before = "7d"
returns_by = "invitation"
[preferences.landing]
choices = ["calendar", "dashboard"]
default = "dashboard"
header = "X-Stagedoor-Preference-Landing"
title = "Landing page"
leads = { calendar = "/backstage/calendar" }
[messages]
name_taken = "The same ID already exists."
seats_full = "No seats."
"#;

#[test]
fn every_key_about_roles_and_their_networks_reaches_its_field() {
    let rules = Folder::with(BUILDING, HOUSE).load().expect("loads").rules;
    let head = &rules.roles["head"];
    assert_eq!(head.held_by, HeldBy::One);
    assert_eq!(head.handed_to, Some(vec!["admin".to_owned()]));
    assert_eq!(head.hands_down_to.as_deref(), Some("admin"));
    assert_eq!(head.administers, ["*"], "one name needs no list");
    let admin = &rules.roles["admin"];
    assert_eq!((admin.keep_at_least, admin.role_changed_by), (2, ChangedBy::Holder));
    assert_eq!(admin.administers, ["clerk"]);
    assert_eq!(admin.may_be_granted, Some(vec!["console/all".to_owned()]));
    assert_eq!(admin.network_rules.shape, NetworkShape::Addresses);
    let list = NetworkListRules {
        at_most: Some(5),
        shape: NetworkShape::Addresses,
        family: Family::V4,
        octets_at_most: 254,
        refuse_network_addresses: true,
        refuse_private: true,
        text_at_least: 7,
        text_at_most: 79,
    };
    let networks = AccountNetworkRules {
        required: true,
        changed_by: ChangedBy::Holder,
        list,
    };
    assert_eq!(admin.account_networks, networks);
    let clerk = &rules.roles["clerk"];
    assert_eq!(clerk.role_changed_by, ChangedBy::Nobody);
    assert_eq!(
        clerk.may_be_granted,
        Some(Vec::new()),
        "an empty list is not an absent one"
    );
    assert_eq!(clerk.account_networks.list.family, Family::V6);
    let site = &rules.sites["console"].network_rules;
    assert_eq!((site.at_most, site.refuse_private), (Some(10), true));
}

#[test]
fn every_key_about_accounts_reaches_its_field() {
    let rules = Folder::with(BUILDING, HOUSE).load().expect("loads").rules;
    let seats = SeatRules {
        roles: vec!["admin".to_owned(), "clerk".to_owned()],
        at_most: 5,
        advice: Some("Ask for more.".to_owned()),
    };
    assert_eq!(rules.seats["staff"], seats);
    let account = AccountRules {
        name_at_least: 5,
        name_at_most: 20,
        name_shape: NameShape::LowercaseIdentifier,
        display_name_at_least: 1,
        display_name_at_most: 30,
    };
    assert_eq!(rules.account, account);
    let password = PasswordRules {
        at_least: 10,
        at_most: 20,
        require: vec![CharacterClass::Upper, CharacterClass::Special],
        special: "$!@%*#?&".to_owned(),
        other_characters: OtherCharacters::Refuse,
        repeats_at_most: 1,
        repeats_fold_case: false,
        runs_at_most: 2,
        breached: Breached::Allow,
        context_words: vec!["backstage".to_owned()],
    };
    assert_eq!(rules.password, password);
    assert_eq!(rules.second_factor.enrolment, Enrolment::Right);
    let client = &rules.channels["client"];
    assert!(client.linked_device);
    assert_eq!(client.refused.as_deref(), Some("can't log in to the client"));
    assert_eq!(rules.invitation.valid_for, Duration::from_secs(3 * 86_400));
    assert_eq!(rules.reset.valid_for, Duration::from_secs(900));
    assert_eq!(rules.inactivity.warn_before, Some(Duration::from_secs(7 * 86_400)));
    assert_eq!(rules.inactivity.returns_by, ReturnsBy::Invitation);
    let landing = PreferenceRules {
        choices: vec!["calendar".to_owned(), "dashboard".to_owned()],
        default: "dashboard".to_owned(),
        header: Some("X-Stagedoor-Preference-Landing".to_owned()),
        title: Some("Landing page".to_owned()),
        leads: [("calendar".to_owned(), "/backstage/calendar".to_owned())].into(),
    };
    assert_eq!(rules.preferences["landing"], landing);
    assert_eq!(rules.messages[&MessageKey::NameTaken], "The same ID already exists.");
    assert_eq!(rules.messages.len(), 2);
}

#[test]
fn every_sentence_of_the_door_can_be_replaced_and_no_other() {
    let messages = leaves(DESCRIPTION)
        .into_iter()
        .filter(|described| described.path.first() == Some(&"messages"));
    let described: Vec<&str> = messages.map(|described| described.setting.name).collect();
    let known: Vec<&str> = MessageKey::ALL.iter().map(|key| key.as_str()).collect();
    assert_eq!(described, known);
    let every: Vec<String> = known.iter().map(|key| format!("{key} = \"About {key}.\"")).collect();
    let policy = format!("{POLICY}[messages]\n{}\n", every.join("\n"));
    let rules = Folder::with(BUILDING, &policy).load().expect("loads").rules;
    for key in MessageKey::ALL {
        assert_eq!(rules.messages[key], format!("About {}.", key.as_str()));
    }
}

#[test]
fn a_key_about_accounts_that_is_wrong_is_pointed_at() {
    for (text, fault) in [
        ("[messages]\nname_takn = \"x\"", "7:1 unknown key `name_takn`"),
        ("[account]\nname_shape = \"upper\"", "7:14 `upper` is not known here"),
        (
            "[account]\nname_at_most = 65",
            "7:16 the number must lie between 1 and 64",
        ),
        ("[password]\nrequire = [\"uper\"]", "7:12 `uper` is not known here"),
        ("[password]\nspecial = \"a\"", "7:11 `a` is no special character"),
        ("[seats.x]\nat_most = 2", "6:8 `roles` is missing"),
        (
            "[seats.x]\nroles = [\"administrator\"]\nat_most = 0",
            "8:11 the number must lie between 1 and 4294967295",
        ),
        (
            "[seats.x]\nroles = [\"administrater\"]\nat_most = 1",
            "7:10 there is no role `administrater`",
        ),
        (
            "[role.x]\nheld_by = \"one\"\nrole_changed_by = \"nobody\"",
            "8:19 a role that one account holds is handed over, never changed",
        ),
        (
            "[role.x]\naccount_networks = { octets = 254 }",
            "7:22 unknown key `octets`",
        ),
        (
            "[preferences.x]\nchoices = [\"a\"]\ndefault = \"b\"",
            "8:11 `b` is none of the choices",
        ),
        (
            "[preferences.x]\nchoices = [\"a\"]\ndefault = \"a\"\nheader = \"Connection\"",
            "9:10 `Connection` could be set by visitors, or means something else to a console",
        ),
        (
            "[preferences.x]\nchoices = [\"a\"]\ndefault = \"a\"\nleads = { a = \"//evil.example\" }",
            "9:15 `//evil.example` is no path of a console's",
        ),
        ("[inactivity]\nwarn_before = \"7d\"", "7:15 there is no ban to warn of"),
        (
            "[invitation]\nvalid_for = \"0s\"",
            "7:13 `0s` must be longer than nothing",
        ),
        (
            "[second_factor]\nenrolment = \"nobody\"",
            "7:13 `nobody` is not known here",
        ),
    ] {
        let policy = format!("{POLICY}{text}\n");
        let faults = told(&Folder::with(BUILDING, &policy).load().expect_err(text));
        assert_eq!(faults, [format!("policy.toml:{fault}")], "{text}");
    }
}
