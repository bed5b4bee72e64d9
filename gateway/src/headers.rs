//! The names of headers that only the gateway may set, in whatever spelling they come.
//!
//! CGI, WSGI and PHP fold `X-Stagedoor-User`, `X_Stagedoor_User` and `X.Stagedoor.User` into one variable, so a visitor's
//! header is compared with every separator read as `-` and every letter in lower case.

use pingora::http::{RequestHeader, ResponseHeader};

/// Every name that begins like this is ours, both ways.
const OUR_PREFIX: &[u8] = b"x-stagedoor-";
/// Every name in the lists is shorter than this, so that of a longer one its beginning tells.
const NAME_BYTES_MAX: usize = 40;

/// What consoles believe because it comes from their proxy, and what is meant for one hop only: set by the gateway or by
/// nobody. `*` stands for any ending, so that a name nobody has thought of yet belongs to its family. Sorted without the `*`,
/// since it is searched by halves.
///
/// Names by which programs carry tokens of their own (`X-Auth-Token`, `X-Api-Key`) are not here: a console checks those.
const MANAGED: &[&str] = &[
    "auth-user",
    "authenticated-user",
    "cf-access-*",
    "cf-connecting-*",
    "client-cert*",
    "client-ip",
    "fastly-client-*",
    "fly-client-*",
    "forwarded*",
    "front-end-https",
    "gap-auth",
    "http2-settings",
    "iv-*",
    "keep-alive",
    "mellon-*",
    "method-override",
    "oam-*",
    "oidc-*",
    "proxy",
    "proxy-*",
    "remote-*",
    "script-name",
    "shib-*",
    "sm-*",
    "ssl-*",
    "tailscale-*",
    "te",
    "trailer",
    "true-client-*",
    "url-scheme",
    "x-accel-*",
    "x-amzn-mtls-*",
    "x-amzn-oidc-*",
    "x-amzn-tls-*",
    "x-anonymous-consumer",
    "x-appengine-*",
    "x-arr-*",
    "x-auth-email",
    "x-auth-groups",
    "x-auth-name",
    "x-auth-request-*",
    "x-auth-roles",
    "x-auth-user*",
    "x-authelia-*",
    "x-authenticated-*",
    "x-authentik-*",
    "x-azure-*",
    "x-client-cert*",
    "x-client-dn",
    "x-client-ip",
    "x-client-ssl*",
    "x-client-verify",
    "x-cluster-*",
    "x-consumer-*",
    "x-credential-*",
    "x-custom-ip-*",
    "x-envoy-*",
    "x-forward*",
    "x-goog-authenticated-*",
    "x-goog-iap-*",
    "x-host*",
    "x-http-*",
    "x-method",
    "x-method-*",
    "x-middleware-*",
    "x-ms-client-principal*",
    "x-ms-token-*",
    "x-original*",
    "x-originating-*",
    "x-override-*",
    "x-pomerium-*",
    "x-proto*",
    "x-proxy*",
    "x-real-*",
    "x-remote*",
    "x-rewrite-*",
    "x-scheme",
    "x-script-name",
    "x-sendfile*",
    "x-shib-*",
    "x-ssl*",
    "x-stagedoor-*",
    "x-tls-*",
    "x-url-scheme",
    "x-user",
    "x-userinfo",
    "x-username",
    "x-vouch-*",
    "x-webauth-*",
];

/// Names that frame a message or carry what a console checks. Spelt in their own way they go on; a twin with another
/// separator (`Transfer_Encoding`) says to a console that folds names what nobody judged. Sorted.
const JUDGED: &[&str] = &[
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-type",
    "if-match",
    "if-none-match",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-encoding",
    "user-agent",
];

/// Whether only the gateway may set this header, however it is spelt.
pub fn is_managed(name: &str) -> bool {
    !is_everyday(name) && is_managed_by_the_lists(name)
}

/// Makes one list both the test's and the match's.
macro_rules! everyday {
    ($($name:literal),+ $(,)?) => {
        #[cfg(test)]
        const EVERYDAY: &[&str] = &[$($name),+];

        /// Whether it is one of the headers that every browser sends and nobody manages, spelt as they are kept here: most
        /// are, and are told apart without a look at the lists.
        fn is_everyday(name: &str) -> bool {
            matches!(name, $($name)|+)
        }
    };
}

everyday![
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "dnt",
    "host",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "user-agent",
    "x-requested-with",
];

fn is_managed_by_the_lists(name: &str) -> bool {
    let initial = name.bytes().next().map_or(b'-', fold);
    // Most names of a browser's have an initial that none of ours has.
    let begins_alike = INITIALS.get(usize::from(initial)).copied().unwrap_or_default();
    let foreign = is_foreign_spelling(name);
    if begins_alike.0 == begins_alike.1 && !foreign {
        return false;
    }
    let mut folded = [0_u8; NAME_BYTES_MAX];
    let length = name.len().min(NAME_BYTES_MAX);
    folded
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = fold(from));
    let folded = folded.get(..length).unwrap_or_default();
    let family = MANAGED.get(begins_alike.0..begins_alike.1).unwrap_or_default();
    in_family(family, folded) || (foreign && is_listed(JUDGED, folded))
}

fn in_family(entries: &[&'static str], folded: &[u8]) -> bool {
    // No entry begins with another that ends in `*`, so only the last one that is not greater can be the family.
    let after = entries.partition_point(|entry| stem(entry).as_bytes() <= folded);
    let candidate = after.checked_sub(1).and_then(|index| entries.get(index));
    candidate.is_some_and(|entry| {
        let stem = stem(entry);
        stem.as_bytes() == folded || (stem.len() < entry.len() && folded.starts_with(stem.as_bytes()))
    })
}

/// For each initial, from where to where [`MANAGED`] has it.
#[expect(
    clippy::indexing_slicing,
    reason = "computed by the compiler, which refuses what is out of bounds"
)]
const INITIALS: [(usize, usize); 256] = {
    let mut initials = [(0, 0); 256];
    let mut index = 0;
    while index < MANAGED.len() {
        let [initial, ..] = MANAGED[index].as_bytes() else {
            panic!("an entry without a name");
        };
        let initial = *initial as usize;
        if initials[initial].1 == 0 {
            initials[initial].0 = index;
        }
        index += 1;
        initials[initial].1 = index;
    }
    initials
};

/// An entry of [`MANAGED`] without its `*`.
fn stem(entry: &'static str) -> &'static str {
    entry.strip_suffix('*').unwrap_or(entry)
}

fn is_listed(list: &[&str], folded: &[u8]) -> bool {
    list.binary_search_by(|each| each.as_bytes().cmp(folded)).is_ok()
}

/// Whether a name has a separator other than `-`.
fn is_foreign_spelling(name: &str) -> bool {
    // Folded rather than `any`, so that the compiler can look at many bytes at once.
    let foreign = |found: bool, byte: u8| found | !(byte.is_ascii_alphanumeric() | (byte == b'-'));
    name.bytes().fold(false, foreign)
}

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte.to_ascii_lowercase()
    } else {
        b'-'
    }
}

/// Which of these names a message has: one walk over what it has, which is less work than a look-up for each where it mostly
/// has none of them.
pub fn met<const N: usize>(headers: &http::HeaderMap, sought: &[http::HeaderName; N]) -> [bool; N] {
    let mut met = [false; N];
    for name in headers.keys() {
        met.iter_mut()
            .zip(sought)
            .for_each(|(met, sought)| *met |= name == sought);
    }
    met
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
    let mut values = headers.get_all(http::header::CONNECTION).iter();
    // What `upstream/strict.rs` says in the place of consoles, which is all that most answers have.
    if let (Some(b"close"), None) = (values.next().map(http::HeaderValue::as_bytes), values.next()) {
        return Vec::new();
    }
    let own = |name: &&str| {
        let mut own = ["", "close", "keep-alive", "upgrade"].into_iter();
        own.any(|own| name.eq_ignore_ascii_case(own))
    };
    headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !own(name))
        .map(str::to_ascii_lowercase)
        .collect()
}

/// Takes out of a console's answer what only the gateway may say, and what belongs to one hop only. `Alt-Svc` too: it sends
/// browsers past the door.
pub fn remove_from_answer(answer: &mut ResponseHeader) {
    for name in nominated(&answer.headers) {
        answer.remove_header(name.as_str());
    }
    let unwanted = |name: &&http::HeaderName| is_ours(name.as_str()) || is_one_hop(name.as_str());
    let found: Vec<_> = answer.headers.keys().filter(unwanted).cloned().collect();
    for name in found {
        answer.remove_header(&name);
    }
    if answer.status != http::StatusCode::SWITCHING_PROTOCOLS {
        let sought = [http::header::CONNECTION, http::header::UPGRADE];
        let there = met(&answer.headers, &sought);
        for (name, _) in sought.iter().zip(there).filter(|(_, there)| *there) {
            answer.remove_header(name);
        }
    }
}

/// Whether it is what a console says to the door alone.
fn is_one_hop(name: &str) -> bool {
    matches!(
        name,
        "alt-svc"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
    )
}

fn is_ours(name: &str) -> bool {
    if !name.starts_with(['x', 'X']) {
        return false;
    }
    let start = name.bytes().map(fold).take(OUR_PREFIX.len());
    start.eq(OUR_PREFIX.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched_by_halves() {
        let stems: Vec<&str> = MANAGED.iter().map(|entry| stem(entry)).collect();
        assert!(stems.is_sorted() && JUDGED.is_sorted());
        assert!(stems.iter().chain(JUDGED).all(|name| name.len() < NAME_BYTES_MAX));
        for (index, entry) in MANAGED.iter().enumerate().filter(|(_, entry)| entry.ends_with('*')) {
            let others = stems.iter().enumerate().filter(|(other, _)| *other != index);
            let swallowed: Vec<_> = others.filter(|(_, other)| other.starts_with(stem(entry))).collect();
            assert!(swallowed.is_empty(), "{entry} stands for {swallowed:?} too");
        }
    }

    #[test]
    fn nothing_that_the_lists_manage_is_taken_for_an_everyday_header() {
        for name in EVERYDAY {
            assert!(is_everyday(name) && !is_managed_by_the_lists(name), "{name}");
        }
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
            "X-HTTP-Host-Override",
            "X-Forwarded-Proto-Version",
            "X-Forward-For",
            "X-Amzn-Oidc-Identity",
            "X-Envoy-External-Address",
            "X_Auth_Request_Email",
            "X-WebAuth-User",
            "X-SSL-Client-S-DN",
            "SSL_CLIENT_CERT",
            "X-Goog-Authenticated-User-Email-Of-Somebody-Whose-Name-Is-Long",
            "X-Middleware-Subrequest",
            "Proxy_Connection",
            "Keep.Alive",
            "TE",
            "Transfer_Encoding",
            "Content.Length",
            "Sec_WebSocket_Key",
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
            "x-auth-token",
            "x-api-key",
            "x-client-version",
            "transfer-encoding",
            "content-length",
            "sec-websocket-key",
            "x_csrf_token",
            "authorization",
            "x",
            "",
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
