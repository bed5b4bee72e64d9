//! The one target that is judged and forwarded.

use std::borrow::Cow;

/// A canonical origin-form target. Only [`Target::parse`] makes one, so what holds one holds what was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    method: &'a http::Method,
    /// Canonical and still percent-encoded: what is forwarded.
    path: Cow<'a, str>,
    /// Decoded once: what patterns are matched against.
    decoded: Cow<'a, str>,
    query: Option<&'a str>,
}

/// Why a target was refused (always 400). `as_str` is a stable code for metrics and audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFault {
    /// Does not begin with `/`.
    NotOriginForm,
    // ... one for each reason
}

impl<'a> Target<'a> {
    /// From the method and the raw request target, query included.
    /// # Errors
    /// Whatever two servers could read differently.
    pub fn parse(_method: &'a http::Method, _raw: &'a [u8]) -> Result<Self, TargetFault> {
        todo!()
    }
    /// The method.
    pub fn method(&self) -> &http::Method {
        self.method
    }
    /// The canonical path, percent-encoded, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }
    /// The path decoded once.
    pub fn decoded_path(&self) -> &str {
        &self.decoded
    }
    /// The query without its `?`.
    pub fn query(&self) -> Option<&str> {
        self.query
    }
    /// The path and query to forward, where it differs from the raw bytes; `None` where they are already canonical.
    pub fn rewritten(&self) -> Option<String> {
        todo!()
    }
}
