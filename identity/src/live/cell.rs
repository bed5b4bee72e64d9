//! One account in memory, shared by all its sessions: a change of it reaches every one of them with the next request.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::{ArcSwap, Guard};
use stagedoor_policy::network::NetworkSet;
use stagedoor_policy::time::Timestamp;
use stagedoor_policy::{Policy, Visitor};

use crate::{Account, AccountId};

/// An account and its networks, compiled. Immutable: a change makes new ones.
#[derive(Debug)]
pub(crate) struct AccountFacts {
    pub(crate) account: Arc<Account>,
    networks: Option<NetworkSet>,
    // What each look-up asks of the account, so that it need not go there.
    pub(super) disabled: bool,
    disused_since: Timestamp,
    role: Nearby,
}

/// How many bytes of a role's name are kept with the facts.
const NEARBY_BYTES_MAX: usize = 23;

/// A short text without a place of its own in memory, which a look-up would have to fetch.
#[derive(Debug)]
struct Nearby {
    bytes: [u8; NEARBY_BYTES_MAX],
    length: u8,
}

impl Nearby {
    /// Empty for a longer one.
    fn of(text: &str) -> Self {
        let mut bytes = [0; NEARBY_BYTES_MAX];
        let Some(place) = bytes.get_mut(..text.len()) else {
            return Self { bytes, length: 0 };
        };
        place.copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).unwrap_or(0);
        Self { bytes, length }
    }

    fn text(&self) -> Option<&str> {
        let bytes = self.bytes.get(..usize::from(self.length))?;
        std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())
    }
}

impl AccountFacts {
    pub(crate) fn new(account: Account) -> Self {
        let networks = (!account.networks.is_empty()).then(|| compile(&account));
        Self {
            disabled: account.disabled,
            disused_since: disused_since(&account),
            role: Nearby::of(&account.role),
            account: Arc::new(account),
            networks,
        }
    }

    /// The account's role, by name.
    pub(super) fn role(&self) -> &str {
        self.role.text().unwrap_or(&self.account.role)
    }

    /// What the policy needs to know.
    pub(crate) fn visitor<'a>(&'a self, channel: &'a str, second_factor: bool) -> Visitor<'a> {
        Visitor {
            role: self.role(),
            grants: &self.account.grants,
            networks: self.networks.as_ref(),
            channel,
            second_factor,
        }
    }
}

/// Networks that cannot be read admit nobody: broken input narrows access.
fn compile(account: &Account) -> NetworkSet {
    NetworkSet::parse(account.networks.iter().map(String::as_str)).unwrap_or_else(|_| {
        tracing::error!(account = %account.id.0, "an account's networks cannot be read; it is admitted from nowhere");
        NetworkSet::default()
    })
}

/// Accounts that disuse passes over, being the last of a role that has to keep some. Asked only where an account would be
/// banned.
#[derive(Debug, Default)]
pub(crate) struct Kept(ArcSwap<HashSet<AccountId>>);

impl Kept {
    pub(crate) fn store(&self, accounts: HashSet<AccountId>) {
        self.0.store(Arc::new(accounts));
    }

    pub(crate) fn contains(&self, account: AccountId) -> bool {
        self.0.load().contains(&account)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct AccountCell {
    id: AccountId,
    facts: ArcSwap<AccountFacts>,
    /// The latest use by any of its sessions, in microseconds; only ever rises.
    last_used: AtomicI64,
    kept: Arc<Kept>,
}

impl AccountCell {
    pub(crate) fn new(facts: AccountFacts, kept: Arc<Kept>) -> Self {
        Self {
            kept,
            id: facts.account.id,
            last_used: AtomicI64::new(facts.account.last_used_at.map_or(i64::MIN, Timestamp::as_micros)),
            facts: ArcSwap::from_pointee(facts),
        }
    }

    pub(crate) fn id(&self) -> AccountId {
        self.id
    }

    pub(crate) fn facts(&self) -> Guard<Arc<AccountFacts>> {
        self.facts.load()
    }

    pub(crate) fn replace(&self, facts: Arc<AccountFacts>) {
        self.facts.store(facts);
    }

    pub(crate) fn used(&self, now: Timestamp) {
        // Most requests of a busy account find a later use noted already, and then write nothing.
        if self.last_used.load(Ordering::Relaxed) < now.as_micros() {
            self.last_used.fetch_max(now.as_micros(), Ordering::AcqRel);
        }
    }

    pub(crate) fn last_used(&self) -> Timestamp {
        Timestamp::from_micros(self.last_used.load(Ordering::Acquire))
    }

    pub(crate) fn is_banned(&self, policy: &Policy, facts: &AccountFacts, now: Timestamp) -> bool {
        let since = facts.disused_since.max(self.last_used());
        is_banned_since(policy, facts.role(), since, now) && !self.kept.contains(self.id)
    }
}

/// Since when an account is not in use, as far as it tells itself.
pub(crate) fn disused_since(account: &Account) -> Timestamp {
    [account.last_used_at, account.last_sign_in_at, account.reinstated_at]
        .into_iter()
        .flatten()
        .fold(account.created_at, Timestamp::max)
}

/// Whether disuse since then bans at `now`.
pub(crate) fn is_banned_since(policy: &Policy, role: &str, since: Timestamp, now: Timestamp) -> bool {
    policy
        .inactivity(role)
        .block_after
        .is_some_and(|block_after| now >= since.after(block_after))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::account::AccountName;

    #[test]
    fn a_role_is_told_whole_however_long_its_name() {
        for bytes in [0, 1, NEARBY_BYTES_MAX, NEARBY_BYTES_MAX + 1, 300] {
            let (id, role) = (AccountId(Uuid::nil()), "r".repeat(bytes));
            let name = AccountName::parse("ann").unwrap();
            let facts = AccountFacts::new(Account::new(id, name, &role, Timestamp::from_micros(0)));
            assert_eq!((facts.role(), facts.visitor("browser", false).role), (&*role, &*role));
        }
    }
}
