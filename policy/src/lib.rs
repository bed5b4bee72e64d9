//! What a request is, what a policy is, and the one function that joins them.
//!
//! Pure: no I/O, no clock, no async, no randomness. Everything a judgement depends on is an argument, so that the same
//! question always has the same answer, in the gateway, in `stagedoor policy explain` and in a test.
//!
//! Reading order: [`request`] (untrusted bytes become types), [`rules`] (what a person wrote), [`Policy`] (the same,
//! compiled), [`decide()`] and [`explain()`].

mod compile;
pub mod compliance;
mod decide;
pub mod fault;
mod level;
mod name;
pub mod network;
pub mod password;
mod pattern;
mod policy;
pub mod request;
mod role;
pub mod rules;
mod site;
mod table;
#[cfg(test)]
mod test_support;
pub mod time;
mod verb;

pub use compile::{AREAS_PER_SITE_MAX, SITES_MAX, compile};
pub use decide::{Decision, Explanation, Permit, Question, Refusal, Scope, Step, Visitor, decide, explain};
pub use level::{ExtraGrant, Level};
pub use policy::{AreaId, Policy, Preference, Revision, Seats, SiteId};
pub use table::RoleTable;
