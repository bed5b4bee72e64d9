//! The map of sessions. Readers take no lock; who changes something holds the index for a moment, never over a wait.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;
use tokio::sync::watch;

use super::cell::{Kept, is_banned_since};
use super::entry::{Entry, Named, Tombstone};
use super::texts::Texts;
use super::{AccountCell, AccountFacts, LiveSession, Lookup, SharedTexts, disused_since};
use crate::secret::TokenHash;
use crate::session::{Ended, SessionId, SessionRecord};
use crate::{Account, AccountId};

/// Ended sessions an account is remembered by: enough to tell a visitor why, too few to fill memory with.
const TOMBSTONES_PER_ACCOUNT_MAX: usize = 64;

/// All sessions and accounts that memory knows of.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Where other doors share the store: sessions and accounts are taken in by who follows them all, in the order of the
    /// store's steps, and by nobody else.
    follows: Option<Duration>,
    by_token: papaya::HashSet<Entry, RandomState>,
    index: Mutex<Index>,
    kept: Arc<Kept>,
    /// Counts ends of sessions and changes of accounts.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Index {
    rooms: HashMap<AccountId, Room>,
    /// Those without a tombstone.
    sessions: HashSet<Named>,
    texts: Texts,
}

/// What belongs to one account. Sessions oldest first, tombstones too.
#[derive(Debug)]
struct Room {
    cell: Arc<AccountCell>,
    sessions: Vec<Arc<LiveSession>>,
    tombstones: VecDeque<(TokenHash, Timestamp)>,
}

impl Memory {
    // --- the hot path -------------------------------------------------------------------------------------------
    /// What the token stands for.
    pub(crate) fn look_up(&self, token: &TokenHash, policy: &Policy, now: Timestamp) -> Lookup {
        let entries = self.by_token.pin();
        let session = match entries.get(token) {
            None => return Lookup::Unknown,
            Some(Entry::Over(over)) => return Lookup::Ended(over.ended.clone()),
            Some(Entry::Live(session)) => session,
        };
        if let Some(ended) = session.end() {
            return Lookup::Ended(ended.clone());
        }
        // Once over, over for good: were the rule loosened or the clock set back, the session would not rise again.
        if let Some(reason) = session.lapsed(policy, now) {
            let ended = session.finish(Ended {
                at_micros: now.as_micros(),
                reason,
            });
            return Lookup::Ended(ended.clone());
        }
        Lookup::Live(Arc::clone(session))
    }

    // --- changes ------------------------------------------------------------------------------------------------
    /// A memory beside others; a session may look idle for `slack` before it is, since another door may know of a use.
    pub(crate) fn following(slack: Duration) -> Self {
        Self {
            follows: Some(slack),
            ..Self::default()
        }
    }

    /// Whether other doors share the store.
    pub(crate) fn follows(&self) -> bool {
        self.follows.is_some()
    }

    /// Takes a session in that the store has opened.
    pub(crate) fn open(&self, record: SessionRecord, account: Account) -> Arc<LiveSession> {
        if self.follows() {
            return self.already_in(record, account);
        }
        self.insert(&mut self.index(), &record, account)
    }

    /// The session as who follows has taken it in: it may have ended since. Not in, it is known once it is.
    fn already_in(&self, record: SessionRecord, account: Account) -> Arc<LiveSession> {
        let entries = self.by_token.pin();
        let found = entries.get(&record.token);
        if let Some(Entry::Live(session)) = found {
            return Arc::clone(session);
        }
        let cell = AccountCell::new(AccountFacts::new(account), Arc::clone(&self.kept));
        let texts = SharedTexts::alone(&record);
        let apart = Arc::new(LiveSession::new(&record, texts, Arc::new(cell), Duration::ZERO));
        if let Some(Entry::Over(over)) = found {
            apart.finish(over.ended.clone());
        }
        apart
    }

    /// Takes a session in as the store has it. Once over, over for good: answers how it ended here, where the store has it live.
    pub(crate) fn take_in(&self, record: SessionRecord, account: Option<Account>) -> Option<Ended> {
        let mut index = self.index();
        if let Some(account) = &account
            && let Some(room) = index.rooms.get(&account.id)
        {
            room.cell.replace(Arc::new(AccountFacts::new(account.clone())));
        }
        let entries = self.by_token.pin();
        match (entries.get(&record.token), record.ended.clone()) {
            (Some(Entry::Over(_)), Some(_)) => None,
            (Some(Entry::Over(over)), None) => Some(over.ended.clone()),
            (Some(Entry::Live(_)), Some(ended)) => {
                drop(index);
                self.end(record.id, &ended);
                None
            }
            (Some(Entry::Live(session)), None) => {
                session.used_elsewhere(record.last_used_at);
                None
            }
            (None, ended) => {
                let account = account
                    .or_else(|| Some(index.rooms.get(&record.account)?.cell.facts().account.as_ref().clone()))?;
                match ended {
                    Some(ended) => {
                        let room = index.room(record.account, AccountFacts::new(account), &self.kept);
                        self.lay(room, record.token, record.expires_at, ended);
                    }
                    None => drop(self.insert(&mut index, &record, account)),
                }
                None
            }
        }
    }

    /// Whether anything is known of the account.
    pub(crate) fn knows(&self, account: AccountId) -> bool {
        self.index().rooms.contains_key(&account)
    }

    /// The ids of all sessions without a tombstone.
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.index().sessions.iter().map(|named| named.0.id()).collect()
    }

    fn insert(&self, index: &mut Index, record: &SessionRecord, account: Account) -> Arc<LiveSession> {
        let texts = index.texts.of(record);
        let room = index.room(record.account, AccountFacts::new(account), &self.kept);
        let slack = self.follows.unwrap_or_default();
        let session = Arc::new(LiveSession::new(record, texts, Arc::clone(&room.cell), slack));
        room.sessions.push(Arc::clone(&session));
        index.sessions.insert(Named(Arc::clone(&session)));
        self.by_token.pin().insert(Entry::Live(Arc::clone(&session)));
        session
    }

    /// Remembers a session that had ended before the door opened.
    pub(crate) fn bury(&self, record: &SessionRecord, ended: Ended, account: Account) {
        let mut index = self.index();
        let room = index.room(record.account, AccountFacts::new(account), &self.kept);
        self.lay(room, record.token, record.expires_at, ended);
    }

    /// Ends a session and leaves its tombstone; answers it, where it was known.
    pub(crate) fn end(&self, id: SessionId, ended: &Ended) -> Option<Arc<LiveSession>> {
        let mut index = self.index();
        let Named(session) = index.sessions.take(&id)?;
        let room = index.rooms.get_mut(&session.cell().id())?;
        room.sessions.retain(|other| other.id() != id);
        let settled = session.finish(ended.clone()).clone();
        self.lay(room, *session.token(), session.expires_at(), settled);
        self.note_change();
        Some(session)
    }

    /// The account has changed: its sessions see it from now on. Where other doors share the store, who follows them has seen
    /// to it, and may have seen a later change than this.
    pub(crate) fn refresh(&self, account: Account) {
        if !self.follows() {
            self.replace(account);
        }
    }

    /// The account as the store has it.
    pub(crate) fn replace(&self, account: Account) {
        let index = self.index();
        if let Some(room) = index.rooms.get(&account.id) {
            room.cell.replace(Arc::new(AccountFacts::new(account)));
        }
        drop(index);
        self.note_change();
    }

    /// Fires after each end of a session and each change of an account.
    pub(crate) fn changed(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn note_change(&self) {
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// Forgets tombstones whose session would have expired, and accounts that nothing is left of.
    pub(crate) fn forget(&self, now: Timestamp) {
        let mut index = self.index();
        let entries = self.by_token.pin();
        index.rooms.retain(|_, room| {
            room.tombstones.retain(|(token, expires_at)| {
                let keep = now < *expires_at;
                if !keep {
                    entries.remove(token);
                }
                keep
            });
            !(room.sessions.is_empty() && room.tombstones.is_empty())
        });
        index.texts.forget();
    }

    // --- lists --------------------------------------------------------------------------------------------------
    /// Whose session that is.
    pub(crate) fn owner(&self, id: SessionId) -> Option<AccountId> {
        self.index().sessions.get(&id).map(|named| named.0.cell().id())
    }

    /// The id behind a token, while its session has no tombstone.
    pub(crate) fn session_of(&self, token: &TokenHash) -> Option<Arc<LiveSession>> {
        match self.by_token.pin().get(token) {
            Some(Entry::Live(session)) => Some(Arc::clone(session)),
            _ => None,
        }
    }

    /// An account's sessions without a tombstone, oldest first.
    pub(crate) fn sessions_of(&self, account: AccountId) -> Vec<Arc<LiveSession>> {
        let index = self.index();
        index
            .rooms
            .get(&account)
            .map(|room| room.sessions.clone())
            .unwrap_or_default()
    }

    /// Every session without a tombstone.
    pub(crate) fn sessions(&self) -> Vec<Arc<LiveSession>> {
        let entries = self.by_token.pin();
        let live = entries.iter().filter_map(|entry| match entry {
            Entry::Live(session) => Some(Arc::clone(session)),
            Entry::Over(_) => None,
        });
        live.collect()
    }

    /// How many sessions have no tombstone.
    pub(crate) fn count(&self) -> usize {
        self.index().sessions.len()
    }

    /// From now on disuse passes over these accounts.
    pub(crate) fn keep(&self, accounts: HashSet<AccountId>) {
        self.kept.store(accounts);
    }

    /// Whether disuse bans the account at `now`: those are passed over that were noted as the last of their role.
    pub(crate) fn is_banned(&self, account: &Account, policy: &Policy, now: Timestamp) -> bool {
        self.is_disused(account, policy, now) && !self.kept.contains(account.id)
    }

    /// Whether the account is not in use for too long at `now`, by what it tells itself and by what its sessions were used for
    /// since.
    pub(crate) fn is_disused(&self, account: &Account, policy: &Policy, now: Timestamp) -> bool {
        is_banned_since(policy, &account.role, self.disused_since(account), now)
    }

    /// Since when the account is not in use, by what it tells itself and by what its sessions were used for since.
    pub(crate) fn disused_since(&self, account: &Account) -> Timestamp {
        let index = self.index();
        let told = disused_since(account);
        index
            .rooms
            .get(&account.id)
            .map_or(told, |room| told.max(room.cell.last_used()))
    }

    /// Whether disuse passes over the account, as the last of its role.
    pub(crate) fn is_kept(&self, account: AccountId) -> bool {
        self.kept.contains(account)
    }

    // --- inside -------------------------------------------------------------------------------------------------
    fn lay(&self, room: &mut Room, token: TokenHash, expires_at: Timestamp, ended: Ended) {
        let entries = self.by_token.pin();
        entries.insert(Entry::Over(Box::new(Tombstone { token, ended })));
        room.tombstones.push_back((token, expires_at));
        if room.tombstones.len() > TOMBSTONES_PER_ACCOUNT_MAX
            && let Some((oldest, _)) = room.tombstones.pop_front()
        {
            entries.remove(&oldest);
        }
    }

    /// A thread that panicked here left at most one session half noted; the door goes on.
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn room(&mut self, owner: AccountId, facts: AccountFacts, kept: &Arc<Kept>) -> &mut Room {
        match self.rooms.entry(owner) {
            Place::Occupied(place) => {
                let room = place.into_mut();
                room.cell.replace(Arc::new(facts));
                room
            }
            Place::Vacant(place) => place.insert(Room {
                cell: Arc::new(AccountCell::new(facts, Arc::clone(kept))),
                sessions: Vec::new(),
                tombstones: VecDeque::new(),
            }),
        }
    }
}
