//! The pages about devices, as typed values; the templates lay them out.

use askama::Template;

use crate::refusal::PageLook;
use crate::when::When;

/// Every device, and the form for another one.
#[derive(Template)]
#[template(path = "devices.html")]
pub(crate) struct DevicesPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) done: Option<String>,
    pub(crate) errors: Vec<String>,
    /// The name of a new device, as it was typed.
    pub(crate) typed: String,
    /// Whether these are the first.
    pub(crate) begun: bool,
    pub(crate) rows: Vec<DeviceRow>,
    /// The query of the next page.
    pub(crate) next: Option<String>,
}

/// One of them.
pub(crate) struct DeviceRow {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `2026-11-22`.
    pub(crate) registered: String,
    pub(crate) last_seen: Option<When>,
    pub(crate) account: Option<Holder>,
}

/// Whose it is.
pub(crate) struct Holder {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A device's key, this once.
#[derive(Template)]
#[template(path = "device_key.html")]
pub(crate) struct DeviceKeyPage {
    pub(crate) look: PageLook,
    pub(crate) name: String,
    pub(crate) key: String,
}

/// Are you sure?
#[derive(Template)]
#[template(path = "device_remove.html")]
pub(crate) struct RemoveDevicePage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) id: String,
    pub(crate) name: String,
}
