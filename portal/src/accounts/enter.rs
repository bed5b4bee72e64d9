//! Who may see the pages about accounts, and what every form there begins with.

use std::sync::Arc;

use axum::extract::Path;
use axum::extract::Request;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use stagedoor_identity::{Account, AccountId, Actor};
use stagedoor_policy::rules::SecondFactor;
use stagedoor_policy::{Policy, Visitor};

use super::bond;
use crate::fields::Fields;
use crate::halt::Halt;
use crate::profile::sign_in_first;
use crate::told::of_store;
use crate::visit::{Posted, SignedIn, Visit};

/// Somebody signed in whose role administers accounts.
pub(crate) struct Administrator<'v> {
    pub(crate) visit: &'v Visit,
    pub(super) signed_in: &'v SignedIn,
    pub(super) own: Arc<Account>,
    pub(super) policy: Arc<Policy>,
    pub(crate) actor: Actor,
}

impl<'v> Administrator<'v> {
    /// Leads a stranger to sign in; refuses whoever administers nobody, or may not use the session from here.
    pub(crate) fn enter(visit: &'v Visit, page: &str) -> Result<Self, Box<Result<Response, Halt>>> {
        let Some(signed_in) = visit.signed_in() else {
            return Err(Box::new(sign_in_first(visit, page)));
        };
        Self::of(visit, signed_in).map_err(|halt| Box::new(Err(halt)))
    }

    /// For a form, which a stranger cannot have been given. Checks the token.
    pub(crate) async fn with_form(visit: &'v Visit, request: Request) -> Result<(Self, Fields), Halt> {
        let signed_in = visit.signed_in().ok_or(Halt::SignInFirst)?;
        let Posted::Form(fields) = visit.read::<Vec<(String, String)>>(request).await? else {
            return Err(Halt::WrongType);
        };
        let fields = Fields::of(fields);
        let token = fields.one("csrf")?.unwrap_or_default();
        visit.check_form(Some(&bond(signed_in)), token).await?;
        Ok((Self::of(visit, signed_in)?, fields))
    }

    /// Refuses as [`Administrator::enter`] does.
    pub(crate) fn of(visit: &'v Visit, signed_in: &'v SignedIn) -> Result<Self, Halt> {
        let policy = visit.portal.door.policy();
        let own = signed_in.session.account();
        may_enter(visit, signed_in, &own, &policy)?;
        let actor = Actor::account(&own)
            .from(Some(visit.caller.address.ip()))
            .in_request(Some(visit.caller.request_id.clone()));
        Ok(Self {
            visit,
            signed_in,
            own,
            policy,
            actor,
        })
    }

    /// An account that exists for whoever asks.
    pub(crate) async fn account(&self, id: Result<AccountId, Halt>) -> Result<Account, Halt> {
        let found = self.visit.portal.door.account(id?, &self.actor).await;
        found.map_err(|fault| of_store(self.visit, fault))
    }

    /// Whether that is who asks.
    pub(super) fn is(&self, account: &Account) -> bool {
        self.own.id == account.id
    }

    /// As the policy judges what somebody holds.
    pub(super) fn visitor(&self) -> Visitor<'_> {
        Visitor {
            role: &self.own.role,
            grants: &self.own.grants,
            networks: None,
            channel: self.signed_in.session.channel(),
            second_factor: self.signed_in.session.second_factor(),
        }
    }
}

/// A session that the consoles would not take any more, from here or in this way, is no good here either.
fn may_enter(visit: &Visit, signed_in: &SignedIn, own: &Account, policy: &Policy) -> Result<(), Halt> {
    let facts = signed_in.session.facts();
    let visitor = facts.visitor();
    policy
        .admits_address(&visitor, visit.caller.address)
        .map_err(|refusal| Halt::NoEntry(refusal.code()))?;
    if !policy.may_use_channel(&own.role, visitor.channel) {
        return Err(Halt::NoEntry("channel_not_allowed"));
    }
    let demanded = policy.second_factor(&own.role) == SecondFactor::Required || own.second_factor_demanded;
    if demanded && !visitor.second_factor {
        return Err(Halt::NoEntry("second_factor_required"));
    }
    if administers(policy, &own.role) {
        Ok(())
    } else {
        Err(Halt::NoEntry("not_granted"))
    }
}

/// Whether accounts of this role administer any.
pub(crate) fn administers(policy: &Policy, role: &str) -> bool {
    policy.administers(role).next().is_some()
}

/// The account that a path names.
pub(super) fn named(path: Result<Path<AccountId>, PathRejection>) -> Result<AccountId, Halt> {
    path.map(|Path(id)| id).map_err(|_| Halt::NotFound)
}
