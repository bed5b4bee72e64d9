//! The former process's memory, once another one writes to the store: nothing is judged from it that was not read at that moment,
//! and what is open is judged again by what is read several times a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stagedoor_identity::port::StoreError;
use stagedoor_identity::{Doorkeeper, LiveSession, SessionToken, USES_INTERVAL};
use tokio::sync::Mutex;

use super::errands::Errands;
use crate::open::Register;

/// Sessions of what is open are read this often, and never for more than a fifth of the time.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// For so long what is open goes on when the store cannot be read.
const UNREAD_MAX: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub struct Memory {
    door: Arc<Doorkeeper>,
    /// When everything was last read: whoever asked before that need not read again.
    read_all: Mutex<Option<Instant>>,
}

impl Memory {
    /// Of that door.
    pub fn of(door: &Arc<Doorkeeper>) -> Arc<Self> {
        Arc::new(Self {
            door: Arc::clone(door),
            read_all: Mutex::default(),
        })
    }

    /// Has it know what the store knows of the token.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn catch_up_with(&self, token: &SessionToken) -> Result<(), StoreError> {
        if self.door.knows(token) {
            return self.door.catch_up_with(token).await;
        }
        // Made up or opened since: read by one for all who wait, however many tokens somebody makes up.
        let asked = Instant::now();
        let mut read_all = self.read_all.lock().await;
        if read_all.is_some_and(|began| began >= asked) {
            return Ok(());
        }
        let began = Instant::now();
        self.door.catch_up_with(token).await?;
        *read_all = Some(began);
        Ok(())
    }
}

/// Keeps what is open as the store has it, until dropped.
pub async fn follow(door: Arc<Doorkeeper>, register: Arc<Register>, errands: Errands) {
    let (mut read_at, mut told_at) = (Instant::now(), Instant::now());
    loop {
        let began = Instant::now();
        let sessions = sessions_under_way(&register);
        match door.catch_up(&sessions).await {
            Ok(()) => read_at = began,
            Err(error) if read_at.elapsed() > UNREAD_MAX => {
                let ended = register.judge_again(|admitted| admitted.session.is_none());
                tracing::error!(%error, ended, "the store cannot be read; what was open for somebody signed in is ended");
            }
            Err(error) => tracing::warn!(%error, "the store could not be read; it is tried again"),
        }
        if told_at.elapsed() >= USES_INTERVAL {
            told_at = Instant::now();
            tell_of_uses(&door, &sessions, &errands).await;
        }
        tokio::time::sleep(LOOK_INTERVAL.max(began.elapsed() * 4)).await;
    }
}

/// So that neither process takes a session for idle that is in use at the other.
pub async fn tell_of_uses(door: &Doorkeeper, under_way: &[Arc<LiveSession>], errands: &Errands) {
    let uses = door.uses_to_tell(under_way);
    if uses.is_empty() {
        return;
    }
    match errands.exchange(uses).await {
        Ok(latest) => door.learn_of_uses(&latest),
        Err(error) => tracing::debug!(error, "uses could not be told to the process that took over"),
    }
}

/// Of what is open, each once.
pub fn sessions_under_way(register: &Register) -> Vec<Arc<LiveSession>> {
    let admitted = register.admitted().into_iter();
    let mut sessions: Vec<_> = admitted.filter_map(|admitted| admitted.session.clone()).collect();
    sessions.sort_unstable_by_key(|session| session.id());
    sessions.dedup_by_key(|session| session.id());
    sessions
}
