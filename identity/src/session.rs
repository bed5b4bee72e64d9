//! Sessions as they are stored and listed.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use stagedoor_policy::time::Timestamp;
use uuid::Uuid;

use crate::AccountId;
use crate::port::DeviceId;
use crate::secret::TokenHash;

/// A session's public name (UUID v7): in lists, audit and the assertion's `sid`. Opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub Uuid);

/// A session, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its public name.
    pub id: SessionId,
    /// What the cookie hashes to.
    pub token: TokenHash,
    /// Whose it is.
    pub account: AccountId,
    /// How it came in.
    pub channel: String,
    /// From where it was opened.
    pub address: IpAddr,
    /// What the browser called itself, at most 256 characters.
    pub user_agent: String,
    /// Whether a second factor was shown.
    pub second_factor: bool,
    /// The device it came from; it ends when that is no longer linked to the account.
    pub device: Option<DeviceId>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Ends then, whatever happens.
    pub expires_at: Timestamp,
    /// Ends after this long without a request.
    pub idle_after: std::time::Duration,
    /// The last request, to within the flush interval.
    pub last_used_at: Timestamp,
    /// When and why it ended. Ended sessions are kept until `expires_at`, so that their visitor can be told why.
    pub ended: Option<Ended>,
}

/// When and why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When, in microseconds.
    pub at_micros: i64,
    /// Why.
    pub reason: EndReason,
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum EndReason {
    /// The visitor signed out.
    SignedOut,
    /// Somebody signed in to the same account from another place.
    Displaced {
        /// From where.
        by: IpAddr,
    },
    /// An administrator ended it.
    EndedByAdministrator,
    /// No request for longer than the idle limit.
    Idle,
    /// Older than the lifetime.
    Expired,
    /// The account was locked by hand or switched off.
    AccountDisabled,
    /// Banned for disuse.
    Inactive,
    /// The role, grants or networks of the account changed.
    AccountChanged,
    /// The password or second factor changed.
    CredentialsChanged,
    /// The account was removed.
    AccountRemoved,
    /// The device it came from is no longer linked to the account.
    DeviceUnlinked,
    /// The rules no longer let the account in.
    PolicyChanged,
}

impl EndReason {
    /// A stable code, the same that is written in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Displaced { .. } => "displaced",
            Self::EndedByAdministrator => "ended_by_administrator",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::AccountDisabled => "account_disabled",
            Self::Inactive => "inactive",
            Self::AccountChanged => "account_changed",
            Self::CredentialsChanged => "credentials_changed",
            Self::AccountRemoved => "account_removed",
            Self::DeviceUnlinked => "device_unlinked",
            Self::PolicyChanged => "policy_changed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_written_with_its_code() {
        let displaced = EndReason::Displaced {
            by: "192.0.2.1".parse().unwrap(),
        };
        for reason in [
            displaced,
            EndReason::Idle,
            EndReason::EndedByAdministrator,
            EndReason::PolicyChanged,
        ] {
            assert_eq!(serde_json::to_value(&reason).unwrap()["reason"], reason.code());
        }
    }
}
