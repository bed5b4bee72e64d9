//! A browser: keeps cookies, sends what browsers send, fills in the forms of a page.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use stagedoor_identity::Clock as _;
use stagedoor_policy::request::ClientAddress;
use tower::ServiceExt as _;

use super::{HOST, Stage};
use crate::Caller;

const FORM: &str = "application/x-www-form-urlencoded";

/// See the module.
pub(super) struct Browser<'s> {
    stage: &'s Stage,
    pub(super) address: String,
    pub(super) secure: bool,
    pub(super) agent: &'static str,
    pub(super) picture_bytes_max: usize,
    pub(super) body_too_large: bool,
    pub(super) cookies: BTreeMap<String, String>,
}

/// An answer, read to its end.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) bytes: Bytes,
}

impl<'s> Browser<'s> {
    pub(super) fn new(stage: &'s Stage, address: &str) -> Self {
        Self {
            stage,
            address: address.to_owned(),
            secure: false,
            picture_bytes_max: 1024,
            body_too_large: false,
            agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            cookies: BTreeMap::new(),
        }
    }

    /// Navigates to a page below the prefix.
    pub(super) async fn get(&mut self, page: &str) -> Page {
        let request = self.navigation(Method::GET, page).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Sends a form of a page of ours, as a browser does.
    pub(super) async fn post(&mut self, page: &str, fields: &[(&str, &str)]) -> Page {
        let origin = format!("{}://{HOST}", if self.secure { "https" } else { "http" });
        let request = self
            .navigation(Method::POST, page)
            .header(header::ORIGIN, origin)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, FORM)
            .body(Body::from(encoded(fields)))
            .unwrap();
        self.send(request).await
    }

    /// Sends a file by the form of a page of ours, as a browser does.
    pub(super) async fn send_file(&mut self, page: &str, field: &str, file: &[u8], token: &str) -> Page {
        let head = |name: &str| format!("--between\r\nContent-Disposition: form-data; name=\"{name}\"");
        let csrf = format!("{}\r\n\r\n{token}\r\n", head("csrf"));
        let named = format!("{}; filename=\"it\"\r\nContent-Type: text/html\r\n\r\n", head(field));
        let body = [csrf.as_bytes(), named.as_bytes(), file, b"\r\n--between--\r\n"].concat();
        let request = self
            .navigation(Method::POST, page)
            .header(header::ORIGIN, format!("http://{HOST}"))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=between");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Opens a page, then sends its form with these fields and the page's own token.
    pub(super) async fn fill_in(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.get(page).await.token();
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.post(action, &all).await
    }

    pub(super) async fn sign_in(&mut self, name: &str, password: &str) -> Page {
        self.fill_in("login", "login", &[("username", name), ("password", password)])
            .await
    }

    /// What a program does.
    pub(super) async fn post_json(&mut self, page: &str, body: &Value) -> Page {
        let request = self
            .request(Method::POST, page)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    pub(super) fn navigation(&self, method: Method, page: &str) -> axum::http::request::Builder {
        self.request(method, page)
            .header("sec-fetch-mode", "navigate")
            .header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
    }

    pub(super) fn request(&self, method: Method, page: &str) -> axum::http::request::Builder {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut request = Request::builder().method(method).uri(format!("/.stagedoor/{page}"));
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request.header(header::USER_AGENT, self.agent)
    }

    pub(super) async fn send(&mut self, mut request: Request<Body>) -> Page {
        request.extensions_mut().insert(Caller {
            address: ClientAddress::of_peer(self.address.parse().unwrap()),
            secure: self.secure,
            host: HOST.to_owned(),
            site: Some("console".to_owned()),
            request_id: "request-1".to_owned(),
            now: self.stage.clock.now(),
            picture_bytes_max: self.picture_bytes_max,
            body_too_large: self.body_too_large,
        });
        let answer = self.stage.portal.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let page = Page {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        };
        self.keep(&page);
        page
    }

    fn keep(&mut self, page: &Page) {
        for cookie in page.cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Page {
    /// The first form's token.
    pub(super) fn token(&self) -> String {
        self.between("name=\"csrf\" value=\"", "\"")
    }

    pub(super) fn between(&self, before: &str, after: &str) -> String {
        let Some((_, rest)) = self.text.split_once(before) else {
            panic!("{before} is not in {}", self.text);
        };
        rest.split(after).next().unwrap().to_owned()
    }

    pub(super) fn says(&self, sentence: &str) -> bool {
        self.text.contains(sentence)
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn location(&self) -> &str {
        self.header("location")
    }

    pub(super) fn cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// As a browser encodes a form: everything but letters and digits escaped.
pub(super) fn encoded(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect()
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}
