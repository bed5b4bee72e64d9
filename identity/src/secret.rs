//! Values that cannot be printed and are not compared with `==`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Chance;

/// The longest password that is looked at, in bytes. Longer ones are refused, never cut.
pub const PASSWORD_BYTES_MAX: usize = 1024;

const TOKEN_BYTES: usize = 32;
const TOKEN_CHARS: usize = 43;

/// Secret bytes: wiped on drop, no `Display`, no `PartialEq`, no `Serialize`.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; empty where they are not UTF-8.
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

/// A password as typed. Never trimmed, never cut.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// `None` where it is longer than [`PASSWORD_BYTES_MAX`].
    pub fn new(typed: impl Into<String>) -> Option<Self> {
        let typed = Zeroizing::new(typed.into());
        (typed.len() <= PASSWORD_BYTES_MAX).then_some(Self(typed))
    }

    /// For the hash and the rules.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time: for the field that repeats a new password.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// What the session cookie carries: 32 random bytes, base64url without padding (43 characters).
#[derive(Clone)]
pub struct SessionToken(Zeroizing<[u8; TOKEN_CHARS]>);

/// SHA-256 of a token: all that memory and store keep of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenHash(pub [u8; 32]);

impl SessionToken {
    /// A fresh one.
    pub fn generate(chance: &dyn Chance) -> Self {
        let mut bytes = Zeroizing::new([0_u8; TOKEN_BYTES]);
        chance.fill(bytes.as_mut());
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()));
        let mut characters = Zeroizing::new([0; TOKEN_CHARS]);
        characters
            .iter_mut()
            .zip(encoded.bytes())
            .for_each(|(to, from)| *to = from);
        Self(characters)
    }

    /// From a cookie's value; `None` for anything that is not 43 characters of base64url.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let characters: [u8; TOKEN_CHARS] = value.try_into().ok()?;
        // Folded rather than `all`, so that the compiler can look at many bytes at once.
        let plain = |plain: bool, byte: &u8| plain & (byte.is_ascii_alphanumeric() | (*byte == b'-') | (*byte == b'_'));
        characters
            .iter()
            .fold(true, plain)
            .then(|| Self(Zeroizing::new(characters)))
    }

    /// For the one `Set-Cookie` that hands it out.
    pub fn expose(&self) -> &str {
        // Base64url, so that it always is a text.
        std::str::from_utf8(self.0.as_slice()).unwrap_or_default()
    }

    /// What it is looked up under.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.as_slice())
    }
}

impl TokenHash {
    /// SHA-256 of the bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let mut hash = [0_u8; 32];
        hash.copy_from_slice(digest.as_ref());
        Self(hash)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token hash]")
    }
}
