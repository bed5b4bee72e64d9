//! The map of sessions. Readers take no lock; who changes something holds the index for a moment, never over a wait.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use stagedoor_policy::Policy;
use stagedoor_policy::time::Timestamp;
use tokio::sync::watch;

use super::cell::{Kept, is_banned_since};
use super::{AccountCell, AccountFacts, LiveSession, Lookup, disused_since};
use crate::secret::TokenHash;
use crate::session::{Ended, SessionId, SessionRecord};
use crate::{Account, AccountId};

/// Ended sessions an account is remembered by: enough to tell a visitor why, too few to fill memory with.
const TOMBSTONES_PER_ACCOUNT_MAX: usize = 64;

#[derive(Debug)]
enum Entry {
    Live(Arc<LiveSession>),
    Over(Ended),
}

/// All sessions and accounts that memory knows of.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    by_token: papaya::HashMap<TokenHash, Entry, RandomState>,
    index: Mutex<Index>,
    kept: Arc<Kept>,
    /// Counts ends of sessions and changes of accounts.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Index {
    rooms: HashMap<AccountId, Room>,
    sessions: HashMap<SessionId, AccountId>,
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
            Some(Entry::Over(ended)) => return Lookup::Ended(ended.clone()),
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
    /// Takes a session in that the store has opened.
    pub(crate) fn open(&self, record: SessionRecord, account: Account) -> Arc<LiveSession> {
        let mut index = self.index();
        let (id, token, owner) = (record.id, record.token, record.account);
        let facts = AccountFacts::new(account);
        let room = index.room(owner, facts, &self.kept);
        let session = Arc::new(LiveSession::new(record, Arc::clone(&room.cell)));
        room.sessions.push(Arc::clone(&session));
        index.sessions.insert(id, owner);
        self.by_token.pin().insert(token, Entry::Live(Arc::clone(&session)));
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
        let owner = index.sessions.remove(&id)?;
        let room = index.rooms.get_mut(&owner)?;
        let position = room.sessions.iter().position(|session| session.id() == id)?;
        let session = room.sessions.remove(position);
        let settled = session.finish(ended.clone()).clone();
        self.lay(room, session.stored().token, session.stored().expires_at, settled);
        self.note_change();
        Some(session)
    }

    /// The account has changed: its sessions see it from now on.
    pub(crate) fn refresh(&self, account: Account) {
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
    }

    // --- lists --------------------------------------------------------------------------------------------------
    /// Whose session that is.
    pub(crate) fn owner(&self, id: SessionId) -> Option<AccountId> {
        self.index().sessions.get(&id).copied()
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
        let live = entries.values().filter_map(|entry| match entry {
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
        entries.insert(token, Entry::Over(ended));
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
