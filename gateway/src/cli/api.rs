//! The admin API as the verbs use it: a method, a path, JSON; answers or problems.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, Method, Request};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stagedoor_identity::Secret;

use super::failure::{Failure, Problem};
use super::transport::Transport;

/// How many items of a list are fetched at most, over all its pages.
const ITEMS_MAX: usize = 100_000;

/// The admin API, with a token.
#[derive(Debug)]
pub(crate) struct Api {
    transport: Transport,
    token: Token,
}

/// A bearer token, and where it was found.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) secret: Secret,
    /// In words: "the token from `FILE`".
    pub(crate) origin: String,
}

/// An answer that is no problem.
#[derive(Debug)]
pub(crate) struct Answer {
    headers: HeaderMap,
    body: Bytes,
}

impl Api {
    /// Everything is asked with this token.
    pub(crate) fn new(transport: Transport, token: Token) -> Self {
        Self { transport, token }
    }

    /// Whether it is asked in this process, the door being closed.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.transport, Transport::Local(_))
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, path, None, Bytes::new(), &[]).await
    }

    /// Removes.
    pub(crate) async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::DELETE, path, None, Bytes::new(), &[]).await
    }

    /// Sends JSON.
    pub(crate) async fn json(&self, method: Method, path: &str, body: &Value) -> Result<Answer, Failure> {
        let body = Bytes::from(body.to_string());
        self.send(method, path, Some("application/json"), body, &[]).await
    }

    /// Puts a policy in the place of the one tagged `if_match`.
    pub(crate) async fn put_policy(&self, text: String, if_match: &str) -> Result<Answer, Failure> {
        let condition = [(IF_MATCH, if_match)];
        self.send(
            Method::PUT,
            "/v1/policy",
            Some("application/toml"),
            Bytes::from(text),
            &condition,
        )
        .await
    }

    /// A whole list, page after page.
    pub(crate) async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut items: Vec<Value> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page_of = after.as_deref().map(|after| ("after", after));
            let query: Vec<_> = query.iter().copied().chain(page_of).collect();
            let page: Page = self.get(&target(path, &query)).await?.read()?;
            items.extend(page.items);
            match page.next.as_ref().map(cursor) {
                Some(next) if items.len() < ITEMS_MAX && after.as_ref() != Some(&next) => after = Some(next),
                next => return Ok(json!({ "items": items, "next": next })),
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&'static str>,
        body: Bytes,
        headers: &[(http::HeaderName, &str)],
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, self.bearer()?);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request
            .body(body)
            .map_err(|error| Failure::usage(format!("`{path}` cannot be asked for: {error}")))?;
        let (parts, body) = self.transport.send(request).await?.into_parts();
        if parts.status.is_success() {
            return Ok(Answer {
                headers: parts.headers,
                body,
            });
        }
        let mut problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        problem.status = parts.status.as_u16();
        problem.shown = match &self.transport {
            Transport::Remote(url, _) => format!("{}, shown to `{url}`,", self.token.origin),
            Transport::Local(_) => self.token.origin.clone(),
        };
        Err(Failure::Problem(Box::new(problem)))
    }

    fn bearer(&self) -> Result<HeaderValue, Failure> {
        let text = zeroize::Zeroizing::new(format!("Bearer {}", self.token.secret.expose_text()));
        let mut value =
            HeaderValue::from_str(&text).map_err(|_| Failure::usage("the token is no token of an admin API"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Answer {
    /// The answer as JSON; nothing (204) is `null`.
    pub(crate) fn value(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        self.read()
    }

    /// The answer as text.
    pub(crate) fn text(&self) -> Result<&str, Failure> {
        std::str::from_utf8(&self.body).map_err(|_| strange("it is no text"))
    }

    /// The tag of what was answered.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.header(&ETAG)
    }

    /// A header, where it is text.
    pub(crate) fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| strange(&error.to_string()))
    }
}

/// A JSON answer as one of the types the texts are made from.
pub(crate) fn understand<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(|error| strange(&error.to_string()))
}

/// A path with a query, both encoded.
pub(crate) fn target(path: &str, query: &[(&str, &str)]) -> String {
    let mut target = path.to_owned();
    for (position, (name, value)) in query.iter().enumerate() {
        target.push(if position == 0 { '?' } else { '&' });
        target.push_str(name);
        target.push('=');
        target.push_str(&encode(value));
    }
    target
}

/// One segment of a path, or one value of a query: everything but plain letters, digits, `-`, `.`, `_` and `~` encoded.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[derive(serde::Deserialize)]
struct Page {
    items: Vec<Value>,
    #[serde(default)]
    next: Option<Value>,
}

/// A cursor as it goes back into the query, whether the API wrote it as text or as a number.
fn cursor(next: &Value) -> String {
    next.as_str().map_or_else(|| next.to_string(), str::to_owned)
}

fn strange(why: &str) -> Failure {
    Failure::failed(format!("the admin API's answer is not understood: {why}"))
        .help("see that this command and the door are of the same version, and that nothing else listens there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_in_its_place_in_the_target() {
        assert_eq!(encode("../x?y=z&a b"), "..%2Fx%3Fy%3Dz%26a%20b");
        assert_eq!(
            target("/v1/audit", &[("account", "a&b"), ("limit", "5")]),
            "/v1/audit?account=a%26b&limit=5"
        );
        assert_eq!(target("/v1/audit", &[]), "/v1/audit");
    }

    #[test]
    fn a_cursor_goes_back_as_it_came() {
        assert_eq!(cursor(&json!("ada")), "ada");
        assert_eq!(cursor(&json!(42)), "42");
    }
}
