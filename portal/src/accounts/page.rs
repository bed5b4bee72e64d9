//! The pages about accounts, as typed values; the templates lay them out.

use askama::Template;

use super::rights::May;
use crate::refusal::PageLook;
use crate::when::When;

/// The accounts that somebody administers.
#[derive(Template)]
#[template(path = "accounts.html")]
pub(crate) struct AccountsPage {
    pub(crate) look: PageLook,
    pub(crate) done: Option<String>,
    pub(crate) error: Option<String>,
    /// What was searched for.
    pub(crate) searched: String,
    /// Whether these are the first.
    pub(crate) begun: bool,
    pub(crate) may_add: bool,
    /// Whether every device is theirs to see.
    pub(crate) sees_devices: bool,
    pub(crate) rows: Vec<AccountRow>,
    /// The query of the first page.
    pub(crate) first: String,
    /// The query of the next page.
    pub(crate) next: Option<String>,
}

/// One of them.
pub(crate) struct AccountRow {
    pub(crate) id: String,
    /// The path of its picture.
    pub(crate) picture: Option<String>,
    pub(crate) display_name: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) devices: u32,
    /// `2026-11-22`.
    pub(crate) registered: String,
    pub(crate) last_sign_in: Option<When>,
    pub(crate) state: State,
}

/// Where an account stands.
pub(crate) struct State {
    pub(crate) name: &'static str,
    pub(crate) until: Option<When>,
}

/// One account.
#[derive(Template)]
#[template(path = "account.html")]
pub(crate) struct AccountPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) version: u64,
    pub(crate) done: Option<String>,
    pub(crate) errors: Vec<String>,
    pub(crate) id: String,
    pub(crate) heading: String,
    /// The path of its picture.
    pub(crate) picture: Option<String>,
    pub(crate) display_name: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) role: String,
    /// Whether it is the visitor's.
    pub(crate) own: bool,
    pub(crate) networks: Vec<String>,
    pub(crate) grants: Vec<String>,
    /// How many are linked to it.
    pub(crate) devices: u32,
    /// The first of them.
    pub(crate) linked: Vec<LinkedDevice>,
    pub(crate) registered: String,
    pub(crate) last_sign_in: Option<When>,
    pub(crate) second_factor: bool,
    pub(crate) password_temporary: bool,
    pub(crate) sessions: usize,
    pub(crate) state: State,
    pub(crate) may: May,
}

/// A device that is linked to the account.
pub(crate) struct LinkedDevice {
    pub(crate) name: String,
    /// `2026-11-22`.
    pub(crate) registered: String,
    pub(crate) last_seen: Option<When>,
}

/// Are you sure?
#[derive(Template)]
#[template(path = "account_confirm.html")]
pub(crate) struct ConfirmPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) version: u64,
    pub(crate) id: String,
    pub(crate) act: &'static str,
    pub(crate) question: &'static str,
    pub(crate) consequence: &'static str,
    pub(crate) button: &'static str,
    pub(crate) called: String,
    pub(crate) name: String,
}

/// A temporary password.
#[derive(Template)]
#[template(path = "account_password.html")]
pub(crate) struct TemporaryPasswordPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    pub(crate) id: String,
    pub(crate) called: String,
    pub(crate) name: String,
    pub(crate) problems: Vec<String>,
}

/// A link, this once.
#[derive(Template)]
#[template(path = "account_link.html")]
pub(crate) struct ShownLinkPage {
    pub(crate) look: PageLook,
    pub(crate) id: String,
    pub(crate) name: String,
    /// An invitation, or a right to set a second factor up anew.
    pub(crate) invited: bool,
    pub(crate) link: String,
}

/// What an account is made of: a new one, or one that is there.
#[derive(Template)]
#[template(path = "account_form.html")]
pub(crate) struct AccountFormPage {
    pub(crate) look: PageLook,
    pub(crate) token: String,
    /// `None`: a new one.
    pub(crate) there: Option<There>,
    /// Whether its holder is invited, and chooses the password.
    pub(crate) invites: bool,
    /// Where the invitation goes, and every other letter.
    pub(crate) email: Option<Field>,
    /// What is wrong with no field in particular.
    pub(crate) errors: Vec<String>,
    pub(crate) display_name: Field,
    pub(crate) name: Field,
    pub(crate) roles: Vec<RoleChoice>,
    pub(crate) role_problems: Vec<String>,
    /// Where networks may be given.
    pub(crate) networks: Option<Field>,
    /// The roles whose accounts may have networks of their own, where not all may.
    pub(crate) networks_for: Vec<String>,
    /// What is to be confirmed: a list that would keep its owner out.
    pub(crate) unreachable: Option<Unreachable>,
    /// Of the password of a new account.
    pub(crate) password_problems: Vec<String>,
    /// Where grants may be given.
    pub(crate) grants: Option<Vec<GrantRow>>,
    pub(crate) grant_problems: Vec<String>,
}

/// The account that is being changed.
pub(crate) struct There {
    pub(crate) id: String,
    pub(crate) called: String,
    pub(crate) version: u64,
}

/// What was typed, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) value: String,
    pub(crate) problems: Vec<String>,
}

/// A role that can be chosen.
pub(crate) struct RoleChoice {
    pub(crate) name: String,
    pub(crate) chosen: bool,
    /// Whether its accounts may have networks of their own: else the field for them is not displayed.
    pub(crate) with_networks: bool,
}

/// A list of networks, and the address of its owner that is not in it.
pub(crate) struct Unreachable {
    pub(crate) address: String,
    pub(crate) networks: String,
}

/// An area, and what of it can be granted.
pub(crate) struct GrantRow {
    /// `console/devices`: the name of its field.
    pub(crate) place: String,
    /// For people and for ids: its number on the page.
    pub(crate) number: usize,
    pub(crate) levels: Vec<Choice>,
    pub(crate) actions: Vec<Choice>,
}

/// Something that can be chosen.
pub(crate) struct Choice {
    pub(crate) name: String,
    pub(crate) chosen: bool,
}

impl AccountFormPage {
    /// Whether anything is wrong at all.
    pub(crate) fn is_wrong(&self) -> bool {
        let wrong = |field: &Option<Field>| field.as_ref().is_some_and(|field| !field.problems.is_empty());
        !(self.errors.is_empty()
            && self.display_name.problems.is_empty()
            && self.name.problems.is_empty()
            && self.role_problems.is_empty()
            && self.password_problems.is_empty()
            && self.grant_problems.is_empty())
            || wrong(&self.networks)
            || wrong(&self.email)
    }
}
