//! The names of headers that only the gateway may set, in whatever spelling they come.
//!
//! CGI, WSGI and PHP fold `X-Stagedoor-User`, `X_Stagedoor_User` and `X.Stagedoor.User` into one variable, so a visitor's
//! header is compared with every separator read as `-` and every letter in lower case.

use pingora::http::{RequestHeader, ResponseHeader};

/// Every name that begins like this is ours, both ways.
const OUR_PREFIX: &[u8] = b"x-stagedoor-";
/// The longest managed name is shorter than this.
const NAME_BYTES_MAX: usize = 40;

/// Set by the gateway or by nobody: identity presets, forwarding metadata, and headers that make a console read another
/// method, path or address than was judged. Sorted, since it is searched by halves.
const MANAGED: &[&str] = &[
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "forwarded",
    "proxy",
    "remote-addr",
    "remote-email",
    "remote-groups",
    "remote-host",
    "remote-name",
    "remote-user",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-custom-ip-authorization",
    "x-forwarded",
    "x-forwarded-by",
    "x-forwarded-email",
    "x-forwarded-for",
    "x-forwarded-groups",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-path",
    "x-forwarded-port",
    "x-forwarded-preferred-username",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-method",
    "x-original-uri",
    "x-original-url",
    "x-originating-ip",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-remote-user",
    "x-rewrite-url",
];

/// Whether only the gateway may set this header, however it is spelt.
pub fn is_managed(name: &str) -> bool {
    let mut folded = [0_u8; NAME_BYTES_MAX];
    let Some(folded) = folded.get_mut(..name.len()) else {
        // Longer than any name in the list, so only our prefix can matter.
        return name
            .bytes()
            .map(fold)
            .take(OUR_PREFIX.len())
            .eq(OUR_PREFIX.iter().copied());
    };
    folded
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = fold(from));
    folded.starts_with(OUR_PREFIX)
        || MANAGED
            .binary_search_by(|managed| managed.as_bytes().cmp(folded))
            .is_ok()
}

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte.to_ascii_lowercase()
    } else {
        b'-'
    }
}

/// Takes every managed header out of a request.
pub fn remove_managed(request: &mut RequestHeader) {
    // Names are collected first: removing while walking is not possible, and there is rarely one to remove.
    let found: Vec<_> = request
        .headers
        .keys()
        .filter(|name| is_managed(name.as_str()))
        .cloned()
        .collect();
    for name in found {
        request.remove_header(&name);
    }
}

/// The headers that a `Connection` header names as meant for one hop only, in lower case; not the words it has of its own.
pub fn nominated(headers: &http::HeaderMap) -> Vec<String> {
    headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !matches!(name.as_str(), "" | "close" | "keep-alive" | "upgrade"))
        .collect()
}

/// Takes out of a console's answer what only the gateway may say, and what belongs to one hop only.
pub fn remove_from_answer(answer: &mut ResponseHeader) {
    for name in nominated(&answer.headers) {
        answer.remove_header(name.as_str());
    }
    let ours = |name: &&http::HeaderName| name.as_str().as_bytes().starts_with(OUR_PREFIX);
    let found: Vec<_> = answer.headers.keys().filter(ours).cloned().collect();
    for name in found {
        answer.remove_header(&name);
    }
    answer.remove_header("keep-alive");
    answer.remove_header("proxy-authenticate");
    answer.remove_header("proxy-connection");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched_by_halves() {
        assert!(MANAGED.is_sorted());
        assert!(MANAGED.iter().all(|name| name.len() <= NAME_BYTES_MAX));
    }

    #[test]
    fn managed_headers_are_known_in_every_spelling() {
        for name in [
            "X-Stagedoor-User",
            "x_stagedoor_user",
            "X.Stagedoor.Role",
            "x~stagedoor|assertion",
            "x-stagedoor-something-nobody-has-thought-of-yet-and-longer-than-forty",
            "X_Forwarded_For",
            "REMOTE_USER",
            "x-http-method-override",
            "Proxy",
        ] {
            assert!(is_managed(name), "{name}");
        }
        for name in [
            "host",
            "cookie",
            "user-agent",
            "x-stagedoo",
            "x-requested-with",
            "remote",
            "x-csrftoken",
        ] {
            assert!(!is_managed(name), "{name}");
        }
    }

    #[test]
    fn an_answer_loses_what_its_connection_header_names() {
        let mut answer = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("connection", "X-Secret, close"),
            ("x-secret", "1"),
            ("x-stagedoor-user", "root"),
            ("etag", "e"),
        ] {
            answer.append_header(name, value).unwrap();
        }
        remove_from_answer(&mut answer);
        assert!(!answer.headers.contains_key("x-secret") && !answer.headers.contains_key("x-stagedoor-user"));
        assert!(answer.headers.contains_key("etag"));
    }
}
