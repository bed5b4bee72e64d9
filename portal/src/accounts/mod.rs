//! The accounts that somebody administers: a list, one at a time, what may be done to it, and the forms to make and change one.
//!
//! Who may do what is decided by the doorkeeper, at each step and anew. What these pages do not show is what it would refuse;
//! what it refuses nevertheless is told in its words.
//!
//! Reading order: `enter` (who may see these pages), `list`, `rights` (what may be done), `one`, `act`, `password`; then
//! `form`, `grants`, `add` and `edit`.

pub(crate) mod act;
pub(crate) mod add;
pub(crate) mod edit;
mod enter;
mod form;
mod grants;
pub(crate) mod invite;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod page;
pub(crate) mod password;
mod rights;

use axum::response::Response;

use crate::carried::{AccountDone, Carried, Done};
use crate::cookie::Jar;
use crate::forgery::{self, Bond};
use crate::halt::Halt;
use crate::visit::{SignedIn, with_cookies};
pub(crate) use enter::{Administrator, administers};
#[cfg(test)]
pub(crate) use rights::May;

impl Administrator<'_> {
    /// The token of the forms of whoever is signed in.
    pub(crate) async fn token(&self) -> Result<String, Halt> {
        Ok(forgery::token(&self.visit.keys().await?.forms, &bond(self.signed_in)))
    }

    /// On to a page that says what was done.
    pub(crate) async fn done(&self, page: &str, done: AccountDone) -> Result<Response, Halt> {
        let carried = Carried::Done(Done::Account(done));
        let cookie = self.visit.carry(&carried, &bond(self.signed_in)).await?;
        Ok(with_cookies(self.visit.redirect(&self.visit.path(page))?, [cookie]))
    }

    /// What was just done, and the answer's way to say it once.
    pub(crate) async fn just_done(&self) -> Result<Option<String>, Halt> {
        Ok(match self.visit.carried(Some(&bond(self.signed_in))).await? {
            Some(Carried::Done(Done::Account(done))) => Some(done.sentence(&self.policy)),
            Some(Carried::Done(_) | Carried::Pending(_)) | None => None,
        })
    }

    /// Forgets what was said.
    pub(crate) fn said(&self, answer: Response, done: Option<&str>) -> Response {
        with_cookies(answer, [done.and_then(|_| Jar::Step.clear(self.visit.caller.secure))])
    }
}

fn bond(signed_in: &SignedIn) -> Bond {
    Bond::of_session(signed_in.session.id())
}
