//! Accounts that are signed in, written into a door's store before it starts: what thousands of sign-ins would have left
//! there, without the hashing.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::AccountName;
use stagedoor_identity::port::{Accounts as _, Sessions as _, Structure};
use stagedoor_identity::session::SessionRecord;
use stagedoor_identity::testing::SeededChance;
use stagedoor_identity::{Account, AccountId, Clock as _, SessionId, SessionToken, SystemClock};
use stagedoor_policy::rules::WhenFull;
use stagedoor_store::Embedded;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Failure;

const LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// Steps under way at once: what the store's writer puts into one commit.
const AT_ONCE: usize = 256;
/// Of [`crate::candidate::door::Plan::policy`].
pub(crate) const ROLE: &str = "administrator";
/// Argon2id of nobody knows what, at the door's own cost: wrong passwords are compared with it.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3RhZ2Vkb29yYmVuY2htYQ$\
    iPJ2zYyIBKqWmfl0VkbgVeuEwbW5BLhVx3WDXhMYmOs";

/// How many accounts, and how many live sessions each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) accounts: usize,
    pub(crate) sessions_each: usize,
}

/// The name of an account, by its number.
pub(crate) fn name(number: usize) -> String {
    format!("operator-{number}")
}

/// Fills a new store in `data_dir`; gives one cookie for each account.
pub(crate) fn fill(data_dir: &Path, population: Population) -> Result<Vec<String>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Arc::new(Embedded::open(data_dir)?);
        let (mut cookies, mut under_way) = (vec![String::new(); population.accounts], JoinSet::new());
        for number in 0..population.accounts {
            if under_way.len() >= AT_ONCE {
                keep(&mut cookies, under_way.join_next().await)?;
            }
            under_way.spawn(sign_in(Arc::clone(&store), number, population));
        }
        while let Some(done) = under_way.join_next().await {
            keep(&mut cookies, Some(done))?;
        }
        Ok(cookies)
    })
}

type SignedIn = Result<(usize, String), String>;

fn keep(cookies: &mut [String], done: Option<Result<SignedIn, tokio::task::JoinError>>) -> Result<(), Failure> {
    let Some(done) = done else { return Ok(()) };
    let (number, cookie) = done??;
    if let Some(place) = cookies.get_mut(number) {
        *place = cookie;
    }
    Ok(())
}

async fn sign_in(store: Arc<Embedded>, number: usize, population: Population) -> SignedIn {
    let text = |error: &dyn std::error::Error| error.to_string();
    let (clock, chance) = (SystemClock, SeededChance::new(u64::try_from(number).unwrap_or(0)));
    let id = AccountId(Uuid::from_u128(number as u128 + 1));
    let mut account = Account::new(id, AccountName::parse(&name(number))?, ROLE, clock.now());
    account.networks = vec!["127.0.0.0/8".to_owned(), "192.0.2.0/24".to_owned()];
    let structure = Structure::default();
    let created = store.create_account(&account, PASSWORD_HASH, None, &structure).await;
    created.map_err(|error| text(&error))?;
    let mut cookie = String::new();
    for session in 0..population.sessions_each {
        let token = SessionToken::generate(&chance);
        let record = record(number * population.sessions_each + session, &account, &token);
        let limit = u32::try_from(population.sessions_each).unwrap_or(u32::MAX);
        let opened = store.open_session(&record, 1, ROLE, limit, WhenFull::Displace).await;
        opened.map_err(|error| text(&error))?;
        cookie = format!("stagedoor={}", token.expose());
    }
    Ok((number, cookie))
}

fn record(number: usize, account: &Account, token: &SessionToken) -> SessionRecord {
    let now = SystemClock.now();
    SessionRecord {
        id: SessionId(Uuid::from_u128(number as u128 + 1)),
        token: token.hash(),
        account: account.id,
        channel: "browser".to_owned(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: "bench".to_owned(),
        second_factor: false,
        device: None,
        opened_at: now,
        expires_at: now.after(LIFETIME),
        idle_after: LIFETIME,
        last_used_at: now,
        ended: None,
    }
}
