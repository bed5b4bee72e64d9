//! What is done to a device: linked to an account, taken from it, removed.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::account::AccountName;
use stagedoor_identity::port::{Device, DeviceId, DeviceQuery, StoreError};
use stagedoor_identity::{AccountId, ChangeFault};

use super::list::{Asked, Refused, devices_page};
use super::page::RemoveDevicePage;
use crate::accounts::Administrator;
use crate::carried::AccountDone;
use crate::halt::Halt;
use crate::told::of_store;
use crate::visit::Visit;

type Named = Result<Path<DeviceId>, PathRejection>;

const NO_ACCOUNT: &str = "No account that you administer has this ID.";
const MEANWHILE: &str = "Somebody else linked this device meanwhile, so nothing was done. Look at whose it is now.";

/// `POST devices/{id}/link`.
pub(crate) async fn link(visit: Visit, path: Named, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, fields)) => match fields.needed("account") {
            Ok(typed) => link_to(&by, path, typed).await,
            Err(halt) => Err(halt),
        },
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `POST devices/{id}/unlink`.
pub(crate) async fn unlink(visit: Visit, path: Named, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, _)) => linked(&by, path, None).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

/// `GET devices/{id}/remove`: are you sure?
pub(crate) async fn ask_to_remove(visit: Visit, path: Named) -> Response {
    let answer = match Administrator::enter(&visit, "devices") {
        Ok(by) => remove_page(&by, path).await,
        Err(answer) => *answer,
    };
    visit.finish(answer)
}

/// `POST devices/{id}/remove`.
pub(crate) async fn remove(visit: Visit, path: Named, request: Request) -> Response {
    let answer = match Administrator::with_form(&visit, request).await {
        Ok((by, _)) => removed(&by, path).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn link_to(by: &Administrator<'_>, path: Named, typed: &str) -> Result<Response, Halt> {
    let account = match AccountName::parse(typed.trim()) {
        Ok(name) => by.visit.portal.door.store().account_by_name(&name).await,
        Err(_) => Ok(None),
    };
    match account.map_err(|fault| of_store(by.visit, fault.into()))? {
        Some(account) => linked(by, path, Some(account.id)).await,
        None => not_done(by, StatusCode::UNPROCESSABLE_ENTITY, NO_ACCOUNT).await,
    }
}

async fn linked(by: &Administrator<'_>, path: Named, to: Option<AccountId>) -> Result<Response, Halt> {
    let id = named(path)?;
    match by.visit.portal.door.link_device(id, to, &by.actor).await {
        Ok(_) if to.is_some() => by.done("devices", AccountDone::DeviceLinked).await,
        Ok(_) => by.done("devices", AccountDone::DeviceUnlinked).await,
        Err(ChangeFault::Refused(refused)) => not_done(by, StatusCode::FORBIDDEN, &refused.sentence).await,
        Err(ChangeFault::Store(StoreError::VersionMismatch)) => {
            not_done(by, StatusCode::PRECONDITION_FAILED, MEANWHILE).await
        }
        Err(fault) => Err(of_store(by.visit, fault)),
    }
}

async fn remove_page(by: &Administrator<'_>, path: Named) -> Result<Response, Halt> {
    let device = device(by, named(path)?).await?;
    let page = RemoveDevicePage {
        look: by.visit.look(),
        token: by.token().await?,
        id: device.id.0.to_string(),
        name: device.name,
    };
    by.visit.page(StatusCode::OK, &page)
}

async fn removed(by: &Administrator<'_>, path: Named) -> Result<Response, Halt> {
    match by.visit.portal.door.remove_device(named(path)?, &by.actor).await {
        Ok(()) => by.done("devices", AccountDone::DeviceRemoved).await,
        Err(ChangeFault::Refused(refused)) => not_done(by, StatusCode::FORBIDDEN, &refused.sentence).await,
        Err(fault) => Err(of_store(by.visit, fault)),
    }
}

/// The device, for who may see every one of them.
async fn device(by: &Administrator<'_>, id: DeviceId) -> Result<Device, Halt> {
    let door = &by.visit.portal.door;
    let any = DeviceQuery {
        account: None,
        after: None,
        limit: 1,
    };
    door.devices(any, &by.actor)
        .await
        .map_err(|fault| of_store(by.visit, fault))?;
    let found = door.store().device(id).await;
    found
        .map_err(|fault| of_store(by.visit, fault.into()))?
        .ok_or(Halt::NotFound)
}

async fn not_done(by: &Administrator<'_>, status: StatusCode, sentence: &str) -> Result<Response, Halt> {
    let refused = Refused {
        status,
        errors: vec![sentence.to_owned()],
        typed: String::new(),
    };
    devices_page(by, &Asked::default(), refused).await
}

fn named(path: Named) -> Result<DeviceId, Halt> {
    path.map(|Path(id)| id).map_err(|_| Halt::NotFound)
}
