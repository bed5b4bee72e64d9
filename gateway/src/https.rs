//! Plain HTTP sent on to HTTPS, and browsers told to come by it alone.

use http::header::{CACHE_CONTROL, LOCATION, STRICT_TRANSPORT_SECURITY};
use http::{HeaderValue, Method, StatusCode};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;
use pingora::{ErrorType, OrErr as _, Result};
use stagedoor_config::{Building, Snapshot};
use stagedoor_policy::request::{Host, Target};

use crate::refusal::Refused;
use crate::stage::target::raw_host;
use crate::way::is_secure;

/// The port that `https:` means where none is written.
const HTTPS_PORT: u16 = 443;

/// Where a request by plain HTTP is to go instead; `None` where it is served as it came.
///
/// # Errors
/// Where it is no request that a browser repeats by itself: what was sent in clear has been read by whoever listens, and
/// to have it sent once more, as if nothing were wrong, would hide that.
pub fn instead(session: &Session, snapshot: &Snapshot, target: &Target<'_>) -> Result<Option<String>, Refused> {
    let building = &snapshot.building;
    // There may be none although the files are checked: a listener that is new needs a restart, and this does not.
    let Some(listener) = building.listen.https.first() else {
        return Ok(None);
    };
    if !building.redirect_to_https || is_secure(session) {
        return Ok(None);
    }
    if !matches!(*target.method(), Method::GET | Method::HEAD) {
        return Err(Refused::HttpsRequired);
    }
    location(session.req_header(), listener.port(), target).map(Some)
}

fn location(request: &RequestHeader, port: u16, target: &Target<'_>) -> Result<String, Refused> {
    let host = Host::parse(raw_host(request)?).map_err(|_| Refused::HostMalformed)?;
    let name = host.name();
    let mut location = match name.contains(':') && !name.starts_with('[') {
        true => format!("https://[{name}]"),
        false => format!("https://{name}"),
    };
    if port != HTTPS_PORT {
        location.push_str(&format!(":{port}"));
    }
    location.push_str(target.path());
    if let Some(query) = target.query() {
        location.push('?');
        location.push_str(query);
    }
    Ok(location)
}

/// The answer that sends a browser there. It is kept nowhere, so that the setting can be taken back.
///
/// # Errors
/// Where the place is no header's value.
pub fn sent_on(location: &str) -> Result<http::Response<axum::body::Body>> {
    http::Response::builder()
        .status(StatusCode::PERMANENT_REDIRECT)
        .header(LOCATION, location)
        .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .body(axum::body::Body::empty())
        .or_err(ErrorType::InternalError, "writing the way to HTTPS")
}

/// Says on an answer in TLS for how long the browser is to come by HTTPS alone. In clear it is not said: it would be worth
/// nothing there (RFC 6797, section 7.2).
///
/// # Errors
/// Where the header cannot be written.
pub fn promise(answer: &mut ResponseHeader, session: &Session, building: &Building) -> Result<()> {
    match &building.hsts {
        Some(hsts) if is_secure(session) && !answer.status.is_informational() => {
            answer.insert_header(STRICT_TRANSPORT_SECURITY, hsts)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use stagedoor_policy::request::{Leniencies, Leniency};

    use super::*;

    #[test]
    fn the_way_to_https_is_the_host_asked_for_at_the_listeners_port_and_the_target_as_it_was_judged() {
        for (host, port, target, location) in [
            ("Console.Example.:8080", 443, "/a?b=c", "https://console.example/a?b=c"),
            ("console.example", 8443, "/", "https://console.example:8443/"),
            ("[::1]:80", 8443, "/%61?", "https://[::1]:8443/a?"),
            ("127.0.0.1", 443, "//x//y", "https://127.0.0.1/x/y"),
        ] {
            let mut request = RequestHeader::build(Method::GET, target.as_bytes(), None).unwrap();
            request.insert_header("host", host).unwrap();
            let allowed = Leniencies::NONE.with(Leniency::EmptySegment);
            let target = Target::parse_leniently(&Method::GET, target.as_bytes(), allowed).unwrap();
            assert_eq!(super::location(&request, port, &target), Ok(location.to_owned()));
        }
    }
}
