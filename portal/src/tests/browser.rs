//! A browser: it keeps cookies, says where its posts come from, and sends forms as they stand on the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use stagedoor_identity::Clock as _;
use stagedoor_identity::testing::ManualClock;
use stagedoor_policy::request::ClientAddress;
use tower::ServiceExt as _;

use crate::Caller;

pub(crate) const HOST: &str = "console.example";

#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    clock: Arc<ManualClock>,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) address: &'static str,
    pub(crate) secure: bool,
    pub(crate) host: String,
    /// Beside those every navigation has.
    pub(crate) headers: HeaderMap,
}

/// An answer that has been read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(router: Router, clock: Arc<ManualClock>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("text/html,application/xhtml+xml"),
        );
        Self {
            router,
            clock,
            cookies: BTreeMap::new(),
            address: "192.0.2.1",
            secure: true,
            host: HOST.to_owned(),
            headers,
        }
    }

    pub(crate) fn from(mut self, address: &'static str) -> Self {
        self.address = address;
        self
    }

    /// Sends this header with everything from now on.
    pub(crate) fn saying(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None, String::new()).await
    }

    /// A form with these fields and no others.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", escaped(value));
        let body = fields.iter().map(pair).collect::<Vec<_>>().join("&");
        self.ask(Method::POST, path, Some("application/x-www-form-urlencoded"), body)
            .await
    }

    /// The form of a page that goes to `action` (below the prefix), with what the page itself put in and `typed`.
    pub(crate) async fn fill(&mut self, page: &Answer, action: &str, typed: &[(&str, &str)]) -> Answer {
        let path = format!("/.stagedoor/{action}");
        let hidden = page.hidden_fields(&path);
        let own = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = own.chain(typed.iter().copied()).collect();
        self.post(&path, &fields).await
    }

    pub(crate) async fn json(&mut self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, Some("application/json"), body.to_string())
            .await
    }

    /// Opens the sign-in page and sends its form.
    pub(crate) async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let page = self.get("/.stagedoor/login").await;
        self.fill(&page, "login", &[("username", name), ("password", password)])
            .await
    }

    pub(crate) async fn ask(&mut self, method: Method, path: &str, media_type: Option<&str>, body: String) -> Answer {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap();
        if let Some(media_type) = media_type {
            let media_type = HeaderValue::from_str(media_type).unwrap();
            request.headers_mut().insert(header::CONTENT_TYPE, media_type);
        }
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        for (name, value) in &self.cookies {
            let cookie = HeaderValue::from_str(&format!("{name}={value}")).unwrap();
            request.headers_mut().append(header::COOKIE, cookie);
        }
        request.extensions_mut().insert(self.caller());
        let answer = read(self.router.clone().oneshot(request).await.unwrap()).await;
        self.keep(&answer);
        answer
    }

    fn caller(&self) -> Caller {
        Caller {
            address: ClientAddress::of_peer(self.address.parse().unwrap()),
            secure: self.secure,
            host: self.host.clone(),
            site: Some("main".to_owned()),
            request_id: "r-1".to_owned(),
            now: self.clock.now(),
        }
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where a redirect leads; fails on anything else.
    pub(crate) fn redirect(&self) -> &str {
        assert_eq!(self.status, 303, "no redirect: {}", self.body);
        self.header(header::LOCATION)
    }

    pub(crate) fn as_json(&self) -> Value {
        assert_eq!(self.header(header::CONTENT_TYPE), "application/json", "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The stable code of a refusal told to a program.
    pub(crate) fn code(&self) -> String {
        self.as_json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and, where it is JSON, its code: what most tests ask.
    pub(crate) fn told(&self) -> (u16, String) {
        (self.status.as_u16(), self.code())
    }

    #[track_caller]
    pub(crate) fn shows(&self, status: u16, text: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.body.contains(text), "no `{text}` in {}", self.body);
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let mut cookies = self.headers.get_all(header::SET_COOKIE).iter();
        cookies.find_map(|cookie| cookie.to_str().unwrap().strip_prefix(name)?.strip_prefix('='))
    }

    /// Name and value of each hidden field of the form that goes to `action`.
    pub(crate) fn hidden_fields(&self, action: &str) -> Vec<(String, String)> {
        let opening = format!("action=\"{action}\"");
        let rest = self
            .body
            .split_once(&opening)
            .unwrap_or_else(|| panic!("no form for {action} in {}", self.body))
            .1;
        let form = rest.split("</form>").next().unwrap();
        let field = |part: &str| {
            let value = part.split("value=\"").nth(1)?;
            let text = |part: &str| part.split('"').next().unwrap_or_default().to_owned();
            Some((text(part), unescaped(&text(value))))
        };
        form.split("<input type=\"hidden\" name=\"")
            .skip(1)
            .filter_map(field)
            .collect()
    }

    pub(crate) fn token(&self, action: &str) -> String {
        let mut fields = self.hidden_fields(&format!("/.stagedoor/{action}")).into_iter();
        fields.find(|(name, _)| name == "csrf").unwrap().1
    }

    /// The secret of an enrolment page, as it is shown for typing.
    pub(crate) fn secret(&self) -> String {
        self.between("<p class=\"typed\"><code>", "</code>").remove(0)
    }

    pub(crate) fn recovery_codes(&self) -> Vec<String> {
        self.between("<li><code>", "</code></li>")
    }

    pub(crate) fn between(&self, before: &str, after: &str) -> Vec<String> {
        let found = self.body.split(before).skip(1);
        found
            .map(|rest| rest.split(after).next().unwrap_or_default().to_owned())
            .collect()
    }
}

async fn read(answer: axum::response::Response) -> Answer {
    let (parts, body) = answer.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

pub(crate) fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn unescaped(text: &str) -> String {
    let known = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    known
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
