//! A console's address, as a URL.

use http::Uri;

/// How a console is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// The parts of a console's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    /// In lower case, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// # Errors
    /// What is wrong with the URL, to be put after its text.
    pub(crate) fn parse(url: &str) -> Result<Self, &'static str> {
        if url.contains('#') {
            return Err("must not have a fragment");
        }
        let uri: Uri = url.parse().map_err(|_| "is not a URL")?;
        let (scheme, usual_port) = match uri.scheme_str() {
            Some("http") => (Scheme::Http, 80),
            Some("https") => (Scheme::Https, 443),
            Some(_) => return Err("must begin with `http://` or `https://`"),
            None => return Err("lacks `http://` or `https://`"),
        };
        let authority = uri.authority().ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err("must not hold a user or password");
        }
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err("must end with the host and port: what is judged is forwarded under the same path");
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        if host.is_empty() {
            return Err("has no host");
        }
        Ok(Self {
            scheme,
            port: port(authority.as_str(), usual_port)?,
            host,
        })
    }
}

/// Read by hand: a port that does not fit must be a fault and not the usual port.
fn port(authority: &str, usual: u16) -> Result<u16, &'static str> {
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    match after_host.rsplit_once(':') {
        None => Ok(usual),
        Some((_, digits)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or("has a port that lies not between 1 and 65535"),
        Some(_) => Err("has a port that is no number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_scheme_a_host_and_a_port() {
        let address = Address::parse("https://Console.Internal").expect("fine");
        assert_eq!(
            (address.scheme, address.host.as_str(), address.port),
            (Scheme::Https, "console.internal", 443)
        );
        let address = Address::parse("http://[2001:db8::1]:8000/").expect("fine");
        assert_eq!((address.host.as_str(), address.port), ("2001:db8::1", 8000));
        assert_eq!(Address::parse("http://[::1]").expect("fine").port, 80);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for wrong in [
            "",
            "127.0.0.1:8000",
            "ftp://x",
            "http://",
            "http://a/b",
            "http://a?x",
            "http://a#x",
            "http://u:p@a",
            "http://a:0",
            "http://a:99999",
            "http://a:",
            "http://a:x",
            "http:///",
            "//a",
            "http://a b",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
