//! What a policy says about accounts: names, seats, roles that are handed over, preferences, sentences.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;

use super::Policy;
use crate::password::ContextWords;
use crate::role::Standing;
use crate::rules::{
    AccountNetworkRules, AccountRules, ChangedBy, Enrolment, HeldBy, InvitationRules, MessageKey, PasswordRules,
    ResetRules,
};

/// The compiled form of the rules about accounts that belong to no role.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) account: AccountRules,
    pub(crate) password: PasswordRules,
    pub(crate) enrolment: Enrolment,
    pub(crate) invitation: InvitationRules,
    pub(crate) reset: ResetRules,
    /// By name, in rising order.
    pub(crate) seats: Vec<Seats>,
    /// By name, in rising order.
    pub(crate) preferences: Vec<Preference>,
    pub(crate) messages: BTreeMap<MessageKey, String>,
    pub(crate) departures: BTreeMap<String, String>,
    /// The door's title and the policy's own words.
    pub(crate) context: ContextWords,
    /// What a channel says about itself, where it says anything.
    pub(crate) channels: HashMap<Box<str>, Channel, FixedState>,
}

/// What is special about a channel, its sessions apart.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    pub(crate) linked_device: bool,
    pub(crate) refused: Option<String>,
}

/// A group of roles whose accounts are counted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    /// The group's name.
    pub name: String,
    /// Roles of the policy.
    pub roles: Vec<String>,
    /// Accounts at most, invited ones included; at least 1.
    pub at_most: u32,
    /// What to do when all are taken.
    pub advice: Option<String>,
}

/// Something an account chooses for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// Its name.
    pub name: String,
    /// What people read.
    pub title: String,
    /// What can be chosen; never empty, and fit to be a header's value.
    pub choices: Vec<String>,
    /// What holds for who has not chosen; one of the choices.
    pub default: String,
    /// The header that consoles are told by; begins with `X-Stagedoor-Preference-`, so no visitor can set it.
    pub header: String,
    /// Where a choice leads after sign-in: paths in the door's one spelling.
    pub leads: BTreeMap<String, String>,
}

impl Preference {
    /// What holds for an account that chose `chosen`: a choice that the policy has no more is none.
    pub fn holds<'a>(&'a self, chosen: Option<&str>) -> &'a str {
        let choice = self.choices.iter().find(|choice| Some(choice.as_str()) == chosen);
        choice.unwrap_or(&self.default)
    }
}

impl Policy {
    /// So many accounts of the role that have accepted and are not disabled have to stay; 1 for a role held by one.
    pub fn keep_at_least(&self, role: &str) -> u32 {
        self.standing(role).map_or(0, |standing| match standing.held_by {
            HeldBy::Any => standing.keep_at_least,
            HeldBy::One => 1,
        })
    }
    /// Whether any number of accounts may hold the role, or exactly one.
    pub fn held_by(&self, role: &str) -> HeldBy {
        self.standing(role).map(|standing| standing.held_by).unwrap_or_default()
    }
    /// Whether the holder of `role` may hand it over to an account of the role `to`. Never for a role that is not held by
    /// one, and never to another that is.
    pub fn handed_to(&self, role: &str, to: &str) -> bool {
        let Some(standing) = self.standing(role).filter(|standing| standing.held_by == HeldBy::One) else {
            return false;
        };
        let fit = self.has_role(to) && self.held_by(to) == HeldBy::Any;
        let named = |roles: &Vec<Box<str>>| roles.iter().any(|named| **named == *to);
        fit && standing.handed_to.as_ref().is_none_or(named)
    }
    /// The role that the former holder gets. `None`: the one that the new holder had.
    pub fn hands_down_to(&self, role: &str) -> Option<&str> {
        self.standing(role)?.hands_down_to.as_deref()
    }
    /// Who may give an account of this role another role; administrators where the policy does not have it any more.
    pub fn role_changed_by(&self, role: &str) -> ChangedBy {
        self.standing(role)
            .map_or(ChangedBy::Administrators, |standing| standing.role_changed_by)
    }
    /// The roles whose accounts an account of this role may see and manage, in rising order of their names.
    pub fn administers(&self, role: &str) -> impl Iterator<Item = &str> {
        let standing = self.standing(role);
        standing
            .into_iter()
            .flat_map(|standing| &standing.administers)
            .map(|name| &**name)
    }
    /// Whether an account of `role` may see and manage one of `other`; who administers all roles, also one that the policy
    /// does not have any more.
    pub fn may_administer(&self, role: &str, other: &str) -> bool {
        let standing = self.standing(role);
        standing.is_some_and(|standing| standing.administers_all) || self.administers(role).any(|name| name == other)
    }
    /// Channels: while an account of the role is signed in by one of them, it is neither changed nor removed.
    pub fn unchanged_while_on(&self, role: &str) -> impl Iterator<Item = &str> {
        let standing = self.standing(role);
        standing
            .into_iter()
            .flat_map(|standing| &standing.unchanged_while_on)
            .map(|name| &**name)
    }
    /// What networks of its own an account of the role may have.
    pub fn account_networks(&self, role: &str) -> AccountNetworkRules {
        self.role(role).map(|role| role.account_networks).unwrap_or_default()
    }
    /// Every group of seats, in rising order of their names.
    pub fn seats(&self) -> &[Seats] {
        &self.people.seats
    }
    /// The groups of seats that an account of the role takes one of.
    pub fn seats_of(&self, role: &str) -> impl Iterator<Item = &Seats> {
        let takes = move |seats: &&Seats| seats.roles.iter().any(|name| name == role);
        self.people.seats.iter().filter(takes)
    }
    /// What an account may be called.
    pub fn account(&self) -> AccountRules {
        self.people.account
    }
    /// What a password must be.
    pub fn password(&self) -> &PasswordRules {
        &self.people.password
    }
    /// The words that no password may hold, whoever's it is: the door's title and those of the policy.
    pub fn context_words(&self) -> ContextWords {
        self.people.context.clone()
    }
    /// What it takes to enrol a first second factor.
    pub fn enrolment(&self) -> Enrolment {
        self.people.enrolment
    }
    /// How long an invitation's link can be used.
    pub fn invitation(&self) -> InvitationRules {
        self.people.invitation
    }
    /// How long the link of a password reset can be used.
    pub fn reset(&self) -> ResetRules {
        self.people.reset
    }
    /// Whether the channel may only be used from a device linked to the account.
    pub fn linked_device(&self, channel: &str) -> bool {
        self.people
            .channels
            .get(channel)
            .is_some_and(|channel| channel.linked_device)
    }
    /// What a role is told that may not come in by the channel.
    pub fn channel_refused(&self, channel: &str) -> &str {
        self.own_channel_refused(channel)
            .unwrap_or(MessageKey::ChannelRefused.sentence())
    }
    /// The same, where the policy has a sentence for it: the channel's, or one for every channel.
    pub fn own_channel_refused(&self, channel: &str) -> Option<&str> {
        let channel = self.people.channels.get(channel);
        let own = channel.and_then(|channel| channel.refused.as_deref());
        own.or_else(|| self.own_message(MessageKey::ChannelRefused))
    }
    /// What accounts choose for themselves, in rising order of the names.
    pub fn preferences(&self) -> &[Preference] {
        &self.people.preferences
    }
    /// Where somebody who chose so goes after a sign-in that led nowhere else.
    pub fn leads_to(&self, chosen: &BTreeMap<String, String>) -> Option<&str> {
        let preference = self
            .preferences()
            .iter()
            .find(|preference| !preference.leads.is_empty())?;
        let holds = preference.holds(chosen.get(&preference.name).map(String::as_str));
        preference.leads.get(holds).map(String::as_str)
    }
    /// The policy's sentence, or the door's own.
    pub fn message(&self, key: MessageKey) -> &str {
        self.own_message(key).unwrap_or(key.sentence())
    }
    /// The policy's sentence, where it has one.
    pub fn own_message(&self, key: MessageKey) -> Option<&str> {
        self.people.messages.get(&key).map(String::as_str)
    }

    fn standing(&self, role: &str) -> Option<&Standing> {
        self.role(role).map(|role| &role.standing)
    }
}
