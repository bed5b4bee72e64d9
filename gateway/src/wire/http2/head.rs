//! The head of an HTTP/2 request, after the library's own checks: what it lets pass and an HTTP/1 console would read
//! differently.

use http::{Method, header};
use pingora::http::RequestHeader;
use stagedoor_policy::request::Host;

use crate::wire::WireFault;
use crate::wire::http1::head::{check_target_bytes, framing_name, is_name_byte, length};

/// Checks what the library read.
///
/// # Errors
/// The first thing that HTTP/1 has no words for, or other ones.
pub fn check(request: &RequestHeader, has_body: bool, header_count_max: u64) -> Result<(), WireFault> {
    if request.method == Method::CONNECT {
        return Err(WireFault::Connect);
    }
    if !matches!(request.uri.scheme_str(), None | Some("http" | "https")) {
        return Err(WireFault::TargetForm);
    }
    check_target_bytes(request.raw_path())?;
    if request.headers.len() as u64 > header_count_max {
        return Err(WireFault::TooManyHeaders);
    }
    for name in request.headers.keys() {
        let name = name.as_str().as_bytes();
        if !name.iter().copied().all(is_name_byte) {
            return Err(WireFault::HeaderName);
        }
        framing_name(name)?;
    }
    if request.method == Method::HEAD && has_body {
        return Err(WireFault::StrayBody);
    }
    check_host(request)?;
    check_expectation(request)?;
    check_length(request, has_body)
}

fn check_host(request: &RequestHeader) -> Result<(), WireFault> {
    let mut hosts = request.headers.get_all(header::HOST).iter();
    let authority = request.uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = hosts.next().map(http::HeaderValue::as_bytes);
    let agree = match (authority, host) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => true,
    };
    let either = authority.or(host).ok_or(WireFault::HostMissing)?;
    if agree && hosts.next().is_none() && Host::parse(either).is_ok() {
        Ok(())
    } else {
        Err(WireFault::Host)
    }
}

fn check_expectation(request: &RequestHeader) -> Result<(), WireFault> {
    let expectations = request.headers.get_all(header::EXPECT).iter();
    let mut others = expectations.filter(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    others.next().map_or(Ok(()), |_| Err(WireFault::Expect))
}

fn check_length(request: &RequestHeader, has_body: bool) -> Result<(), WireFault> {
    let mut lengths = request.headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(value) = lengths.next() else { return Ok(()) };
    let bytes = length(value.as_bytes())?;
    if lengths.next().is_some() || (bytes == 0 && has_body) || (bytes > 0 && !has_body) {
        Err(WireFault::ContentLength)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: &str, target: &str, headers: &[(&'static str, &str)], has_body: bool) -> Result<(), WireFault> {
        let mut request = RequestHeader::build_no_case(method, b"/", None).unwrap();
        request.set_uri(target.parse().unwrap());
        for (name, value) in headers {
            request.append_header(*name, *value).unwrap();
        }
        check(&request, has_body, 3)
    }

    #[test]
    fn an_ordinary_request_passes() {
        let target = "https://a.test:8443/x?y";
        assert_eq!(
            verdict("GET", target, &[("host", "A.test:8443"), ("x", "1")], false),
            Ok(())
        );
        assert_eq!(verdict("POST", target, &[("content-length", "3")], true), Ok(()));
        assert_eq!(verdict("POST", target, &[("content-length", "0")], false), Ok(()));
        assert_eq!(verdict("GET", "/x", &[("host", "a.test")], false), Ok(()));
    }

    #[test]
    fn what_http1_would_carry_otherwise_is_refused() {
        let target = "https://a.test/x";
        for (headers, has_body, fault) in [
            (
                &[("content-length", "3"), ("content-length", "3")][..],
                true,
                WireFault::ContentLength,
            ),
            (&[("content-length", "05")], true, WireFault::ContentLength),
            (&[("content-length", "0")], true, WireFault::ContentLength),
            (&[("content-length", "3")], false, WireFault::ContentLength),
            (&[("content_length", "3")], false, WireFault::HeaderTwin),
            (&[("transfer.encoding", "chunked")], false, WireFault::HeaderTwin),
            (&[("expect", "200-ok")], false, WireFault::Expect),
            (&[("host", "b.test")], false, WireFault::Host),
            (&[("host", "a.test"), ("host", "a.test")], false, WireFault::Host),
            (
                &[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")],
                false,
                WireFault::TooManyHeaders,
            ),
        ] {
            assert_eq!(verdict("POST", target, headers, has_body), Err(fault), "{headers:?}");
        }
        assert_eq!(verdict("GET", "ftp://a.test/x", &[], false), Err(WireFault::TargetForm));
        assert_eq!(verdict("HEAD", target, &[], true), Err(WireFault::StrayBody));
        assert_eq!(verdict("CONNECT", "a.test:80", &[], false), Err(WireFault::Connect));
        assert_eq!(verdict("GET", "/x", &[], false), Err(WireFault::HostMissing));
        assert_eq!(verdict("GET", "https://u@a.test/x", &[], false), Err(WireFault::Host));
    }
}
