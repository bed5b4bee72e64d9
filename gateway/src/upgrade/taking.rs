//! The new process's part of a hand-over.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::link::{Link, Word};
use crate::fault::StartFault;

/// For the first word, which is said before this process is started.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// What was handed over.
#[derive(Debug)]
pub struct Heritage {
    link: Link,
    errands: OwnedFd,
    sockets: Vec<TcpListener>,
    former: Who,
}

/// The former process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Its id.
    pub pid: u32,
    /// Its version.
    pub version: String,
}

/// Knows whether the former process is still there.
#[derive(Debug, Clone, Default)]
pub struct Former(Arc<AtomicBool>);

impl Former {
    /// Whether it has ended.
    pub fn is_gone(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Heritage {
    /// Takes it from the process that started this one.
    ///
    /// # Errors
    /// Where that is no door in the midst of an upgrade, or one with another store.
    pub fn receive(store: &str) -> Result<Self, StartFault> {
        let not_ours = |why: String| {
            StartFault::Failed(format!(
                "`--take-over` is what a running door starts its successor with (send it SIGUSR2): {why}"
            ))
        };
        let link = Link::from_standard_input().map_err(|error| not_ours(error.to_string()))?;
        let heard = link
            .hear(Some(HELLO_WITHIN))
            .map_err(|error| not_ours(error.to_string()))?;
        let Some((
            Word::Hello {
                pid,
                version,
                store: theirs,
            },
            sockets,
        )) = heard
        else {
            return Err(not_ours("nobody says what is handed over".to_owned()));
        };
        if theirs != store {
            return Err(StartFault::Failed(format!(
                "the running door has {theirs}, the files name {store}: accounts and sessions would be lost; stop the door, \
                 copy its store (`stagedoor store copy`), and start it"
            )));
        }
        let mut sockets = sockets.into_iter();
        let errands = sockets
            .next()
            .ok_or_else(|| not_ours("no socket came along".to_owned()))?;
        Ok(Self {
            link,
            errands,
            sockets: sockets.map(TcpListener::from).collect(),
            former: Who { pid, version },
        })
    }

    /// Who it comes from.
    pub fn former(&self) -> &Who {
        &self.former
    }

    /// The socket that is listened on at that address, where there is one.
    pub fn socket(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let is_there = |socket: &TcpListener| socket.local_addr().is_ok_and(|at| at == address);
        let found = self.sockets.iter().position(is_there)?;
        Some(self.sockets.swap_remove(found))
    }

    /// All that does not need the store is ready: waits for the store. Where the former process is gone, it is free.
    ///
    /// # Errors
    /// Where something else is said.
    pub fn wait_for_store(&self) -> Result<(), StartFault> {
        self.say_and_wait(&Word::Prepared, &Word::Store)
    }

    /// The store is open: waits until the former process judges nothing any more without asking it.
    ///
    /// # Errors
    /// Where something else is said.
    pub fn wait_for_go(&self) -> Result<(), StartFault> {
        self.say_and_wait(&Word::Opened, &Word::Go)
    }

    /// People are let in here. Then the former process ends when it has nothing left to do, and until then sends its errands
    /// by that socket.
    pub fn serves(self) -> (OwnedFd, Former) {
        let former = Former::default();
        if !self.say(&Word::Serving) {
            former.0.store(true, Ordering::Release);
            return (self.errands, former);
        }
        let (gone, who, link) = (Arc::clone(&former.0), self.former, self.link);
        let listening = std::thread::Builder::new().name("upgrade".to_owned()).spawn(move || {
            // It says nothing more: what is waited for is that it hangs up.
            while matches!(link.hear(None), Ok(Some(_))) {}
            gone.store(true, Ordering::Release);
            tracing::info!(
                former_pid = who.pid,
                pid = std::process::id(),
                "the former process has ended"
            );
        });
        if let Err(error) = listening {
            tracing::warn!(%error, "it cannot be noticed when the former process ends");
        }
        (self.errands, former)
    }

    fn say_and_wait(&self, said: &Word, wanted: &Word) -> Result<(), StartFault> {
        if !self.say(said) {
            return Ok(());
        }
        match self.link.hear(None) {
            Ok(Some((word, _))) if word == *wanted => Ok(()),
            Ok(None) => {
                tracing::warn!(
                    former_pid = self.former.pid,
                    "the former process is gone in the midst of the upgrade; this one goes on without it"
                );
                Ok(())
            }
            Ok(Some((word, _))) => Err(StartFault::Failed(format!(
                "the former process said {word:?} in place of {wanted:?}"
            ))),
            Err(error) => Err(StartFault::Failed(format!(
                "the former process cannot be heard: {error}"
            ))),
        }
    }

    /// `false`: nobody hears it.
    fn say(&self, word: &Word) -> bool {
        let none: &[OwnedFd] = &[];
        self.link.say(word, none).is_ok()
    }
}
