//! Untrusted bytes become types, or are refused.

mod address;
mod host;
mod leniency;
mod target;

pub use address::{AddressFault, ClientAddress, FORWARDED_ENTRIES_MAX, from_forwarded_for};
pub use host::{HOST_BYTES_MAX, Host, HostFault};
pub use leniency::{Leniencies, Leniency};
pub use target::{PATH_BYTES_MAX, READINGS_MAX, TARGET_BYTES_MAX, Target, TargetFault};
pub(crate) use target::{is_look_alike, is_step};
