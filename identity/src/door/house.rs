//! What is behind the face: the parts, and how they are put together.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;
use zeroize::Zeroizing;

use super::following::{Company, IDLE_SLACK};
use super::housekeeping::Round;
use super::turns::Turns;
use super::{CurrentPolicy, Parts, Tally};
use crate::credential::pool::HashPool;
use crate::credential::seal::SealKey;
use crate::letter::{CurrentLetterhead, Sealer};
use crate::live::Memory;
use crate::port::{SharedStore, StoreError};
use crate::session::SessionRecord;
use crate::{Account, AccountId, Chance, Clock, LiveSession, Secret};

const KEY_BYTES: usize = 32;
/// Sessions whose accounts are read together at start: few enough that their memory is used again for the next.
const FILLED_AT_ONCE: usize = 2_500;

/// See the module.
#[derive(Debug)]
pub(super) struct House {
    pub(super) store: SharedStore,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Arc<dyn Chance>,
    rules: Arc<dyn CurrentPolicy>,
    pub(super) issuer: String,
    /// The door's own prefix, which pages of links are behind.
    pub(super) links_under: String,
    pub(super) letterhead: Arc<dyn CurrentLetterhead>,
    pub(super) sealer: Sealer,
    pub(super) hashes: HashPool,
    /// The hash of a password nobody knows: what an unknown name is checked against, so that it takes as long.
    pub(super) nobodys_hash: String,
    pub(super) totp_key: SealKey,
    pub(super) ticket_key: SealKey,
    pub(super) name_key: hmac::Key,
    pub(super) memory: Memory,
    /// What it takes to be one of several doors on a store.
    pub(super) company: Company,
    pub(super) turns: Turns,
    pub(super) tally: Arc<Tally>,
    /// Tickets that were let past their own lock; see `attempts`.
    pub(super) spent: Mutex<VecDeque<uuid::Uuid>>,
    /// Accounts whose ban is in the audit.
    pub(super) banned: Mutex<HashSet<AccountId>>,
    /// Accounts that were warned of disuse, and of which: asked before the store is.
    pub(super) warned: Mutex<HashMap<AccountId, Timestamp>>,
    pub(super) round: tokio::sync::Mutex<Round>,
}

impl House {
    pub(super) async fn open(parts: Parts, company: Option<Company>) -> Result<Self, StoreError> {
        let (store, chance) = (parts.store, parts.chance);
        let hashes = HashPool::start(parts.hashes_in_flight)
            .map_err(|fault| StoreError::Engine(format!("no thread for password hashing: {fault}")))?;
        let nobodys_hash = HashPool::nobodys_hash(chance.as_ref())
            .ok_or_else(|| StoreError::Engine("no hash to compare with could be made".to_owned()))?;
        let house = Self {
            hashes,
            nobodys_hash,
            totp_key: seal_key(&store, chance.as_ref(), "totp").await?,
            ticket_key: seal_key(&store, chance.as_ref(), "ticket").await?,
            sealer: Sealer::new(&key(&store, chance.as_ref(), "letters").await?)
                .ok_or_else(|| not_a_seal_key("letters"))?,
            name_key: hmac::Key::new(hmac::HMAC_SHA256, key(&store, chance.as_ref(), "names").await?.expose()),
            store,
            clock: parts.clock,
            chance,
            rules: parts.policy,
            issuer: parts.issuer,
            links_under: parts.links_under,
            letterhead: parts.letterhead,
            memory: if company.is_some() {
                Memory::following(IDLE_SLACK)
            } else {
                Memory::default()
            },
            company: company.unwrap_or_else(Company::none),
            turns: Turns::default(),
            tally: Arc::new(Tally::default()),
            spent: Mutex::default(),
            banned: Mutex::default(),
            warned: Mutex::default(),
            round: tokio::sync::Mutex::default(),
        };
        // One of several is filled by who follows the others, once it hears of every change that comes after.
        if !house.memory.follows() {
            house.fill_memory().await?;
            house.note_kept().await?;
        }
        Ok(house)
    }

    /// The policy of the moment.
    pub(super) fn policy(&self) -> Arc<Policy> {
        self.rules.policy()
    }

    /// Those of `sessions` that are live now, with their accounts, oldest first.
    pub(super) fn live_sessions(&self, sessions: Vec<Arc<LiveSession>>) -> Vec<(SessionRecord, Arc<Account>)> {
        let (policy, now) = (self.policy(), self.clock.now());
        let mut live: Vec<_> = sessions
            .into_iter()
            .filter(|session| session.is_live(&policy, now))
            .map(|session| (session.record(), session.account()))
            .collect();
        live.sort_by_key(|(record, _)| (record.opened_at, record.id));
        live
    }

    /// The accounts of these sessions that are `wanted` and there.
    pub(super) async fn owners(
        &self,
        records: &[SessionRecord],
        wanted: impl Fn(AccountId) -> bool,
    ) -> Result<HashMap<AccountId, Account>, StoreError> {
        let ids: HashSet<AccountId> = records.iter().map(|record| record.account).collect();
        let ids: Vec<AccountId> = ids.into_iter().filter(|id| wanted(*id)).collect();
        let found = self.store.accounts_by_id(&ids).await?;
        Ok(found.into_iter().map(|account| (account.id, account)).collect())
    }

    async fn fill_memory(&self) -> Result<(), StoreError> {
        let mut records = self.store.sessions(self.clock.now()).await?;
        records.sort_by_key(|record| (record.opened_at, record.id));
        for records in records.chunks(FILLED_AT_ONCE) {
            let accounts = self.owners(records, |_| true).await?;
            for record in records {
                // A session whose account is gone is nobody's.
                let Some(account) = accounts.get(&record.account).cloned() else {
                    continue;
                };
                match record.ended.clone() {
                    Some(ended) => self.memory.bury(record, ended, account),
                    None => drop(self.memory.open(record.clone(), account)),
                }
            }
        }
        Ok(())
    }
}

/// Runs `work` to its end, even if whoever waits for it stops waiting.
/// # Errors
/// Those of `work`; a store error where it panicked.
pub(super) async fn see_through<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(fault) => Err(StoreError::Engine(format!("a step at the door fell over: {fault}")).into()),
    }
}

/// The key of that name, made where there is none yet.
pub(super) async fn key(store: &SharedStore, chance: &dyn Chance, purpose: &str) -> Result<Secret, StoreError> {
    let mut fresh = Zeroizing::new([0_u8; KEY_BYTES]);
    chance.fill(fresh.as_mut());
    store.key_or_insert(purpose, &Secret::new(fresh.as_slice())).await
}

async fn seal_key(store: &SharedStore, chance: &dyn Chance, purpose: &str) -> Result<SealKey, StoreError> {
    SealKey::new(&key(store, chance, purpose).await?).ok_or_else(|| not_a_seal_key(purpose))
}

fn not_a_seal_key(purpose: &str) -> StoreError {
    StoreError::Engine(format!("the stored key `{purpose}` does not have 32 bytes"))
}
