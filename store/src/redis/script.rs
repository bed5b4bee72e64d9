//! Scripts, sent by their hash. Each file in `lua/` says on top what it is given.

use std::fmt::Write as _;
use std::sync::OnceLock;

/// A script that is put together once and known to Redis by its hash from then on.
pub(super) struct Script {
    parts: &'static [&'static str],
    /// What Redis called it when it was loaded. The same text has the same name everywhere, so it outlives a flush.
    hash: OnceLock<String>,
    /// Whether it matters that a server which takes over may lack it.
    matters: bool,
}

const HEAD: &str = include_str!("lua/head.lua");

impl Script {
    pub(super) const fn new(parts: &'static [&'static str]) -> Self {
        Self {
            parts,
            hash: OnceLock::new(),
            matters: true,
        }
    }

    /// One that is made again anyway, and often: not kept for a server that may lack it.
    pub(super) const fn that_recurs(mut self) -> Self {
        self.matters = false;
        self
    }

    pub(super) const fn matters(&self) -> bool {
        self.matters
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for part in self.parts {
            text.push_str(part);
            if part.starts_with("#!lua") {
                // Nothing fails in writing to a string.
                let _ = write!(text, "\n{HEAD}");
            }
            text.push('\n');
        }
        text
    }

    pub(super) fn hash(&self) -> Option<&str> {
        self.hash.get().map(String::as_str)
    }

    pub(super) fn is_known_as(&self, hash: String) {
        // The same text has the same hash: whoever was first was right.
        let _ = self.hash.set(hash);
    }
}

/// A step that writes: `writing!("end_session", "session_lib")` is `lua/end_session.lua` behind `lua/session_lib.lua`.
macro_rules! writing {
    ($name:literal $(, $library:literal)*) => {
        $crate::redis::script::Script::new(&[
            "#!lua",
            include_str!("lua/step_begin.lua"),
            $(include_str!(concat!("lua/", $library, ".lua")),)*
            include_str!(concat!("lua/", $name, ".lua")),
            include_str!("lua/step_end.lua"),
        ])
    };
}

/// A script that only reads.
macro_rules! reading {
    ($name:literal $(, $library:literal)*) => {
        $crate::redis::script::Script::new(&[
            "#!lua flags=no-writes",
            include_str!("lua/read_begin.lua"),
            $(include_str!(concat!("lua/", $library, ".lua")),)*
            include_str!(concat!("lua/", $name, ".lua")),
            include_str!("lua/read_end.lua"),
        ])
    };
}

/// A script of the lease, which comes before all steps.
macro_rules! leasing {
    ($name:literal $(, $library:literal)*) => {
        $crate::redis::script::Script::new(&[
            "#!lua",
            $(include_str!(concat!("lua/", $library, ".lua")),)*
            include_str!(concat!("lua/", $name, ".lua")),
        ])
    };
}

pub(super) use {leasing, reading, writing};

/// Bytes of an argument.
pub(super) fn bytes(value: impl AsArg) -> Vec<u8> {
    value.as_arg()
}

/// What a script can be given.
pub(super) trait AsArg {
    fn as_arg(&self) -> Vec<u8>;
}

impl<T: AsArg + ?Sized> AsArg for &T {
    fn as_arg(&self) -> Vec<u8> {
        (**self).as_arg()
    }
}
impl AsArg for str {
    fn as_arg(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}
impl AsArg for String {
    fn as_arg(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}
impl AsArg for [u8] {
    fn as_arg(&self) -> Vec<u8> {
        self.to_vec()
    }
}
impl AsArg for bool {
    fn as_arg(&self) -> Vec<u8> {
        if *self { b"1".to_vec() } else { b"0".to_vec() }
    }
}
macro_rules! numbers_as_args {
    ($($number:ty)+) => { $(impl AsArg for $number {
        fn as_arg(&self) -> Vec<u8> { self.to_string().into_bytes() }
    })+ };
}
numbers_as_args!(u32 u64 i64 u128 usize);
impl AsArg for stagedoor_policy::time::Timestamp {
    fn as_arg(&self) -> Vec<u8> {
        self.as_micros().as_arg()
    }
}
impl AsArg for uuid::Uuid {
    fn as_arg(&self) -> Vec<u8> {
        self.simple().to_string().into_bytes()
    }
}
impl AsArg for [u8; 32] {
    fn as_arg(&self) -> Vec<u8> {
        hex(self).into_bytes()
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
