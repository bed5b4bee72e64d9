//! The answers to a refused request: a page for a person, JSON for a program. One place for the gateway's and the portal's.

use std::net::IpAddr;

use askama::Template;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use stagedoor_identity::session::Ended;
use stagedoor_policy::time::Timestamp;

use crate::destination::escaped;
use crate::when::When;
use crate::words::Words;
use crate::{Audience, assets, headers, words};

/// What every page of the door shows, whoever it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The reserved prefix with both slashes: `/.stagedoor/`.
    pub prefix: String,
    /// The operator's name for the door.
    pub title: String,
}

/// A refusal, as far as its visitor may know it.
#[derive(Debug, Clone)]
pub struct RefusalView {
    /// What every page shows.
    pub look: Look,
    /// The status of the answer.
    pub status: StatusCode,
    /// A stable code, for programs; words are found by it.
    pub code: String,
    /// What the visitor can tell an administrator, who finds the rule by it.
    pub support_code: Option<String>,
    /// Which request.
    pub request_id: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// The site by name.
    pub site: Option<String>,
    /// From where, as the door sees it.
    pub address: Option<IpAddr>,
    /// Whose session, where there is one.
    pub account: Option<String>,
    /// A sentence in place of the one that belongs to the code.
    pub reason: Option<String>,
    /// Where the visitor presented a session that is over: when and why it ended.
    pub ended: Option<Ended>,
    /// Where to sign in, where that would help: a path of ours.
    pub sign_in_link: Option<String>,
    /// Whether there is a start page that the visitor may be led back to.
    pub has_start: bool,
    /// When to try again, in seconds.
    pub retry_after_seconds: Option<u64>,
}

impl RefusalView {
    /// A refusal that says no more than its code.
    pub fn new(look: Look, status: StatusCode, code: impl Into<String>) -> Self {
        Self {
            look,
            status,
            code: code.into(),
            support_code: None,
            request_id: None,
            at: None,
            site: None,
            address: None,
            account: None,
            reason: None,
            ended: None,
            sign_in_link: None,
            has_start: false,
            retry_after_seconds: None,
        }
    }

    fn words(&self) -> Words {
        let mut words = match &self.ended {
            Some(ended) => words::ended(ended),
            None => words::refusal(self.status, &self.code, self.address),
        };
        if let Some(reason) = &self.reason {
            words.sentence.clone_from(reason);
        }
        words
    }

    /// For programs, a session that is over has a code that says why.
    fn code(&self) -> &str {
        self.ended
            .as_ref()
            .map_or(&self.code, |ended| words::ended_code(&ended.reason))
    }
}

/// The whole answer for whoever reads it.
pub fn answer(view: &RefusalView, audience: Audience) -> (StatusCode, HeaderMap, String) {
    match audience {
        Audience::Person => render(view),
        Audience::Program => render_json(view),
    }
}

/// The way to the sign-in page, and from there back to what was wanted: path and query, as the visitor sent them.
pub fn to_sign_in(look: &Look, wanted: &[u8]) -> (StatusCode, HeaderMap) {
    let mut headers = HeaderMap::new();
    let location = format!("{}login?to={}", look.prefix, escaped(wanted));
    // Of a prefix and escaped bytes, a header's value can always be made.
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    headers::secure(&mut headers);
    (StatusCode::SEE_OTHER, headers)
}

/// The page.
pub fn render(view: &RefusalView) -> (StatusCode, HeaderMap, String) {
    let page = RefusalPage {
        // Who was signed out is offered no way to sign out.
        look: PageLook::new(&view.look, view.account.clone().filter(|_| view.ended.is_none())),
        words: view.words(),
        at: view.at.map(When::of),
        view,
    };
    match page.render() {
        Ok(text) => (view.status, headers_of(view, "text/html; charset=utf-8"), text),
        // Writing into a string does not fail; if it ever did, the JSON twin says the same.
        Err(_) => render_json(view),
    }
}

/// What a program reads.
#[derive(Serialize)]
struct Problem<'v> {
    error: &'v str,
    message: &'v str,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_code: Option<&'v str>,
}

/// The JSON twin: `{"error","message","support_code"}`.
pub fn render_json(view: &RefusalView) -> (StatusCode, HeaderMap, String) {
    let problem = Problem {
        error: view.code(),
        message: &view.words().sentence,
        support_code: view.support_code.as_deref(),
    };
    // Text is always JSON.
    let body = serde_json::to_string(&problem).unwrap_or_default();
    (view.status, headers_of(view, "application/json"), body)
}

fn headers_of(view: &RefusalView, media_type: &'static str) -> HeaderMap {
    let mut headers = headers::secured();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Some(seconds) = view.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers
}

/// [`Look`], ready for the templates.
pub(crate) struct PageLook {
    pub(crate) prefix: String,
    pub(crate) title: String,
    pub(crate) style: &'static str,
    pub(crate) mark: &'static str,
    /// Who is signed in.
    pub(crate) account: Option<String>,
    /// Whether they administer accounts.
    pub(crate) administers: bool,
}

impl PageLook {
    pub(crate) fn new(look: &Look, account: Option<String>) -> Self {
        Self {
            prefix: look.prefix.clone(),
            title: look.title.clone(),
            style: assets::style_name(),
            mark: assets::mark_name(),
            account,
            administers: false,
        }
    }
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    look: PageLook,
    words: Words,
    at: Option<When>,
    view: &'a RefusalView,
}

#[cfg(test)]
mod tests {
    use stagedoor_identity::EndReason;

    use super::*;

    fn view(status: u16, code: &str) -> RefusalView {
        let look = Look {
            prefix: "/.stagedoor/".to_owned(),
            title: "Stagedoor".to_owned(),
        };
        RefusalView::new(look, StatusCode::from_u16(status).unwrap(), code)
    }

    #[test]
    fn a_person_gets_a_sentence_and_the_support_code() {
        let mut view = view(403, "not_granted");
        view.support_code = Some("K7QM-2D".to_owned());
        view.account = Some("bob".to_owned());
        let (status, headers, page) = answer(&view, Audience::Person);
        assert_eq!(status, 403);
        assert_eq!(headers[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        assert!(page.contains("does not have the right") && page.contains("K7QM-2D") && page.contains("bob"));
    }

    #[test]
    fn a_program_gets_the_code_and_no_page() {
        let mut view = view(503, "unavailable");
        view.support_code = Some("K7QM-2D".to_owned());
        view.retry_after_seconds = Some(5);
        let (_, headers, body) = answer(&view, Audience::Program);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"], "unavailable");
        assert_eq!(body["support_code"], "K7QM-2D");
        assert!(body["message"].as_str().unwrap().ends_with('.'));
        assert_eq!(headers[header::RETRY_AFTER], "5");
        assert_eq!(headers[headers::ANSWERED_BY], "door");
    }

    #[test]
    fn who_was_displaced_is_told_so_in_both_forms() {
        let mut view = view(401, "sign_in_required");
        view.ended = Some(Ended {
            at_micros: 0,
            reason: EndReason::Displaced {
                by: [198, 51, 100, 7].into(),
            },
        });
        view.sign_in_link = Some("/.stagedoor/login?to=/x".to_owned());
        let (_, _, page) = render(&view);
        assert!(page.contains("from another place: from 198.51.100.7") && page.contains("/.stagedoor/login?to=/x"));
        let (_, _, body) = render_json(&view);
        assert!(body.contains("\"session_displaced\""), "{body}");
    }

    #[test]
    fn the_way_back_is_carried_whole_and_cannot_break_out_of_the_header() {
        let look = view(401, "sign_in_required").look;
        let (status, headers) = to_sign_in(&look, b"/a/b?x=1&y=2");
        assert_eq!(status, 303);
        assert_eq!(headers[header::LOCATION], "/.stagedoor/login?to=/a/b%3Fx%3D1%26y%3D2");
        assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        let (_, headers) = to_sign_in(&look, b"/\r\nSet-Cookie: x=1");
        let location = headers[header::LOCATION].to_str().unwrap();
        assert!(!location.contains(['\r', '\n', ' ', ':']), "{location}");
    }

    #[test]
    fn back_to_the_start_leads_only_who_has_a_start() {
        let mut view = view(403, "not_granted");
        assert!(!render(&view).2.contains("start page"));
        view.has_start = true;
        assert!(render(&view).2.contains("start page"));
    }

    #[test]
    fn whatever_a_stranger_could_put_in_is_escaped() {
        let mut view = view(404, "not_found");
        let nasty = "<svg onload=alert(1)>\"'&";
        view.look.title = nasty.to_owned();
        view.look.prefix = format!("/{nasty}/");
        view.account = Some(nasty.to_owned());
        view.site = Some(nasty.to_owned());
        view.reason = Some(nasty.to_owned());
        view.support_code = Some(nasty.to_owned());
        view.request_id = Some(nasty.to_owned());
        view.sign_in_link = Some(nasty.to_owned());
        let (_, _, page) = render(&view);
        assert!(!page.contains("<svg"), "{page}");
        assert!(!page.contains("\"'&"), "{page}");
    }
}
