//! Whether this process may write to its store. When the store changes hands, steps wait; afterwards only one of the two
//! processes makes them.

use std::sync::Arc;

use tokio::sync::{OwnedRwLockWriteGuard, RwLock, RwLockReadGuard};

/// What is said of a step that comes too late.
const PASSED_ON: &str = "the process that has taken over writes to the store, and this one does so no more";

/// In front of every step.
#[derive(Debug, Default)]
pub(crate) struct Gate(Arc<RwLock<Owner>>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Owner {
    #[default]
    Here,
    Elsewhere,
}

/// A gate held closed: steps wait until it is passed on, or dropped, which opens it again.
#[derive(Debug)]
#[must_use = "dropped, the gate is open again"]
pub struct Closed(OwnedRwLockWriteGuard<Owner>);

impl Gate {
    /// Leave to make a step, for as long as what is answered is kept. Waits while the store changes hands.
    /// # Errors
    /// Where another process makes the steps from now on.
    pub(crate) async fn leave(&self) -> Result<impl Drop + use<'_>, &'static str> {
        let owner: RwLockReadGuard<'_, Owner> = self.0.read().await;
        if *owner == Owner::Here {
            Ok(owner)
        } else {
            Err(PASSED_ON)
        }
    }

    /// Lets no further step begin, and waits for those under way.
    pub(crate) async fn close(&self) -> Closed {
        Closed(Arc::clone(&self.0).write_owned().await)
    }
}

impl Closed {
    /// From now on another process makes the steps; those that waited here fail.
    pub fn pass_on(mut self) {
        *self.0 = Owner::Elsewhere;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const A_MOMENT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn steps_wait_while_the_gate_is_closed_and_go_on_when_it_opens_again() {
        let gate = Gate::default();
        let closed = gate.close().await;
        assert!(tokio::time::timeout(A_MOMENT, gate.leave()).await.is_err());
        drop(closed);
        assert!(gate.leave().await.is_ok());
    }

    #[tokio::test]
    async fn who_closes_waits_for_the_steps_under_way_and_who_comes_after_is_told() {
        let gate = Gate::default();
        let step = gate.leave().await.unwrap();
        assert!(tokio::time::timeout(A_MOMENT, gate.close()).await.is_err());
        drop(step);
        gate.close().await.pass_on();
        assert!(gate.leave().await.is_err());
    }
}
