//! C: where a request ends. The door and the console agree on it, or the console never hears of it.

mod again;
mod chunks;
mod codings;
mod lengths;
mod lines;

/// What is smuggled behind a body: nobody may ask it.
const SMUGGLED: &str = "GET /admin/smuggled HTTP/1.1\r\nHost: a.localhost\r\n\r\n";

/// A POST with these lines and this body.
fn post(lines: &str, body: &str) -> String {
    format!("POST /public/x HTTP/1.1\r\n<HOST>{lines}\r\n{body}")
}

/// A chunked POST with this body.
fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

/// The name of a case, from what is odd in it.
fn named(what: &str) -> String {
    let text = format!("{what:?}");
    text.chars().take(90).collect()
}
