//! Pingora's callbacks, each of which calls its stage and nothing else. A panic in any of them ends in a 500 like any other
//! failure.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use stagedoor_config::Live;
use stagedoor_identity::Doorkeeper;

use crate::access_log::AccessLog;
use crate::answer;
use crate::assertion::Assertions;
use crate::audit::AuditQueue;
use crate::context::RequestContext;
use crate::https;
use crate::loops::Mark;
use crate::metrics::Metrics;
use crate::panics::{PANICKED, caught, caught_at_once};
use crate::refusal::Refused;
use crate::request_id::RequestIds;
use crate::seats::Seats;
use crate::upgrade::Succession;
use crate::upstream::Upstreams;
use crate::upstream::fault::AnswerFault;
use crate::upstream::patience::TooSlow;
use crate::upstream::strict::Stale;
use crate::way;

mod exchange;

/// A visitor who reads nothing for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// A visitor who sends nothing for this long in the middle of a body is gone.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Everything a request needs on its way.
#[derive(Debug)]
pub struct Gate {
    /// The rules and sites of the moment.
    pub live: Arc<Live>,
    /// Accounts and sessions.
    pub door: Arc<Doorkeeper>,
    /// The pages under the reserved prefix.
    pub portal: axum::Router,
    /// Signed assertions for consoles.
    pub assertions: Arc<Assertions>,
    /// By which requests of ours are known again.
    pub mark: Mark,
    /// Where consoles live.
    pub upstreams: Arc<Upstreams>,
    /// Who has how many WebSockets open.
    pub seats: Arc<Seats>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Where refusals are recorded.
    pub audit: AuditQueue,
    /// One line a request.
    pub access_log: Option<AccessLog>,
    /// Names for requests.
    pub ids: RequestIds,
    /// Where steps are made, and so what requests are judged by.
    pub succession: Arc<Succession>,
}

#[async_trait]
impl ProxyHttp for Gate {
    type CTX = RequestContext;

    fn new_ctx(&self) -> RequestContext {
        RequestContext::new(self.ids.next(), self.live.current())
    }

    async fn early_request_filter(&self, session: &mut Session, ctx: &mut RequestContext) -> Result<()> {
        // How long the next request may be waited for is watched where it is read; what is no request ends the connection.
        if ctx.wire_fault().is_some() {
            session.set_keepalive(None);
        }
        session.set_read_timeout(Some(READ_TIMEOUT));
        session.set_write_timeout(Some(WRITE_TIMEOUT));
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut RequestContext) -> Result<bool> {
        way::travel(self, session, ctx).await
    }

    async fn upstream_peer(&self, session: &mut Session, ctx: &mut RequestContext) -> Result<Box<HttpPeer>> {
        caught("peer", exchange::peer(self, session, ctx)).await
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        caught_at_once("forward", || exchange::forward(self, session, request, ctx))
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        if session.is_http2()
            && let Some(slot) = &ctx.slot
        {
            // Of HTTP/1 the stream itself sees the body.
            slot.turn()
                .body_passes(body.as_ref().map_or(0, Bytes::len), end_of_stream);
            slot.turn().awaits_body();
        }
        caught_at_once("request body", || exchange::request_body(body, end_of_stream, ctx))
    }

    async fn upstream_response_filter(
        &self,
        _session: &mut Session,
        answer: &mut ResponseHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        caught_at_once("answered", || exchange::answered(answer, ctx))
    }

    fn upstream_response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        ctx: &mut RequestContext,
    ) -> Result<Option<Duration>> {
        caught_at_once("answer body", || {
            exchange::answer_body(body.as_ref(), end_of_stream, ctx)
        })
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        answer: &mut ResponseHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        caught_at_once("reply", || {
            exchange::reply(self, session, answer, ctx)?;
            https::promise(answer, session, &ctx.snapshot.building)
        })
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        _ctx: &mut RequestContext,
        client_reused: bool,
    ) -> Box<Error> {
        let repeatable = session.req_header().method.is_idempotent() && !session.as_ref().retry_buffer_truncated();
        if repeatable && below::<Stale>(&error).is_some() {
            error.set_retry(true);
        } else if repeatable {
            error.retry.decide_reuse(client_reused);
        } else {
            error.set_retry(false);
        }
        error
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, ctx: &mut RequestContext) -> FailToProxy {
        let answered = caught("refusal", self.refuse_for(session, error, ctx)).await;
        FailToProxy {
            error_code: answered.unwrap_or(0),
            can_reuse_downstream: false,
        }
    }

    fn suppress_error_log(&self, _session: &Session, _ctx: &RequestContext, _error: &Error) -> bool {
        // Our own log has the line; pingora's would let anybody fill the disk with errors.
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, ctx: &mut RequestContext) {
        if let Some(slot) = &ctx.slot {
            slot.clear();
        }
        let noted = caught_at_once("log", || {
            self.note(session, error, ctx);
            Ok(())
        });
        if noted.is_err() {
            self.metrics.panics.inc();
        }
    }
}

impl Gate {
    /// Answers what could not be forwarded, where nothing has been sent yet.
    async fn refuse_for(&self, session: &mut Session, error: &Error, ctx: &mut RequestContext) -> Result<u16> {
        if let Some(slot) = &ctx.slot {
            // What was to be said of the console's answer is not said of ours.
            slot.answer_lines().begin();
        }
        if error.etype() == &PANICKED {
            self.metrics.panics.inc();
        }
        if let Some(fault) = below::<AnswerFault>(error) {
            tracing::info!(request = %ctx.id, site = ctx.site_name(), %fault, "a console's answer was not passed on");
        }
        let answered = session.response_written();
        let nothing_sent = answered.is_none_or(|answer| answer.status.is_informational());
        let refused = match ctx.wire_fault() {
            Some(fault) => Some(Refused::Wire(fault)),
            None => refused_by(error),
        };
        match refused {
            Some(refused) if nothing_sent => {
                session.set_keepalive(None);
                answer::refuse(self, session, ctx, &refused, None).await
            }
            Some(refused) => {
                if refused == Refused::Internal {
                    self.audit.refused(self, ctx, &refused, None);
                }
                Ok(refused.status().as_u16())
            }
            None => Ok(0),
        }
    }

    fn note(&self, session: &Session, error: Option<&Error>, ctx: &RequestContext) {
        if let Some(error) = error {
            tracing::debug!(request = %ctx.id, %error, "a request broke off");
        }
        let status = session
            .response_written()
            .map_or(ctx.status, |answer| answer.status.as_u16());
        self.metrics.request_finished(ctx);
        if let Some(log) = &self.access_log {
            let took = ctx.started.elapsed();
            // Judging comes microseconds after the start.
            let over_at = ctx.judged_at.map_or_else(|| self.door.now(), |at| at.after(took));
            log.write(session, ctx, status, (over_at, took));
        }
    }
}

/// What the stream of a console reported, which reaches us through an error of the machine's reading.
fn below<T: std::error::Error + 'static>(error: &Error) -> Option<&T> {
    let cause = error.root_cause();
    let reported = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    cause.downcast_ref::<T>().or_else(|| reported?.downcast_ref::<T>())
}

/// What a failure is to the visitor; `None` where the visitor is gone.
pub(crate) fn refused_by(error: &Error) -> Option<Refused> {
    match (error.etype(), error.esource()) {
        (etype, _) if etype == &PANICKED => Some(Refused::Internal),
        _ if below::<AnswerFault>(error).is_some() => Some(Refused::UpstreamMalformed),
        _ if below::<TooSlow>(error).is_some() => Some(Refused::UpstreamTimeout),
        (ErrorType::HTTPStatus(413), _) => Some(Refused::BodyTooLarge),
        (ErrorType::HTTPStatus(_), _) => Some(Refused::Internal),
        (ErrorType::ConnectTimedout | ErrorType::ReadTimedout | ErrorType::WriteTimedout, ErrorSource::Upstream) => {
            Some(Refused::UpstreamTimeout)
        }
        (ErrorType::InvalidHTTPHeader, ErrorSource::Upstream) => Some(Refused::UpstreamMalformed),
        (ErrorType::ConnectError, _) | (_, ErrorSource::Upstream) => Some(Refused::UpstreamUnreachable),
        (ErrorType::WriteError | ErrorType::ReadError | ErrorType::ConnectionClosed, ErrorSource::Downstream) => None,
        (_, ErrorSource::Downstream) => Some(Refused::TargetMalformed("request_malformed")),
        _ => Some(Refused::Internal),
    }
}
