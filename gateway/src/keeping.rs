//! What goes on besides requests, on threads of its own, so that it neither slows them nor ends before they do: watching
//! the files, judging again what is open, keeping house, writing the audit, resolving names, sending letters, the admin API.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use stagedoor_config::{Cause, Live};
use stagedoor_identity::event::{Event, Kind, Outcome};
use stagedoor_identity::{Doorkeeper, USES_INTERVAL};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinHandle};

use crate::assertion::Assertions;
use crate::audit::AuditWriter;
use crate::listener::tls::Certificate;
use crate::mail::Sender;
use crate::metrics::Metrics;
use crate::open::Register;
use crate::upgrade::Succession;
use crate::upgrade::giving::Letters;
use crate::upstream::Upstreams;

/// Open streams are judged again this often, besides whenever the rules or an account change.
const JUDGE_INTERVAL: Duration = Duration::from_millis(250);
/// Last-used times reach the store this often.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(10);
/// Upstream names are resolved again this often.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(30);
/// While the door opens, its listeners are tried this often.
const OPENING_INTERVAL: Duration = Duration::from_millis(10);
/// After this long the admin API answers all the same.
const OPENING_MAX: Duration = Duration::from_secs(5);
/// Connections to the admin API at once. Its own, so that nobody can take the descriptors of the doors; a few programs use it.
const ADMIN_CONNECTIONS_MAX: usize = 64;
/// For the head of each call, waiting for it included.
const ADMIN_HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// How long the keeper may take to write what is left.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the keeper looks after.
#[derive(Debug)]
pub struct Charge {
    /// Rules and sites.
    pub live: Arc<Live>,
    /// Accounts and sessions.
    pub door: Arc<Doorkeeper>,
    /// What is open.
    pub register: Arc<Register>,
    /// Where consoles live.
    pub upstreams: Arc<Upstreams>,
    /// The listener's certificate, where it has one.
    pub certificate: Option<Arc<Certificate>>,
    /// Signed assertions.
    pub assertions: Arc<Assertions>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Sends letters.
    pub letters: Sender,
    /// Refusals to be written.
    pub audit: AuditWriter,
    /// The admin API and the listener it is served on.
    pub admin: (axum::Router, TcpListener),
    /// Where steps are made.
    pub succession: Arc<Succession>,
    /// Says when this process accepts connections.
    pub open: watch::Receiver<bool>,
    /// Says when another process serves instead.
    pub succeeded: watch::Receiver<bool>,
}

/// The keeper at work.
#[derive(Debug)]
pub struct Keeper {
    runtime: Runtime,
    stop: watch::Sender<bool>,
    door: Arc<Doorkeeper>,
    succession: Arc<Succession>,
    letters: JoinHandle<()>,
    rest: watch::Sender<bool>,
}

impl Keeper {
    /// Begins, on the runtime that the door was opened on.
    ///
    /// # Errors
    /// Where threads, signals or the admin listener cannot be had.
    pub fn start(charge: Charge, runtime: Runtime) -> std::io::Result<(Self, Pausable)> {
        let (stop, stopped) = watch::channel(false);
        let entered = runtime.enter();
        let hangup = signal(SignalKind::hangup())?;
        let (router, listener) = charge.admin;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let building = Arc::clone(&charge.live.current().building);
        let doors: Vec<_> = building
            .listen
            .http
            .iter()
            .chain(&building.listen.https)
            .copied()
            .collect();

        let door = Arc::clone(&charge.door);
        let end_of_admin = stops(&stopped);
        let (mut open, succeeded) = (charge.open, succeeded(charge.succeeded));
        runtime.spawn(async move {
            // Not the same: a listener that was handed over can be reached before this process accepts.
            drop(open.wait_for(|open| *open).await);
            wait_for_doors(&doors).await;
            serve_admin(listener, router, (succeeded, end_of_admin)).await;
        });
        let succession = charge.succession;
        runtime.spawn(
            charge
                .audit
                .run(Arc::clone(&door), Arc::clone(&succession), stops(&stopped)),
        );
        runtime.spawn(Arc::clone(&charge.live).watch(stops(&stopped)));
        runtime.spawn(reload_on_hangup(Arc::clone(&charge.live), hangup));
        runtime.spawn(judge_again(
            Arc::clone(&charge.live),
            Arc::clone(&door),
            charge.register,
            charge.metrics,
        ));
        let rounds = vec![
            runtime
                .spawn(audit_reloads(Arc::clone(&charge.live), Arc::clone(&door)))
                .abort_handle(),
            runtime
                .spawn(keep_house(Arc::clone(&door), charge.assertions))
                .abort_handle(),
            runtime.spawn(exchange_uses(Arc::clone(&door))).abort_handle(),
        ];
        let (rest, wanted) = watch::channel(false);
        let (rests, resting) = watch::channel(false);
        let letters = runtime.spawn(send_letters(charge.letters, wanted, rests, stopped.clone()));
        runtime.spawn(resolve(Arc::clone(&charge.live), charge.upstreams));
        if let Some(certificate) = charge.certificate {
            runtime.spawn(reload_certificate(charge.live, certificate));
        }
        drop(entered);
        let pausable = Pausable {
            letters: Letters {
                rest: rest.clone(),
                resting,
            },
            rounds,
        };
        let keeper = Self {
            runtime,
            stop,
            door,
            succession,
            letters,
            rest,
        };
        Ok((keeper, pausable))
    }

    /// The runtime that all of it runs on.
    pub fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Ends: writes what is left, then does `last`, within a bounded time.
    pub fn stop_and_then(self, and_then: impl Future<Output = ()>) {
        self.stop.send_replace(true);
        self.rest.send_replace(true);
        let last = self.runtime.block_on(async {
            let last = async {
                if self.succession.is_succeeded() {
                    self.succession.tell_last_uses(&self.door).await;
                    return Ok(());
                }
                self.door.keep_house().await
            };
            tokio::time::timeout(FAREWELL, last).await
        });
        if !matches!(last, Ok(Ok(()))) {
            tracing::error!("the last-used times of the last seconds could not be written");
        }
        let letters = self.letters;
        let last = self
            .runtime
            .block_on(async { tokio::time::timeout(FAREWELL, letters).await });
        if !matches!(last, Ok(Ok(()))) {
            tracing::warn!("a letter was under way when the door closed; it is sent again once the door is open");
        }
        let farewell = async { tokio::time::timeout(FAREWELL, and_then).await };
        if self.runtime.block_on(farewell).is_err() {
            tracing::error!("the store could not be given back in time; the next door waits for it");
        }
        self.runtime.shutdown_timeout(FAREWELL);
    }
}

/// What can be made to rest, or ended, before the process ends.
#[derive(Debug)]
pub struct Pausable {
    /// Letters.
    pub letters: Letters,
    /// What only the process does that writes to the store.
    pub rounds: Vec<AbortHandle>,
}

fn stops(stopped: &watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static + use<> {
    let mut stopped = stopped.clone();
    async move {
        // An error means that the keeper itself is gone: then it is time to stop as well.
        let _either = stopped.wait_for(|stop| *stop).await;
    }
}

/// Resolves when another process serves instead.
pub async fn succeeded(mut succeeded: watch::Receiver<bool>) {
    if succeeded.wait_for(|succeeded| *succeeded).await.is_err() {
        // Nobody is left who could say so.
        std::future::pending::<()>().await;
    }
}

/// Waits until visitors can come in, so that whoever asks `/readyz` is not told so before. Callers of the admin API wait in
/// its listener's queue.
async fn wait_for_doors(doors: &[SocketAddr]) {
    let all_open = async {
        for door in doors {
            while TcpStream::connect(reachable(*door)).await.is_err() {
                tokio::time::sleep(OPENING_INTERVAL).await;
            }
        }
    };
    if tokio::time::timeout(OPENING_MAX, all_open).await.is_err() {
        tracing::warn!("not every listener could be reached from this machine; a firewall may be in the way");
    }
}

/// Where a listener is reached from this machine.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

async fn serve_admin(
    listener: tokio::net::TcpListener,
    router: axum::Router,
    (succeeded, stop): (impl Future<Output = ()>, impl Future<Output = ()>),
) {
    let places = Arc::new(Semaphore::new(ADMIN_CONNECTIONS_MAX));
    let ending = GracefulShutdown::new();
    tokio::pin!(succeeded, stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            // Another process accepts, and its connections outlive this one's.
            () = &mut succeeded => {
                drop(listener);
                stop.await;
                break;
            }
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the admin API could not be accepted");
                    tokio::time::sleep(OPENING_INTERVAL).await;
                    continue;
                }
            },
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let service = TowerToHyperService::new(router.clone().layer(Extension(ConnectInfo(peer))));
        let mut connection = http1::Builder::new();
        connection
            .timer(TokioTimer::new())
            .header_read_timeout(ADMIN_HEADER_DEADLINE);
        let connection = ending.watch(connection.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Who breaks off has nothing to be told.
            let _over = connection.await;
            drop(place);
        });
    }
    if tokio::time::timeout(FAREWELL, ending.shutdown()).await.is_err() {
        tracing::warn!("some calls of the admin API did not come to their end");
    }
}

/// Until the end, with a rest whenever one is wanted; what is under way then comes to its end first.
async fn send_letters(
    mut sender: Sender,
    mut rest: watch::Receiver<bool>,
    rests: watch::Sender<bool>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        sender.run(rest.clone()).await;
        rests.send_replace(true);
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            goes_on = rest.wait_for(|rest| !*rest) => if goes_on.is_err() { return },
        }
        rests.send_replace(false);
    }
}

async fn reload_on_hangup(live: Arc<Live>, mut hangup: tokio::signal::unix::Signal) {
    while hangup.recv().await.is_some() {
        live.reload(Cause::Signal).await;
    }
}

async fn judge_again(live: Arc<Live>, door: Arc<Doorkeeper>, register: Arc<Register>, metrics: Arc<Metrics>) {
    let (mut rules, mut sessions) = (live.changed(), door.changed());
    let mut tick = tokio::time::interval(JUDGE_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Ok(()) = rules.changed() => {}
            Ok(()) = sessions.changed() => {}
        }
        let (snapshot, now) = (live.current(), door.now());
        let ended = register.judge_again(|admitted| {
            admitted.still_permitted(&snapshot, &door, now) && !admitted.is_overdue(Instant::now())
        });
        if ended > 0 {
            metrics.streams_ended.inc_by(ended as u64);
            tracing::info!(
                ended,
                revision = snapshot.policy.revision().0,
                "streams ended that are no longer permitted, or took too long"
            );
        }
    }
}

/// Notes in the audit what the files changed; who replaces the policy by the admin API is noted there.
async fn audit_reloads(live: Arc<Live>, door: Arc<Doorkeeper>) {
    let mut tick = tokio::time::interval(JUDGE_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = live.status();
    loop {
        tick.tick().await;
        let status = live.status();
        let by_files = [Cause::File, Cause::Signal]
            .iter()
            .any(|cause| cause.to_string() == status.loaded_by);
        let mut events = Vec::new();
        if by_files && status.reloads_ok > seen.reloads_ok {
            let kind = if status.revision == seen.revision {
                Kind::SitesReloaded
            } else {
                Kind::PolicyChanged
            };
            events.push(Event::new(kind, Outcome::Done, status.loaded_at).actor(&status.loaded_by));
        }
        if let Some((at, fault)) = status
            .last_fault
            .as_ref()
            .filter(|_| status.reloads_failed > seen.reloads_failed)
        {
            let first_line = fault.lines().next().unwrap_or_default();
            let event = Event::new(Kind::PolicyRejected, Outcome::Failed, *at).actor("file");
            events.push(event.detail("fault", first_line));
        }
        for event in &mut events {
            event.policy_revision = Some(status.revision.0);
        }
        seen = status;
        if !events.is_empty()
            && let Err(error) = door.record(events).await
        {
            tracing::error!(%error, "a reload could not be written to the audit");
        }
    }
}

async fn keep_house(door: Arc<Doorkeeper>, assertions: Arc<Assertions>) {
    let mut tick = tokio::time::interval(HOUSEKEEPING_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = door.keep_house().await {
            tracing::error!(%error, "keeping house failed; it is tried again in {} s", HOUSEKEEPING_INTERVAL.as_secs());
        }
        assertions.forget_old();
    }
}

/// Alone at its store, a door has nobody to exchange them with.
async fn exchange_uses(door: Arc<Doorkeeper>) {
    let mut tick = tokio::time::interval(USES_INTERVAL);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = door.exchange_uses().await {
            tracing::debug!(%error, "uses could not be exchanged with other doors; it is tried again");
        }
    }
}

async fn resolve(live: Arc<Live>, upstreams: Arc<Upstreams>) {
    let (mut rules, mut tick) = (live.changed(), tokio::time::interval(RESOLVE_INTERVAL));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            Ok(()) = rules.changed() => {}
        }
        upstreams.resolve_all(&live.current()).await;
    }
}

async fn reload_certificate(live: Arc<Live>, certificate: Arc<Certificate>) {
    let mut changed = live.tls_changed();
    while changed.changed().await.is_ok() {
        // Without `[tls]` there is nothing to take over; listeners stay until a restart, and so does what they show.
        let Some(files) = live.current().building.tls.clone() else {
            continue;
        };
        match certificate.reload(&files) {
            Ok(()) => tracing::info!("the certificate was taken over"),
            Err(fault) => tracing::error!(%fault, "the former certificate stays"),
        }
    }
}
