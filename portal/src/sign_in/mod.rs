//! The way in, one file a step. A step that went well leads to the next by a redirect, so every page can be reloaded; what
//! proves the steps before travels in the step cookie, or for programs in the answer.

pub(crate) mod enrol;
pub(crate) mod later;
pub(crate) mod new_password;
mod outcome;
pub(crate) mod password;
pub(crate) mod second_factor;

use http::HeaderValue;
use stagedoor_identity::sign_in::SignInRefusal;

pub(crate) use outcome::{advise_waiting, for_person, show_codes};
pub(crate) use password::{refused, with_link};

use crate::carried::{Carried, Pending, Step};
use crate::cookie::Jar;
use crate::forgery::{self, Bond};
use crate::halt::Halt;
use crate::visit::Visit;
use crate::words;

/// How people come in.
pub(crate) const BROWSER: &str = "browser";

/// A stranger's form: its token, what it is tied to, and the cookie to set where there was none.
pub(crate) struct StrangersForm {
    pub(crate) token: String,
    pub(crate) cookie: Option<HeaderValue>,
}

impl Visit {
    pub(crate) async fn strangers_form(&self) -> Result<StrangersForm, Halt> {
        let keys = self.keys().await?;
        if let Some(bond) = self.form_bond() {
            return Ok(StrangersForm {
                token: forgery::token(&keys.forms, &bond),
                cookie: None,
            });
        }
        let fresh = forgery::fresh_form_cookie();
        let bond = Bond::of_form(&fresh).ok_or(Halt::Broken)?;
        let cookie = Jar::Form.set(&fresh, self.caller.secure);
        Ok(StrangersForm {
            token: forgery::token(&keys.forms, &bond),
            cookie,
        })
    }

    /// What was carried here for this bond.
    pub(crate) async fn carried(&self, bond: Option<&Bond>) -> Result<Option<Carried>, Halt> {
        let keys = self.keys().await?;
        let sealed = Jar::Step.presented(&self.headers, self.caller.secure);
        Ok(bond
            .zip(sealed)
            .and_then(|(bond, sealed)| Carried::open(sealed, keys, bond)))
    }

    /// The cookie that carries something on.
    pub(crate) async fn carry(&self, carried: &Carried, bond: &Bond) -> Result<Option<HeaderValue>, Halt> {
        let sealed = carried.seal(self.keys().await?, bond).ok_or(Halt::Broken)?;
        Ok(Jar::Step.set(&sealed, self.caller.secure))
    }

    /// The step of a sign-in this visitor is at.
    async fn pending(&self) -> Result<Option<Pending>, Halt> {
        match self.carried(self.form_bond().as_ref()).await? {
            Some(Carried::Pending(pending)) => Ok(Some(pending)),
            Some(Carried::Done(_)) | None => Ok(None),
        }
    }

    /// What to tell of a refused step on a page.
    pub(crate) fn sentence(&self, refusal: &SignInRefusal) -> String {
        self.sentence_on(refusal, BROWSER)
    }

    /// What to tell of a step that was refused on a channel; an empty one: not known.
    pub(crate) fn sentence_on(&self, refusal: &SignInRefusal, channel: &str) -> String {
        let told = words::Told {
            policy: &self.portal.door.policy(),
            channel,
            address: self.caller.address.ip(),
            now: self.caller.now,
        };
        words::sign_in(refusal, &told)
    }
}

/// The path below the prefix where a step is taken.
fn page_of(step: Step) -> &'static str {
    match step {
        Step::SecondFactor => "login/second-factor",
        Step::Enrol => "login/enrol",
        Step::ChangePassword => "login/password",
        Step::OwnEnrolment => "profile/second-factor",
    }
}

/// A code as typed, without the blanks that apps show and people copy.
pub(crate) fn tidy_code(typed: &str) -> String {
    typed.split_whitespace().collect()
}
