//! Refusals on their way to the audit: queued, so that no request waits for the store, and written in batches.

use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::event::{Event, Kind, Outcome};
use stagedoor_identity::{Chance, Doorkeeper};
use stagedoor_policy::request::ClientAddress;
use stagedoor_policy::time::Timestamp;
use tokio::sync::mpsc;

use crate::context::RequestContext;
use crate::proxy::Gate;
use crate::refusal::Refused;
use crate::upgrade::Succession;
use crate::wire::WireFault;

mod flood;

use flood::Flood;

/// Refusals waiting to be written. When it is full, further ones are counted instead of written: a flood must not slow the door.
const WAITING_EVENTS_MAX: usize = 4096;
/// Events in one write.
const BATCH_EVENTS_MAX: usize = 256;
/// Between two tries to write them.
const TRY_AGAIN: Duration = Duration::from_millis(500);
/// Letters and digits that are not mistaken for each other when read aloud.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The near end of the queue.
#[derive(Debug, Clone)]
pub struct AuditQueue {
    waiting: mpsc::Sender<Event>,
    chance: Arc<dyn Chance>,
    flood: Arc<Flood>,
}

/// The far end.
#[derive(Debug)]
pub struct AuditWriter {
    waiting: mpsc::Receiver<Event>,
}

/// A queue and its writer.
pub fn queue(chance: Arc<dyn Chance>) -> (AuditQueue, AuditWriter) {
    let (near, far) = mpsc::channel(WAITING_EVENTS_MAX);
    let near = AuditQueue {
        waiting: near,
        chance,
        flood: Arc::new(Flood::new()),
    };
    (near, AuditWriter { waiting: far })
}

impl AuditQueue {
    /// Notes a refusal, as far as a flood leaves room for it; answers the support code it is found under.
    pub fn refused(&self, gate: &Gate, ctx: &RequestContext, refused: &Refused, rule: Option<String>) -> String {
        let (support_code, now) = (self.support_code(), gate.door.now());
        if ctx.address.is_some_and(|address| !self.flood.takes(address, now)) {
            gate.metrics.audit_events_dropped.inc();
            return support_code;
        }
        let mut event = Event::new(Kind::RequestRefused, Outcome::Refused, now);
        event.actor = ctx.account_name().unwrap_or_default();
        event.session = ctx.session.as_ref().map(|session| session.id().0.to_string());
        event.address = ctx.address.map(ClientAddress::ip);
        event.reason = Some(refused.code().to_owned());
        event.rule = rule;
        event.site = ctx.known_site_name();
        event.area = ctx.area_name().map(str::to_owned);
        event.target = ctx
            .target
            .as_ref()
            .map(|(method, spelling)| format!("{method} {}", spelling.path()).chars().take(512).collect());
        event.policy_revision = Some(ctx.snapshot.policy.revision().0);
        event.request_id = Some(ctx.id.to_string());
        event.support_code = Some(support_code.clone());
        if self.waiting.try_send(event).is_err() {
            gate.metrics.audit_events_dropped.inc();
        }
        support_code
    }

    /// Whether one more refusal of this address would be written down.
    pub fn has_room(&self, address: ClientAddress, now: Timestamp) -> bool {
        self.flood.has_room(address, now)
    }

    /// Notes what never became a request; `false` where there was no room for it.
    pub fn broken(&self, now: Timestamp, address: ClientAddress, fault: WireFault) -> bool {
        if !self.flood.takes(address, now) {
            return false;
        }
        let mut event = Event::new(Kind::RequestRefused, Outcome::Refused, now);
        event.address = Some(address.ip());
        event.reason = Some(fault.code().to_owned());
        self.waiting.try_send(event).is_ok()
    }

    /// `ABCD-2345`: 40 random bits, enough to be found by, too few to be worth keeping secret.
    fn support_code(&self) -> String {
        let mut bytes = [0_u8; 8];
        self.chance.fill(&mut bytes);
        let mut code = String::with_capacity(bytes.len() + 1);
        for (at, byte) in bytes.iter().enumerate() {
            if at == bytes.len() / 2 {
                code.push('-');
            }
            code.push(char::from(
                ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'A'),
            ));
        }
        code
    }
}

impl AuditWriter {
    /// Writes until the queue is closed or `stop` resolves; then writes what is left.
    pub async fn run(mut self, door: Arc<Doorkeeper>, succession: Arc<Succession>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        'open: loop {
            let mut batch = Vec::new();
            tokio::select! {
                received = self.waiting.recv_many(&mut batch, BATCH_EVENTS_MAX) => if received == 0 { return },
                () = &mut stop => break,
            }
            // While the store fails they wait, and what comes after them waits in the queue as long as that has room.
            while !is_written(&door, &succession, &batch).await {
                tokio::select! {
                    () = tokio::time::sleep(TRY_AGAIN) => {}
                    () = &mut stop => break 'open,
                }
            }
        }
        self.waiting.close();
        let mut rest = Vec::new();
        while self.waiting.recv_many(&mut rest, BATCH_EVENTS_MAX).await > 0 {
            let _last_try = is_written(&door, &succession, &std::mem::take(&mut rest)).await;
        }
    }
}

async fn is_written(door: &Doorkeeper, succession: &Succession, batch: &[Event]) -> bool {
    match succession.record(door, batch.to_vec()).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(error, events = batch.len(), "refusals cannot be written to the audit");
            false
        }
    }
}
