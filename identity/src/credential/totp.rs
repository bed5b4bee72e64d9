//! One-time codes by the clock: SHA-1, six digits, 30 seconds, since apps silently take these whatever they are told. The step
//! before and the one after are accepted for clocks that differ; the store sees to it that no step is used twice.

use stagedoor_policy::time::Timestamp;
use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::account::AccountName;
use crate::{Chance, Secret};

const SECRET_BYTES: usize = 20;
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
const SKEW_STEPS: u16 = 1;

/// A fresh secret.
pub(crate) fn fresh(chance: &dyn Chance) -> Secret {
    let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
    chance.fill(bytes.as_mut());
    Secret::new(bytes.as_slice())
}

/// The step whose code this is, around `now`; `None` where it is no code of the secret.
pub(crate) fn matching_step(secret: &Secret, code: &str, now: Timestamp) -> Option<u64> {
    let digits = code.len() == usize::from(DIGITS) && code.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = u64::try_from(now.as_seconds()).ok()?;
    if !digits {
        return None;
    }
    generator(secret, None)?.check(code, seconds)
}

/// `otpauth://totp/…` for the QR code.
pub(crate) fn uri(secret: &Secret, issuer: &str, name: &AccountName) -> Option<Secret> {
    // A colon would part issuer from account in the wrong place.
    let issuer = issuer.replace(':', " ");
    let uri = generator(secret, Some((&issuer, name)))?.to_url().ok()?;
    Some(Secret::new(uri))
}

/// The code of the moment, from the secret as typed: what the visitor's app does.
pub(crate) fn code_of_typed(typed: &str, now: Timestamp) -> Option<String> {
    let secret = totp_rs::Secret::try_from_base32(typed.replace(' ', "")).ok()?;
    let seconds = u64::try_from(now.as_seconds()).ok()?;
    let generator = generator(&Secret::new(secret.as_bytes()), None)?;
    Some(generator.generate(seconds).to_string())
}

/// The secret in base32, in groups of four, for typing.
pub(crate) fn typed(secret: &Secret) -> Secret {
    let base32 = Zeroizing::new(totp_rs::Secret::from(secret.expose().to_vec()).to_base32());
    let mut grouped = Zeroizing::new(String::with_capacity(base32.len() * 5 / 4));
    for (index, character) in base32.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    Secret::new(grouped.as_bytes())
}

fn generator(secret: &Secret, label: Option<(&str, &AccountName)>) -> Option<Totp> {
    let mut builder = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_step_duration(STEP_SECONDS)
        .with_skew(SKEW_STEPS)
        .with_secret(secret.expose().to_vec());
    if let Some((issuer, name)) = label {
        builder = builder.with_account_name(name.as_str()).with_issuer(Some(issuer));
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    /// The secret of RFC 6238, appendix B.
    fn rfc() -> Secret {
        Secret::new("12345678901234567890")
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(
                matching_step(&rfc(), code, at(seconds)),
                Some(seconds.unsigned_abs() / 30)
            );
            assert_eq!(
                code_of_typed(typed(&rfc()).expose_text(), at(seconds)).as_deref(),
                Some(code)
            );
        }
    }

    #[test]
    fn a_clock_may_differ_by_one_step_and_no_more() {
        let code = code_of_typed(typed(&rfc()).expose_text(), at(3000)).unwrap();
        for (seconds, accepted) in [(2939, false), (2970, true), (3029, true), (3059, true), (3060, false)] {
            assert_eq!(
                matching_step(&rfc(), &code, at(seconds)).is_some(),
                accepted,
                "{seconds}"
            );
        }
    }

    #[test]
    fn what_is_not_six_digits_matches_nothing() {
        for code in ["", "28708", "2870820", "28708a", "２８７０８２", " 287082"] {
            assert_eq!(matching_step(&rfc(), code, at(59)), None, "{code}");
        }
    }

    #[test]
    fn apps_are_told_issuer_account_and_secret() {
        let uri = uri(&rfc(), "Acme: West", &AccountName::parse("ann@corp").unwrap()).unwrap();
        let uri = uri.expose_text();
        assert!(uri.starts_with("otpauth://totp/Acme%20%20West:ann%40corp?"), "{uri}");
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
        assert_eq!(typed(&rfc()).expose_text(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
