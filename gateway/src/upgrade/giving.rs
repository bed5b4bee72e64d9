//! The former process's part of a hand-over.

use std::ffi::{OsStr, OsString};
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process};
use stagedoor_identity::Doorkeeper;
use stagedoor_identity::event::{Event, Kind, Outcome};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::Succession;
use super::errands::Errands;
use super::following::{self, Memory};
use super::link::{Link, Word};
use super::taking::Former;
use crate::ending::Phase;
use crate::open::Register;
use crate::storing::{Held, Passing};
use crate::systemd;

/// Tells that somebody asks for it.
type Asked = tokio::signal::unix::Signal;

/// What only a process of ours is started with.
const TAKE_OVER: &str = "--take-over";
/// For the new process to read its files and to bind what is new.
const PREPARED_WITHIN: Duration = Duration::from_secs(60);
/// For pages, calls and the letter under way to come to their end.
const QUIET_WITHIN: Duration = Duration::from_secs(30);
/// For the new process to open the store: meanwhile sign-ins wait.
const OPENED_WITHIN: Duration = Duration::from_secs(60);
/// For it to accept its first connection.
const SERVING_WITHIN: Duration = Duration::from_secs(20);

/// How this process was started, to be started so again.
#[derive(Debug, Clone)]
pub struct Relaunch {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Relaunch {
    /// By its own command line. The path is taken as it was typed: behind a link there may be another version by now.
    pub fn of_this_process() -> Self {
        let mut line = std::env::args_os();
        let program = PathBuf::from(line.next().unwrap_or_else(|| "stagedoor".into()));
        let typed_as_path = program.components().count() > 1;
        let program = match std::path::absolute(&program) {
            Ok(absolute) if typed_as_path => absolute,
            _ => program,
        };
        let mut arguments: Vec<OsString> = line.filter(|argument| argument != OsStr::new(TAKE_OVER)).collect();
        arguments.push(TAKE_OVER.into());
        Self { program, arguments }
    }
}

/// The sockets that can be handed over. Closed before others stop accepting on them: whoever closes a socket last has to have
/// accepted everybody that waits in its queue.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<Vec<TcpListener>>);

impl Sockets {
    /// One more.
    ///
    /// # Errors
    /// Where the system has no descriptor left for it.
    pub fn keep(&self, socket: &TcpListener) -> std::io::Result<()> {
        let socket = socket.try_clone()?;
        self.all().push(socket);
        Ok(())
    }

    /// They are not handed over any more.
    pub fn close(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, Vec<TcpListener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the former process hands over, and how it stops.
#[derive(Debug)]
pub struct Giver {
    /// How the new process is started; `None`: none is.
    pub relaunch: Option<Relaunch>,
    /// What is listened on, visitors' and the admin API's.
    pub sockets: Arc<Sockets>,
    /// What the store is called.
    pub store: String,
    /// How it is handed over.
    pub held: Held,
    /// Accounts and sessions.
    pub door: Arc<Doorkeeper>,
    /// What is open.
    pub register: Arc<Register>,
    /// Where steps are made.
    pub succession: Arc<Succession>,
    /// Says that letters rest, and hears that they do.
    pub letters: Letters,
    /// What is done now and then by the process that writes to the store.
    pub rounds: Mutex<Vec<AbortHandle>>,
    /// Told that another process serves instead.
    pub succeeded: watch::Sender<bool>,
    /// The process that this one took over from, while it is not gone.
    pub former: Option<Former>,
    /// How far this process has come in ending.
    pub phase: watch::Receiver<Phase>,
}

/// The letters' sender, as far as it can be told to rest.
#[derive(Debug)]
pub struct Letters {
    /// Says that it is to rest.
    pub rest: watch::Sender<bool>,
    /// Says that it does.
    pub resting: watch::Receiver<bool>,
}

/// The new process as its parent sees it.
struct Heir {
    link: Arc<Link>,
    pid: u32,
    /// How it ended, once it has.
    ended: watch::Receiver<Option<String>>,
    /// It serves: it goes on without this process.
    serves: bool,
}

/// Everything that has to be undone where a hand-over comes to nothing.
struct Underway<'g> {
    giver: &'g Giver,
    passing: Option<Passing>,
    waiting: Option<super::Waiting>,
}

impl Giver {
    /// Hands over whenever it is asked to, until it has or the door ends.
    pub async fn on_signals(self, mut asked: Asked) {
        let mut phase = self.phase.clone();
        let heir = tokio::select! {
            biased;
            // A process that is half started is ended with this one.
            _ = phase.wait_for(|phase| *phase > Phase::Open) => return,
            heir = self.until_handed_over(&mut asked) => heir,
        };
        let (former_pid, pid) = (std::process::id(), heir.pid);
        tracing::info!(former_pid, pid, "another process has taken over; this one drains");
        systemd::tell(&format!("MAINPID={pid}"));
        self.succeeded.send_replace(true);
        // The other process is told that this one has ended by its end of the link.
        std::future::pending::<()>().await;
        drop(heir);
    }

    async fn until_handed_over(&self, asked: &mut Asked) -> Heir {
        loop {
            if asked.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            let relaunch = match self.may_relaunch() {
                Ok(relaunch) => relaunch,
                Err(why) => {
                    tracing::error!(why, "not upgraded; this process goes on serving");
                    continue;
                }
            };
            let (pid, handing_over) = (std::process::id(), self.hand_over(relaunch));
            tokio::pin!(handing_over);
            let outcome = loop {
                tokio::select! {
                    outcome = &mut handing_over => break outcome,
                    _ = asked.recv() => tracing::warn!("an upgrade is under way already"),
                }
            };
            match outcome {
                Ok(heir) => return heir,
                Err(why) => {
                    tracing::error!(pid, why, "not upgraded; this process goes on serving");
                    self.note_failure(&why).await;
                }
            }
        }
    }

    fn may_relaunch(&self) -> Result<&Relaunch, &'static str> {
        let relaunch = self.relaunch.as_ref().ok_or("only what `serve` runs can be upgraded")?;
        if std::process::id() == 1 {
            return Err(
                "this is the first process of its container, which ends with it: start a second container and take this \
                 one down by SIGQUIT",
            );
        }
        match &self.former {
            Some(former) if !former.is_gone() => {
                Err("the process that this one took over from has not ended yet: wait for it")
            }
            _ => Ok(relaunch),
        }
    }

    async fn note_failure(&self, why: &str) {
        let event = Event::by_itself(Kind::DoorUpgraded, Outcome::Failed, self.door.now())
            .detail("pid", std::process::id().to_string())
            .detail("fault", why);
        if let Err(error) = self.succession.record(&self.door, vec![event]).await {
            tracing::error!(error, "that an upgrade failed could not be written to the audit");
        }
    }

    /// Answers the new process once that serves.
    async fn hand_over(&self, relaunch: &Relaunch) -> Result<Heir, String> {
        let (errands_here, errands_there) = std::os::unix::net::UnixStream::pair().map_err(text)?;
        let mut heir = Heir::start(relaunch)?;
        tracing::info!(former_pid = std::process::id(), pid = heir.pid, "an upgrade begins");
        self.greet(&heir, &errands_there)?;
        drop(errands_there);
        heir.says(&Word::Prepared, PREPARED_WITHIN).await?;

        let mut underway = Underway {
            giver: self,
            passing: None,
            waiting: None,
        };
        let handed = self
            .hand_over_store(&mut heir, &mut underway, errands_here.into())
            .await;
        if let Err(why) = handed {
            heir.end().await;
            underway.undo().await?;
            return Err(why);
        }
        heir.serves = true;
        Ok(heir)
    }

    fn greet(&self, heir: &Heir, errands: &std::os::unix::net::UnixStream) -> Result<(), String> {
        let hello = Word::Hello {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            store: self.store.clone(),
        };
        let sockets = self.sockets.all();
        let listened_on = sockets.iter().map(TcpListener::as_fd);
        let sockets: Vec<BorrowedFd<'_>> = std::iter::once(errands.as_fd()).chain(listened_on).collect();
        heir.link.say(&hello, &sockets).map_err(text)
    }

    /// From `prepared` to `serving`.
    async fn hand_over_store(
        &self,
        heir: &mut Heir,
        underway: &mut Underway<'_>,
        errands: OwnedFd,
    ) -> Result<(), String> {
        let quiet = tokio::time::timeout(QUIET_WITHIN, self.fall_quiet(underway)).await;
        quiet.map_err(|_| "pages, calls or a letter under way did not come to their end in time".to_owned())??;
        heir.say(&Word::Store)?;
        heir.says(&Word::Opened, OPENED_WITHIN).await?;

        let errands = Errands::begin(errands).await.map_err(text)?;
        if self.held.is_shared() {
            heir.say(&Word::Go)?;
            return heir.says(&Word::Serving, SERVING_WITHIN).await;
        }
        self.succession.judge_by(Some(Memory::of(&self.door)));
        heir.say(&Word::Go)?;
        heir.says(&Word::Serving, SERVING_WITHIN).await?;
        if let Some(passing) = underway.passing.take() {
            passing.pass_on();
        }
        for round in self.rounds.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            round.abort();
        }
        let follow = following::follow(Arc::clone(&self.door), Arc::clone(&self.register), errands.clone());
        tokio::spawn(follow);
        if let Some(waiting) = underway.waiting.take() {
            waiting.go_to(errands);
        }
        Ok(())
    }

    /// No letter is under way, and, where the store is this process's alone, nothing else is that may write to it.
    async fn fall_quiet(&self, underway: &mut Underway<'_>) -> Result<(), String> {
        self.letters.rest.send_replace(true);
        let mut resting = self.letters.resting.clone();
        resting.wait_for(|resting| *resting).await.map_err(text)?;
        if self.held.is_shared() {
            return Ok(());
        }
        underway.waiting = Some(self.succession.wait().await);
        // What only memory knows is written down: the new process reads it.
        self.door.keep_house().await.map_err(text)?;
        underway.passing = Some(self.held.begin_to_pass().await);
        Ok(())
    }
}

impl Underway<'_> {
    /// All goes on here as before.
    async fn undo(self) -> Result<(), String> {
        let giver = self.giver;
        let was_judged_elsewhere = giver.succession.is_succeeded();
        if let Some(passing) = self.passing
            && let Err(why) = giver.held.take_back(passing).await
        {
            // Nobody can make a step here any more: whoever started this process starts it again.
            tracing::error!(%why, "the store cannot be taken back: closing");
            if kill_process(getpid(), Signal::TERM).is_err() {
                std::process::abort();
            }
            return Err(why.to_string());
        }
        if was_judged_elsewhere {
            giver.door.catch_up_with_all().await.map_err(text)?;
            giver.succession.judge_by(None);
        }
        giver.letters.rest.send_replace(false);
        drop(self.waiting);
        Ok(())
    }
}

impl Heir {
    fn start(relaunch: &Relaunch) -> Result<Self, String> {
        let (link, theirs) = Link::pair().map_err(text)?;
        let mut command = Command::new(&relaunch.program);
        command.args(&relaunch.arguments).stdin(theirs);
        let mut child = command
            .spawn()
            .map_err(|error| format!("`{}` cannot be started: {error}", relaunch.program.display()))?;
        // Both hold this process's copy of the other's end until here.
        drop(command);
        let pid = child.id();
        let (tell, ended) = watch::channel(None);
        let waiting = std::thread::Builder::new().name("upgrade".to_owned()).spawn(move || {
            // Waited for in any case, or the child would be left a zombie.
            tell.send_replace(Some(child.wait().map_or_else(text, text)));
        });
        waiting.map_err(text)?;
        Ok(Self {
            link: Arc::new(link),
            pid,
            ended,
            serves: false,
        })
    }

    fn say(&self, word: &Word) -> Result<(), String> {
        let none: &[OwnedFd] = &[];
        self.link.say(word, none).map_err(text)
    }

    /// Waits until it says that.
    async fn says(&mut self, wanted: &Word, within: Duration) -> Result<(), String> {
        let link = Arc::clone(&self.link);
        let heard = tokio::task::spawn_blocking(move || link.hear(Some(within)))
            .await
            .map_err(text)?;
        match heard {
            Ok(Some((word, _))) if word == *wanted => Ok(()),
            Ok(Some((word, _))) => Err(format!("the new process said {word:?} in place of {wanted:?}")),
            Ok(None) => Err(self.why_it_ended().await),
            Err(error) => Err(format!(
                "the new process has not said {wanted:?} within {} s: {error}",
                within.as_secs()
            )),
        }
    }

    async fn why_it_ended(&mut self) -> String {
        let ended = tokio::time::timeout(SERVING_WITHIN, self.ended.wait_for(Option::is_some)).await;
        let status = ended.ok().and_then(|ended| ended.ok()?.clone());
        match status {
            Some(status) => format!("the new process ended ({status}); what it said of it stands above"),
            None => "the new process hung up".to_owned(),
        }
    }

    /// It is not wanted any more. Waits until it is gone: only then is the store free.
    async fn end(&mut self) {
        self.kill();
        // Killed, it ends; what it answers is of no matter.
        drop(tokio::time::timeout(SERVING_WITHIN, self.ended.wait_for(Option::is_some)).await);
    }

    fn kill(&self) {
        let id = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(id) = id
            && self.ended.borrow().is_none()
        {
            // It may have ended by itself: then there is nobody to send the signal to.
            let _gone = kill_process(id, Signal::KILL);
        }
    }
}

impl Drop for Heir {
    /// It must not go on by itself where this process does not know of it.
    fn drop(&mut self) {
        if !self.serves {
            self.kill();
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
