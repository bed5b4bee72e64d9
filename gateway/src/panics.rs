//! What becomes of a panic in a stage: one request's 500 with a support code, and a line in the log that says where.
//!
//! `Slot::run` in `open.rs` would end the connection without a word; it stays the last net.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};

use futures_util::FutureExt as _;
use pingora::{Error, ErrorType, Result};

/// The error that a caught panic becomes; its text never leaves the machine.
pub const PANICKED: ErrorType = ErrorType::Custom("a stage panicked");

/// Runs a stage. Whatever it left half done belongs to its request alone, which is over now.
///
/// # Errors
/// The stage's own, or [`PANICKED`].
pub async fn caught<T>(stage: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(panicked(stage)))
}

/// [`caught`], for a stage that does not wait.
///
/// # Errors
/// The stage's own, or [`PANICKED`].
pub fn caught_at_once<T>(stage: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked(stage)))
}

fn panicked(stage: &'static str) -> Box<Error> {
    tracing::error!(
        stage,
        "a stage panicked; its request is answered with 500, nothing else is affected"
    );
    Error::explain(PANICKED, stage)
}

/// Has every panic logged with its place. A formatted text may hold what a visitor sent, or a secret, so only texts that
/// stand in the source are shown.
pub fn log_places() {
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(place = place(panic), text = fixed_text(panic.payload()), "a panic");
    }));
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic
        .location()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string)
}

fn fixed_text(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("not shown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_and_an_error_stays_what_it_was() {
        let caught_panic = caught("decide", async { if true { panic!("of no concern") } else { Ok(()) } }).await;
        assert_eq!(caught_panic.unwrap_err().etype(), &PANICKED);
        let at_once = caught_at_once("body", || if true { panic!("of no concern") } else { Ok(()) });
        assert_eq!(at_once.unwrap_err().etype(), &PANICKED);
        let own = caught("decide", async { Err::<(), _>(Error::new(ErrorType::ReadError)) }).await;
        assert_eq!(own.unwrap_err().etype(), &ErrorType::ReadError);
        assert_eq!(caught("decide", async { Ok(7) }).await.unwrap(), 7);
    }

    #[test]
    fn a_text_that_was_made_up_of_data_is_not_shown() {
        let secret = "hunter2".to_owned();
        let formatted = catch_unwind(|| panic!("the password is {secret}")).unwrap_err();
        assert_eq!(fixed_text(formatted.as_ref()), "not shown");
        let fixed = catch_unwind(|| panic!("a fixed text")).unwrap_err();
        assert_eq!(fixed_text(fixed.as_ref()), "a fixed text");
    }
}
