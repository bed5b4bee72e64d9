//! A console with accounts of every kind, for the tests of the pages about them.

use stagedoor_policy::rules::*;
use stagedoor_policy::{ExtraGrant, Level};

use super::*;

pub(super) const TEMPORARY: &str = "Tulip.Meadow-47-Quay";

/// The rules of a console whose super admins administer everybody, whose general admins come from registered addresses, and
/// whose device admins work with a client.
pub(super) fn console_rules() -> Rules {
    let super_admin = RoleRules {
        administers: vec!["*".to_owned()],
        keep_at_least: 1,
        role_changed_by: ChangedBy::Holder,
        may: [("*".to_owned(), vec!["all".to_owned()])].into(),
        account_networks: AccountNetworkRules {
            changed_by: ChangedBy::Holder,
            ..AccountNetworkRules::default()
        },
        ..RoleRules::default()
    };
    let general = RoleRules {
        account_networks: AccountNetworkRules {
            list: NetworkListRules {
                at_most: Some(5),
                shape: NetworkShape::Addresses,
                family: Family::V4,
                octets_at_most: 254,
                refuse_network_addresses: true,
                text_at_least: 7,
                text_at_most: 79,
                ..NetworkListRules::default()
            },
            ..AccountNetworkRules::default()
        },
        ..RoleRules::default()
    };
    let device = RoleRules {
        default: true,
        channels: Some(vec!["client".to_owned()]),
        unchanged_while_on: vec!["client".to_owned()],
        account_networks: AccountNetworkRules {
            list: NetworkListRules {
                at_most: Some(0),
                ..NetworkListRules::default()
            },
            ..AccountNetworkRules::default()
        },
        ..RoleRules::default()
    };
    // Administers devices alone, and holds no more than a view and one action.
    let helper = RoleRules {
        administers: vec!["device".to_owned()],
        may: [("devices".to_owned(), vec!["view".to_owned(), "reboot".to_owned()])].into(),
        ..RoleRules::default()
    };
    let area = |path: &str, actions: &[&str]| AreaRules {
        paths: vec![path.to_owned()],
        actions: actions
            .iter()
            .map(|name| {
                (
                    (*name).to_owned(),
                    vec![format!("POST {}/{name}", path.trim_end_matches("/**"))],
                )
            })
            .collect(),
        ..AreaRules::default()
    };
    let console = SiteRules {
        areas: [
            ("devices".to_owned(), area("/devices/**", &["reboot", "wipe"])),
            ("logs".to_owned(), area("/logs/**", &[])),
        ]
        .into(),
        ..SiteRules::default()
    };
    let sentence = |key, sentence: &str| (key, sentence.to_owned());
    Rules {
        sites: [("console".to_owned(), console)].into(),
        roles: [
            ("super", super_admin),
            ("general", general),
            ("device", device),
            ("helper", helper),
        ]
        .into_iter()
        .map(|(name, rules)| (name.to_owned(), rules))
        .collect(),
        channels: [("client".to_owned(), ChannelRules::default())].into(),
        account: AccountRules {
            name_at_least: 5,
            name_at_most: 20,
            name_shape: NameShape::LowercaseIdentifier,
            display_name_at_least: 1,
            display_name_at_most: 20,
        },
        messages: [
            sentence(
                MessageKey::DisplayNameUnfit,
                "Please enter a name within 20 characters.",
            ),
            sentence(
                MessageKey::NameUnfit,
                "Please start with a lowercase letter and use a combination of letters, numbers, or '_' within 5 to 20 \
                 characters.",
            ),
            sentence(MessageKey::NameTaken, "The same ID already exists."),
            sentence(MessageKey::NetworksUnfit, "The IP address format is invalid."),
            sentence(MessageKey::RoleChangeRefused, "Permission denied"),
            sentence(
                MessageKey::LastOfRole,
                "This is the last Super Admin. User information cannot be modified.",
            ),
        ]
        .into(),
        ..Rules::default()
    }
}

/// Two super admins, a general admin, a device admin and a helper.
pub(super) struct House {
    pub(super) stage: Stage,
    pub(super) root1: Account,
    pub(super) root2: Account,
    pub(super) general: Account,
    pub(super) device: Account,
    pub(super) helper: Account,
}

impl House {
    pub(super) async fn new() -> Self {
        Self::with(console_rules()).await
    }

    pub(super) async fn with(rules: Rules) -> Self {
        let stage = Stage::with(rules).await;
        Self {
            root1: named(&stage, "root1", "Rita Root", "super").await,
            root2: named(&stage, "root2", "Ruth Root", "super").await,
            general: named(&stage, "general1", "Gero 게로", "general").await,
            device: named(&stage, "device1", "Dora", "device").await,
            helper: named(&stage, "helper1", "Hedy", "helper").await,
            stage,
        }
    }

    /// One of the five, by name.
    pub(super) fn id(&self, name: &str) -> String {
        let all = [&self.root1, &self.root2, &self.general, &self.device, &self.helper];
        let found = all.into_iter().find(|account| account.name.as_str() == name);
        found.unwrap().id.0.to_string()
    }

    pub(super) async fn read(&self, account: &Account) -> Option<Account> {
        self.stage.door.store().account(account.id).await.unwrap()
    }
}

pub(super) async fn named(stage: &Stage, name: &str, display_name: &str, role: &str) -> Account {
    let new = NewAccount {
        name: AccountName::parse(name).unwrap(),
        display_name: display_name.to_owned(),
        email: None,
        role: Some(role.to_owned()),
        grants: Vec::new(),
        networks: Vec::new(),
        password: Password::new(PASSWORD).unwrap(),
        password_temporary: false,
    };
    stage.door.create_account(new, &cli()).await.unwrap()
}

/// Signs a device admin in by the client, as a program does.
pub(super) async fn sign_in_by_client(stage: &Stage, name: &str) {
    let body = serde_json::json!({ "username": name, "password": PASSWORD, "channel": "client" });
    let answer = stage.browser().post_json("login", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// An extra grant on the console.
pub(super) fn grant(area: &str, level: Level, actions: &[&str]) -> ExtraGrant {
    ExtraGrant {
        site: Some("console".to_owned()),
        area: area.to_owned(),
        level,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
    }
}
