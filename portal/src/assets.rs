//! The stylesheet and the mark. Their names carry a hash of what is in them, so browsers may keep them for ever.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("../assets/portal.css");
const MARK: &str = include_str!("../assets/mark.svg");

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `portal-<hash>.css`.
pub(crate) fn style_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| hashed("portal", STYLE, "css"));
    &NAME
}

/// `mark-<hash>.svg`.
pub(crate) fn mark_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| hashed("mark", MARK, "svg"));
    &NAME
}

/// `GET assets/{name}`; `None` where there is no such file.
pub(crate) fn serve(name: &str) -> Option<Response> {
    let (text, media_type) = if name == style_name() {
        (STYLE, "text/css; charset=utf-8")
    } else if name == mark_name() {
        (MARK, "image/svg+xml")
    } else {
        return None;
    };
    let media_type = HeaderValue::from_static(media_type);
    Some(
        (
            StatusCode::OK,
            [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, FOR_EVER)],
            text,
        )
            .into_response(),
    )
}

fn hashed(stem: &str, text: &str, extension: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let hash: String = digest
        .as_ref()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{stem}-{hash}.{extension}")
}
