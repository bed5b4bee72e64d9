//! Untrusted bytes become types, or are refused.

mod address;
mod host;
mod target;

pub use address::{AddressFault, ClientAddress, from_forwarded_for};
pub use host::{Host, HostFault};
pub use target::{Target, TargetFault};
