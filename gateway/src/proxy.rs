//! Pingora's callbacks, each of which calls its stage and nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
use crate::metrics::Metrics;
use crate::refusal::Refused;
use crate::request_id::RequestIds;
use crate::stage::forward::Passport;
use crate::stage::{forward, reply};
use crate::upstream::Upstreams;
use crate::way;

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
    /// Where consoles live.
    pub upstreams: Arc<Upstreams>,
    /// For tunnels, which use connections of their own.
    pub connector: TunnelConnector,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Where refusals are recorded.
    pub audit: AuditQueue,
    /// One line a request.
    pub access_log: Option<AccessLog>,
    /// Names for requests.
    pub ids: RequestIds,
}

/// Pingora's connector, which has no `Debug` of its own.
pub struct TunnelConnector(pub pingora::connectors::TransportConnector);

impl std::fmt::Debug for TunnelConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TunnelConnector")
    }
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

    async fn upstream_peer(&self, _session: &mut Session, ctx: &mut RequestContext) -> Result<Box<HttpPeer>> {
        ctx.upstream_started = Some(Instant::now());
        let Some(site) = ctx.permitted_site() else {
            return Error::e_explain(ErrorType::HTTPStatus(500), "no permit, no way upstream");
        };
        match self.upstreams.peer(site).await {
            Ok(peer) => Ok(Box::new(peer)),
            Err(_) => Error::e_explain(ErrorType::ConnectError, "the upstream's name does not resolve"),
        }
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        let (Some(admitted), Some(site)) = (ctx.admitted.as_ref(), ctx.permitted_site()) else {
            return Error::e_explain(ErrorType::HTTPStatus(500), "no permit, no way upstream");
        };
        let host = way::raw_host_text(session.req_header());
        let secure = way::is_secure(session);
        let assertions = &self.assertions;
        forward::rewrite(
            request,
            &Passport {
                admitted,
                site,
                id: ctx.id,
                secure,
                host: &host,
                assertions,
            },
        )
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
            slot.turn()
                .body_arrives(body.as_ref().map_or(0, |bytes| bytes.len() as u64));
            if end_of_stream {
                slot.turn().body_ends();
            }
        }
        if let Some(limit) = ctx.permitted_site().and_then(|site| site.body_bytes_max) {
            ctx.body_bytes_seen += body.as_ref().map_or(0, |bytes| bytes.len() as u64);
            if ctx.body_bytes_seen > limit {
                return Error::e_explain(ErrorType::HTTPStatus(413), "the body is larger than the site allows");
            }
        }
        // An empty last chunk would end a chunked body twice and poison the pooled connection (cloudflare/pingora#935).
        if end_of_stream && body.as_ref().is_some_and(Bytes::is_empty) {
            *body = None;
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        _session: &mut Session,
        answer: &mut ResponseHeader,
        ctx: &mut RequestContext,
    ) -> Result<()> {
        if answer.status == http::StatusCode::SWITCHING_PROTOCOLS {
            // Nobody asked: what asks for another protocol never comes this way. Passed on, it would open a tunnel that
            // nobody judges.
            return Err(Error::explain(ErrorType::InvalidHTTPHeader, "a 101 that nobody asked for").into_up());
        }
        if !answer.status.is_informational() {
            if let Some(started) = ctx.upstream_started.take() {
                self.metrics.upstream_answered(ctx.site_name(), started.elapsed());
            }
            ctx.outcome = "allowed";
        }
        reply::clean(answer)
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, ctx: &mut RequestContext) -> FailToProxy {
        let nothing_sent = session.response_written().is_none();
        let refused = match ctx.wire_fault() {
            Some(fault) => Some(Refused::Wire(fault)),
            None => refused_by(error),
        };
        let error_code = match refused {
            Some(refused) if nothing_sent => {
                session.set_keepalive(None);
                answer::refuse(self, session, ctx, &refused, None).await.unwrap_or(0)
            }
            Some(refused) => refused.status().as_u16(),
            None => 0,
        };
        FailToProxy {
            error_code,
            can_reuse_downstream: false,
        }
    }

    fn suppress_error_log(&self, _session: &Session, _ctx: &RequestContext, _error: &Error) -> bool {
        // Our own log has the line; pingora's would let anybody fill the disk with errors.
        true
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, ctx: &mut RequestContext) {
        if let Some(error) = error {
            tracing::debug!(request = %ctx.id, %error, "a request broke off");
        }
        if let Some(slot) = &ctx.slot {
            slot.clear();
        }
        let status = session
            .response_written()
            .map_or(ctx.status, |answer| answer.status.as_u16());
        self.metrics.request_finished(ctx);
        if let Some(log) = &self.access_log {
            log.write(session, ctx, status, self.door.now().as_micros());
        }
    }
}

/// What a failure is to the visitor; `None` where the visitor is gone.
fn refused_by(error: &Error) -> Option<Refused> {
    match (error.etype(), error.esource()) {
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
