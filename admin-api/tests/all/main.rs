//! The API as its callers meet it, on a real store and real files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod accounts;
mod audit;
mod coverage;
mod devices;
mod edge;
mod house;
mod invitations;
mod letters;
mod policy;
mod sessions;
mod tokens;
mod who_may;
