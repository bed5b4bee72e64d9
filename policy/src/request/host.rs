//! The host a request is for.

use std::borrow::Cow;

/// A host name in lower case without its port and without a trailing dot, or an address literal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host<'a> {
    name: Cow<'a, str>,
    port: Option<u16>,
}

/// Why a host was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostFault {
    /// Empty, or a character that no host has.
    Malformed,
}

impl<'a> Host<'a> {
    /// From a `Host` header or `:authority`.
    /// # Errors
    /// Anything but `name[:port]`, `v4[:port]` or `[v6][:port]`.
    pub fn parse(_raw: &'a [u8]) -> Result<Self, HostFault> {
        todo!()
    }
    /// The name, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The port, where one was given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}
