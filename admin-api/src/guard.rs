//! Against the operator's own browser: a page of another origin, or one whose name was rebound to this listener, gets
//! nothing. Against a site whose upstream leads here: what came through a door gets nothing either. Programs are not affected.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName};
use stagedoor_policy::request::Host;

use crate::auth::Gate;
use crate::problem::{Problem, Sort};

/// What a door sets on every request it lets through, and no visitor can send past it.
const FROM_A_DOOR: HeaderName = HeaderName::from_static("x-stagedoor-door");

/// Refuses hosts that are not this listener's, and origins that are not this host's.
pub(crate) async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let authority = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    let board = gate.board();
    let named = |name: &str| board.admin_is_called(name);
    match refused(request.headers(), authority, board.admin_listens_on(), named) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refused(
    headers: &HeaderMap,
    authority: Option<&[u8]>,
    listener: SocketAddr,
    named_so: impl Fn(&str) -> bool,
) -> Option<Problem> {
    if headers.contains_key(FROM_A_DOOR) {
        return Some(Problem::of(Sort::THROUGH_A_DOOR));
    }
    let mut hosts = headers
        .get_all(HOST)
        .iter()
        .map(http::HeaderValue::as_bytes)
        .chain(authority);
    let Some(named) = hosts.next() else {
        return Some(Problem::because(Sort::MALFORMED, "there is no `Host`"));
    };
    // HTTP/2 and absolute-form targets say it twice; they must say the same.
    if hosts.any(|other| !other.eq_ignore_ascii_case(named)) {
        return Some(Problem::because(Sort::MALFORMED, "more than one `Host`"));
    }
    let Ok(host) = Host::parse(named) else {
        return Some(Problem::because(Sort::MALFORMED, "`Host` is not a host"));
    };
    if !answers_to(host.name(), listener.ip()) && !named_so(host.name()) {
        return Some(Problem::because(
            Sort::HOST_NOT_ALLOWED,
            "call it by `localhost`, a loopback address, the address it listens on or a name in `[admin] hosts`",
        ));
    }
    (!same_origin(headers, named)).then(|| Problem::of(Sort::FOREIGN_ORIGIN))
}

/// A rebound name is always a name, so a listener on every address answers to any address literal.
fn answers_to(host: &str, listener: IpAddr) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            address.is_loopback() || listener.is_unspecified() || address == listener.to_canonical()
        }
        Err(_) => host == "localhost",
    }
}

/// No browser's page stands behind it, or a page of this very host.
fn same_origin(headers: &HeaderMap, host: &[u8]) -> bool {
    let of_this_host = |origin: &[u8]| {
        let origin = origin
            .strip_prefix(b"http://")
            .or_else(|| origin.strip_prefix(b"https://"));
        origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
    };
    let fetched_here = |site: &[u8]| matches!(site, b"same-origin" | b"none");
    headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| of_this_host(origin.as_bytes()))
        && headers
            .get_all("sec-fetch-site")
            .iter()
            .all(|site| fetched_here(site.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(headers: &[(&'static str, &str)], listener: &str) -> Option<u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let named = |name: &str| name == "stagedoor.internal";
        let problem = refused(&map, None, listener.parse().unwrap(), named)?;
        Some(problem.into_response().status().as_u16())
    }

    #[test]
    fn a_loopback_listener_answers_to_loopback_names_only() {
        for host in [
            "localhost",
            "localhost:9080",
            "LOCALHOST",
            "127.0.0.1:9080",
            "127.8.9.1",
            "[::1]:9080",
        ] {
            assert_eq!(code(&[("host", host)], "127.0.0.1:9080"), None, "{host}");
        }
        for host in [
            "rebound.example.com",
            "localhost.example.com",
            "203.0.113.7",
            "0.0.0.0:9080",
            "[::]",
        ] {
            assert_eq!(code(&[("host", host)], "127.0.0.1:9080"), Some(403), "{host}");
        }
    }

    #[test]
    fn a_listener_answers_to_its_own_address_and_one_on_all_addresses_to_any_but_to_no_name() {
        assert_eq!(code(&[("host", "10.0.0.5:9080")], "10.0.0.5:9080"), None);
        assert_eq!(code(&[("host", "10.0.0.6:9080")], "10.0.0.5:9080"), Some(403));
        assert_eq!(code(&[("host", "10.0.0.6:9080")], "0.0.0.0:9080"), None);
        assert_eq!(code(&[("host", "rebound.example.com")], "0.0.0.0:9080"), Some(403));
    }

    #[test]
    fn a_listener_answers_to_the_names_it_was_given_and_to_nothing_like_them() {
        for listener in ["127.0.0.1:9080", "0.0.0.0:9080"] {
            for host in ["stagedoor.internal", "stagedoor.internal:9080", "STAGEDOOR.internal"] {
                assert_eq!(code(&[("host", host)], listener), None, "{host}");
            }
            for host in ["x.stagedoor.internal", "stagedoor.internal.evil.example", "internal"] {
                assert_eq!(code(&[("host", host)], listener), Some(403), "{host}");
            }
            let foreign = [("host", "stagedoor.internal"), ("origin", "http://evil.example")];
            assert_eq!(code(&foreign, listener), Some(403));
        }
    }

    #[test]
    fn what_came_through_a_door_is_refused_whatever_its_host() {
        let through = [("host", "localhost"), ("x-stagedoor-door", "1")];
        assert_eq!(code(&through, "127.0.0.1:9080"), Some(508));
    }

    #[test]
    fn no_host_and_two_different_ones_are_refused() {
        assert_eq!(code(&[], "127.0.0.1:9080"), Some(400));
        assert_eq!(
            code(&[("host", "localhost"), ("host", "evil.example")], "127.0.0.1:9080"),
            Some(400)
        );
        assert_eq!(code(&[("host", "local host")], "127.0.0.1:9080"), Some(400));
    }

    #[test]
    fn a_page_of_another_origin_is_refused_whatever_it_calls_itself() {
        let host = ("host", "localhost:9080");
        for origin in [
            "https://evil.example",
            "null",
            "http://localhost:8080",
            "http://localhost:9080.evil.example",
            "",
        ] {
            assert_eq!(
                code(&[host, ("origin", origin)], "127.0.0.1:9080"),
                Some(403),
                "{origin}"
            );
        }
        assert_eq!(
            code(&[host, ("origin", "http://localhost:9080")], "127.0.0.1:9080"),
            None
        );
        assert_eq!(
            code(&[host, ("sec-fetch-site", "cross-site")], "127.0.0.1:9080"),
            Some(403)
        );
        assert_eq!(
            code(&[host, ("sec-fetch-site", "same-site")], "127.0.0.1:9080"),
            Some(403)
        );
        assert_eq!(code(&[host, ("sec-fetch-site", "none")], "127.0.0.1:9080"), None);
    }
}
