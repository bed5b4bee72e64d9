//! The pages, as typed values; the templates beside them only lay them out.

use askama::Template;

use crate::refusal::PageLook;
use crate::when::When;
use crate::words::Words;

/// Name and password.
#[derive(Template)]
#[template(path = "login.html")]
pub(crate) struct LoginPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// Where the visitor wanted to go; empty: nowhere in particular.
    pub(crate) to: String,
    /// What was typed before.
    pub(crate) name: String,
    /// Why one is here.
    pub(crate) notice: Option<Words>,
    pub(crate) error: Option<String>,
    pub(crate) host: String,
    /// Where a visitor who is signed in already may go on to.
    pub(crate) onward: String,
    /// What a link carried that gives the right to set up a second factor; empty: there is none.
    pub(crate) link: String,
    /// Whether a link for a forgotten password can be asked for.
    pub(crate) reset: bool,
}

/// The first account's name and password.
#[derive(Template)]
#[template(path = "setup.html")]
pub(crate) struct SetupPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// What the printed link carried.
    pub(crate) link: String,
    /// What was typed before.
    pub(crate) name: String,
    pub(crate) error: Option<String>,
    pub(crate) problems: Vec<String>,
}

/// A code of the second factor.
#[derive(Template)]
#[template(path = "second_factor.html")]
pub(crate) struct SecondFactorPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) error: Option<String>,
}

/// The new secret, and a code to prove that it arrived.
#[derive(Template)]
#[template(path = "enrol.html")]
pub(crate) struct EnrolPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) error: Option<String>,
    /// A `data:` address.
    pub(crate) qr: Option<String>,
    pub(crate) typed: String,
    /// The path below the prefix that the form posts to.
    pub(crate) action: &'static str,
    /// During sign-in it is demanded; on the profile page it may be left.
    pub(crate) demanded: bool,
}

/// The recovery codes, once.
#[derive(Template)]
#[template(path = "recovery_codes.html")]
pub(crate) struct RecoveryCodesPage {
    pub(crate) look: PageLook,
    pub(crate) codes: Vec<String>,
    /// Where to go on.
    pub(crate) onward: String,
    pub(crate) host: String,
    pub(crate) at: When,
}

/// A new password in place of a temporary one.
#[derive(Template)]
#[template(path = "new_password.html")]
pub(crate) struct NewPasswordPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) error: Option<String>,
    pub(crate) problems: Vec<String>,
}

/// A button to sign out with, or the news that it is done.
#[derive(Template)]
#[template(path = "logout.html")]
pub(crate) struct LogoutPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
}

/// One's own account.
#[derive(Template)]
#[template(path = "profile.html")]
pub(crate) struct ProfilePage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) done: Option<String>,
    pub(crate) display_name: String,
    /// The path of one's picture.
    pub(crate) picture: Option<String>,
    /// Whether there may be one.
    pub(crate) pictures: bool,
    pub(crate) email: Option<String>,
    /// What holds of each preference.
    pub(crate) chosen: Vec<ChosenRow>,
    pub(crate) role: String,
    pub(crate) last_sign_in: Option<When>,
    pub(crate) second_factor: bool,
    pub(crate) recovery_codes_left: u32,
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) address: String,
}

/// A preference and what holds of it.
pub(crate) struct ChosenRow {
    pub(crate) title: String,
    pub(crate) choice: String,
}

/// One of one's own sessions.
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) current: bool,
    pub(crate) address: String,
    pub(crate) agent: String,
    /// Empty for browsers.
    pub(crate) channel: String,
    pub(crate) opened: When,
    pub(crate) used: When,
}

/// Change one's own password.
#[derive(Template)]
#[template(path = "own_password.html")]
pub(crate) struct OwnPasswordPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) error: Option<String>,
    /// Whether the error is about the current password and not the new one.
    pub(crate) current_is_wrong: bool,
    pub(crate) problems: Vec<String>,
}

/// Set up one's own second factor: the password first.
#[derive(Template)]
#[template(path = "own_second_factor.html")]
pub(crate) struct OwnSecondFactorPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) error: Option<String>,
    /// Whether it replaces one.
    pub(crate) again: bool,
}

/// Who am I?
#[derive(Template)]
#[template(path = "whoami.html")]
pub(crate) struct WhoamiPage {
    pub(crate) look: PageLook,
    pub(crate) address: String,
    pub(crate) account: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) expires: Option<When>,
    pub(crate) site: Option<String>,
    pub(crate) scheme: &'static str,
    pub(crate) host: String,
}

/// A password, by a one-time link.
#[derive(Template)]
#[template(path = "link_password.html")]
pub(crate) struct LinkPasswordPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// What the link carried.
    pub(crate) link: String,
    /// Whose password it will be.
    pub(crate) name: String,
    /// An invitation, or a forgotten password.
    pub(crate) invited: bool,
    /// The path below the prefix that the form posts to.
    pub(crate) action: &'static str,
    pub(crate) error: Option<String>,
    pub(crate) problems: Vec<String>,
}

/// A link that is worth nothing.
#[derive(Template)]
#[template(path = "link_dead.html")]
pub(crate) struct DeadLinkPage {
    pub(crate) look: PageLook,
    pub(crate) sentence: String,
    pub(crate) invited: bool,
}

/// Ask for a link by e-mail.
#[derive(Template)]
#[template(path = "reset.html")]
pub(crate) struct AskResetPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// Whether that was just done.
    pub(crate) asked: bool,
}

/// A password that was set by a link.
#[derive(Template)]
#[template(path = "password_set.html")]
pub(crate) struct PasswordSetPage {
    pub(crate) look: PageLook,
    pub(crate) name: String,
}
