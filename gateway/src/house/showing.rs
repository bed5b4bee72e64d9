//! `stagedoor demo`.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use stagedoor_config::Environment;
use stagedoor_identity::{Chance as _, SystemChance};

use super::serving::{BUILDING_FILE, POLICY_FILE, sources_of, starting_runtime};
use crate::app::{self, Start};
use crate::cli::DemoArgs;
use crate::fault::StartFault;
use crate::{demo, first_start, logging};

/// The sample console, the door and three accounts, in a folder of their own that is gone afterwards.
pub(super) fn run(args: &DemoArgs) -> Result<(), StartFault> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| StartFault::Failed(format!("{what}: {error}"))
    };
    let folder = DemoFolder::make().map_err(failed("cannot make a folder for the demo"))?;
    let admin: SocketAddr = free_address().map_err(failed("no free port"))?;
    let runtime = starting_runtime()?;
    let console = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .map_err(failed("no free port"))?;
    let upstream = console.local_addr().map_err(failed("no free port"))?;
    let (building, policy) = (folder.0.join(BUILDING_FILE), folder.0.join(POLICY_FILE));
    let text = demo::building_text(args.listen, admin, upstream, &folder.0.join("data"));
    std::fs::write(&building, text).map_err(failed("cannot write the demo's files"))?;
    std::fs::write(&policy, demo::policy_text()).map_err(failed("cannot write the demo's files"))?;

    let sources = sources_of(building.clone(), None);
    let loaded = stagedoor_config::load(&sources, &Environment::default()).map_err(StartFault::Configuration)?;
    logging::start(&loaded.building.log);
    let passwords: [String; 3] = std::array::from_fn(|_| password());
    let (opened, start) = runtime.block_on(async {
        let opened = app::open_loaded(sources, Environment::default(), loaded).await?;
        first_start::first_token(&opened.door, &folder.0.join("data")).await?;
        for (account, password) in demo::ACCOUNTS.iter().zip(&passwords) {
            first_start::demo_account(&opened.door, account, password).await?;
        }
        let signing_key = app::signing_key(&opened.door).await?;
        let mark = app::mark(&opened.door).await?;
        Ok::<_, StartFault>((
            opened,
            Start {
                signing_key,
                mark,
                setup: None,
                heritage: None,
                relaunch: None,
            },
        ))
    })?;
    runtime.spawn(async move {
        if let Err(error) = axum::serve(console, demo::console()).await {
            tracing::error!(%error, "the sample console stopped");
        }
    });
    let passwords = passwords.each_ref().map(String::as_str);
    let showing = demo::Showing {
        listen: args.listen,
        building: &building,
        policy: &policy,
        passwords,
    };
    println!("{}", demo::what_to_try(&showing));
    app::run(opened, start, runtime)
}

/// Removed with everything in it when the demo ends.
#[derive(Debug)]
struct DemoFolder(PathBuf);

impl DemoFolder {
    fn make() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = std::env::temp_dir().join(format!("stagedoor-demo-{}", password()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        // Nothing more can be done about it at the end, and the system clears its folder of temporary files.
        let _best_effort = std::fs::remove_dir_all(&self.0);
    }
}

/// 16 characters that are easy to read and to type: 75 bits.
fn password() -> String {
    let mut bytes = [0_u8; 16];
    SystemChance.fill(&mut bytes);
    let letters = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter = |byte: &u8| {
        letters
            .get(usize::from(*byte) % letters.len())
            .copied()
            .map_or('a', char::from)
    };
    bytes.iter().map(letter).collect()
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
