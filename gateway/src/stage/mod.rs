//! One file per step of a request, in the order it travels.

pub mod address;
pub mod decide;
pub mod forward;
pub mod outage;
pub mod reply;
pub mod session;
pub mod target;
