//! What a live session takes from memory, beyond what its account takes: counted, with a budget that a change has to edit.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a broken fixture should stop the test here"
)]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::AccountName;
use stagedoor_identity::letter::NoLetterhead;
use stagedoor_identity::port::{Accounts as _, Sessions as _, Structure};
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::testing::{ManualClock, MemoryStore, SeededChance, SwappablePolicy};
use stagedoor_identity::{Account, AccountId, Clock as _, Doorkeeper, Parts, SessionId, SessionToken};
use stagedoor_policy::rules::{RoleRules, Rules, WhenFull};
use stagedoor_policy::{Revision, compile};
use uuid::Uuid;

const ACCOUNTS: u128 = 500;
/// A long one, as browsers call themselves.
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
/// What 1,000 sessions may take more than 500 do, each; their maps' share with it.
const SESSION_BYTES_MAX: i64 = 620;

/// What a door's memory holds, in bytes, once it has been filled with so many sessions of each account.
fn held(sessions_each: u128) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (clock, chance) = (Arc::new(ManualClock::new()), SeededChance::new(7));
    let store = MemoryStore::new();
    for number in 0..ACCOUNTS {
        let name = AccountName::parse(&format!("operator-{number}")).unwrap();
        let account = Account::new(AccountId(Uuid::from_u128(number + 1)), name, "operator", clock.now());
        let free = Structure::default();
        let made = store.create_account(&account, "not a hash", None, &free);
        runtime.block_on(made).unwrap();
        for which in 0..sessions_each {
            let session = session(number * sessions_each + which, &account, &chance, &clock);
            let opened = store.open_session(&session, 1, "operator", 0, WhenFull::Displace);
            runtime.block_on(opened).unwrap();
        }
    }
    let rules = Rules {
        roles: [("operator".to_owned(), RoleRules::default())].into(),
        ..Rules::default()
    };
    let parts = Parts {
        store: Arc::new(store),
        clock: Arc::clone(&clock) as Arc<_>,
        chance: Arc::new(chance),
        policy: Arc::new(SwappablePolicy::new(compile(&rules, Revision(1)).unwrap())),
        hashes_in_flight: 1,
        issuer: "memory".to_owned(),
        letterhead: Arc::new(NoLetterhead),
        links_under: "/.stagedoor/".to_owned(),
    };
    let mut door = None;
    let counted = allocation_counter::measure(|| door = Some(runtime.block_on(Doorkeeper::open(parts)).unwrap()));
    assert_eq!(door.unwrap().sessions().len() as u128, ACCOUNTS * sessions_each);
    counted.bytes_current
}

fn session(number: u128, account: &Account, chance: &SeededChance, clock: &ManualClock) -> SessionRecord {
    let (now, hour) = (clock.now(), Duration::from_secs(3600));
    SessionRecord {
        id: SessionId(Uuid::from_u128(number + 1)),
        token: SessionToken::generate(chance).hash(),
        account: account.id,
        channel: "browser".to_owned(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: USER_AGENT.to_owned(),
        second_factor: false,
        device: None,
        opened_at: now,
        expires_at: now.after(hour),
        idle_after: hour,
        last_used_at: now,
        ended: None,
    }
}

#[test]
fn a_session_beyond_its_account_takes_no_more_than_its_budget() {
    let (one_each, two_each) = (held(1), held(2));
    let each = (two_each - one_each) / i64::try_from(ACCOUNTS).unwrap();
    let first = one_each / i64::try_from(ACCOUNTS).unwrap();
    println!("{each} bytes a further session; {first} an account with its first, the door's own share with it");
    assert!(each <= SESSION_BYTES_MAX, "{each} bytes a session");
}
