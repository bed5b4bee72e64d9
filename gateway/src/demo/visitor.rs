//! Who the door says is there. The console believes it, as consoles behind a door do.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;

/// Beginnings of the names of headers that say who is there.
const IDENTITY: [&str; 3] = ["x-stagedoor-", "remote-", "x-forwarded-"];

/// What the identity headers say.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor {
    user: Option<String>,
    role: Option<String>,
    /// Every identity header, by name, as it came.
    pub(super) headers: Vec<(String, String)>,
    /// Whether any cookie came along; the door's own never does.
    pub(super) cookies: Vec<String>,
}

impl Visitor {
    /// The name for the list of changes.
    pub(super) fn name(&self) -> &str {
        self.user.as_deref().unwrap_or("somebody")
    }

    /// What stands at the top of each page.
    pub(super) fn badge(&self) -> String {
        match (&self.user, &self.role) {
            (Some(user), Some(role)) => format!("{user} ({role})"),
            (Some(user), None) => user.clone(),
            _ => "nobody the door told of".to_owned(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let text = |name: &str| Some(String::from_utf8_lossy(parts.headers.get(name)?.as_bytes()).into_owned());
        Ok(Self {
            user: text("x-stagedoor-user"),
            role: text("x-stagedoor-role"),
            headers: identity_headers(&parts.headers),
            cookies: cookie_names(&parts.headers),
        })
    }
}

fn identity_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let told = |name: &str| IDENTITY.iter().any(|beginning| name.starts_with(beginning));
    let told = headers.iter().filter(|(name, _)| told(name.as_str()));
    told.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn cookie_names(headers: &HeaderMap) -> Vec<String> {
    let lines = headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let cookies = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.split('=').next());
    cookies
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}
