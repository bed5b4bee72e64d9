//! Where identity's memory lives: adapters of the ports in `stagedoor_identity::port`, and the promises each must keep.
//!
//! [`embedded`] is the default: one SQLite file in the data folder, nothing to install. [`redis`] keeps the same promises on a
//! Redis that is there already. Rules, times and hashes come in as arguments; a store only takes atomic, durable steps.

mod attempt_key;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embedded;
mod gate;
mod grants;
pub mod redis;
pub mod transfer;

pub use embedded::{Embedded, Observer, OpenError};
pub use gate::Closed;
pub use redis::Redis;
