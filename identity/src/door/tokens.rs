//! Bearer tokens of the admin API: `sdt_` and 32 random bytes in base64url. The store keeps the SHA-256.

use super::house::House;
use super::refused::denied;
use super::{Actor, ChangeFault};
use crate::event::{Event, Kind};
use crate::port::{ApiToken, StoreError};
use crate::secret::TokenHash;
use crate::{Secret, SessionToken};

/// What a token may be allowed to do.
pub const SCOPES: [&str; 14] = [
    "accounts:read",
    "accounts:write",
    "sessions:read",
    "sessions:write",
    "lockouts:read",
    "lockouts:write",
    "policy:read",
    "policy:write",
    "audit:read",
    "tokens:read",
    "tokens:write",
    "letters:read",
    "letters:write",
    "*",
];

/// What a token may be allowed to do that acts as an account: nothing else asks who acts.
const AS_ACCOUNT: [&str; 2] = ["accounts:read", "accounts:write"];

/// So that a leaked token is recognised for what it is.
const PREFIX: &str = "sdt_";
const NAME_BYTES_MAX: usize = 64;

impl House {
    pub(super) async fn create_token(&self, token: ApiToken, by: &Actor) -> Result<Secret, ChangeFault> {
        let now = self.clock.now();
        let token = ApiToken {
            created_at: now,
            ..token
        };
        let faults = faults(&token);
        if !faults.is_empty() {
            return Err(ChangeFault::Unfit(faults));
        }
        let authority = self.authority(by).await?;
        // An account's token acts as it: another one would be a way around what its role administers.
        if let Some(account) = token.account
            && authority.account().is_none_or(|own| own.id != account)
        {
            self.managed(account, &authority).await?;
        }
        if authority.account().is_some_and(|own| token.account != Some(own.id)) {
            return Err(denied());
        }
        // Of the same make as a session's: 32 random bytes as 43 characters.
        let text = zeroize::Zeroizing::new(format!(
            "{PREFIX}{}",
            SessionToken::generate(self.chance.as_ref()).expose()
        ));
        self.store.add_token(&token, &TokenHash::of(text.as_bytes())).await?;
        let event = Event::done(Kind::TokenCreated, by, now)
            .detail("token", &token.name)
            .detail("scopes", token.scopes.join(" "));
        self.store.record(&[event]).await?;
        Ok(Secret::new(text.as_bytes()))
    }

    pub(super) async fn revoke_token(&self, name: &str, by: &Actor) -> Result<bool, ChangeFault> {
        if let Some(own) = self.authority(by).await?.account() {
            let tokens = self.store.list_tokens().await?;
            let its = |token: &ApiToken| token.name == name && token.account == Some(own.id);
            if !tokens.iter().any(its) {
                return Ok(false);
            }
        }
        let revoked = self.store.revoke_token(name).await?;
        if revoked {
            let event = Event::done(Kind::TokenRevoked, by, self.clock.now()).detail("token", name);
            self.store.record(&[event]).await?;
        }
        Ok(revoked)
    }

    pub(super) async fn token(&self, presented: &str) -> Result<Option<ApiToken>, StoreError> {
        let shaped = presented
            .strip_prefix(PREFIX)
            .is_some_and(|rest| SessionToken::parse(rest.as_bytes()).is_some());
        if !shaped {
            return Ok(None);
        }
        let token = self.store.token(&TokenHash::of(presented.as_bytes())).await?;
        let now = self.clock.now();
        Ok(token.filter(|token| token.expires_at.is_none_or(|end| now < end)))
    }

    /// Who acts with a token. An account that acts no more makes it worthless.
    pub(super) async fn actor_of(&self, token: &ApiToken) -> Result<Option<Actor>, StoreError> {
        let Some(id) = token.account else {
            return Ok(Some(Actor::operator(format!("token:{}", token.name))));
        };
        let Some(account) = self.store.account(id).await? else {
            return Ok(None);
        };
        let actor = Actor::account(&account);
        match self.authority(&actor).await {
            Ok(_) => Ok(Some(actor)),
            Err(ChangeFault::Store(fault)) => Err(fault),
            Err(_) => Ok(None),
        }
    }
}

fn faults(token: &ApiToken) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if token.name.is_empty() || token.name.len() > NAME_BYTES_MAX || !token.name.bytes().all(plain) {
        let sentence = format!("1 to {NAME_BYTES_MAX} characters of a to z, digits and . _ -");
        faults.push(("name", sentence));
    }
    if token.scopes.is_empty() {
        faults.push(("scopes", "name at least one scope".to_owned()));
    }
    for scope in &token.scopes {
        if !SCOPES.contains(&scope.as_str()) {
            let shown: String = scope.chars().take(64).flat_map(char::escape_debug).collect();
            faults.push((
                "scopes",
                format!("`{shown}` is no scope; there are {}", SCOPES.join(", ")),
            ));
        }
    }
    let as_account = |scope: &String| AS_ACCOUNT.contains(&scope.as_str());
    if token.account.is_some() && !token.scopes.iter().all(as_account) {
        let sentence = format!(
            "a token that acts as an account has no scope but {}",
            AS_ACCOUNT.join(" and ")
        );
        faults.push(("scopes", sentence));
    }
    if token.expires_at.is_some_and(|end| end <= token.created_at) {
        faults.push(("expires_at", "lies in the past".to_owned()));
    }
    faults
}
