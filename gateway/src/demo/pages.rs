//! The pages that are asked for and answered.

use std::fmt::Write as _;

use axum::Form;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::TryStreamExt as _;
use http::{StatusCode, header};
use serde::Deserialize;

use super::Console;
use super::devices::{Device, Refused};
use super::page::{escape, page, refusal};
use super::visitor::Visitor;

pub(super) async fn overview(State(console): State<Console>, visitor: Visitor) -> Response {
    let lighthouse = console.lighthouse();
    let (all, online) = lighthouse.counts();
    let mut changes = String::new();
    for change in lighthouse.changes() {
        let _ = write!(changes, "<li>{}</li>", escape(change));
    }
    if changes.is_empty() {
        changes.push_str("<li>None yet.</li>");
    }
    let body = format!(
        r#"<p>{organisation}</p>
<dl class="figures"><div><dt>Devices</dt><dd>{all}</dd></div><div><dt>Online</dt><dd>{online}</dd></div>
<div><dt>Offline</dt><dd>{offline}</dd></div></dl>
<h2>Latest changes</h2>
<ul>{changes}</ul>"#,
        organisation = escape(&lighthouse.settings.organisation),
        offline = all - online,
    );
    page(&visitor, "/", "Overview", &body)
}

pub(super) async fn device_list(State(console): State<Console>, visitor: Visitor) -> Response {
    listed(&visitor, &console.lighthouse().matching(""), "")
}

#[derive(Debug, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    contains: String,
}

/// A `POST` that changes nothing: the policy lists it under `view_also`.
pub(super) async fn search(State(console): State<Console>, visitor: Visitor, Form(search): Form<Search>) -> Response {
    listed(
        &visitor,
        &console.lighthouse().matching(&search.contains),
        &search.contains,
    )
}

fn listed(visitor: &Visitor, devices: &[Device], contains: &str) -> Response {
    let mut rows = String::new();
    for device in devices {
        let _ = write!(
            rows,
            r#"<tr><td><a href="/devices/{id}">{name}</a></td><td>{place}</td><td>{firmware}</td><td>{state}</td>
<td><a href="/devices/{id}/delete">Delete</a></td></tr>"#,
            id = device.id,
            name = escape(&device.name),
            place = device.place,
            firmware = device.firmware,
            state = state(device),
        );
    }
    let body = format!(
        r#"<form method="post" action="/devices/search" class="inline">
<label for="contains">Name or place</label><input id="contains" name="contains" value="{contains}" maxlength="60">
<button>Search</button></form>
<div class="scroll"><table>
<thead><tr><th>Name</th><th>Place</th><th>Firmware</th><th>State</th><th>Action</th></tr></thead>
<tbody>{rows}</tbody></table></div>
<p>{shown} shown.</p>"#,
        contains = escape(contains),
        shown = devices.len(),
    );
    page(visitor, "/devices", "Devices", &body)
}

pub(super) async fn device(State(console): State<Console>, visitor: Visitor, Path(id): Path<u32>) -> Response {
    let Some(device) = console.lighthouse().device(id) else {
        return refusal(&visitor, StatusCode::NOT_FOUND, Refused::NoDevice.sentence());
    };
    let name = escape(&device.name);
    let body = format!(
        r#"<dl class="figures"><div><dt>Place</dt><dd>{place}</dd></div><div><dt>Firmware</dt><dd>{firmware}</dd></div>
<div><dt>State</dt><dd>{state}</dd></div></dl>
<form method="post" action="/devices/{id}/rename" class="inline">
<label for="name">New name</label><input id="name" name="name" value="{name}" maxlength="60" required>
<button>Rename</button></form>
<p><a href="/devices/{id}/delete">Delete this device</a>, by a link as consoles of old have it.</p>"#,
        place = device.place,
        firmware = device.firmware,
        state = state(&device),
    );
    page(&visitor, "/devices", &device.name, &body)
}

#[derive(Debug, Deserialize)]
pub(super) struct Rename {
    name: String,
}

pub(super) async fn rename(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<u32>,
    Form(form): Form<Rename>,
) -> Response {
    let renamed = console.lighthouse().rename(id, &form.name, visitor.name());
    done(&visitor, renamed, &format!("/devices/{id}"))
}

/// A `GET` that changes something: the policy lists it under `manage_also`.
pub(super) async fn delete(State(console): State<Console>, visitor: Visitor, Path(id): Path<u32>) -> Response {
    let deleted = console.lighthouse().delete(id, visitor.name());
    done(&visitor, deleted, "/devices")
}

pub(super) async fn settings(State(console): State<Console>, visitor: Visitor) -> Response {
    let settings = console.lighthouse().settings.clone();
    let body = format!(
        r#"<form method="post" action="/settings">
<label for="organisation">Organisation</label>
<input id="organisation" name="organisation" value="{organisation}" maxlength="60" required>
<label for="history_days">Days of history</label>
<input id="history_days" name="history_days" type="number" min="1" max="3650" value="{days}" required>
<button>Save</button></form>
<h2>Sample devices</h2>
<form method="post" action="/settings/restore"><button>Restore them all</button></form>"#,
        organisation = escape(&settings.organisation),
        days = settings.history_days,
    );
    page(&visitor, "/settings", "Settings", &body)
}

#[derive(Debug, Deserialize)]
pub(super) struct SettingsForm {
    organisation: String,
    history_days: u16,
}

pub(super) async fn change_settings(
    State(console): State<Console>,
    visitor: Visitor,
    Form(form): Form<SettingsForm>,
) -> Response {
    let changed = console
        .lighthouse()
        .change_settings(&form.organisation, form.history_days, visitor.name());
    done(&visitor, changed, "/settings")
}

pub(super) async fn restore(State(console): State<Console>, visitor: Visitor) -> Response {
    console.lighthouse().restore(visitor.name());
    Redirect::to("/devices").into_response()
}

pub(super) async fn whoami(visitor: Visitor) -> Response {
    let mut rows = String::new();
    for (name, value) in &visitor.headers {
        let _ = write!(
            rows,
            "<tr><td><code>{}</code></td><td>{}</td></tr>",
            escape(name),
            escape(value)
        );
    }
    let cookies = match visitor.cookies.as_slice() {
        [] => "none".to_owned(),
        names => escape(&names.join(", ")),
    };
    let body = format!(
        r#"<p>What this console was told of you, and by which headers. It keeps no accounts of its own.</p>
<div class="scroll"><table class="values">
<thead><tr><th>Header</th><th>Value</th></tr></thead><tbody>{rows}</tbody></table></div>
<p>Cookies that came along: {cookies}. The door keeps its own to itself.</p>"#
    );
    page(&visitor, "/whoami", "Who am I", &body)
}

pub(super) async fn upload_form(visitor: Visitor) -> Response {
    let body = r#"<form method="post" action="/upload" enctype="multipart/form-data">
<label for="file">Firmware</label><input id="file" name="file" type="file" required>
<button>Upload</button></form>
<p>It is counted and thrown away, whatever its size.</p>"#;
    page(&visitor, "/upload", "Upload", body)
}

/// Counts what comes, and keeps nothing of it.
pub(super) async fn upload(visitor: Visitor, body: Body) -> Response {
    let counted = body
        .into_data_stream()
        .try_fold(0_u64, |sum, chunk| async move { Ok(sum + chunk.len() as u64) });
    match counted.await {
        Ok(bytes) => page(
            &visitor,
            "/upload",
            "Upload",
            &format!(r#"<p class="notice">{bytes} bytes came in.</p>"#),
        ),
        Err(_) => refusal(&visitor, StatusCode::BAD_REQUEST, "The upload broke off."),
    }
}

pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/lighthouse.css"))
}

pub(super) async fn live_script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/live.js"))
}

pub(super) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("assets/lighthouse.svg"))
}

pub(super) async fn not_found(visitor: Visitor) -> Response {
    refusal(&visitor, StatusCode::NOT_FOUND, "There is no such page.")
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "max-age=3600"),
        ],
        text,
    )
        .into_response()
}

fn done(visitor: &Visitor, outcome: Result<(), Refused>, next: &str) -> Response {
    match outcome {
        Ok(()) => Redirect::to(next).into_response(),
        Err(Refused::NoDevice) => refusal(visitor, StatusCode::NOT_FOUND, Refused::NoDevice.sentence()),
        Err(refused) => refusal(visitor, StatusCode::BAD_REQUEST, refused.sentence()),
    }
}

fn state(device: &Device) -> &'static str {
    if device.online {
        r#"<span class="state on">online</span>"#
    } else {
        r#"<span class="state off">offline</span>"#
    }
}
