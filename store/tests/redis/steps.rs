//! What may happen in the lives of accounts, and how it is done at a door.

use proptest::prelude::*;
use stagedoor_identity::account::{AccountChange, AccountName, NewAccount, NewInvitation};
use stagedoor_identity::{AccountId, ChangeFault};

use super::hands::Hands;
use super::stage::{PASSWORD, Stage, THERE, attempt_from, by, new_account, password};

pub(crate) const NEW: &str = "a quite different phrase 9";
/// Of these, `admin` and `clerk` share the seats, `super` keeps one, `head` is held by one.
pub(crate) const ROLES: [&str; 5] = ["admin", "clerk", "super", "free", "head"];

/// What may happen. Numbers choose an account, counted round.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Create(&'static str),
    Invite(&'static str),
    Accept(usize),
    Resend(usize),
    Remove(usize),
    Role(usize, &'static str),
    Disable(usize, bool),
    HandOver(usize),
    Lock(usize),
    Unlock(usize),
    SignIn(usize),
    Demand(usize, bool),
    Reset(usize),
    Reinstate(usize),
    Rename(usize, usize),
    /// So many minutes.
    Wait(u64),
    KeepHouse,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let role = || proptest::sample::select(ROLES.to_vec());
    let who = || 0..12_usize;
    prop_oneof![
        3 => role().prop_map(Step::Create),
        3 => role().prop_map(Step::Invite),
        4 => who().prop_map(Step::Accept),
        1 => who().prop_map(Step::Resend),
        2 => who().prop_map(Step::Remove),
        4 => (who(), role()).prop_map(|(who, role)| Step::Role(who, role)),
        2 => (who(), any::<bool>()).prop_map(|(who, off)| Step::Disable(who, off)),
        3 => who().prop_map(Step::HandOver),
        1 => who().prop_map(Step::Lock),
        1 => who().prop_map(Step::Unlock),
        4 => who().prop_map(Step::SignIn),
        1 => (who(), any::<bool>()).prop_map(|(who, on)| Step::Demand(who, on)),
        1 => who().prop_map(Step::Reset),
        1 => who().prop_map(Step::Reinstate),
        1 => (who(), 0..40_usize).prop_map(|(who, name)| Step::Rename(who, name)),
        2 => prop_oneof![1..40_u64, (1..20_u64).prop_map(|days| days * 24 * 60)].prop_map(Step::Wait),
        1 => Just(Step::KeepHouse),
    ]
}

pub(crate) fn number_of(step: &Step) -> usize {
    match step {
        Step::Resend(number)
        | Step::Lock(number)
        | Step::Unlock(number)
        | Step::SignIn(number)
        | Step::Demand(number, _)
        | Step::Reset(number)
        | Step::Reinstate(number)
        | Step::Rename(number, _) => *number,
        _ => 0,
    }
}

/// Steps that the rules about who there may be have a say in.
pub(crate) async fn change(
    stage: &Stage,
    id: AccountId,
    step: Step,
    number: usize,
    hands: &mut Hands,
) -> Result<AccountId, ChangeFault> {
    let name = format!("made{number}");
    match step {
        Step::Create(role) => {
            let new = NewAccount {
                role: Some(role.to_owned()),
                ..new_account(&name)
            };
            stage.door.create_account(new, &by()).await.map(|account| account.id)
        }
        Step::Invite(role) => {
            let new = NewInvitation {
                name: AccountName::parse(&name).unwrap(),
                display_name: String::new(),
                email: None,
                role: Some(role.to_owned()),
                grants: Vec::new(),
                networks: Vec::new(),
            };
            let invited = stage.door.invite(new, &by()).await?;
            hands.links.push((invited.account.id, invited.link.unwrap()));
            Ok(invited.account.id)
        }
        Step::Remove(_) => stage.door.remove_account(id, None, &by()).await.map(|()| id),
        Step::Role(_, role) => {
            let change = AccountChange {
                role: Some(role.to_owned()),
                ..AccountChange::default()
            };
            stage
                .door
                .change_account(id, None, change, &by())
                .await
                .map(|account| account.id)
        }
        Step::Disable(_, disabled) => {
            let change = AccountChange {
                disabled: Some(disabled),
                ..AccountChange::default()
            };
            stage
                .door
                .change_account(id, None, change, &by())
                .await
                .map(|account| account.id)
        }
        other => panic!("{other:?} is no such step"),
    }
}

/// Steps that change no life, and may fail for reasons of their own.
pub(crate) async fn aside(stage: &Stage, id: AccountId, step: Step, number: usize, hands: &mut Hands) {
    let account = stage.store.account(id).await.unwrap();
    let name = account
        .as_ref()
        .map_or_else(|| "nobody".to_owned(), |account| account.name.as_str().to_owned());
    match step {
        Step::Resend(_) => {
            if let Ok(invited) = stage.door.resend_invitation(id, &by()).await {
                hands.links.push((id, invited.link.unwrap()));
            }
        }
        Step::Lock(_) => {
            for _guess in 0..5 {
                drop(stage.door.sign_in(attempt_from(&name, "wrong", THERE)).await);
            }
        }
        Step::Unlock(_) => drop(stage.door.unlock(id, &by()).await),
        Step::SignIn(_) => {
            for word in [PASSWORD, NEW] {
                hands.sign_in(stage, id, &name, word).await;
            }
        }
        Step::Demand(_, on) => {
            let change = AccountChange {
                second_factor_demanded: Some(on),
                ..AccountChange::default()
            };
            drop(stage.door.change_account(id, None, change, &by()).await);
        }
        Step::Reset(_) => drop(stage.door.reset_password(id, password(NEW), &by()).await),
        Step::Reinstate(_) => drop(stage.door.reinstate(id, &by()).await),
        Step::Rename(_, to) => {
            let name = AccountName::parse(&format!("renamed{to}-{}", number % 3)).ok();
            let change = AccountChange {
                name,
                ..AccountChange::default()
            };
            drop(stage.door.change_account(id, None, change, &by()).await);
        }
        Step::Wait(minutes) => stage.wait(minutes * 60),
        Step::KeepHouse => stage.door.keep_house().await.unwrap(),
        other => panic!("{other:?} is no such step"),
    }
}
