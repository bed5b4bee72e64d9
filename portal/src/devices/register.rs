//! A new device: its key is shown once.

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::ChangeFault;
use stagedoor_identity::port::StoreError;

use super::list::{Asked, Refused, devices_page};
use super::page::DeviceKeyPage;
use crate::accounts::Administrator;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::told::of_store;
use crate::visit::Visit;

const TAKEN: &str = "Another device has this name.";

/// `POST devices`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, fields)) => register(&by, &fields).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn register(by: &Administrator<'_>, fields: &Fields) -> Result<Response, Halt> {
    let typed = fields.needed("name")?;
    let (status, errors) = match by.visit.portal.door.register_device(typed, &by.actor).await {
        Ok((device, key)) => {
            let page = DeviceKeyPage {
                look: by.visit.look(),
                name: device.name,
                key: key.expose_text().to_owned(),
            };
            return by.visit.page(StatusCode::OK, &page);
        }
        Err(ChangeFault::Unfit(faults)) => {
            let sentences = faults.into_iter().map(|(_, sentence)| format!("Name: {sentence}."));
            (StatusCode::UNPROCESSABLE_ENTITY, sentences.collect())
        }
        Err(ChangeFault::Store(StoreError::NameTaken)) => (StatusCode::CONFLICT, vec![TAKEN.to_owned()]),
        Err(fault) => return Err(of_store(by.visit, fault)),
    };
    let refused = Refused {
        status,
        errors,
        typed: typed.to_owned(),
    };
    devices_page(by, &Asked::default(), refused).await
}
