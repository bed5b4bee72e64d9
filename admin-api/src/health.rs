//! `/livez`, `/readyz`, `/metrics`: for probes and scrapers, without a token; they name nobody.

use std::time::Duration;

use axum::Json as Answer;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Anybody, Gate};
use crate::board::BoardStatus;
use crate::layers::text;
use crate::nodes::{Word, agreement};
use crate::problem::ListenerRefusals;

/// A store that takes longer than this to answer is not ready.
const STORE_SECONDS_MAX: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> OpenApiRouter<Gate> {
    OpenApiRouter::new()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
}

/// Whether requests can be judged.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// What was looked at. A faulty policy file does not make the door unready: the policy before it stays in force.
    checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
struct Check {
    /// `policy`, `policy-file`, `store`; of one of several doors `lease` and `nodes`, too.
    name: &'static str,
    ok: bool,
    detail: String,
}

/// Whether the process answers at all.
#[utoipa::path(get, path = "/livez", tag = "health",
    responses((status = 200, content_type = "text/plain", body = String, description = "It does."), ListenerRefusals))]
async fn livez() -> Response {
    text("text/plain; charset=utf-8", "ok\n".to_owned())
}

/// Whether requests can be judged: 200 where they can, 503 where they cannot.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = Readiness, description = "They can."),
        (status = 503, body = Readiness, description = "They cannot; the checks say why."), ListenerRefusals))]
async fn readyz(anybody: Anybody) -> (StatusCode, Answer<Readiness>) {
    let (word, store) = (anybody.nodes().word(), store_check(&anybody).await);
    let mut readiness = readiness(anybody.board().status(), store, word);
    if word.is_some() {
        readiness.checks.push(nodes_check(&anybody).await);
    }
    let code = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Answer(readiness))
}

fn readiness(status: BoardStatus, store: Check, word: Option<Word>) -> Readiness {
    let policy = Check {
        name: "policy",
        ok: true,
        detail: format!("revision {} is in force", status.revision),
    };
    let (ok, detail) = match status.last_fault {
        None => (true, "what is in force is what the files say".to_owned()),
        Some(fault) => (false, fault.text),
    };
    let file = Check {
        name: "policy-file",
        ok,
        detail,
    };
    // Where sites serve by what was last known, a probe must not take the door away from them.
    let passed_over = word.is_some_and(|word| word.is_passed_over);
    let lease = word.map(lease_check);
    let hears = store.ok && lease.as_ref().is_none_or(|lease| lease.ok);
    Readiness {
        ready: policy.ok && (hears || passed_over),
        checks: [policy, file, store].into_iter().chain(lease).collect(),
    }
}

fn lease_check(word: Word) -> Check {
    let heard = format!("word from the store {} ms ago", word.age.as_millis());
    let detail = match (word.is_fresh, word.is_passed_over) {
        (true, _) => heard,
        (false, true) => format!("{heard}: some sites go by what was last known"),
        (false, false) => format!("{heard}: whoever is signed in is refused"),
    };
    Check {
        name: "lease",
        ok: word.is_fresh,
        detail,
    }
}

/// Whether all doors run the same policy. This one is ready all the same: it runs the last that it could.
async fn nodes_check(anybody: &Anybody) -> Check {
    let asked = tokio::time::timeout(STORE_SECONDS_MAX, anybody.nodes().nodes()).await;
    let (ok, detail) = match asked {
        Ok(Ok(nodes)) => agreement(&nodes),
        Ok(Err(_)) | Err(_) => (false, "the store cannot be asked for the other doors".to_owned()),
    };
    Check {
        name: "nodes",
        ok,
        detail,
    }
}

/// Without the store nobody can sign in, and no sign-in can be judged.
async fn store_check(anybody: &Anybody) -> Check {
    let asked = tokio::time::timeout(STORE_SECONDS_MAX, anybody.store().policy_revision()).await;
    let (ok, detail) = match asked {
        Ok(Ok(_)) => (true, "it answers".to_owned()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store failed a readiness check");
            (false, "it fails; the log says why".to_owned())
        }
        Err(_) => (
            false,
            format!("it did not answer within {} s", STORE_SECONDS_MAX.as_secs()),
        ),
    };
    Check {
        name: "store",
        ok,
        detail,
    }
}

/// Counters and gauges in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content_type = "text/plain", body = String, description = "The metrics of the moment."),
        ListenerRefusals))]
async fn metrics(anybody: Anybody) -> Response {
    text("text/plain; version=0.0.4; charset=utf-8", anybody.metrics())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::BoardFault;

    fn ready(file_at_fault: bool, store_ok: bool, word: Option<Word>) -> bool {
        let fault = BoardFault {
            at: "2026-11-22T16:45:00.000000Z".to_owned(),
            text: "unknown key `mey`".to_owned(),
        };
        let status = BoardStatus {
            revision: 7,
            etag: "\"0123456789abcdef\"".to_owned(),
            loaded_at: "2026-11-22T16:00:00.000000Z".to_owned(),
            last_fault: file_at_fault.then_some(fault),
            reloads_ok: 1,
            reloads_failed: 1,
            restart_needed: Vec::new(),
            warnings: Vec::new(),
        };
        let store = Check {
            name: "store",
            ok: store_ok,
            detail: String::new(),
        };
        readiness(status, store, word).ready
    }

    #[test]
    fn a_faulty_file_leaves_the_door_ready_and_a_failing_store_does_not() {
        assert!(ready(false, true, None));
        assert!(ready(true, true, None));
        assert!(!ready(false, false, None));
    }

    #[test]
    fn a_door_without_word_from_the_store_is_ready_only_while_a_site_goes_without() {
        let word = |is_fresh, is_passed_over| {
            Some(Word {
                is_fresh,
                age: Duration::from_millis(300),
                is_passed_over,
            })
        };
        assert!(ready(false, true, word(true, false)));
        assert!(!ready(false, true, word(false, false)));
        assert!(!ready(false, false, word(true, false)));
        assert!(ready(false, false, word(false, true)));
    }
}
