//! The pages about devices with sample values.

use super::samples::{NOW, Named, text, token};
use super::samples_accounts::administrator;
use crate::devices::page::*;
use crate::when::When;

pub(super) fn device_pages() -> Vec<Named> {
    let name = "Scanner at the north gate".to_owned();
    vec![
        ("devices", devices(|_| {})),
        (
            "devices-none",
            devices(|page| {
                page.rows.clear();
                page.done = None;
                page.next = None;
            }),
        ),
        (
            "devices-refused",
            devices(|page| {
                page.done = None;
                page.errors = vec!["Another device has this name.".to_owned()];
                page.typed.clone_from(&name);
            }),
        ),
        (
            "device-key",
            text(&DeviceKeyPage {
                look: administrator(),
                name: name.clone(),
                key: "Qh_-OrRCLW0ydfys6rvrQUxZ5MCSb7tqb8RG8KvxQeI".to_owned(),
            }),
        ),
        (
            "device-remove",
            text(&RemoveDevicePage {
                look: administrator(),
                token: token(),
                id: ID.to_owned(),
                name,
            }),
        ),
    ]
}

const ID: &str = "0199f3a2-7c41-7d60-9b1e-5f0c2a7de911";

fn devices(change: impl FnOnce(&mut DevicesPage)) -> String {
    let row = |name: &str, account: Option<&str>| DeviceRow {
        id: ID.to_owned(),
        name: name.to_owned(),
        registered: "2026-11-22".to_owned(),
        last_seen: account.map(|_| When::of(NOW)),
        account: account.map(|name| Holder {
            id: ID.to_owned(),
            name: name.to_owned(),
        }),
    };
    let mut page = DevicesPage {
        look: administrator(),
        token: token(),
        done: Some("The device is linked.".to_owned()),
        errors: Vec::new(),
        typed: String::new(),
        begun: true,
        rows: vec![row("Scanner at the north gate", Some("device_1")), row("Till 4", None)],
        next: Some("after=Till%204".to_owned()),
    };
    change(&mut page);
    text(&page)
}
