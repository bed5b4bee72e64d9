//! The API on a throw-away store with a few accounts, for tools that ask questions of a live server:
//!
//! ```text
//! cargo run -p stagedoor-admin-api --example serve -- 127.0.0.1:9080
//! ```
//! Prints one line: the bearer token that may do everything.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use stagedoor_admin_api::{AdminParts, Alone, router};
use stagedoor_config::{Environment, Inline, Live, Sources};
use stagedoor_identity::account::{AccountName, NewAccount};
use stagedoor_identity::port::{ApiToken, SharedStore};
use stagedoor_identity::{Actor, Clock as _, Doorkeeper, Parts, Password, SystemChance, SystemClock};
use stagedoor_store::Embedded;

const BUILDING: &str = "[site.console]\nupstream = \"http://127.0.0.1:8000\"\n";
const POLICY: &str = r#"
[site.console.areas]
home = { paths = ["/"], open_to = "signed-in" }
devices = { paths = ["/devices/**"] }

[role.owner]
default = true
may = { "*" = "all" }
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listen: SocketAddr = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9080".to_owned())
        .parse()?;
    let folder = tempfile::tempdir()?;
    let parts = open(folder.path()).await?;
    println!("{}", seed(&parts.door).await?);
    let service = router(parts).into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, service).await?;
    Ok(())
}

async fn open(folder: &std::path::Path) -> Result<AdminParts, Box<dyn Error>> {
    let (building, policy) = (folder.join("stagedoor.toml"), folder.join("policy.toml"));
    std::fs::write(&building, BUILDING)?;
    std::fs::write(&policy, POLICY)?;
    let sources = Sources {
        building: Some(building),
        policy: Some(policy),
        inline: Inline::default(),
    };
    let store: SharedStore = Arc::new(Embedded::open(&folder.join("data"))?);
    let clock = Arc::new(SystemClock);
    let live = Live::open(sources, Environment::new([]), Arc::clone(&store), clock.clone()).await?;
    let door = Doorkeeper::open(Parts {
        store,
        clock,
        chance: Arc::new(SystemChance),
        policy: live.clone(),
        hashes_in_flight: 1,
        issuer: "Stagedoor".to_owned(),
        letterhead: Arc::new(stagedoor_identity::letter::NoLetterhead),
        links_under: "/.stagedoor/".to_owned(),
    })
    .await?;
    Ok(AdminParts {
        door,
        nodes: Arc::new(Alone(live.clone())),
        live,
        metrics: Arc::new(String::new),
    })
}

/// Two accounts, and the token that may do everything.
async fn seed(door: &Doorkeeper) -> Result<String, Box<dyn Error>> {
    let by = Actor::operator("setup");
    for name in ["ada", "bob"] {
        let account = NewAccount {
            name: AccountName::parse(name)?,
            display_name: String::new(),
            email: None,
            role: None,
            grants: Vec::new(),
            networks: Vec::new(),
            password: Password::new("correct horse battery").ok_or("the password is too long")?,
            password_temporary: false,
        };
        door.create_account(account, &by).await?;
    }
    let token = ApiToken {
        name: "root".to_owned(),
        scopes: vec!["*".to_owned()],
        created_at: SystemClock.now(),
        expires_at: None,
        account: None,
    };
    Ok(door.create_token(token, &by).await?.expose_text().to_owned())
}
