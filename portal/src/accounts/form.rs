//! The form for what an account is made of, as it was typed: nothing of it is lost when something is wrong.

use axum::response::Response;
use http::StatusCode;
use stagedoor_identity::account::AccountName;

use super::Administrator;
use super::grants::Row;
use super::page::{AccountFormPage, Field, RoleChoice, There, Unreachable};
use crate::fields::Fields;
use crate::halt::Halt;
use crate::told::Told;

/// What was typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) display_name: String,
    pub(super) name: String,
    pub(super) role: String,
    /// Separated by commas; `None` where the form has no such field.
    pub(super) networks: Option<String>,
    /// `None` where the form has no such field.
    pub(super) email: Option<String>,
}

/// What the form offers.
pub(super) struct Offer {
    /// The account, where there is one already.
    pub(super) there: Option<There>,
    /// Whether somebody is invited by it.
    pub(super) invites: bool,
    /// Whether the address can be given: everybody changes their own by a letter to the new one.
    pub(super) email: bool,
    pub(super) roles: Vec<String>,
    pub(super) networks: bool,
    /// What the account has, and what was chosen.
    pub(super) grants: Option<(Vec<Row>, Vec<Row>)>,
    pub(super) unreachable: Option<Unreachable>,
}

impl Typed {
    pub(super) fn read(fields: &Fields) -> Result<Self, Halt> {
        Ok(Self {
            display_name: fields.needed("display_name")?.to_owned(),
            name: fields.needed("name")?.to_owned(),
            role: fields.needed("role")?.to_owned(),
            networks: fields.one("networks")?.map(str::to_owned),
            email: fields.one("email")?.map(str::to_owned),
        })
    }

    /// The elements of the list; an empty one between two commas stays, to be refused.
    pub(super) fn networks(&self) -> Option<Vec<String>> {
        let typed = self.networks.as_deref()?.trim();
        if typed.is_empty() {
            return Some(Vec::new());
        }
        Some(typed.split(',').map(|network| network.trim().to_owned()).collect())
    }

    /// An address, where one was typed.
    pub(super) fn email(&self) -> Option<String> {
        let typed = self.email.as_deref().map(str::trim).unwrap_or_default();
        (!typed.is_empty()).then(|| typed.to_owned())
    }

    /// The name to sign in with, as the policy wants it to be typed.
    pub(super) fn sign_in_name(&self, by: &Administrator<'_>) -> Result<AccountName, Vec<String>> {
        by.policy.check_account_name(&self.name)?;
        AccountName::parse(&self.name).map_err(|sentence| vec![sentence.to_owned()])
    }
}

impl Administrator<'_> {
    /// Whether accounts of the role may have networks of their own.
    pub(super) fn may_have_networks(&self, role: &str) -> bool {
        self.policy.account_networks(role).list.at_most != Some(0)
    }

    /// A form for a new account: nothing but the role chosen.
    pub(super) fn blank(&self) -> Typed {
        let roles = self.roles_to_give();
        let preselected = self
            .policy
            .default_role()
            .filter(|role| roles.iter().any(|known| known == role));
        let role = preselected.or(roles.first().map(String::as_str)).unwrap_or_default();
        Typed {
            role: role.to_owned(),
            ..Typed::default()
        }
    }

    /// The form, filled in with what was typed, each fault beside its field.
    pub(super) async fn form_page(&self, offer: Offer, typed: Typed, told: Option<Told>) -> Result<Response, Halt> {
        let status = told.as_ref().map_or(StatusCode::OK, |told| told.status);
        let mut told = told.unwrap_or_default();
        let with_networks: Vec<String> = offer
            .roles
            .iter()
            .filter(|role| self.may_have_networks(role))
            .cloned()
            .collect();
        let show_networks = offer.networks && !with_networks.is_empty();
        let networks_for = if with_networks.len() < offer.roles.len() {
            with_networks
        } else {
            Vec::new()
        };
        let role = typed.role.clone();
        let page = AccountFormPage {
            look: self.visit.look(),
            token: self.token().await?,
            there: offer.there,
            invites: offer.invites,
            email: offer
                .email
                .then(|| field(typed.email.unwrap_or_default(), "email", &mut told)),
            display_name: field(typed.display_name, "display_name", &mut told),
            name: field(typed.name, "name", &mut told),
            role_problems: told.take("role"),
            networks: show_networks.then(|| field(typed.networks.unwrap_or_default(), "networks", &mut told)),
            networks_for,
            unreachable: offer.unreachable,
            password_problems: told.take("password"),
            grant_problems: told.take("grants"),
            grants: offer
                .grants
                .map(|(before, rows)| self.grant_rows(&role, &before, &rows)),
            roles: offer.roles.into_iter().map(|name| self.choice(name, &role)).collect(),
            // Whatever has no field of its own on this page.
            errors: told.sentences(),
        };
        self.visit.page(status, &page)
    }

    fn choice(&self, name: String, chosen: &str) -> RoleChoice {
        RoleChoice {
            chosen: name == chosen,
            with_networks: self.may_have_networks(&name),
            name,
        }
    }
}

fn field(value: String, name: &str, told: &mut Told) -> Field {
    Field {
        value,
        problems: told.take(name),
    }
}
