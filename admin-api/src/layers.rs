//! What every answer has: a request id, no caching, and a problem instead of a torn connection where a handler panics.

use std::any::Any;
use std::fmt;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use stagedoor_identity::{Chance as _, SystemChance};
use uuid::Uuid;

use crate::auth::Gate;
use crate::problem::{Problem, Sort};

/// Which request: in the answer, the log and the audit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestId(Uuid);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl RequestId {
    fn fresh(gate: &Gate) -> Self {
        let mut random = [0_u8; 10];
        SystemChance.fill(&mut random);
        let millis = u64::try_from(gate.now().as_micros() / 1000).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// Gives the request its id and the answer its headers. A caller's own id is not taken over: it would get into the audit.
pub(crate) async fn identify(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let id = RequestId::fresh(&gate);
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// The answer where a handler panicked.
pub(crate) fn after_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("nothing readable");
    tracing::error!(said, "a handler of the admin API panicked");
    Problem::because(Sort::INTERNAL, "this is a fault of ours; the log says more").into_response()
}

/// No such path.
pub(crate) async fn no_such_path() -> Problem {
    Problem::because(Sort::NOT_FOUND, "no such path; `/v1/openapi.json` names them all")
}

/// No such method. The router adds `Allow`.
pub(crate) async fn no_such_method() -> Problem {
    Problem::of(Sort::METHOD_NOT_ALLOWED)
}

/// Text as it is, under a content type.
pub(crate) fn text(content_type: &'static str, body: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_problem_that_does_not_repeat_what_it_said() {
        let response = after_panic(Box::new("the password is hunter2"));
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
