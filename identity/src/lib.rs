//! Accounts, credentials, sessions, sign-in, lockout, inactivity, and the words of the audit.
//!
//! [`Doorkeeper`] is the one face the portal, the admin API and the gateway talk to. What it must remember goes through the
//! ports in [`port`], each an atomic step named after what the domain does; `store/` has the adapters.

pub mod account;
mod chance;
mod clock;
pub mod credential;
mod door;
pub mod event;
pub mod letter;
mod live;
pub mod picture;
pub mod port;
mod priority;
pub mod secret;
pub mod session;
pub mod sign_in;
pub mod testing;
pub mod when;

pub use account::{Account, AccountId};
pub use chance::{Chance, SystemChance};
pub use clock::{Clock, SystemClock};
pub use door::{
    Accepted, Actor, ChangeFault, Company, CurrentPolicy, Doorkeeper, Invited, OwnChange, OwnFault, Parts, Refused,
    RefusedWhy, SCOPES, Tally, USES_INTERVAL, Use, Who,
};
pub use live::{Facts, Freshness, LiveSession, Lookup};
pub use priority::Priority;
pub use secret::{Password, Secret, SessionToken};
pub use session::{EndReason, SessionId};
