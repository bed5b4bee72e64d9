//! A door with a store in memory, a clock moved by hand and a policy swapped at will, and what must hold at it.

mod administration;
mod any_order;
mod devices;
mod house;
mod inactivity;
mod invitations;
mod letters;
mod lockout;
mod passwords;
mod rights;
mod second_factor;
mod sessions;
mod sign_in;
mod warnings;

use std::sync::Arc;
use std::time::Duration;

use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::rules::{RoleRules, Rules, SecondFactor};
use stagedoor_policy::{Policy, Revision};

use super::{Actor, Doorkeeper, Parts};
use crate::account::{AccountChange, AccountName, NewAccount};
use crate::event::{AuditQuery, Kind, StoredEvent};
use crate::port::Audit as _;
use crate::sign_in::{Attempt, NextStep, OpenSession, Origin, Progress, SignInRefusal, Ticket};
use crate::testing::{ManualClock, MemoryStore, SeededChance, SwappableLetterhead, SwappablePolicy, totp_code};
use crate::{Account, AccountId, Clock as _, LiveSession, Lookup, Password, Secret, SessionToken};

const PASSWORD: &str = "correct horse battery";
const HERE: &str = "192.0.2.1";
const THERE: &str = "198.51.100.7";

struct Stage {
    door: Arc<Doorkeeper>,
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    policy: Arc<SwappablePolicy>,
    chance: Arc<SeededChance>,
    letterhead: Arc<SwappableLetterhead>,
}

/// Two roles, `viewer` by browser and client, `guard` by browser with a second factor, and the defaults of everything else.
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
    Rules {
        roles: [("viewer".to_owned(), viewer), ("guard".to_owned(), guard)].into(),
        channels: [("client".to_owned(), stagedoor_policy::rules::ChannelRules::default())].into(),
        ..Rules::default()
    }
}

fn compiled(rules: &Rules) -> Policy {
    stagedoor_policy::compile(rules, Revision(1)).unwrap()
}

fn by() -> Actor {
    Actor::operator("cli")
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn origin(address: &str) -> Origin {
    Origin {
        address: ClientAddress::of_peer(address.parse().unwrap()),
        user_agent: "test".to_owned(),
    }
}

fn attempt(name: &str, password: &str) -> Attempt {
    Attempt {
        name: name.to_owned(),
        password: self::password(password),
        code: None,
        channel: "browser".to_owned(),
        right: None,
        device_key: None,
        from: origin(HERE),
    }
}

fn attempt_from(name: &str, password: &str, address: &str) -> Attempt {
    Attempt {
        from: origin(address),
        ..attempt(name, password)
    }
}

fn new_account(name: &str) -> NewAccount {
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

impl Stage {
    async fn with(rules: Rules) -> Self {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(ManualClock::new());
        let policy = Arc::new(SwappablePolicy::new(compiled(&rules)));
        let chance = Arc::new(SeededChance::new(7));
        Self::behind(store, clock, policy, chance).await
    }

    async fn new() -> Self {
        Self::with(rules()).await
    }

    async fn behind(
        store: Arc<MemoryStore>,
        clock: Arc<ManualClock>,
        policy: Arc<SwappablePolicy>,
        chance: Arc<SeededChance>,
    ) -> Self {
        let letterhead = Arc::new(SwappableLetterhead::default());
        let parts = Parts {
            store: Arc::clone(&store) as _,
            clock: Arc::clone(&clock) as _,
            chance: Arc::clone(&chance) as _,
            policy: Arc::clone(&policy) as _,
            hashes_in_flight: 2,
            issuer: "Stagedoor".to_owned(),
            letterhead: Arc::clone(&letterhead) as _,
            links_under: "/.stagedoor/".to_owned(),
        };
        Self {
            door: Doorkeeper::open(parts).await.unwrap(),
            store,
            clock,
            policy,
            chance,
            letterhead,
        }
    }

    /// The same store behind a door that has just been opened.
    async fn reopened(&self) -> Self {
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let (policy, chance) = (Arc::clone(&self.policy), Arc::clone(&self.chance));
        Self::behind(store, clock, policy, chance).await
    }

    async fn account(&self, name: &str) -> Account {
        self.door.create_account(new_account(name), &by()).await.unwrap()
    }

    async fn guard(&self, name: &str) -> Account {
        let new = NewAccount {
            role: Some("guard".to_owned()),
            ..new_account(name)
        };
        self.door.create_account(new, &by()).await.unwrap()
    }

    /// A guard with a second factor, and its secret as typed. The clock moves on by a minute, past the code's step.
    async fn enrolled(&self, name: &str) -> (Account, Secret) {
        let account = self.guard(name).await;
        let ticket = self.needs(attempt(name, PASSWORD), NextStep::EnrolSecondFactor).await;
        let enrolment = self.door.begin_enrolment(&ticket, &origin(HERE)).await.unwrap();
        let code = self.code(&enrolment.typed);
        let confirmed = self
            .door
            .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
            .await;
        assert!(matches!(confirmed.unwrap().1, Progress::Open(_)));
        self.wait(60);
        (account, enrolment.typed)
    }

    fn code(&self, typed: &Secret) -> String {
        totp_code(typed, self.clock.now()).unwrap()
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn opened(&self, attempt: Attempt) -> OpenSession {
        match self.door.sign_in(attempt).await.unwrap() {
            Progress::Open(open) => open,
            Progress::Needs(step, _) => panic!("one more step: {step:?}"),
        }
    }

    async fn needs(&self, attempt: Attempt, step: NextStep) -> Ticket {
        match self.door.sign_in(attempt).await.unwrap() {
            Progress::Needs(found, ticket) => {
                assert_eq!(found, step);
                ticket
            }
            Progress::Open(_) => panic!("open already"),
        }
    }

    async fn refused(&self, attempt: Attempt) -> SignInRefusal {
        self.door.sign_in(attempt).await.unwrap_err()
    }

    fn look_up(&self, token: &SessionToken) -> Lookup {
        self.door.look_up(token, self.clock.now())
    }

    fn is_live(&self, token: &SessionToken) -> bool {
        matches!(self.look_up(token), Lookup::Live(_))
    }

    fn live(&self, token: &SessionToken) -> Arc<LiveSession> {
        match self.look_up(token) {
            Lookup::Live(session) => session,
            other => panic!("not live: {other:?}"),
        }
    }

    /// Why the session is over: its code.
    fn end(&self, token: &SessionToken) -> &'static str {
        match self.look_up(token) {
            Lookup::Ended(ended) => ended.reason.code(),
            Lookup::Live(_) => "live",
            Lookup::Unknown => "unknown",
        }
    }

    async fn change(&self, id: AccountId, change: AccountChange) -> Account {
        self.door.change_account(id, None, change, &by()).await.unwrap()
    }

    async fn events(&self, kind: Kind) -> Vec<StoredEvent> {
        let query = AuditQuery {
            kind: Some(kind.name().to_owned()),
            limit: 1000,
            ..AuditQuery::default()
        };
        self.store.events(&query).await.unwrap()
    }

    async fn all_events(&self) -> String {
        let query = AuditQuery {
            limit: 1000,
            ..AuditQuery::default()
        };
        serde_json::to_string(&self.store.events(&query).await.unwrap()).unwrap()
    }
}
