//! `stagedoor device …`.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, encode, understand};
use super::arguments::{DeviceCommand, Reach, RegisterDevice};
use super::failure::Failure;
use super::place;
use super::secret_file::SecretFile;
use super::shell::Shell;
use super::text::{self, plain};

pub(crate) async fn run(shell: &mut Shell<'_>, reach: &Reach, command: &DeviceCommand) -> Result<(), Failure> {
    let api = place::open(shell, reach).await?;
    match command {
        DeviceCommand::List { account } => list(shell, &api, account.as_deref()).await,
        DeviceCommand::Register(args) => register(shell, &api, args).await,
        DeviceCommand::Link { device, account } => {
            let value = link(&api, device, Some(account)).await?;
            shell.answer(&value, |_| {
                format!("Device {} is linked to {}.", plain(device), plain(account))
            })
        }
        DeviceCommand::Unlink { device } => {
            let value = link(&api, device, None).await?;
            shell.answer(&value, |_| format!("Device {} is nobody's.", plain(device)))
        }
        DeviceCommand::Remove { device } => {
            let path = found(&api, device).await?;
            let value = api.delete(&path).await?.value()?;
            shell.answer(&value, |_| {
                format!("Device {} is gone, and its key is worthless.", plain(device))
            })
        }
    }
}

#[derive(Debug, Deserialize)]
struct Devices {
    items: Vec<Device>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Device {
    id: String,
    name: String,
    registered_at: Option<String>,
    last_seen_at: Option<String>,
    account: Option<String>,
}

async fn list(shell: &mut Shell<'_>, api: &Api, account: Option<&str>) -> Result<(), Failure> {
    let query: Vec<_> = account.map(|name| ("account", name)).into_iter().collect();
    let value = api.list("/v1/devices", &query).await?;
    let devices: Devices = understand(&value)?;
    shell.answer(&value, |width| devices_text(&devices.items, width))
}

fn devices_text(devices: &[Device], width: Option<u16>) -> String {
    if devices.is_empty() {
        return "No device.".to_owned();
    }
    let rows = devices.iter().map(|device| {
        let registered = text::time(device.registered_at.as_deref());
        let seen = text::time(device.last_seen_at.as_deref());
        let account = text::or_dash(device.account.as_deref());
        vec![plain(&device.name), registered, seen, account, plain(&device.id)]
    });
    let headings = ["name", "registered (UTC)", "last seen (UTC)", "account", "id"];
    text::list(&headings, rows.collect(), width)
}

async fn register(shell: &mut Shell<'_>, api: &Api, args: &RegisterDevice) -> Result<(), Failure> {
    let mut file = match &args.save {
        Some(save) => Some(SecretFile::make(shell.path(save))?),
        None => None,
    };
    let made = api
        .json(Method::POST, "/v1/devices", &json!({ "name": args.name }))
        .await;
    let mut value = match made.and_then(|answer| answer.value()) {
        Ok(value) => value,
        Err(failure) => {
            if let Some(file) = file {
                file.discard();
            }
            return Err(failure);
        }
    };
    let key = value.get("key").and_then(Value::as_str).map(str::to_owned);
    let key = key.ok_or_else(|| Failure::failed("the admin API registered a device and did not say its key"))?;
    let name = plain(&args.name);
    let told = match &mut file {
        Some(file) => {
            file.write(&key)?;
            value.as_object_mut().map(|fields| fields.remove("key"));
            format!("Device {name} is registered; its key is in {}.", file.path().display())
        }
        None => format!(
            "Device {name} is registered. Its key, shown this once:\n  {}",
            plain(&key)
        ),
    };
    shell.answer(&value, |_| told)
}

async fn link(api: &Api, device: &str, account: Option<&str>) -> Result<Value, Failure> {
    let path = found(api, device).await?;
    api.json(Method::PUT, &path, &json!({ "account": account }))
        .await?
        .value()
}

/// Where the device of that name, or id, is.
async fn found(api: &Api, device: &str) -> Result<String, Failure> {
    let devices: Devices = understand(&api.list("/v1/devices", &[]).await?)?;
    let mut devices = devices.items.iter();
    let device = devices
        .find(|known| known.name == device || known.id == device)
        .ok_or_else(|| {
            Failure::failed(format!(
                "no device is called `{}`; `stagedoor device list` shows those there are",
                plain(device)
            ))
        })?;
    Ok(format!("/v1/devices/{}", encode(&device.id)))
}
