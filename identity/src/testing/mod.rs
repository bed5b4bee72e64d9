//! For tests of this crate and of others: a clock moved by hand, chance from a seed, a policy that is swapped at will and a
//! store in memory, filled at will. Nothing of the product uses any of it.

mod chance;
mod clock;
mod crowd;
mod letterhead;
mod memory;
mod pictures;
mod policy;

pub use chance::SeededChance;
pub use clock::ManualClock;
pub use crowd::Crowd;
pub use letterhead::SwappableLetterhead;
pub use memory::MemoryStore;
pub use pictures::pictures;
pub use policy::SwappablePolicy;

/// The code that an authenticator app shows at `now` for the secret of [`crate::sign_in::Enrolment::typed`]; `None` where
/// that is no base32.
pub fn totp_code(typed: &crate::Secret, now: stagedoor_policy::time::Timestamp) -> Option<String> {
    crate::credential::totp::code_of_typed(typed.expose_text(), now)
}
