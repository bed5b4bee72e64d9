//! Who does something.

use std::net::IpAddr;

use crate::account::{Account, AccountId};

/// Who asks for a change, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// From where.
    pub address: Option<IpAddr>,
    /// Which request.
    pub request_id: Option<String>,
}

/// See [`Actor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Whoever runs the door, by `token:NAME`, `cli` or `setup`: bound by the rules about who there may be, by no others.
    Operator(String),
    /// An account: bound by what its role administers too. Its rights are read anew from the store at each step; what is
    /// written here is for the audit.
    Account {
        /// Which.
        id: AccountId,
        /// Its name.
        name: String,
        /// Its role.
        role: String,
    },
}

impl Actor {
    /// The operator, by what it goes by in the audit.
    pub fn operator(name: impl Into<String>) -> Self {
        Self::of(Who::Operator(name.into()))
    }

    /// An account.
    pub fn account(account: &Account) -> Self {
        Self::of(Who::Account {
            id: account.id,
            name: account.name.as_str().to_owned(),
            role: account.role.clone(),
        })
    }

    /// From there.
    #[must_use]
    pub fn from(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// In this request.
    #[must_use]
    pub fn in_request(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// As the audit calls it: an account's name, `token:NAME`, `cli`, `setup`.
    pub fn name(&self) -> &str {
        match &self.who {
            Who::Operator(name) | Who::Account { name, .. } => name,
        }
    }

    const fn of(who: Who) -> Self {
        Self {
            who,
            address: None,
            request_id: None,
        }
    }
}
