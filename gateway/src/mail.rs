//! The sender: takes letters out of the outbox and hands them to the mail server, one after another over one connection.
//!
//! A letter is marked as being handed over before its first byte is, and forgotten once the server has said that it took it
//! over. So a door that dies loses none, and sends one again only where the server had all of it and its answer was lost
//! ([`Blame::Unknown`], or a mark that is still there after a start). What is the server's fault costs no letter anything:
//! all wait, ever longer, up to [`PAUSE_MAX`].

mod connection;
mod envelope;
mod narrow;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use stagedoor_config::{Live, Mail};
use stagedoor_identity::letter::{DueLetter, OpenedLetter, retry_after};
use stagedoor_identity::port::StoreError;
use stagedoor_identity::{Chance, Doorkeeper};
use stagedoor_policy::time::Timestamp;
use tokio::sync::watch;

pub(crate) use connection::{Connection, TAKEN_OVER_WITHIN};
pub(crate) use envelope::Envelope;
pub(crate) use trouble::{Blame, Step, Trouble};

/// How often the outbox is looked into: a look that finds nothing is one read of an index.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The longest pause after a server's failure: one that comes back is used within this time.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Added to what the steps may take, for the store's own.
const SPARE: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug)]
pub struct Sender {
    live: Arc<Live>,
    door: Arc<Doorkeeper>,
    chance: Arc<dyn Chance>,
    /// By which claims are known as this door's after a start.
    worker: String,
    server: Server,
}

/// How it stands with the mail server.
#[derive(Debug, Default)]
struct Server {
    /// The settings everything below belongs to.
    mail: Option<Mail>,
    connection: Option<Connection>,
    failures: u32,
    paused_until: Option<Timestamp>,
}

/// What to do after a letter.
enum Next {
    Another,
    Wait,
}

impl Sender {
    /// One sender a door; `worker` is the same after each start of this door, and no other door's.
    pub fn new(live: Arc<Live>, door: Arc<Doorkeeper>, chance: Arc<dyn Chance>, worker: String) -> Self {
        Self {
            live,
            door,
            chance,
            worker,
            server: Server::default(),
        }
    }

    /// Sends until `stop`; a letter that is under way then is finished first.
    pub async fn run(&mut self, mut stop: watch::Receiver<bool>) {
        self.release().await;
        while !*stop.borrow() {
            if let Err(error) = self.round(&stop).await {
                tracing::error!(%error, "letters wait: the store failed");
            }
            let stopped = stop.wait_for(|stop| *stop);
            if tokio::time::timeout(LOOK_INTERVAL, stopped).await.is_ok() {
                break;
            }
        }
        self.server.hang_up().await;
    }

    /// What a door that was killed had claimed is due again at once.
    async fn release(&self) {
        match self.door.release_letters(&self.worker).await {
            Ok(0) => {}
            Ok(letters) => tracing::info!(letters, "letters that were under way when the door ended are sent now"),
            Err(error) => tracing::warn!(%error, "letters that were under way are sent once their claims are over"),
        }
    }

    /// Sends all that is due, as long as the server takes it.
    async fn round(&mut self, stop: &watch::Receiver<bool>) -> Result<(), StoreError> {
        self.door.letters_waiting().await?;
        let mail = self.live.current().building.mail.clone();
        if self.server.mail != mail {
            self.server.hang_up().await;
            self.server = Server {
                mail: mail.clone(),
                ..Server::default()
            };
        }
        let Some(mail) = mail else { return Ok(()) };
        if self.server.paused_until.is_some_and(|until| self.door.now() < until) {
            return Ok(());
        }
        while !*stop.borrow() {
            // One at a time: a claim need not outlast any letter but its own.
            let claim_for = mail.timeout * connection::WAITS_BEFORE_MAX + SPARE;
            let Some((due, letter)) = self.door.due_letters(&self.worker, claim_for, 1).await?.pop() else {
                break;
            };
            if let Next::Wait = self.send(&mail, &due, &letter).await? {
                break;
            }
        }
        self.server.hang_up().await;
        self.door.letters_waiting().await?;
        Ok(())
    }

    async fn send(&mut self, mail: &Mail, due: &DueLetter, letter: &OpenedLetter) -> Result<Next, StoreError> {
        let envelope = match Envelope::seal(mail, &due.letter.to, due.letter.due_at, letter) {
            Ok(envelope) => envelope,
            Err(why) => {
                self.door.letter_refused(due, &why).await?;
                return Ok(Next::Another);
            }
        };
        if let Err(trouble) = self.announce(mail, &envelope).await {
            return self.told(mail, due, &trouble).await;
        }
        if !self.door.handing_over(due, TAKEN_OVER_WITHIN + SPARE).await? {
            // Withdrawn meanwhile. The server waits for its text: hanging up tells it that there will be none.
            self.server.connection = None;
            return Ok(Next::Another);
        }
        let Some(connection) = &mut self.server.connection else {
            return Ok(Next::Wait);
        };
        match connection.hand_over(&envelope).await {
            Ok(answer) => {
                self.door.letter_sent(due).await?;
                tracing::debug!(id = %due.letter.id.0, answer, "a letter was taken over");
                self.server.worked();
                Ok(Next::Another)
            }
            Err(trouble) => self.told(mail, due, &trouble).await,
        }
    }

    /// Up to where the letter itself follows; over the connection there is, or a new one.
    async fn announce(&mut self, mail: &Mail, envelope: &Envelope) -> Result<(), Trouble> {
        if let Some(mut open) = self.server.connection.take() {
            match open.announce(envelope, |_step| ()).await {
                Ok(()) => {
                    self.server.connection = Some(open);
                    return Ok(());
                }
                // Servers take only so many letters over one connection, and say so in many ways: a new one tells.
                Err(trouble) if trouble.blame == Blame::Server => {}
                Err(trouble) => return Err(trouble),
            }
        }
        let mut fresh = Connection::open(mail, |_step| ()).await?;
        fresh.announce(envelope, |_step| ()).await?;
        self.server.connection = Some(fresh);
        Ok(())
    }

    /// Notes what became of a letter that was not taken over. The connection is not used again: it may be out of step.
    async fn told(&mut self, mail: &Mail, due: &DueLetter, trouble: &Trouble) -> Result<Next, StoreError> {
        self.server.connection = None;
        let why = trouble.to_string();
        match trouble.blame {
            Blame::Letter => self.door.letter_refused(due, &why).await?,
            Blame::LetterForNow | Blame::Server => self.door.letter_failed(due, &why, due.may_have_arrived).await?,
            Blame::Unknown => self.door.letter_failed(due, &why, true).await?,
        }
        if matches!(trouble.blame, Blame::Letter | Blame::LetterForNow) {
            tracing::warn!(id = %due.letter.id.0, kind = due.letter.kind.name(), why, "a letter was not taken over");
            self.server.failures = 0;
            return Ok(Next::Another);
        }
        self.server.failures = self.server.failures.saturating_add(1);
        let pause = retry_after(self.server.failures, mail.retry_after, self.chance.as_ref()).min(PAUSE_MAX);
        self.server.paused_until = Some(self.door.now().after(pause));
        tracing::warn!(
            server = mail.host,
            port = mail.port,
            why,
            pause_s = pause.as_secs(),
            "letters wait: the mail server does not take them"
        );
        Ok(Next::Wait)
    }
}

impl Server {
    fn worked(&mut self) {
        self.failures = 0;
        self.paused_until = None;
    }

    async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }
}
