//! What an app shows that was given the secret of a second factor (RFC 6238).

use aws_lc_rs::hmac;

use crate::unix_seconds;

/// Seconds for which a code is shown.
const STEP_SECONDS: u64 = 30;

/// The code of a secret in base32, so many steps before or after now.
pub fn totp(secret: &str, steps_from_now: i64) -> String {
    let step = (unix_seconds() / STEP_SECONDS)
        .checked_add_signed(steps_from_now)
        .expect("a step of this age");
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &base32(secret));
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 0x0f);
    let word = u32::from_be_bytes(tag[at..at + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

/// RFC 4648, section 6, without padding.
fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(u8::is_ascii_alphanumeric) {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit => digit - b'2' + 26,
        };
        (bits, count) = (bits << 5 | u32::from(value), count + 5);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).expect("eight bits"));
        }
    }
    bytes
}
