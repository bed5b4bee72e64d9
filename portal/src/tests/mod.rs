//! Tests of the portal as a whole: a real doorkeeper on a store in memory, a browser that keeps cookies and fills in forms,
//! and the router between them.

mod accounts;
mod accounts_edit;
mod accounts_forms;
mod accounts_house;
mod accounts_invite;
mod accounts_recovery;
mod browser;
mod contrast;
mod devices;
mod forgery;
mod gallery;
mod hygiene;
mod leaving;
mod links;
mod once;
mod own;
mod picture;
mod profile;
mod program;
mod samples;
mod samples_accounts;
mod samples_devices;
mod samples_own;
mod sentences;
mod setup;
mod sign_in;
mod steps;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use stagedoor_identity::account::{AccountName, NewAccount};
use stagedoor_identity::testing::{
    ManualClock, MemoryStore, SeededChance, SwappableLetterhead, SwappablePolicy, totp_code,
};
use stagedoor_identity::{Account, Actor, Clock as _, Doorkeeper, Parts, Password, Secret, SessionToken};
use stagedoor_policy::rules::{ChannelRules, RoleRules, Rules, SecondFactor, WhenFull};
use stagedoor_policy::{Revision, compile};

use crate::{PortalParts, Setup};
use browser::{Browser, Page};

const PASSWORD: &str = "correct horse battery";
const OTHER_PASSWORD: &str = "staple of the stable";
const HERE: &str = "192.0.2.1";
const THERE: &str = "198.51.100.7";
const HOST: &str = "console.example:8080";

/// A door, its portal, and the hands that move its clock and its store.
struct Stage {
    door: Arc<Doorkeeper>,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    portal: Router,
    policy: Arc<SwappablePolicy>,
    letterhead: Arc<SwappableLetterhead>,
    setup: SessionToken,
}

/// A viewer by browser and client, a guard who needs a second factor, and a homebody who may only come from 10/8.
fn rules() -> Rules {
    let viewer = RoleRules {
        default: true,
        channels: Some(vec!["browser".to_owned(), "client".to_owned()]),
        ..RoleRules::default()
    };
    let guard = RoleRules {
        second_factor: Some(SecondFactor::Required),
        ..RoleRules::default()
    };
    let homebody = RoleRules {
        networks: Some(vec!["10.0.0.0/8".to_owned()]),
        ..RoleRules::default()
    };
    let roles = [("viewer", viewer), ("guard", guard), ("homebody", homebody)];
    Rules {
        roles: roles
            .into_iter()
            .map(|(name, rules)| (name.to_owned(), rules))
            .collect(),
        channels: [("client".to_owned(), ChannelRules::default())].into(),
        ..Rules::default()
    }
}

/// As [`rules`], with so many sessions for an account.
fn roomy_rules(per_account: u32, when_full: WhenFull) -> Rules {
    let mut rules = rules();
    rules.session.per_account = per_account;
    rules.session.when_full = when_full;
    rules
}

impl Stage {
    async fn new() -> Self {
        Self::with(rules()).await
    }

    async fn with(rules: Rules) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new());
        let chance = Arc::new(SeededChance::new(7));
        let setup = SessionToken::generate(chance.as_ref());
        let letterhead = Arc::new(SwappableLetterhead::default());
        let policy = Arc::new(SwappablePolicy::new(compile(&rules, Revision(1)).unwrap()));
        let door = Doorkeeper::open(Parts {
            store: store.clone(),
            clock: clock.clone(),
            chance,
            policy: policy.clone(),
            hashes_in_flight: 1,
            issuer: "Stagedoor".to_owned(),
            letterhead: letterhead.clone(),
            links_under: "/.stagedoor/".to_owned(),
        })
        .await
        .unwrap();
        let portal = crate::router(PortalParts {
            door: door.clone(),
            prefix: "/.stagedoor/".to_owned(),
            title: "Stagedoor".to_owned(),
            jwks: Arc::new(|| "{\"keys\":[]}".to_owned()),
            setup: Some(Arc::new(Setup::new(&setup, "viewer"))),
        });
        Self {
            door,
            store,
            clock,
            portal,
            policy,
            letterhead,
            setup,
        }
    }

    async fn account(&self, name: &str) -> Account {
        self.account_of(name, "viewer", false).await
    }

    async fn account_of(&self, name: &str, role: &str, password_temporary: bool) -> Account {
        let new = NewAccount {
            name: AccountName::parse(name).unwrap(),
            display_name: String::new(),
            email: None,
            role: Some(role.to_owned()),
            grants: Vec::new(),
            networks: Vec::new(),
            password: Password::new(PASSWORD).unwrap(),
            password_temporary,
        };
        self.door.create_account(new, &cli()).await.unwrap()
    }

    fn browser(&self) -> Browser<'_> {
        Browser::new(self, HERE)
    }

    /// A browser that has signed in by the pages, with a password alone.
    async fn signed_in(&self, name: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        browser
    }

    /// What an app shows now that was given the secret of an enrolment page.
    fn code_of(&self, page: &Page) -> String {
        let typed = page.between("<p class=\"typed\"><code>", "</code>");
        self.code(&typed)
    }

    fn code(&self, typed: &str) -> String {
        totp_code(&Secret::new(typed.as_bytes()), self.clock.now()).unwrap()
    }

    /// Long enough for a fresh code.
    fn next_code(&self) {
        self.clock.advance(Duration::from_secs(30));
    }
}

fn cli() -> Actor {
    Actor::operator("cli")
}
