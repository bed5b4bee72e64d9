//! Assembly: files, store, identity, portal, admin API and listeners become one running door.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use pingora::proxy::HttpProxy;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use stagedoor_admin_api::AdminParts;
use stagedoor_config::{Building, Environment, Live, Loaded, Sources};
use stagedoor_identity::letter::CurrentLetterhead;
use stagedoor_identity::{
    Chance as _, Clock, Company, CurrentPolicy, Doorkeeper, Freshness, Parts, Secret, SystemChance, SystemClock,
};
use stagedoor_portal::{PortalParts, Setup};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::access_log::AccessLog;
use crate::assertion::{self, Assertions};
use crate::audit;
use crate::ending::{Ending, closing};
use crate::fault::StartFault;
use crate::keeping::{Charge, Keeper};
use crate::listener::tls::{self, Certificate};
use crate::listener::{Doorway, Entry, EntryParts, Listeners};
use crate::loops::{self, Mark};
use crate::mail::Sender;
use crate::metrics::{Metrics, Render};
use crate::open::Register;
use crate::proxy::Gate;
use crate::request_id::RequestIds;
use crate::storing::{self, Held};
use crate::upgrade::Succession;
use crate::upgrade::beginning::Succeeding;
use crate::upgrade::errands::Hands;
use crate::upgrade::giving::{Giver, Relaunch, Sockets};
use crate::upgrade::taking::Heritage;
use crate::upstream::Upstreams;

/// Seconds after the grace of [`Ending`] for the threads to end.
const SHUTDOWN_SECONDS: u64 = 3;
/// Requests on one connection, after which it is closed to free its memory.
const REQUESTS_PER_CONNECTION_MAX: u32 = 10_000;
/// For pingora's own connections in TLS, of which there are none: consoles in TLS are reached through [`crate::upstream`]. It
/// would read all of the system's authorities at each start, twice.
const NO_AUTHORITIES: &str = "/dev/null";
/// Attempts to reach a console before a request that can be repeated is given up.
const UPSTREAM_TRIES_MAX: usize = 2;

/// A door that has been put together but not opened yet.
#[derive(Debug)]
pub struct Door {
    /// Rules and sites.
    pub live: Arc<Live>,
    /// Accounts and sessions.
    pub door: Arc<Doorkeeper>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What the store is held by, where it can be lost to another process.
    pub held: Held,
    /// Hears what other doors on the store change.
    pub following: JoinSet<()>,
}

/// What else [`run`] begins with.
#[derive(Debug)]
pub struct Start {
    /// For assertions.
    pub signing_key: Secret,
    /// By which requests of ours are known again.
    pub mark: Mark,
    /// The right to make the first account, where there is none yet.
    pub setup: Option<Arc<Setup>>,
    /// What a running door hands over.
    pub heritage: Option<(Heritage, Premises)>,
    /// How a process is started that takes over; `None`: it cannot be.
    pub relaunch: Option<Relaunch>,
}

/// Everything that is there before the store is.
#[derive(Debug)]
pub struct Premises {
    admin: TcpListener,
    doorways: Vec<Doorway>,
    certificate: Option<Arc<Certificate>>,
}

impl Premises {
    /// Binds every listener that is not handed over, so that whatever keeps one from being bound is known before anything is
    /// served.
    ///
    /// # Errors
    /// Whatever keeps one from being bound, or the certificate from being used.
    pub fn make(building: &Building, mut heritage: Option<&mut Heritage>) -> Result<Self, StartFault> {
        let mut handed_over = |address| heritage.as_mut().and_then(|heritage| heritage.socket(address));
        let admin = match handed_over(building.admin.listen) {
            Some(socket) => socket,
            None => bind(building.admin.listen)?,
        };
        let certificate = match &building.tls {
            Some(files) => Some(Arc::new(
                Certificate::load(files).map_err(|fault| StartFault::Failed(fault.to_string()))?,
            )),
            None => None,
        };
        let acceptor = certificate
            .as_ref()
            .map(|certificate| tls::acceptor(Arc::clone(certificate)))
            .transpose()
            .map_err(|error| StartFault::Failed(format!("TLS cannot be set up: {error}")))?;
        let plain = building.listen.http.iter().map(|address| (*address, None));
        let secure = building.listen.https.iter().map(|address| (*address, acceptor.clone()));
        let mut doorways = Vec::new();
        for (address, tls) in plain.chain(secure) {
            let doorway = match handed_over(address) {
                Some(socket) => Doorway::on(socket, tls),
                None => Doorway::bind(address, tls),
            };
            doorways.push(doorway.map_err(|error| cannot_listen(address, &error))?);
        }
        Ok(Self {
            admin,
            doorways,
            certificate,
        })
    }

    /// Copies of the sockets, for a process that takes over.
    fn sockets(&self) -> std::io::Result<Sockets> {
        let sockets = Sockets::default();
        sockets.keep(&self.admin)?;
        for doorway in &self.doorways {
            sockets.keep(doorway.socket())?;
        }
        Ok(sockets)
    }
}

/// Opens the store and reads the rules: what both `serve` and the commands that work on the store directly begin with.
///
/// # Errors
/// Faulty files (exit 64), or a store that cannot be opened.
pub async fn open(sources: Sources, environment: Environment) -> Result<Door, StartFault> {
    let loaded = stagedoor_config::load(&sources, &environment).map_err(StartFault::Configuration)?;
    open_loaded(sources, environment, loaded).await
}

/// The same with files that were loaded a moment ago.
///
/// # Errors
/// See [`open`].
pub async fn open_loaded(sources: Sources, environment: Environment, loaded: Loaded) -> Result<Door, StartFault> {
    let metrics = Arc::new(Metrics::new().map_err(|error| StartFault::Failed(error.to_string()))?);
    let building = loaded.building.clone();
    let observed = Arc::clone(&metrics);
    let observe = Arc::new(move |operation: &'static str, took| observed.store_worked(operation, took));
    let (store, held) = storing::open(&building.store, building.cluster.as_ref(), observe).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let live = Live::open_checked(
        sources,
        environment,
        Some(loaded),
        Arc::clone(&store),
        Arc::clone(&clock),
    )
    .await?;
    let company = building.cluster.as_ref().map(|cluster| Company {
        freshness: Arc::new(Freshness::not_yet()),
        lease: cluster.lease,
        wait: cluster.wait,
    });
    let parts = Parts {
        store,
        clock: Arc::clone(&clock),
        chance: Arc::new(SystemChance),
        policy: Arc::clone(&live) as Arc<dyn CurrentPolicy>,
        hashes_in_flight: building.limits.hashes_in_flight.unwrap_or_else(|| (cores() / 2).max(1)),
        issuer: building.portal.title.clone(),
        letterhead: Arc::clone(&live) as Arc<dyn CurrentLetterhead>,
        links_under: building.portal.prefix.clone(),
    };
    let door = match company {
        Some(company) => Doorkeeper::open_in_company(parts, company).await,
        None => Doorkeeper::open(parts).await,
    };
    let door = door.map_err(|error| StartFault::Failed(error.to_string()))?;
    let following = held.follow_others(&door, &live, clock).await?;
    Ok(Door {
        live,
        door,
        metrics,
        held,
        following,
    })
}

/// The admin API's router over an opened door.
pub fn admin_router(opened: &Door, metrics: Render) -> axum::Router {
    stagedoor_admin_api::router(AdminParts {
        door: Arc::clone(&opened.door),
        live: Arc::clone(&opened.live) as Arc<_>,
        nodes: opened.held.nodes(&opened.door, &opened.live),
        metrics,
    })
}

/// Opens the door and serves until a signal ends it.
///
/// # Errors
/// Whatever keeps it from opening; nothing has been bound then.
pub fn run(opened: Door, start: Start, runtime: Runtime) -> Result<(), StartFault> {
    let snapshot = opened.live.current();
    let building = Arc::clone(&snapshot.building);
    let (heritage, premises) = match start.heritage {
        Some((heritage, premises)) => (Some(heritage), premises),
        None => (None, Premises::make(&building, None)?),
    };
    let sockets = Arc::new(premises.sockets().map_err(|error| failed(&error))?);
    let succession = Arc::<Succession>::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let assertions = Assertions::new(&start.signing_key, &building.portal.title, clock);
    let assertions = Arc::new(assertions.map_err(|error| StartFault::Failed(error.to_string()))?);
    let register = Arc::new(Register::default());
    let upstreams = Arc::new(Upstreams::default());
    let (audit_queue, audit_writer) = audit::queue(Arc::new(SystemChance));
    let render: Render = {
        let (metrics, door) = (Arc::clone(&opened.metrics), Arc::clone(&opened.door));
        let (live, register) = (Arc::clone(&opened.live), Arc::clone(&register));
        Arc::new(move || metrics.render(&door, &live, &register))
    };
    let (ending, words) = Ending::new(Arc::clone(&opened.live), Arc::clone(&register), Arc::clone(&sockets));
    let admin = closing(admin_router(&opened, render), words.phase.clone());
    let admin = succession.in_front_of(admin);
    let portal = succession.in_front_of(portal(&opened, &building, &assertions, start.setup));
    let hands = Hands {
        portal: portal.clone(),
        admin: admin.clone(),
        door: Arc::clone(&opened.door),
    };
    let gate = Gate {
        live: Arc::clone(&opened.live),
        door: Arc::clone(&opened.door),
        portal,
        assertions: Arc::clone(&assertions),
        mark: start.mark,
        upstreams: Arc::clone(&upstreams),
        seats: Arc::default(),
        metrics: Arc::clone(&opened.metrics),
        audit: audit_queue,
        access_log: access_log(&building)?,
        ids: RequestIds::new(random_number()),
        succession: Arc::clone(&succession),
    };
    let letters = Sender::new(
        Arc::clone(&opened.live),
        Arc::clone(&opened.door),
        Arc::new(SystemChance),
        worker(&building),
    );
    // From here on people are let in.
    if let Some(heritage) = &heritage {
        heritage.wait_for_go()?;
    }
    let (open, is_open) = watch::channel(false);
    let charge = Charge {
        live: opened.live,
        door: Arc::clone(&opened.door),
        register: Arc::clone(&register),
        upstreams,
        certificate: premises.certificate,
        assertions,
        metrics: opened.metrics,
        letters,
        audit: audit_writer,
        admin: (admin, premises.admin),
        succession: Arc::clone(&succession),
        open: is_open.clone(),
        succeeded: words.succeeded.subscribe(),
    };
    let keeper = Keeper::start(charge, runtime);
    let (keeper, pausable) =
        keeper.map_err(|error| StartFault::Failed(format!("the keeper's threads cannot be started: {error}")))?;
    let succeeding = Succeeding {
        heritage,
        hands,
        giver: Giver {
            relaunch: start.relaunch,
            sockets,
            store: storing::name(&building.store),
            held: opened.held.clone(),
            door: opened.door,
            register: Arc::clone(&register),
            succession,
            letters: pausable.letters,
            rounds: Mutex::new(pausable.rounds),
            succeeded: words.succeeded,
            former: None,
            phase: words.phase.clone(),
        },
        open: is_open,
    };
    succeeding.begin(keeper.runtime());
    let server = server(gate, &building, register, |entry| {
        Listeners::new(entry, premises.doorways, words.closing, words.phase, open)
    });
    opened.held.end_this_process_when_lost(keeper.runtime());
    server.run(RunArgs {
        shutdown_signal: Box::new(ending),
    });
    // Kept until here: the last steps of the keeper are steps among others, too.
    let following = opened.following;
    keeper.stop_and_then(opened.held.give_back());
    drop(following);
    Ok(())
}

/// By what its claims on letters are known as this door's: of all doors of a machine, one alone listens there.
fn worker(building: &Building) -> String {
    let node = building.cluster.as_ref().map(|cluster| format!(", `{}`", cluster.node));
    let node = node.unwrap_or_default();
    format!("the door with its admin API on {}{node}", building.admin.listen)
}

fn portal(opened: &Door, building: &Building, assertions: &Arc<Assertions>, setup: Option<Arc<Setup>>) -> axum::Router {
    let assertions = Arc::clone(assertions);
    stagedoor_portal::router(PortalParts {
        door: Arc::clone(&opened.door),
        prefix: building.portal.prefix.clone(),
        title: building.portal.title.clone(),
        jwks: Arc::new(move || assertions.jwks().to_owned()),
        setup,
    })
}

fn server(
    gate: Gate,
    building: &Building,
    register: Arc<Register>,
    listeners: impl FnOnce(Entry) -> Listeners,
) -> Server {
    let threads = building.limits.threads.unwrap_or_else(cores);
    let conf = ServerConf {
        threads,
        // One slow request is not to hold up the visitors of its thread; where there is one, there is nobody to steal from.
        work_stealing: threads > 1,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(SHUTDOWN_SECONDS),
        max_retries: UPSTREAM_TRIES_MAX,
        ca_file: Some(NO_AUTHORITIES.to_owned()),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let (live, door) = (Arc::clone(&gate.live), Arc::clone(&gate.door));
    let (metrics, audit) = (Arc::clone(&gate.metrics), gate.audit.clone());
    let mut proxy = HttpProxy::new(gate, Arc::clone(&server.configuration));
    let mut options = pingora::apps::HttpServerOptions::default();
    options.keepalive_request_limit = Some(REQUESTS_PER_CONNECTION_MAX);
    proxy.server_options = Some(options);
    let entry = Entry::new(EntryParts {
        proxy,
        live,
        door,
        metrics,
        audit,
        register,
    });
    server.add_service(listeners(entry));
    server
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartFault> {
    TcpListener::bind(address).map_err(|error| cannot_listen(address, &error))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> StartFault {
    let help = match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program listens there; stop it or choose another address",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 need the right to bind them (CAP_NET_BIND_SERVICE)",
        _ => "choose an address of this machine",
    };
    StartFault::Failed(format!("cannot listen on {address}: {error}; {help}"))
}

fn failed(error: &std::io::Error) -> StartFault {
    StartFault::Failed(error.to_string())
}

fn access_log(building: &Building) -> Result<Option<AccessLog>, StartFault> {
    let Some(destination) = &building.log.access else {
        return Ok(None);
    };
    let log = AccessLog::open(destination);
    log.map(Some)
        .map_err(|error| StartFault::Failed(format!("cannot open the access log {destination:?}: {error}")))
}

/// The door's signing key, made on first use and kept in the store.
///
/// # Errors
/// Where the store fails.
pub async fn signing_key(door: &Doorkeeper) -> Result<Secret, StartFault> {
    let fresh = assertion::generate_key().map_err(|error| StartFault::Failed(error.to_string()))?;
    let key = door.store().key_or_insert("assertion", &fresh).await;
    key.map_err(|error| StartFault::Failed(error.to_string()))
}

/// The mark of all doors with this store.
///
/// # Errors
/// Where the store fails, or holds something else under its name.
pub async fn mark(door: &Doorkeeper) -> Result<Mark, StartFault> {
    let key = door.key(loops::KEY).await;
    let key = key.map_err(|error| StartFault::Failed(error.to_string()))?;
    Mark::new(&key).ok_or_else(|| StartFault::Failed(format!("the stored key `{}` is too short", loops::KEY)))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn random_number() -> u64 {
    let mut bytes = [0_u8; 8];
    SystemChance.fill(&mut bytes);
    u64::from_be_bytes(bytes)
}
