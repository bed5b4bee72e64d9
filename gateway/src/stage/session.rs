//! Third: who is asking. Exactly one session cookie, or none.

use std::sync::Arc;

use pingora::proxy::Session;
use stagedoor_identity::session::Ended;
use stagedoor_identity::{Doorkeeper, LiveSession, Lookup};
use stagedoor_policy::time::Timestamp;
use stagedoor_portal::{Presented, presented_token};

use crate::proxy::Gate;
use crate::way::is_secure;

/// What is known of the visitor.
#[derive(Debug)]
pub enum Subject {
    /// Nobody is signed in.
    Stranger,
    /// Somebody is.
    Known(Arc<LiveSession>),
    /// Somebody was, and this is why no longer.
    Former(Ended),
    /// It cannot be told: this door has not heard in time what others changed.
    Untold,
}

/// Looks the presented cookie up in memory.
pub fn establish(headers: &http::HeaderMap, secure: bool, door: &Doorkeeper, now: Timestamp) -> Subject {
    let Presented::One(token) = presented_token(headers, secure) else {
        return Subject::Stranger;
    };
    subject(door.look_up(&token, now))
}

/// Who was asking when this door last heard what others changed.
pub fn last_known(headers: &http::HeaderMap, secure: bool, door: &Doorkeeper, now: Timestamp) -> Subject {
    let Presented::One(token) = presented_token(headers, secure) else {
        return Subject::Stranger;
    };
    subject(door.look_up_as_last_known(&token, now))
}

/// Has memory know who is asking, where another process than this has taken the door over; `false` where it cannot be told.
pub async fn is_as_stored(gate: &Gate, session: &Session) -> bool {
    if !gate.succession.is_succeeded() {
        return true;
    }
    let Presented::One(token) = presented_token(&session.req_header().headers, is_secure(session)) else {
        return true;
    };
    // Large, and never needed while this process serves alone.
    let caught_up = Box::pin(gate.succession.catch_up(&token)).await;
    if let Err(error) = &caught_up {
        tracing::error!(%error, "it cannot be told who asks: the store cannot be read");
    }
    caught_up.is_ok()
}

fn subject(lookup: Lookup) -> Subject {
    match lookup {
        Lookup::Live(session) => Subject::Known(session),
        Lookup::Ended(ended) => Subject::Former(ended),
        Lookup::Unknown => Subject::Stranger,
        Lookup::CannotTell => Subject::Untold,
    }
}
