//! What proves who somebody is: passwords, one-time codes, recovery codes.
//!
//! Passwords are taken byte for byte as typed, judged by [`password::faults`] when they are set and hashed with Argon2id on the
//! few threads of [`pool::HashPool`]. One-time codes are [`totp`], recovery codes [`recovery`]. What must be read again is
//! sealed by [`seal`].

mod hash;
pub(crate) mod password;
pub(crate) mod pool;
pub(crate) mod recovery;
pub(crate) mod seal;
pub(crate) mod totp;
