//! Accounts.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use stagedoor_identity::account::{AccountChange, AccountName, AccountQuery};
use stagedoor_identity::port::{Accounts, FreshLink, HandOver, StoreError, Structure};
use stagedoor_identity::{Account, AccountId, EndReason, SessionId};
use stagedoor_policy::time::Timestamp;

use super::answer::{Answer, Damage};
use super::links::fresh_json;
use super::record::{Set, Written, email_hash, json, read};
use super::script::{Script, bytes, reading, writing};
use super::sessions::{ids_of, reason_json};
use super::structure::{rules, text_hash};
use super::{Redis, args};
use crate::attempt_key::{lock_id, name_hash};

const LISTED_MAX: u32 = 1000;
/// Accounts that one script answers with, and names that it looks at, while others wait.
const FOUND_AT_ONCE: usize = 200;
const LOOKED_AT_AT_ONCE: u32 = 5000;
/// Times a new name is tried while locks of the old one come and go.
const RENAMED_TIMES: u32 = 20;

static CREATE: Script = writing!(
    "create_account",
    "index_lib",
    "structure_lib",
    "letter_lib",
    "token_lib",
    "link_lib"
);
static CHANGE: Script = writing!(
    "change_account",
    "account_lib",
    "index_lib",
    "structure_lib",
    "change_lib",
    "session_lib",
    "attempt_lib",
    "letter_lib",
    "token_lib",
    "link_lib"
);
static REMOVE: Script = writing!(
    "remove_account",
    "account_lib",
    "index_lib",
    "structure_lib",
    "session_lib",
    "attempt_lib",
    "letter_lib",
    "token_lib",
    "link_lib"
);
static HAND_OVER: Script = writing!(
    "hand_over",
    "account_lib",
    "index_lib",
    "structure_lib",
    "change_lib",
    "session_lib"
);
static REINSTATE: Script = writing!("reinstate_account", "account_lib", "index_lib");
static ONE: Script = reading!("account", "account_lib");
static SEARCH: Script = reading!("search_accounts", "account_lib");
static BY_EMAIL: Script = reading!("accounts_by_email", "account_lib");
static LAST_USED: Script = reading!("last_used_of");

#[async_trait]
impl Accounts for Redis {
    async fn create_account(
        &self,
        account: &Account,
        password_hash: &str,
        invitation: Option<&FreshLink>,
        structure: &Structure,
    ) -> Result<(), StoreError> {
        let name = account.name.as_str();
        let invitation = fresh_json(invitation)?;
        let mut args = args![
            account.id.0,
            name,
            name_hash(name),
            password_hash,
            rules(structure)?,
            invitation
        ];
        let mut fields = Written::default();
        fields.account(account).map_err(StoreError::Engine)?;
        args.extend(fields.0);
        self.write_judged("create_account", &CREATE, args, structure)
            .await
            .map(drop)
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.one("account", args!["id", id.0]).await
    }

    async fn accounts_by_id(&self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(FOUND_AT_ONCE) {
            // All on their way at once: a round trip for each would be most of a start.
            let some = try_join_all(some.iter().map(|id| self.account(*id))).await?;
            found.extend(some.into_iter().flatten());
        }
        Ok(found)
    }

    async fn account_by_name(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        self.one("account_by_name", args!["name", name.as_str()]).await
    }

    async fn list_accounts(&self, query: &AccountQuery) -> Result<Vec<Account>, StoreError> {
        let Some(part) = query.folded() else {
            return Ok(Vec::new());
        };
        let limit = usize::try_from(query.limit.clamp(1, LISTED_MAX)).unwrap_or(usize::MAX);
        let mut after = query.after.as_ref().map_or("", AccountName::as_str).to_owned();
        let mut found = Vec::new();
        loop {
            let left = limit.saturating_sub(found.len()).min(FOUND_AT_ONCE);
            let names = !query.display_name_only;
            let mut args = args![&after, &part, names, left, LOOKED_AT_AT_ONCE, query.roles.is_some()];
            args.extend(query.roles.iter().flatten().map(|role| bytes(text_hash(role))));
            let Some(answer) = self.read("list_accounts", &SEARCH, args).await? else {
                return Ok(found);
            };
            let damaged = self.damaged("list_accounts");
            found.extend(accounts_from(&answer, 2).map_err(&damaged)?);
            after = answer.text(1).map_err(&damaged)?.to_owned();
            if after.is_empty() || found.len() >= limit {
                return Ok(found);
            }
        }
    }

    async fn change_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        change: &AccountChange,
        end: Option<(&EndReason, Timestamp)>,
        structure: &Structure,
    ) -> Result<(Account, Vec<SessionId>), StoreError> {
        let mut set = Set {
            expected: expected.map(|version| version.to_string()),
            ..Set::default()
        };
        set.change(change).map_err(StoreError::Engine)?;
        let (ends, now, reason) = match end {
            Some((reason, now)) => (true, bytes(now), reason_json(reason)?),
            None => (false, Vec::new(), String::new()),
        };
        for _try in 0..RENAMED_TIMES {
            if let Some(new) = &change.name {
                self.take_locks_along(id, new, &mut set).await?;
            }
            let changes = json(&set).map_err(StoreError::Engine)?;
            let mut args = args![id.0, rules(structure)?, changes, ends];
            args.extend([now.clone(), bytes(&reason)]);
            let answer = self.write_judged("change_account", &CHANGE, args, structure).await?;
            if answer.word() == "again" {
                continue;
            }
            let damaged = self.damaged("change_account");
            let account = answer.fields(2).and_then(|fields| read(&fields)).map_err(&damaged)?;
            return Ok((account, ids_of(&answer, 1).map_err(&damaged)?));
        }
        Err(self.engine("change_account", "the name is being locked all the time: try again"))
    }

    async fn remove_account(
        &self,
        id: AccountId,
        expected: Option<u64>,
        structure: &Structure,
    ) -> Result<Vec<SessionId>, StoreError> {
        let expected = expected.map_or_else(String::new, |version| version.to_string());
        let args = args![id.0, expected, rules(structure)?];
        let answer = self.write_judged("remove_account", &REMOVE, args, structure).await?;
        ids_of(&answer, 1).map_err(self.damaged("remove_account"))
    }

    async fn hand_over(
        &self,
        handing: &HandOver,
        reason: &EndReason,
        now: Timestamp,
        structure: &Structure,
    ) -> Result<(Account, Account, Vec<SessionId>), StoreError> {
        let becomes = |(id, version): (AccountId, u64), change: &AccountChange| {
            let mut set = Set {
                id: Some(id.0.simple().to_string()),
                expected: Some(version.to_string()),
                ..Set::default()
            };
            set.change(change).and_then(|()| json(&set)).map_err(StoreError::Engine)
        };
        let holder = becomes(handing.holder, &handing.holder_becomes)?;
        let heir = becomes(handing.heir, &handing.heir_becomes)?;
        let args = args![rules(structure)?, holder, heir, now, reason_json(reason)?];
        let answer = self.write_judged("hand_over", &HAND_OVER, args, structure).await?;
        let read = |part| answer.fields(part).and_then(|fields| read(&fields));
        let read = || Ok((read(2)?, read(3)?, ids_of(&answer, 1)?));
        read().map_err(self.damaged("hand_over"))
    }

    async fn accounts_by_email(&self, email: &str) -> Result<Vec<Account>, StoreError> {
        let answer = self
            .read("accounts_by_email", &BY_EMAIL, args![email_hash(email)])
            .await?;
        let found = answer.map(|answer| accounts_from(&answer, 1)).transpose();
        Ok(found.map_err(self.damaged("accounts_by_email"))?.unwrap_or_default())
    }

    async fn last_used_of(&self, role: &str, count: u32) -> Result<Vec<AccountId>, StoreError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let answer = self
            .read("last_used_of", &LAST_USED, args![text_hash(role), count])
            .await?;
        let ids = answer.map(|answer| answer.ids(1)).transpose();
        let ids = ids.map_err(self.damaged("last_used_of"))?.unwrap_or_default();
        Ok(ids.into_iter().map(AccountId).collect())
    }

    async fn reinstate_account(&self, id: AccountId, now: Timestamp) -> Result<Account, StoreError> {
        let answer = self.write("reinstate_account", &REINSTATE, args![id.0, now]).await?;
        let fields = answer.fields(1).and_then(|fields| read(&fields));
        fields.map_err(self.damaged("reinstate_account"))
    }
}

impl Redis {
    async fn one(&self, operation: &'static str, args: Vec<Vec<u8>>) -> Result<Option<Account>, StoreError> {
        let answer = self.read(operation, &ONE, args).await?;
        let account = answer.map(|answer| answer.fields(1).and_then(|fields| read(&fields)));
        account.transpose().map_err(self.damaged(operation))
    }

    /// Ids of locks are hashes of names. The script makes sure that these locks are all there are.
    async fn take_locks_along(&self, id: AccountId, new: &AccountName, set: &mut Set) -> Result<(), StoreError> {
        set.locks.clear();
        set.renamed_from = None;
        let Some(account) = self.account(id).await? else {
            return Ok(());
        };
        let new = name_hash(new.as_str());
        for (id, source) in self.locks_of_name(&account.name).await? {
            set.locks.insert(id, lock_id(&new, source.as_ref()));
        }
        set.renamed_from = Some(account.name.as_str().to_owned());
        Ok(())
    }
}

/// The accounts in an answer, from this part on.
pub(super) fn accounts_from(answer: &Answer, first: usize) -> Result<Vec<Account>, Damage> {
    answer.records_from(first)?.iter().map(read).collect()
}
