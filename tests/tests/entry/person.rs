//! Somebody with a browser: asks for pages and sends their forms, with whatever else a story makes the browser say.

use http::{Request, header};
use stagedoor_tests::{PASSWORD, Reply, Visitor, body_of, when_not_busy};

const FORM: &str = "application/x-www-form-urlencoded";

/// See the module. Clones share the cookie jar.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) visitor: Visitor,
}

impl Person {
    pub(crate) fn new(visitor: Visitor) -> Self {
        Self {
            visitor: visitor.always("accept", "text/html,*/*;q=0.8"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.visitor.get(path).await
    }

    /// The token in the first form of a page below the prefix.
    pub(crate) async fn token(&self, page: &str) -> String {
        let text = self.get(&format!("/.stagedoor/{page}")).await.expect(200).text();
        token_in(&text).unwrap_or_else(|| panic!("no form in {text}"))
    }

    /// Sends a form, whoever made it, with these headers.
    pub(crate) async fn send(&self, action: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::post(format!("/.stagedoor/{action}")).header(header::CONTENT_TYPE, FORM);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body_of(encoded(fields))).expect("a request");
        self.visitor.send(request).await
    }

    /// Opens a page and sends its form, as soon as the door is not too busy for it.
    pub(crate) async fn fill_in(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.token(page).await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        when_not_busy(async || self.send(action, &all, &[]).await).await
    }

    /// Signs in by the page, wanting to go on to `to`.
    pub(crate) async fn sign_in(&self, name: &str, to: &str) -> Reply {
        let fields = [("username", name), ("password", PASSWORD), ("to", to)];
        self.fill_in("login", "login", &fields).await
    }
}

/// The token of the first form of a page.
pub(crate) fn token_in(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"")?;
    rest.split('"').next().map(str::to_owned)
}

/// As a browser encodes a form: everything but letters and digits escaped.
pub(crate) fn encoded(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        let piece = |byte: u8| match byte {
            plain if plain.is_ascii_alphanumeric() => char::from(plain).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(piece).collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}
