//! The pages where one changes what is one's own, as typed values; the templates lay them out.

use askama::Template;

use crate::accounts::page::{Choice, Field};
use crate::refusal::PageLook;

/// What one is shown as, and one's choices.
#[derive(Template)]
#[template(path = "own_details.html")]
pub(crate) struct OwnDetailsPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) version: u64,
    /// What is wrong with no field in particular.
    pub(crate) errors: Vec<String>,
    pub(crate) display_name: Field,
    pub(crate) preferences: Vec<PreferenceRow>,
    pub(crate) preference_problems: Vec<String>,
}

impl OwnDetailsPage {
    /// Whether anything is wrong at all.
    pub(crate) fn is_wrong(&self) -> bool {
        !(self.errors.is_empty() && self.display_name.problems.is_empty() && self.preference_problems.is_empty())
    }
}

/// Something that one chooses for oneself.
pub(crate) struct PreferenceRow {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) choices: Vec<Choice>,
}

/// The name to sign in with.
#[derive(Template)]
#[template(path = "own_name.html")]
pub(crate) struct OwnNamePage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) name: Field,
    pub(crate) proof: Proof,
}

/// The address of one's letters.
#[derive(Template)]
#[template(path = "own_email.html")]
pub(crate) struct OwnEmailPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// The present one.
    pub(crate) present: Option<String>,
    /// Whether the door sends letters at all.
    pub(crate) letters: bool,
    /// The roles whose accounts can change it, where it does not.
    pub(crate) changed_by: Vec<String>,
    pub(crate) email: Field,
    pub(crate) proof: Proof,
}

/// What one is shown by.
#[derive(Template)]
#[template(path = "own_picture.html")]
pub(crate) struct OwnPicturePage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// The path of the present one.
    pub(crate) picture: Option<String>,
    /// `256 KiB`.
    pub(crate) at_most: String,
    pub(crate) error: Option<String>,
}

/// What is wrong besides the field itself.
#[derive(Default)]
pub(crate) struct Proof {
    /// Why nothing is changed, where that is about no field.
    pub(crate) error: Option<String>,
    /// The password that was typed is not the present one.
    pub(crate) password_is_wrong: bool,
}

/// A button that confirms an address, or the news that it is confirmed.
#[derive(Template)]
#[template(path = "email.html")]
pub(crate) struct ConfirmEmailPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// What the link carried.
    pub(crate) link: String,
    /// Whose address it will be, or is.
    pub(crate) name: String,
    pub(crate) confirmed: bool,
}
