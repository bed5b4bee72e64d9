//! A step on its way to a connection and its answer on the way back.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use stagedoor_identity::port::StoreError;
use tokio::sync::oneshot;

use super::fault::{self, Fault};

/// A step whose answer's type is forgotten, so that one queue holds them all.
pub(super) trait Step: Send {
    /// Does it.
    /// # Errors
    /// Why it is to be rolled back.
    fn run(&mut self, connection: &Connection) -> Result<(), String>;

    /// Tells who asked; `lost`: why all that was done has come to nothing.
    fn answer(self: Box<Self>, lost: Option<&str>);
}

/// Makes a step of some work and the place where its answer will arrive.
pub(super) fn new<T, W>(
    operation: &'static str,
    file: Arc<Path>,
    work: W,
) -> (Box<dyn Step>, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    W: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let step = Typed {
        operation,
        file,
        work: Some(work),
        outcome: None,
        reply,
    };
    (Box::new(step), answer)
}

struct Typed<T, W> {
    operation: &'static str,
    file: Arc<Path>,
    work: Option<W>,
    outcome: Option<Result<T, Fault>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Step for Typed<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), String> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        let outcome = work(connection);
        let verdict = outcome.as_ref().map(|_done| ()).map_err(Fault::describe);
        self.outcome = Some(outcome);
        verdict
    }

    fn answer(self: Box<Self>, lost: Option<&str>) {
        let answer = match (lost, self.outcome) {
            (Some(why), _) => Err(fault::engine(self.operation, &self.file, why)),
            (None, Some(outcome)) => outcome.map_err(|fault| fault.into_store_error(self.operation, &self.file)),
            (None, None) => Err(fault::engine(self.operation, &self.file, "the step was never run")),
        };
        // Who asked may have gone; the step stands all the same.
        let _ = self.reply.send(answer);
    }
}
