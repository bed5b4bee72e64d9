//! What a token may be allowed to do.

use stagedoor_identity::port::ApiToken;

/// All of it.
pub(crate) const EVERYTHING: &str = "*";

/// A scope as a type, so that a handler says in its signature what it demands.
pub(crate) trait Scope: Send + Sync + 'static {
    /// The scope's name; `None` where any token will do.
    const NAME: Option<&'static str>;
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $marker:ident = $name:literal;)*) => {
        $($(#[$doc])* #[derive(Debug)] pub(crate) struct $marker;
        impl Scope for $marker { const NAME: Option<&'static str> = Some($name); })*
        /// Every scope's name, `*` excepted.
        pub(crate) const SCOPES: &[&str] = &[$($name),*];
    };
}

scopes! {
    /// See accounts.
    AccountsRead = "accounts:read";
    /// Make, change and remove accounts, their passwords and second factors.
    AccountsWrite = "accounts:write";
    /// See live sessions.
    SessionsRead = "sessions:read";
    /// End sessions.
    SessionsWrite = "sessions:write";
    /// See locks.
    LockoutsRead = "lockouts:read";
    /// End locks.
    LockoutsWrite = "lockouts:write";
    /// Read and question the policy.
    PolicyRead = "policy:read";
    /// Replace the policy.
    PolicyWrite = "policy:write";
    /// Search the audit.
    AuditRead = "audit:read";
    /// See tokens, without their secrets.
    TokensRead = "tokens:read";
    /// Make and revoke tokens.
    TokensWrite = "tokens:write";
    /// See letters that wait, without their words.
    LettersRead = "letters:read";
    /// Have a letter sent to see whether letters arrive.
    LettersWrite = "letters:write";
}

/// Any token will do.
#[derive(Debug)]
pub(crate) struct AnyToken;

impl Scope for AnyToken {
    const NAME: Option<&'static str> = None;
}

/// Whether the token has the scope.
pub(crate) fn holds(token: &ApiToken, scope: &str) -> bool {
    token.scopes.iter().any(|held| held == EVERYTHING || held == scope)
}

/// Whether there is a scope of that name.
pub(crate) fn is_known(scope: &str) -> bool {
    scope == EVERYTHING || SCOPES.contains(&scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(scopes: &[&str]) -> ApiToken {
        ApiToken {
            name: "ci".to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            created_at: stagedoor_policy::time::Timestamp::default(),
            expires_at: None,
            account: None,
        }
    }

    #[test]
    fn writing_does_not_include_reading_and_only_the_star_includes_the_star() {
        assert!(holds(&token(&["accounts:write"]), "accounts:write"));
        assert!(!holds(&token(&["accounts:write"]), "accounts:read"));
        assert!(holds(&token(&["*"]), "accounts:read"));
        assert!(holds(&token(&["*"]), "*"));
        assert!(!holds(&token(SCOPES), "*"));
        assert!(!holds(&token(&[]), "accounts:read"));
    }

    #[test]
    fn a_scope_is_compared_whole() {
        assert!(!holds(
            &token(&["accounts:reader", "accounts", "accounts:*", "ACCOUNTS:READ"]),
            "accounts:read"
        ));
        assert!(!is_known("accounts:*"));
    }
}
