//! A door on any store, with a clock moved by hand.

use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::{AccountName, NewAccount};
use stagedoor_identity::port::SharedStore;
use stagedoor_identity::sign_in::{Attempt, Origin};
use stagedoor_identity::testing::{ManualClock, SeededChance, SwappableLetterhead, SwappablePolicy, totp_code};
use stagedoor_identity::{Actor, Clock as _, Doorkeeper, Parts, Password, Secret};
use stagedoor_policy::Revision;
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::rules::Rules;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const HERE: &str = "192.0.2.1";
pub(crate) const THERE: &str = "198.51.100.7";

pub(crate) struct Stage {
    pub(crate) door: Arc<Doorkeeper>,
    pub(crate) store: SharedStore,
    pub(crate) clock: Arc<ManualClock>,
}

impl Stage {
    pub(crate) async fn with(rules: Rules, store: SharedStore) -> Self {
        let clock = Arc::new(ManualClock::new());
        let policy = stagedoor_policy::compile(&rules, Revision(1)).unwrap();
        let parts = Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as _,
            chance: Arc::new(SeededChance::new(7)),
            policy: Arc::new(SwappablePolicy::new(policy)),
            hashes_in_flight: 2,
            issuer: "Stagedoor".to_owned(),
            letterhead: Arc::new(SwappableLetterhead::default()),
            links_under: "/.stagedoor/".to_owned(),
        };
        Self {
            door: Doorkeeper::open(parts).await.unwrap(),
            store,
            clock,
        }
    }

    pub(crate) fn code(&self, typed: &Secret) -> String {
        totp_code(typed, self.clock.now()).unwrap()
    }

    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) fn by() -> Actor {
    Actor::operator("cli")
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

pub(crate) fn origin(address: &str) -> Origin {
    Origin {
        address: ClientAddress::of_peer(address.parse().unwrap()),
        user_agent: "test".to_owned(),
    }
}

pub(crate) fn attempt(name: &str, password: &str) -> Attempt {
    attempt_from(name, password, HERE)
}

pub(crate) fn attempt_from(name: &str, password: &str, address: &str) -> Attempt {
    Attempt {
        name: name.to_owned(),
        password: self::password(password),
        code: None,
        channel: "browser".to_owned(),
        right: None,
        device_key: None,
        from: origin(address),
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
        password: password(PASSWORD),
        password_temporary: false,
    }
}
