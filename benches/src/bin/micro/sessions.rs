//! A doorkeeper whose memory is filled from a store, as after a restart, and look-ups spread over all of it.

use std::cell::Cell;
use std::error::Error;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::AccountName;
use stagedoor_identity::port::{Accounts as _, Sessions as _, Structure};
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::testing::{ManualClock, MemoryStore, SeededChance, SwappablePolicy};
use stagedoor_identity::{Account, AccountId, Clock as _, Doorkeeper, Parts, SessionId, SessionToken};
use stagedoor_policy::rules::{RoleRules, Rules, WhenFull};
use stagedoor_policy::{Revision, compile};
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);

/// Live sessions, each of an account of its own.
pub(crate) struct Sessions {
    door: Arc<Doorkeeper>,
    tokens: Vec<SessionToken>,
    clock: Arc<ManualClock>,
    next: Cell<usize>,
}

impl Sessions {
    /// Opens `size` sessions.
    pub(crate) async fn open(size: usize) -> Result<Self, Box<dyn Error>> {
        let (store, clock, chance) = (MemoryStore::new(), Arc::new(ManualClock::new()), SeededChance::new(7));
        let mut tokens = Vec::with_capacity(size);
        for number in 0..size {
            let account = account(number, &clock)?;
            store
                .create_account(&account, "not a hash", None, &Structure::default())
                .await?;
            let token = SessionToken::generate(&chance);
            let session = session(number, &account, &token, &clock);
            store
                .open_session(&session, 1, "operator", 1, WhenFull::Displace)
                .await?;
            tokens.push(token);
        }
        let rules = Rules {
            roles: [("operator".to_owned(), RoleRules::default())].into(),
            ..Rules::default()
        };
        let policy = compile(&rules, Revision(1)).map_err(|faults| format!("{faults:?}"))?;
        let parts = Parts {
            store: Arc::new(store),
            clock: Arc::clone(&clock) as Arc<_>,
            chance: Arc::new(chance),
            policy: Arc::new(SwappablePolicy::new(policy)),
            hashes_in_flight: 1,
            issuer: "bench".to_owned(),
            letterhead: Arc::new(stagedoor_identity::letter::NoLetterhead),
            links_under: "/.stagedoor/".to_owned(),
        };
        Ok(Self {
            door: Doorkeeper::open(parts).await?,
            tokens,
            clock,
            next: Cell::new(0),
        })
    }

    /// One look-up, of another session each time.
    pub(crate) fn once(&self) {
        let at = self.next.get();
        self.next.set(at.wrapping_add(7919));
        if let Some(token) = self.tokens.get(at % self.tokens.len()) {
            black_box(self.door.look_up(token, self.clock.now()));
        }
    }
}

fn account(number: usize, clock: &ManualClock) -> Result<Account, Box<dyn Error>> {
    let id = AccountId(Uuid::from_u128(number as u128 + 1));
    let name = AccountName::parse(&format!("operator-{number}"))?;
    Ok(Account::new(id, name, "operator", clock.now()))
}

fn session(number: usize, account: &Account, token: &SessionToken, clock: &ManualClock) -> SessionRecord {
    SessionRecord {
        id: SessionId(Uuid::from_u128(number as u128 + 1)),
        token: token.hash(),
        account: account.id,
        channel: "browser".to_owned(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: String::new(),
        second_factor: false,
        device: None,
        opened_at: clock.now(),
        expires_at: clock.now().after(HOUR),
        idle_after: HOUR,
        last_used_at: clock.now(),
        ended: None,
    }
}
