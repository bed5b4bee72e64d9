//! Texts as they are written elsewhere: to make tokens by hand, and to find a secret that somebody has only dressed up.

use std::fmt::Write as _;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Hexadecimal digits, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string can be written to");
        text
    })
}

/// Base64, without the padding at the end.
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for piece in bytes.chunks(3) {
        let bits = piece
            .iter()
            .enumerate()
            .fold(0_u32, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        for place in 0..=piece.len() {
            let six = bits >> (18 - 6 * place) & 0x3f;
            text.push(char::from(BASE64[usize::try_from(six).expect("six bits")]));
        }
    }
    text
}

/// Base64 as tokens have it: the two last letters of the alphabet are `-` and `_`, and there is no padding.
pub fn base64_url(bytes: &[u8]) -> String {
    base64(bytes).replace('+', "-").replace('/', "_")
}

/// Each byte but letters and digits percent-encoded.
pub fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        match byte {
            plain if plain.is_ascii_alphanumeric() => encoded.push(char::from(plain)),
            byte => write!(encoded, "%{byte:02X}").expect("a string can be written to"),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("??>", "Pz8+"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64_url(b"??>???"), "Pz8-Pz8_");
        assert_eq!(
            (hex(b"\x00\xffA"), percent("a b/1")),
            ("00ff41".to_owned(), "a%20b%2F1".to_owned())
        );
    }
}
