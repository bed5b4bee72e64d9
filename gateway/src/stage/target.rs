//! Second: what is asked for. Method, host and path become one canonical target, or the request goes no further.

use std::sync::Arc;

use pingora::http::RequestHeader;
use stagedoor_config::{SiteEntry, Snapshot};
use stagedoor_policy::request::{Leniencies, Target, TargetFault};

use crate::open::Slot;
use crate::recall::Recall;
use crate::refusal::Refused;

/// The site that the request's host names.
///
/// # Errors
/// No host, more than one, a malformed one, or one that no site has.
pub fn site(request: &RequestHeader, snapshot: &Arc<Snapshot>, slot: Option<&Slot>) -> Result<Arc<SiteEntry>, Refused> {
    let host = raw_host(request)?;
    match slot {
        Some(slot) => slot.recall().site(host, snapshot),
        None => Recall::default().site(host, snapshot),
    }
}

/// `Host` (HTTP/1) or `:authority` (HTTP/2), as sent.
///
/// # Errors
/// None, or more than one.
pub fn raw_host(request: &RequestHeader) -> Result<&[u8], Refused> {
    let mut hosts = request.headers.get_all(http::header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Ok(host.as_bytes()),
        (None, _) => request
            .uri
            .authority()
            .map(|authority| authority.as_str().as_bytes())
            .ok_or(Refused::HostMissing),
        (Some(_), Some(_)) => Err(Refused::HostMalformed),
    }
}

/// The one target that is judged and forwarded, as far as the site allows.
///
/// # Errors
/// Whatever two servers could read differently.
pub fn establish(request: &RequestHeader, allowed: Leniencies) -> Result<Target<'_>, Refused> {
    if !request.raw_path_is_utf8() {
        return Err(Refused::TargetMalformed("not_utf8"));
    }
    Target::parse_leniently(&request.method, request.raw_path(), allowed).map_err(|fault| match fault {
        TargetFault::MethodNotAllowed => Refused::MethodNotAllowed,
        fault => Refused::TargetMalformed(fault.as_str()),
    })
}
