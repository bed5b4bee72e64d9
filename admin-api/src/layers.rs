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

/// Gives the request its id and the answer its headers. A caller's own id is not taken over: it would get into the
/// audit.
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

/// Lets a call run to its end although its caller has gone: a change and the audit event that tells of it belong
/// together.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => after_panic(panic),
            Err(_) => Problem::because(Sort::INTERNAL, "the door is closing").into_response(),
        },
    }
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
    use std::sync::Arc;

    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_call_runs_to_its_end_although_its_caller_has_gone() {
        let (started, go, done) = (Notify::new(), Notify::new(), Notify::new());
        let signals = Arc::new((started, go, done));
        let in_handler = Arc::clone(&signals);
        let handler = async move || {
            in_handler.0.notify_one();
            in_handler.1.notified().await;
            in_handler.2.notify_one();
        };
        let router = axum::Router::new()
            .fallback(handler)
            .layer(axum::middleware::from_fn(finish));
        let request = Request::new(axum::body::Body::empty());
        tokio::select! {
            response = router.oneshot(request) => panic!("answered too early: {response:?}"),
            () = signals.0.notified() => {}
        }
        signals.1.notify_one();
        tokio::time::timeout(std::time::Duration::from_secs(10), signals.2.notified())
            .await
            .unwrap();
    }

    #[test]
    fn a_panic_becomes_a_problem_that_does_not_repeat_what_it_said() {
        let response = after_panic(Box::new("the password is hunter2"));
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
