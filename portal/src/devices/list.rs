//! Every device, page by page.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use stagedoor_identity::port::{Device, DeviceQuery};

use super::page::{DeviceRow, DevicesPage, Holder};
use crate::accounts::Administrator;
use crate::destination::escaped;
use crate::halt::Halt;
use crate::told::of_store;
use crate::visit::Visit;
use crate::when::{When, date};

const ROWS_PER_PAGE: usize = 50;

#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    /// Only devices after this one.
    #[serde(default)]
    after: String,
}

/// What somebody typed, and why nothing came of it.
#[derive(Default)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) errors: Vec<String>,
    pub(super) typed: String,
}

/// `GET devices`.
pub(crate) async fn show(visit: Visit, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let answer = match Administrator::enter(&visit, "devices") {
        Ok(by) => match asked {
            Ok(Query(asked)) => devices_page(&by, &asked, Refused::default()).await,
            Err(_) => Err(Halt::Malformed),
        },
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

/// The list; with what went wrong, where something did.
pub(super) async fn devices_page(by: &Administrator<'_>, asked: &Asked, refused: Refused) -> Result<Response, Halt> {
    let query = DeviceQuery {
        account: None,
        after: Some(asked.after.clone()).filter(|after| !after.is_empty()),
        limit: u32::try_from(ROWS_PER_PAGE + 1).unwrap_or(u32::MAX),
    };
    let found = by.visit.portal.door.devices(query, &by.actor).await;
    let mut devices = found.map_err(|fault| of_store(by.visit, fault))?;
    let more = devices.len() > ROWS_PER_PAGE;
    devices.truncate(ROWS_PER_PAGE);
    let last = devices.last().filter(|_| more).map(|device| device.name.clone());
    let mut rows = Vec::with_capacity(devices.len());
    for device in devices {
        rows.push(row(by, device).await?);
    }
    let done = by.just_done().await?;
    let page = DevicesPage {
        look: by.visit.look(),
        token: by.token().await?,
        done: done.clone(),
        errors: refused.errors,
        typed: refused.typed,
        begun: asked.after.is_empty(),
        rows,
        next: last.map(|last| format!("after={}", escaped(last.as_bytes()))),
    };
    Ok(by.said(by.visit.page(refused.status, &page)?, done.as_deref()))
}

async fn row(by: &Administrator<'_>, device: Device) -> Result<DeviceRow, Halt> {
    let account = match device.account {
        Some(id) => {
            let store = by.visit.portal.door.store();
            let account = store
                .account(id)
                .await
                .map_err(|fault| of_store(by.visit, fault.into()))?;
            account.map(|account| Holder {
                id: account.id.0.to_string(),
                name: account.name.as_str().to_owned(),
            })
        }
        None => None,
    };
    Ok(DeviceRow {
        id: device.id.0.to_string(),
        name: device.name,
        registered: date(device.registered_at),
        last_seen: device.last_seen_at.map(When::of),
        account,
    })
}
