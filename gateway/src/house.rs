//! The house behind the command line: what `serve`, `demo`, `init` and the commands without a running door need.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use stagedoor_config::{Environment, Inline, Sources, StoreChoice};

use crate::app;
use crate::cli::{DemoArgs, FirstToken, House, LocalAdmin, LocalPlace, ServeArgs};
use crate::fault::StartFault;
use crate::{first_start, storing};

mod closed;
mod serving;
mod showing;

use closed::{local_token, open_even_with_faulty_rules};
use serving::sources_of;

/// The real one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stagedoor;

#[async_trait(?Send)]
impl House for Stagedoor {
    fn serve(&self, args: ServeArgs) -> ExitCode {
        exit(serving::run(&args))
    }

    fn demo(&self, args: DemoArgs) -> ExitCode {
        exit(showing::run(&args))
    }

    async fn first_token(&self, data_dir: &Path) -> Result<FirstToken, String> {
        let inline = Inline {
            data_dir: Some(data_dir.to_owned()),
            upstream: Some("http://127.0.0.1:1".to_owned()),
        };
        let sources = Sources {
            inline,
            ..Sources::default()
        };
        let opened = app::open(sources, Environment::default())
            .await
            .map_err(|fault| fault.to_string())?;
        let token = first_start::first_token(&opened.door, data_dir)
            .await
            .map_err(|fault| fault.to_string())?;
        let token = token.ok_or_else(|| format!("`{}` holds a store that has tokens already", data_dir.display()))?;
        Ok(FirstToken {
            token,
            file: Some(data_dir.join(first_start::TOKEN_FILE)),
        })
    }

    async fn copy_store(&self, from: &StoreChoice, into: &StoreChoice) -> Result<String, String> {
        storing::copy(from, into).await.map_err(|fault| fault.to_string())
    }

    async fn local_admin(&self, place: &LocalPlace) -> Result<LocalAdmin, String> {
        let sources = match &place.building {
            Some(building) => sources_of(building.clone(), Some(place.data_dir.clone())),
            None => {
                let data_dir = Some(place.data_dir.clone());
                Sources {
                    inline: Inline {
                        data_dir,
                        upstream: Some("http://127.0.0.1:1".to_owned()),
                    },
                    ..Sources::default()
                }
            }
        };
        let opened = open_even_with_faulty_rules(sources, &place.settings).await?;
        let token = local_token(&opened, &place.data_dir).await?;
        let metrics = Arc::new(String::new) as crate::metrics::Render;
        Ok(LocalAdmin {
            router: app::admin_router(&opened, metrics),
            token,
        })
    }
}

fn exit(outcome: Result<(), StartFault>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            fault.exit_code()
        }
    }
}
