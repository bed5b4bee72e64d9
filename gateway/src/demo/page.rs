//! One look for all pages.

use std::fmt::Write as _;

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::visitor::Visitor;

const MENU: [(&str, &str); 6] = [
    ("/", "Overview"),
    ("/devices", "Devices"),
    ("/live", "Live"),
    ("/upload", "Upload"),
    ("/settings", "Settings"),
    ("/whoami", "Who am I"),
];

/// A page: `here` is its entry in the menu, `body` is HTML that is escaped already.
pub(super) fn page(visitor: &Visitor, here: &str, title: &str, body: &str) -> Response {
    let mut menu = String::new();
    for (path, name) in MENU {
        let current = if path == here { r#" aria-current="page""# } else { "" };
        let _ = write!(menu, r#"<a href="{path}"{current}>{name}</a>"#);
    }
    let (title, badge) = (escape(title), escape(&visitor.badge()));
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Lighthouse</title>
<link rel="stylesheet" href="/static/lighthouse.css">
<link rel="icon" href="/static/lighthouse.svg" type="image/svg+xml">
</head>
<body>
<header>
<a class="brand" href="/"><img src="/static/lighthouse.svg" alt="" width="28" height="28">Lighthouse</a>
<nav aria-label="Main">{menu}</nav>
<p class="who">{badge} <a href="/.stagedoor/profile">Profile</a> <a href="/.stagedoor/logout">Sign out</a></p>
</header>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"#
    );
    let mut response = Html(html).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A page that says why it could not be done.
pub(super) fn refusal(visitor: &Visitor, status: StatusCode, sentence: &str) -> Response {
    let body = format!(
        r#"<p class="notice">{}</p><p><a href="/devices">Back to the devices</a></p>"#,
        escape(sentence)
    );
    let mut response = page(visitor, "", "That did not work", &body);
    *response.status_mut() = status;
    response
}

/// Text as it stands in HTML, in attributes too.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
