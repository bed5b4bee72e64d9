//! `/v1/devices`: what accounts sign in from, where a channel demands a linked device.

use axum::Json as Answer;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use stagedoor_identity::port::{Device, DeviceId, DeviceQuery};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::accounts::find;
use crate::auth::{Allowed, Gate};
use crate::input::{Asked, Json, Named};
use crate::page::{Page, limit};
use crate::problem::{BodyRefusals, Missing, Problem, ProblemBody, Refusals, Sort};
use crate::scope::{AccountsRead, AccountsWrite};
use crate::time::written;

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(list_devices, register_device))
        .routes(routes!(link_device, remove_device))
}

/// A device, without its key.
#[derive(Debug, Serialize, ToSchema)]
struct DeviceView {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    name: String,
    #[schema(format = DateTime)]
    registered_at: String,
    /// When somebody last signed in from it.
    #[schema(required, format = DateTime)]
    last_seen_at: Option<String>,
    /// The id of the account it is linked to; `null`: none.
    #[schema(required, value_type = Option<String>, format = "uuid")]
    account: Option<Uuid>,
}

impl DeviceView {
    fn of(device: Device) -> Self {
        Self {
            id: device.id.0,
            name: device.name,
            registered_at: written(device.registered_at),
            last_seen_at: device.last_seen_at.map(written),
            account: device.account.map(|account| account.0),
        }
    }
}

/// A device that was just registered.
#[derive(Serialize, ToSchema)]
struct DeviceRegistered {
    #[serde(flatten)]
    device: DeviceView,
    /// What proves the device at sign-in (`device_key`); shown this once.
    key: String,
}

/// Which devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeviceSearch {
    /// Only those linked to this account, by id or name.
    account: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// A new device.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceForm {
    /// What people call it; no other device may be called so.
    name: String,
}

/// Whose device it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceLink {
    /// The account's id or name; `null`: nobody's.
    #[schema(required)]
    account: Option<String>,
}

/// Devices, in the order of their names.
#[utoipa::path(get, path = "/v1/devices", tag = "devices", params(DeviceSearch),
    responses((status = 200, body = Page<DeviceView>), Refusals, Missing), security(("bearer" = ["accounts:read"])))]
async fn list_devices(
    by: Allowed<AccountsRead>,
    Asked(search): Asked<DeviceSearch>,
) -> Result<Answer<Page<DeviceView>>, Problem> {
    let limit = limit(search.limit)?;
    let account = match &search.account {
        Some(named) => Some(find(&by, named).await?.id),
        None => None,
    };
    let query = DeviceQuery {
        account,
        after: search.after,
        limit,
    };
    let devices = by.door().devices(query, by.actor()).await?;
    let views = devices.into_iter().map(DeviceView::of).collect();
    Ok(Answer(Page::new(views, limit, |view: &DeviceView| view.name.clone())))
}

/// Registers a device; its key is shown this once.
#[utoipa::path(post, path = "/v1/devices", tag = "devices", request_body = DeviceForm,
    responses((status = 201, body = DeviceRegistered),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The name is taken."),
        Refusals, BodyRefusals), security(("bearer" = ["accounts:write"])))]
async fn register_device(
    by: Allowed<AccountsWrite>,
    Json(form): Json<DeviceForm>,
) -> Result<(StatusCode, Answer<DeviceRegistered>), Problem> {
    let (device, key) = by.door().register_device(&form.name, by.actor()).await?;
    let registered = DeviceRegistered {
        device: DeviceView::of(device),
        key: key.expose_text().to_owned(),
    };
    Ok((StatusCode::CREATED, Answer(registered)))
}

/// Links a device to an account, in the place of the former one, or to none. Sessions that were opened from it end.
#[utoipa::path(put, path = "/v1/devices/{id}", tag = "devices", request_body = DeviceLink,
    params(("id" = String, Path, description = "the device's id")),
    responses((status = 200, body = DeviceView), Refusals, Missing, BodyRefusals),
    security(("bearer" = ["accounts:write"])))]
async fn link_device(
    by: Allowed<AccountsWrite>,
    Named(id): Named,
    Json(link): Json<DeviceLink>,
) -> Result<Answer<DeviceView>, Problem> {
    let id = device_id(&id)?;
    let account = match &link.account {
        Some(named) => Some(find(&by, named).await?.id),
        None => None,
    };
    let device = by.door().link_device(id, account, by.actor()).await?;
    Ok(Answer(DeviceView::of(device)))
}

/// Removes a device; sessions that were opened from it end.
#[utoipa::path(delete, path = "/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "the device's id")),
    responses((status = 204, description = "It is gone."), Refusals, Missing),
    security(("bearer" = ["accounts:write"])))]
async fn remove_device(by: Allowed<AccountsWrite>, Named(id): Named) -> Result<StatusCode, Problem> {
    by.door().remove_device(device_id(&id)?, by.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn device_id(written: &str) -> Result<DeviceId, Problem> {
    let id = Uuid::try_parse(written).map(DeviceId);
    id.map_err(|_| Problem::because(Sort::NOT_FOUND, "no device has that id"))
}
