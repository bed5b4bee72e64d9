//! Reading what a call brings: path, query, body. Unknown fields are refused, every fault is a [`Problem`].

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::problem::{Problem, Sort};

/// Larger JSON bodies are refused.
pub(crate) const JSON_BYTES_MAX: usize = 1024 * 1024;
/// Larger policies are refused.
pub(crate) const POLICY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A body that takes longer to arrive is refused.
const BODY_SECONDS_MAX: Duration = Duration::from_secs(30);

/// The one variable of a path, decoded once.
pub(crate) struct Named(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Problem::because(
                Sort::MALFORMED,
                "the path is not percent-encoded UTF-8",
            )),
        }
    }
}

/// The query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => {
                let text = rejection.body_text();
                let message = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, why)| why);
                let (field, message) = named_field(message);
                Err(Problem::field(field, message))
            }
        }
    }
}

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        expect_type(request.headers(), &["application/json"])?;
        let bytes = read(request.into_body(), JSON_BYTES_MAX).await?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|fault| {
            let path = fault.path().to_string();
            unfit_json(path, fault.inner())
        })?;
        reader.end().map_err(|fault| unfit_json(String::new(), &fault))?;
        Ok(Self(value))
    }
}

/// A policy as text.
pub(crate) struct PolicyText(pub(crate) String);

impl<S: Send + Sync> FromRequest<S> for PolicyText {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        expect_type(request.headers(), &["text/plain", "application/toml"])?;
        let bytes = read(request.into_body(), POLICY_BYTES_MAX).await?;
        String::from_utf8(bytes.into())
            .map(Self)
            .map_err(|_| Problem::because(Sort::MALFORMED, "the policy is not UTF-8"))
    }
}

/// A field that may be left out but not be null, so that nobody takes the one for the other.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(reader: D) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

fn expect_type(headers: &HeaderMap, expected: &[&str]) -> Result<(), Problem> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let named = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    };
    let essence = named.split(';').next().unwrap_or_default().trim();
    let charset_fits = named
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, charset)| charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8"));
    if charset_fits && expected.iter().any(|expected| essence.eq_ignore_ascii_case(expected)) {
        return Ok(());
    }
    Err(Problem::because(
        Sort::CONTENT_TYPE,
        format!("send it as `{}` in UTF-8", expected.join("` or `")),
    ))
}

async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_SECONDS_MAX, axum::body::to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(Problem::because(
            Sort::BODY_TOO_LARGE,
            format!("at most {bytes_max} bytes are read"),
        )),
        Ok(Err(_)) => Err(Problem::because(Sort::MALFORMED, "the body broke off")),
        Err(_) => Err(Problem::of(Sort::BODY_TOO_SLOW)),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn unfit_json(path: String, fault: &serde_json::Error) -> Problem {
    use serde_json::error::Category;
    let text = fault.to_string();
    match fault.classify() {
        Category::Data => {
            let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            let (named, message) = named_field(message);
            let field = match path.as_str() {
                "." | "" => named,
                // An unknown field's own path already ends with its name.
                path => path.to_owned(),
            };
            Problem::field(field, message)
        }
        _ => Problem::because(Sort::MALFORMED, format!("the body is not JSON: {text}")),
    }
}

/// The field that serde's messages name in backticks, where the path does not say it.
fn named_field(message: &str) -> (String, String) {
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split_once('`'));
    let (field, message) = match named {
        Some((field, _)) => (field, message),
        None => message.split_once(": ").unwrap_or(("", message)),
    };
    (field.to_owned(), message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Shape {
        name: String,
        #[serde(default, deserialize_with = "given")]
        role: Option<String>,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Inner {
        level: u8,
    }

    async fn problem(content_type: &str, body: impl Into<Body>) -> serde_json::Value {
        let request = Request::builder()
            .header(CONTENT_TYPE, content_type)
            .body(body.into())
            .unwrap();
        match Json::<Shape>::from_request(request, &()).await {
            Ok(Json(shape)) => panic!("was read: {shape:?}"),
            Err(problem) => serde_json::to_value(problem).unwrap(),
        }
    }

    #[tokio::test]
    async fn a_wrong_field_is_named_by_its_path() {
        for (body, field) in [
            (r#"{"name":"a","version":1}"#, "version"),
            (r#"{"name":1}"#, "name"),
            (r#"{}"#, "name"),
            (r#"{"name":"a","role":null}"#, "role"),
            (r#"{"name":"a","inner":[{"level":"x"}]}"#, "inner[0].level"),
            (r#"{"name":"a","name":"b"}"#, "name"),
        ] {
            let told = problem("application/json", body).await;
            assert_eq!(told["status"], 422, "{told}");
            assert_eq!(told["fields"][0]["field"], field, "{told}");
        }
    }

    #[tokio::test]
    async fn what_is_no_json_is_a_bad_request() {
        for body in ["", "{", "{\"name\":\"a\"} {}", "\u{0}"] {
            assert_eq!(problem("application/json", body).await["status"], 400, "{body}");
        }
    }

    #[tokio::test]
    async fn a_body_of_another_type_is_not_read() {
        for content_type in [
            "text/plain",
            "",
            "application/json; charset=utf-16",
            "application/jsonp",
        ] {
            assert_eq!(
                problem(content_type, "{\"name\":\"a\"}").await["status"],
                415,
                "{content_type}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_past_the_limit_is_refused() {
        let long = format!("{{\"name\":\"{}\"}}", "a".repeat(JSON_BYTES_MAX));
        assert_eq!(problem("application/json", long).await["status"], 413);
    }

    #[tokio::test]
    async fn a_query_with_an_unknown_or_unreadable_field_is_refused() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its shape matters")]
        struct Search {
            limit: Option<u32>,
        }
        for (query, field) in [("limt=1", "limt"), ("limit=x", "limit"), ("limit=1&limit=2", "limit")] {
            let (mut parts, ()) = Request::builder()
                .uri(format!("/x?{query}"))
                .body(())
                .unwrap()
                .into_parts();
            let Err(problem) = Asked::<Search>::from_request_parts(&mut parts, &()).await else {
                panic!("{query} was taken");
            };
            let told = serde_json::to_value(problem).unwrap();
            assert_eq!(told["fields"][0]["field"], field, "{told}");
        }
    }
}
