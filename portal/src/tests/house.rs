//! A door with its portal, and the people before it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use stagedoor_identity::account::{AccountName, AccountQuery, NewAccount};
use stagedoor_identity::testing::{ManualClock, MemoryStore, SeededChance, SwappablePolicy};
use stagedoor_identity::{Account, Actor, Clock as _, Doorkeeper, Parts, Password, SessionToken};
use stagedoor_policy::Revision;
use stagedoor_policy::rules::{ChannelRules, RoleRules, Rules, SecondFactor};

use super::Browser;
use crate::{PortalParts, Setup, router};

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct House {
    pub(crate) door: Arc<Doorkeeper>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    /// What the first account's link carries.
    pub(crate) link: SessionToken,
    router: Router,
}

/// Three roles: `viewer` by browser and client, `guard` with a second factor, `local` from 10.0.0.0/8 only.
pub(crate) fn rules() -> Rules {
    let viewer = RoleRules {
        default: true,
        channels: Some(vec!["browser".to_owned(), "client".to_owned()]),
        ..RoleRules::default()
    };
    let guard = RoleRules {
        second_factor: Some(SecondFactor::Required),
        ..RoleRules::default()
    };
    let local = RoleRules {
        networks: Some(vec!["10.0.0.0/8".to_owned()]),
        ..RoleRules::default()
    };
    let named = |(name, role): (&str, RoleRules)| (name.to_owned(), role);
    Rules {
        roles: [("viewer", viewer), ("guard", guard), ("local", local)]
            .map(named)
            .into(),
        channels: [("client".to_owned(), ChannelRules::default())].into(),
        ..Rules::default()
    }
}

/// [`rules`], with room for several sessions of one account.
pub(crate) fn roomy_rules() -> Rules {
    let mut rules = rules();
    rules.session.per_account = 9;
    rules
}

pub(crate) fn by() -> Actor {
    Actor {
        name: "cli".to_owned(),
        address: None,
        request_id: None,
    }
}

pub(crate) fn new_account(name: &str) -> NewAccount {
    NewAccount {
        name: AccountName::parse(name).unwrap(),
        display_name: String::new(),
        email: None,
        role: None,
        grants: Vec::new(),
        networks: Vec::new(),
        password: Password::new(PASSWORD).unwrap(),
        password_temporary: false,
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(rules(), "Stagedoor").await
    }

    pub(crate) async fn with(rules: Rules, title: &str) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new());
        let chance = Arc::new(SeededChance::new(11));
        let policy = stagedoor_policy::compile(&rules, Revision(1)).unwrap();
        let link = SessionToken::generate(chance.as_ref());
        let parts = Parts {
            store: Arc::clone(&store) as _,
            clock: Arc::clone(&clock) as _,
            chance,
            policy: Arc::new(SwappablePolicy::new(policy)),
            hashes_in_flight: 2,
            issuer: "Stagedoor".to_owned(),
        };
        let door = Doorkeeper::open(parts).await.unwrap();
        let portal = PortalParts {
            door: Arc::clone(&door),
            prefix: "/.stagedoor/".to_owned(),
            title: title.to_owned(),
            jwks: Arc::new(|| r#"{"keys":[]}"#.to_owned()),
            setup: Some(Arc::new(Setup::new(&link, "guard"))),
        };
        Self {
            door,
            store,
            clock,
            link,
            router: router(portal),
        }
    }

    /// A browser over TLS that nobody has signed in with.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone(), Arc::clone(&self.clock))
    }

    /// A browser in which `name` has signed in and nothing more was asked.
    pub(crate) async fn signed_in(&self, name: &str) -> Browser {
        self.signed_in_with(name, PASSWORD).await
    }

    pub(crate) async fn signed_in_with(&self, name: &str, password: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(name, password).await;
        assert_eq!(answer.redirect(), "/", "{}", answer.body);
        browser
    }

    pub(crate) async fn account(&self, name: &str) -> Account {
        self.create(new_account(name)).await
    }

    pub(crate) async fn account_in(&self, name: &str, role: &str) -> Account {
        let role = Some(role.to_owned());
        self.create(NewAccount {
            role,
            ..new_account(name)
        })
        .await
    }

    pub(crate) async fn with_temporary_password(&self, name: &str) -> Account {
        self.create(NewAccount {
            password_temporary: true,
            ..new_account(name)
        })
        .await
    }

    pub(crate) async fn create(&self, new: NewAccount) -> Account {
        self.door.create_account(new, &by()).await.unwrap()
    }

    /// A guard who has enrolled, the secret as it was shown, and the recovery codes. Past the step of the code.
    pub(crate) async fn enrolled(&self, name: &str) -> (Account, String, Vec<String>) {
        let account = self.account_in(name, "guard").await;
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD).await;
        let page = browser.get(answer.redirect()).await;
        let secret = page.secret();
        let codes = browser
            .fill(&page, "login/enrol", &[("code", &self.code(&secret))])
            .await;
        self.wait(60);
        (account, secret, codes.recovery_codes())
    }

    /// What the app shows now.
    pub(crate) fn code(&self, secret: &str) -> String {
        let secret = stagedoor_identity::Secret::new(secret);
        stagedoor_identity::testing::totp_code(&secret, self.clock.now()).unwrap()
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Names of all accounts.
    pub(crate) async fn accounts(&self) -> Vec<String> {
        let query = AccountQuery {
            limit: 100,
            ..AccountQuery::default()
        };
        let accounts = self.door.store().list_accounts(&query).await.unwrap();
        accounts
            .iter()
            .map(|account| account.name.as_str().to_owned())
            .collect()
    }
}
