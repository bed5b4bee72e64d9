//! What a ticket says, under its seal.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use stagedoor_policy::time::Timestamp;
use zeroize::Zeroizing;

use super::Ticket;
use crate::credential::seal::SealKey;
use crate::port::DeviceId;
use crate::secret::TokenHash;
use crate::{AccountId, Chance, Secret};

/// How long a ticket is good for.
pub(crate) const TICKET_LASTS: Duration = Duration::from_secs(600);
const TICKET_CHARS_MAX: usize = 2048;
const BOUND_TO: &[u8] = b"stagedoor ticket 1";

/// The step a ticket opens. A ticket for one step is worthless at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    SecondFactor,
    BeginEnrolment,
    ConfirmEnrolment,
    ChangePassword,
}

/// What lets somebody enrol a second factor who has shown none: a password alone may be known to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Right {
    /// The invitation was accepted in this very sign-in.
    Invitation,
    /// A link for it, used up by the enrolment.
    Link(TokenHash),
}

/// What has been proved so far, and by whom.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// Which ticket this is: what may be done once with it is done once.
    pub(crate) number: uuid::Uuid,
    pub(crate) step: Step,
    pub(crate) account: AccountId,
    pub(crate) channel: String,
    pub(crate) address: IpAddr,
    /// Of the credentials that were proved.
    pub(crate) credentials_version: u64,
    pub(crate) second_factor: bool,
    pub(crate) issued_at_micros: i64,
    /// Attempts reserved so far, all of them right.
    pub(crate) attempts: u32,
    /// The end of the lock that the right password itself ran into as the last attempt; see `door::attempts`.
    pub(crate) own_lock_micros: Option<i64>,
    /// The secret to be enrolled, at [`Step::ConfirmEnrolment`].
    pub(crate) enrolling: Option<Vec<u8>>,
    /// To enrol a second factor.
    pub(crate) right: Option<Right>,
    /// The device it comes from.
    pub(crate) device: Option<DeviceId>,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claims")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl Claims {
    /// The secret to be enrolled.
    pub(crate) fn enrolling(&self) -> Option<Secret> {
        self.enrolling.as_ref().map(|bytes| Secret::new(bytes.as_slice()))
    }

    /// These claims as a ticket. `None` where they cannot be sealed.
    pub(crate) fn seal(&self, key: &SealKey, chance: &dyn Chance) -> Option<Ticket> {
        let plain = Zeroizing::new(serde_json::to_vec(self).ok()?);
        let sealed = key.seal(&plain, BOUND_TO, chance)?;
        Some(Ticket(URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// What a ticket says, if it is one of ours, for this step and address, and still good.
    pub(crate) fn open(ticket: &Ticket, key: &SealKey, step: Step, address: IpAddr, now: Timestamp) -> Option<Self> {
        if ticket.0.len() > TICKET_CHARS_MAX {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(&ticket.0).ok()?;
        let plain = key.open(&sealed, BOUND_TO)?;
        let claims: Self = serde_json::from_slice(plain.expose()).ok()?;
        let issued_at = Timestamp::from_micros(claims.issued_at_micros);
        let good = now >= issued_at && now < issued_at.after(TICKET_LASTS);
        (good && claims.step == step && claims.address == address).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededChance;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn ticket() -> Ticket {
        let claims = Claims {
            number: uuid::Uuid::nil(),
            step: Step::SecondFactor,
            account: AccountId(uuid::Uuid::nil()),
            channel: "browser".to_owned(),
            address: HERE,
            credentials_version: 1,
            second_factor: false,
            issued_at_micros: 0,
            attempts: 1,
            own_lock_micros: None,
            enrolling: None,
            right: None,
            device: None,
        };
        claims.seal(&key(), &SeededChance::new(1)).unwrap()
    }

    fn key() -> SealKey {
        SealKey::new(&Secret::new([1; 32])).unwrap()
    }

    fn opens(ticket: &Ticket, step: Step, address: IpAddr, seconds: i64) -> bool {
        Claims::open(
            ticket,
            &key(),
            step,
            address,
            Timestamp::from_micros(seconds * 1_000_000),
        )
        .is_some()
    }

    #[test]
    fn a_ticket_is_good_for_ten_minutes_for_its_step_and_address_only() {
        assert!(opens(&ticket(), Step::SecondFactor, HERE, 599));
        assert!(!opens(&ticket(), Step::SecondFactor, HERE, 600));
        assert!(!opens(&ticket(), Step::SecondFactor, HERE, -1));
        assert!(!opens(&ticket(), Step::ChangePassword, HERE, 1));
        assert!(!opens(&ticket(), Step::SecondFactor, "192.0.2.2".parse().unwrap(), 1));
    }

    #[test]
    fn a_ticket_that_was_tampered_with_is_worthless() {
        let mut text = ticket().as_text().to_owned();
        let flipped = if text.as_bytes()[20] == b'A' { 'B' } else { 'A' };
        text.replace_range(20..21, &flipped.to_string());
        assert_ne!(text, ticket().as_text());
        assert!(!opens(&Ticket::from_text(&text), Step::SecondFactor, HERE, 1));
        assert!(!opens(&Ticket::from_text(""), Step::SecondFactor, HERE, 1));
        assert!(!opens(
            &Ticket::from_text(&"A".repeat(10_000)),
            Step::SecondFactor,
            HERE,
            1
        ));
    }
}
