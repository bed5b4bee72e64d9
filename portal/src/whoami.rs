//! `whoami`: what the door sees of its visitor. For operators who set up proxies and allowlists, and for people who were
//! refused for their address.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::Audience;
use crate::page::WhoamiPage;
use crate::visit::Visit;
use crate::when::{self, When};

/// `GET whoami`.
pub(crate) async fn show(visit: Visit) -> Response {
    let session = visit.signed_in().map(|signed_in| &signed_in.session);
    let account = session.map(|session| session.account());
    let expires = session.map(|session| session.expires_at());
    let scheme = if visit.caller.secure { "https" } else { "http" };
    let channel = session.map(|session| session.channel().to_owned());
    if visit.audience == Audience::Program {
        return Json(json!({
            "address": visit.caller.address.ip(),
            "account": account.as_ref().map(|account| account.name.as_str()),
            "role": account.as_ref().map(|account| &account.role),
            "site": visit.caller.site,
            "channel": channel,
            "session_expires_at": expires.map(when::rfc3339),
            "scheme": scheme,
            "host": visit.caller.host,
        }))
        .into_response();
    }
    let page = WhoamiPage {
        look: visit.look(),
        address: visit.caller.address.ip().to_string(),
        account: visit.account_name(),
        role: account.map(|account| account.role.clone()),
        channel,
        expires: expires.map(When::of),
        site: visit.caller.site.clone(),
        scheme,
        host: visit.caller.host.clone(),
    };
    visit.finish(visit.page(StatusCode::OK, &page))
}
