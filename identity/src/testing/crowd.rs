use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use stagedoor_policy::rules::{RoleRules, Rules};
use stagedoor_policy::{Revision, compile};
use uuid::Uuid;

use super::{ManualClock, MemoryStore, SeededChance, SwappablePolicy};
use crate::account::AccountName;
use crate::letter::NoLetterhead;
use crate::session::SessionRecord;
use crate::{Account, AccountId, Clock as _, Parts, SessionId, SessionToken};

/// What a crowd's sessions last, used or not.
const HOUR: Duration = Duration::from_secs(3600);
const ROLE: &str = "operator";
/// How many browsers a crowd comes with: each of as many versions calls itself otherwise.
const BROWSERS: usize = 50;

/// A door with many people in it, before it is opened: its memory will be filled from the store, as after a restart.
#[derive(Debug)]
pub struct Crowd {
    /// What the doorkeeper is made of.
    pub parts: Parts,
    /// One of each session.
    pub tokens: Vec<SessionToken>,
    /// The clock of the parts: a moment within all sessions.
    pub clock: Arc<ManualClock>,
}

impl Crowd {
    /// So many accounts and so many live sessions of each, by browsers with names as long as they have.
    /// # Errors
    /// A sentence, where the names or rules made here are not taken any more.
    pub fn gather(accounts: usize, sessions_each: usize) -> Result<Self, String> {
        let (clock, chance) = (Arc::new(ManualClock::new()), SeededChance::new(7));
        let (store, mut tokens) = (MemoryStore::new(), Vec::new());
        for number in 0..accounts {
            let name = AccountName::parse(&format!("operator-{number}"))?;
            let id = AccountId(Uuid::from_u128(number as u128 + 1));
            let mut sessions = Vec::new();
            for _ in 0..sessions_each {
                let token = SessionToken::generate(&chance);
                sessions.push(session(tokens.len(), id, &token, &clock));
                tokens.push(token);
            }
            store.hold(Account::new(id, name, ROLE, clock.now()), sessions);
        }
        let rules = Rules {
            roles: [(ROLE.to_owned(), RoleRules::default())].into(),
            ..Rules::default()
        };
        let policy = compile(&rules, Revision(1)).map_err(|faults| format!("{faults:?}"))?;
        let parts = Parts {
            store: Arc::new(store),
            clock: Arc::clone(&clock) as Arc<_>,
            chance: Arc::new(chance),
            policy: Arc::new(SwappablePolicy::new(policy)),
            hashes_in_flight: 1,
            issuer: "crowd".to_owned(),
            letterhead: Arc::new(NoLetterhead),
            links_under: "/.stagedoor/".to_owned(),
        };
        Ok(Self { parts, tokens, clock })
    }
}

fn session(number: usize, account: AccountId, token: &SessionToken, clock: &ManualClock) -> SessionRecord {
    SessionRecord {
        id: SessionId(Uuid::from_u128(number as u128 + 1)),
        token: token.hash(),
        account,
        channel: "browser".to_owned(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: format!(
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1{:02}.0.0.0 Safari/537.36",
            number % BROWSERS
        ),
        second_factor: false,
        device: None,
        opened_at: clock.now(),
        expires_at: clock.now().after(HOUR),
        idle_after: HOUR,
        last_used_at: clock.now(),
        ended: None,
    }
}
