//! What Prometheus is told. Base units; labels from the configuration and from closed lists, never a user or a path.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus::{
    Encoder as _, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};
use stagedoor_config::Live;
use stagedoor_identity::Doorkeeper;

use crate::context::RequestContext;
use crate::open::Register;

/// Seconds: a judgement takes about a microsecond.
const DECISION_BUCKETS: &[f64] = &[1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2];
/// Seconds: consoles and stores take milliseconds to seconds.
const SLOW_BUCKETS: &[f64] = &[1e-4, 1e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0];

/// Every family; the names are a contract, see docs/reference/metrics.md.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    decision: Histogram,
    upstream: HistogramVec,
    store: HistogramVec,
    sign_ins: IntCounterVec,
    sessions_live: IntGauge,
    lockouts: IntCounter,
    displacements: IntCounter,
    bans: IntCounter,
    hashes: IntCounter,
    hashes_waiting: IntGauge,
    letters: IntCounterVec,
    letters_waiting: IntGauge,
    letters_oldest: IntGauge,
    reloads: IntCounterVec,
    policy_revision: IntGauge,
    policy_age: IntGauge,
    store_word: IntGauge,
    store_word_lapses: IntCounter,
    requests_open: IntGauge,
    /// Streams ended because the rules or a session no longer permitted them.
    pub streams_ended: IntCounter,
    /// WebSockets open now.
    pub tunnels_open: IntGauge,
    /// WebSockets refused because their account or address had too many.
    pub websockets_refused: IntCounter,
    /// Requests in one of whose stages something panicked.
    pub panics: IntCounter,
    /// Visitors' connections that are open.
    pub connections_open: IntGauge,
    connections_refused: IntCounterVec,
    connections_broken: IntCounterVec,
    /// Refusals that did not reach the audit because its queue was full.
    pub audit_events_dropped: IntCounter,
}

impl Metrics {
    /// Registers every family.
    ///
    /// # Errors
    /// Where two families have one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let families = Families { registry: &registry };
        let metrics = Self {
            requests: families.counters("requests_total", "Requests.", &["site", "area", "decision", "reason"])?,
            decision: families.histogram(
                "decision_duration_seconds",
                "Time to judge a request.",
                DECISION_BUCKETS,
            )?,
            upstream: families.histograms("upstream_duration_seconds", "Time to a console's answer.", &["site"])?,
            store: families.histograms("store_duration_seconds", "Time of a store operation.", &["operation"])?,
            sign_ins: families.counters("sign_ins_total", "Sign-ins.", &["outcome"])?,
            sessions_live: families.gauge("sessions_live", "Sessions that are live.")?,
            lockouts: families.counter("lockouts_total", "Lock-outs set.")?,
            displacements: families.counter("displacements_total", "Sessions displaced by a later sign-in.")?,
            bans: families.counter("bans_total", "Accounts banned for disuse.")?,
            hashes: families.counter("password_hashes_total", "Password hashes computed.")?,
            hashes_waiting: families.gauge("password_hashes_waiting", "Password hashes waiting or under way.")?,
            letters: families.counters(
                "letters_total",
                "Letters, by what became of them.",
                &["kind", "outcome"],
            )?,
            letters_waiting: families.gauge("letters_waiting", "Letters that wait to be sent.")?,
            letters_oldest: families.gauge("letters_oldest_seconds", "For how long the oldest letter waits.")?,
            reloads: families.counters("reloads_total", "Reloads of policy or sites.", &["result"])?,
            policy_revision: families.gauge("policy_revision", "The policy in force.")?,
            policy_age: families.gauge("policy_age_seconds", "Since the policy in force was taken over.")?,
            store_word: families.gauge(
                "store_word_fresh",
                "Whether memory may be judged from: always, where the store is this door's alone.",
            )?,
            store_word_lapses: families.counter("store_word_lapses_total", "Times it no longer might be.")?,
            requests_open: families.gauge("requests_open", "Requests and streams under way to consoles.")?,
            streams_ended: families.counter("streams_ended_total", "Streams ended because no longer permitted.")?,
            tunnels_open: families.gauge("websockets_open", "WebSockets open.")?,
            websockets_refused: families.counter("websockets_refused_total", "WebSockets over the limit.")?,
            panics: families.counter("panics_total", "Requests in one of whose stages something panicked.")?,
            connections_open: families.gauge("connections_open", "Visitors' connections open.")?,
            connections_refused: families.counters(
                "connections_refused_total",
                "Connections closed as soon as they came, by the limit they met.",
                &["limit"],
            )?,
            connections_broken: families.counters(
                "connections_broken_total",
                "Connections and HTTP/2 streams ended by the door before there was a request to answer.",
                &["reason"],
            )?,
            audit_events_dropped: families.counter(
                "audit_events_dropped_total",
                "Refusals that were counted and not written to the audit.",
            )?,
            registry: registry.clone(),
        };
        let process = prometheus::process_collector::ProcessCollector::for_self();
        registry.register(Box::new(process))?;
        Ok(metrics)
    }

    /// A judgement took this long.
    pub fn decided(&self, took: Duration) {
        self.decision.observe(took.as_secs_f64());
    }

    /// A connection was closed as soon as it came, because of this limit.
    pub fn connection_refused(&self, limit: &str) {
        self.connections_refused.with_label_values(&[limit]).inc();
    }

    /// A connection, or a stream of one, ended before there was a request to answer.
    pub fn connection_broken(&self, reason: &str) {
        self.connections_broken.with_label_values(&[reason]).inc();
    }

    /// A console answered after this long.
    pub fn upstream_answered(&self, site: &str, took: Duration) {
        self.upstream.with_label_values(&[site]).observe(took.as_secs_f64());
    }

    /// The store did something.
    pub fn store_worked(&self, operation: &str, took: Duration) {
        self.store.with_label_values(&[operation]).observe(took.as_secs_f64());
    }

    /// A request is over.
    pub fn request_finished(&self, ctx: &RequestContext) {
        let site = ctx.site_name();
        let area = ctx.area_name().unwrap_or("");
        let (decision, reason) = match ctx.outcome {
            "allowed" => ("allowed", ""),
            "portal" => ("portal", ""),
            reason => ("refused", reason),
        };
        self.requests.with_label_values(&[site, area, decision, reason]).inc();
    }

    /// The text that is scraped; what others count is read now.
    pub fn render(&self, door: &Doorkeeper, live: &Live, register: &Register) -> String {
        self.take_over(door, live, register);
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn take_over(&self, door: &Doorkeeper, live: &Live, register: &Register) {
        let (tally, status) = (door.tally(), live.status());
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.sessions_live
            .set(count(tally.live_sessions.load(Ordering::Relaxed)));
        raise(&self.lockouts, tally.lockouts.load(Ordering::Relaxed));
        raise(&self.displacements, tally.displacements.load(Ordering::Relaxed));
        raise(&self.bans, tally.bans.load(Ordering::Relaxed));
        raise(&self.hashes, tally.hashes.load(Ordering::Relaxed));
        self.hashes_waiting
            .set(count(tally.hashes_waiting.load(Ordering::Relaxed)));
        for (kind, outcome, total) in tally.letters().filter(|(_, _, total)| *total > 0) {
            raise(&self.letters.with_label_values(&[kind.name(), outcome.name()]), total);
        }
        self.letters_waiting
            .set(count(tally.letters_waiting.load(Ordering::Relaxed)));
        self.letters_oldest
            .set(count(tally.letters_oldest_seconds.load(Ordering::Relaxed)));
        for (outcome, total) in tally.sign_ins() {
            raise(&self.sign_ins.with_label_values(&[outcome]), total);
        }
        raise(&self.reloads.with_label_values(&["ok"]), status.reloads_ok);
        raise(&self.reloads.with_label_values(&["failed"]), status.reloads_failed);
        self.policy_revision.set(count(status.revision.0));
        self.store_word.set(i64::from(door.freshness().holds(door.now())));
        raise(&self.store_word_lapses, door.freshness().lapses());
        self.policy_age.set(count(door.now().since(status.loaded_at).as_secs()));
        self.requests_open.set(count(register.under_way() as u64));
    }
}

/// One more in a gauge, until it is dropped: what is counted may also end by a panic or by being dropped.
#[derive(Debug)]
pub struct Counted(IntGauge);

impl Counted {
    /// Counts it.
    pub fn one_more(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Brings a counter up to a total that is counted elsewhere.
fn raise(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

struct Families<'a> {
    registry: &'a Registry,
}

impl Families<'_> {
    fn name(family: &str) -> String {
        format!("stagedoor_{family}")
    }

    fn counter(&self, family: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        let counter = IntCounter::new(Self::name(family), help)?;
        self.registry.register(Box::new(counter.clone()))?;
        Ok(counter)
    }

    fn counters(&self, family: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        let counters = IntCounterVec::new(Opts::new(Self::name(family), help), labels)?;
        self.registry.register(Box::new(counters.clone()))?;
        Ok(counters)
    }

    fn gauge(&self, family: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        let gauge = IntGauge::new(Self::name(family), help)?;
        self.registry.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    }

    fn histogram(&self, family: &str, help: &str, buckets: &[f64]) -> Result<Histogram, prometheus::Error> {
        let histogram = Histogram::with_opts(HistogramOpts::new(Self::name(family), help).buckets(buckets.to_vec()))?;
        self.registry.register(Box::new(histogram.clone()))?;
        Ok(histogram)
    }

    fn histograms(&self, family: &str, help: &str, labels: &[&str]) -> Result<HistogramVec, prometheus::Error> {
        let opts = HistogramOpts::new(Self::name(family), help).buckets(SLOW_BUCKETS.to_vec());
        let histograms = HistogramVec::new(opts, labels)?;
        self.registry.register(Box::new(histograms.clone()))?;
        Ok(histograms)
    }
}

/// The closure the store and the admin listener are given.
pub type Render = Arc<dyn Fn() -> String + Send + Sync>;
