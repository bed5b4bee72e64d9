//! What the tests of the whole gate have in common: what it is made of, and a port to be asked at.

use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::Arc;

use pingora::apps::ServerApp as _;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::{GetSocketDigest as _, SocketDigest};
use pingora::proxy::{HttpProxy, ProxyHttp};
use stagedoor_config::{Environment, Live, Sources};
use stagedoor_identity::port::SharedStore;
use stagedoor_identity::{Clock, CurrentPolicy, Doorkeeper, Parts, SystemChance, SystemClock};
use stagedoor_store::embedded::Embedded;

/// Writes both files into that folder and opens what is made of them, with a store there; `clock` is the doorkeeper's.
pub(crate) async fn open_door(
    folder: &Path,
    building: &str,
    policy: &str,
    clock: Arc<dyn Clock>,
) -> (Arc<Live>, Arc<Doorkeeper>) {
    let sources = Sources {
        building: Some(folder.join("stagedoor.toml")),
        policy: Some(folder.join("policy.toml")),
        ..Sources::default()
    };
    for (file, text) in [(&sources.building, building), (&sources.policy, policy)] {
        std::fs::write(file.as_ref().unwrap(), text).unwrap();
    }
    let store: SharedStore = Arc::new(Embedded::open(&folder.join("data")).unwrap());
    let live = Live::open(
        sources,
        Environment::default(),
        Arc::clone(&store),
        Arc::new(SystemClock),
    )
    .await;
    let live = live.unwrap_or_else(|fault| panic!("{fault}"));
    let door = Doorkeeper::open(Parts {
        store,
        clock,
        chance: Arc::new(SystemChance),
        policy: Arc::clone(&live) as Arc<dyn CurrentPolicy>,
        hashes_in_flight: 1,
        issuer: "x".to_owned(),
        letterhead: Arc::new(stagedoor_identity::letter::NoLetterhead),
        links_under: "/.stagedoor/".to_owned(),
    });
    (live, door.await.unwrap())
}

/// Serves with Pingora alone, without a listener of ours, on a port of 127.0.0.1.
pub(crate) async fn serve<P>(proxy: HttpProxy<P>) -> SocketAddr
where
    P: ProxyHttp + Send + Sync + 'static,
    P::CTX: Send + Sync,
{
    let proxy = Arc::new(proxy);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (never, shutdown) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let _never = never;
        while let Ok((stream, _)) = listener.accept().await {
            let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
            stream.set_nodelay(true).unwrap();
            let mut stream = Stream::from(stream);
            stream.set_socket_digest(digest);
            let (proxy, shutdown) = (Arc::clone(&proxy), shutdown.clone());
            tokio::spawn(async move { proxy.process_new(Box::new(stream), &shutdown).await });
        }
    });
    at
}
