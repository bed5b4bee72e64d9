//! The store itself, for commands while the door is not running.

use std::path::Path;

use stagedoor_config::{Environment, Sources};
use stagedoor_identity::port::ApiToken;
use stagedoor_identity::{Actor, Secret};

use crate::app::{self, Door};
use crate::fault::StartFault;
use crate::first_start;

/// How long a token lives that a command makes for itself.
const LOCAL_TOKEN_SECONDS: u64 = 300;

/// So that accounts can be mended while policy.toml is not: with the built-in rules, and saying so.
pub(super) async fn open_even_with_faulty_rules(sources: Sources, environment: &Environment) -> Result<Door, String> {
    match app::open(sources.clone(), environment.clone()).await {
        Err(StartFault::Configuration(faults)) if sources.building.is_some() => {
            eprintln!("{faults}\nthe rules are faulty, so this command goes by the built-in ones");
            let without_rules = Sources {
                policy: None,
                ..sources
            };
            app::open(without_rules, environment.clone())
                .await
                .map_err(|fault| fault.to_string())
        }
        opened => opened.map_err(|fault| fault.to_string()),
    }
}

/// The token that is kept for the commands of this machine; else one for this command, gone in five minutes.
pub(super) async fn local_token(opened: &Door, data_dir: &Path) -> Result<Secret, String> {
    if let Ok(kept) = std::fs::read_to_string(data_dir.join(first_start::TOKEN_FILE)) {
        let known = opened
            .door
            .token(kept.trim())
            .await
            .map_err(|fault| fault.to_string())?;
        if known.is_some() {
            return Ok(Secret::new(kept.trim()));
        }
    }
    let now = opened.door.now();
    let token = ApiToken {
        name: format!("cli-{}-{}", std::process::id(), now.as_micros()),
        scopes: vec!["*".to_owned()],
        created_at: now,
        expires_at: Some(now.after(std::time::Duration::from_secs(LOCAL_TOKEN_SECONDS))),
        account: None,
    };
    let actor = Actor::operator("cli");
    opened
        .door
        .create_token(token, &actor)
        .await
        .map_err(|fault| first_start::describe(&fault))
}
