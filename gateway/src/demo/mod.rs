//! The sample console of `stagedoor demo`: "Lighthouse", an imaginary manager of devices.
//!
//! It is what the door is made for: a console without accounts of its own, with a `GET` that deletes, a `POST` that only
//! searches, a page that lives on a WebSocket and a page of settings. It knows nothing of the door but the headers it is
//! sent. Everything is in memory, bounded, and gone with the process.

mod devices;
mod live;
mod page;
mod pages;
mod texts;
mod visitor;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use devices::Lighthouse;

pub use texts::{ACCOUNTS, DemoAccount, Showing, building_text, policy_text, what_to_try};

/// The largest form, in bytes. Uploads are counted as they come and have no limit, for nothing of them is kept.
const FORM_BYTES_MAX: usize = 64 * 1024;

/// What every page shares.
#[derive(Debug, Clone)]
struct Console {
    lighthouse: Arc<Mutex<Lighthouse>>,
    /// One permit for each open WebSocket or event stream.
    streams: Arc<Semaphore>,
}

impl Console {
    fn lighthouse(&self) -> MutexGuard<'_, Lighthouse> {
        // What a panicking page left behind is at worst half a sample device.
        self.lighthouse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sample console, to be served on a loopback port that only the door can be asked for.
pub fn console() -> Router {
    let console = Console {
        lighthouse: Arc::new(Mutex::new(Lighthouse::new())),
        streams: Arc::new(Semaphore::new(live::STREAMS_MAX)),
    };
    Router::new()
        .route("/", get(pages::overview))
        .route("/static/lighthouse.css", get(pages::style))
        .route("/static/live.js", get(pages::live_script))
        .route("/static/lighthouse.svg", get(pages::icon))
        .route("/favicon.ico", get(pages::icon))
        .route("/devices", get(pages::device_list))
        .route("/devices/search", post(pages::search))
        .route("/devices/{id}", get(pages::device))
        .route("/devices/{id}/rename", post(pages::rename))
        .route("/devices/{id}/delete", get(pages::delete))
        .route("/settings", get(pages::settings).post(pages::change_settings))
        .route("/settings/restore", post(pages::restore))
        .route("/whoami", get(pages::whoami))
        .route("/live", get(live::watch))
        .route("/live/ws", get(live::socket))
        .route("/events", get(live::events))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .route("/upload", get(pages::upload_form).post(pages::upload))
        .fallback(pages::not_found)
        .with_state(console)
}
