//! Who there may be: seats, the last of a role, a role held by one. Held at once with each change, whatever else happens.

use std::sync::Arc;

use stagedoor_identity::account::AccountChange;
use stagedoor_identity::port::{
    Acting, HandOver, KeepRule, Place as Standing, SeatRule, SharedStore, StoreError, Structure,
};
use stagedoor_identity::{Account, AccountId, EndReason};

use super::Place;
use super::sample::{HASH, account, at, at_once, free, opened, registered, roles_of};

/// Three seats for chiefs and clerks together.
fn seats() -> Structure {
    Structure {
        seats: vec![SeatRule {
            name: "staff".to_owned(),
            roles: vec!["chief".to_owned(), "clerk".to_owned()],
            at_most: 3,
        }],
        ..free()
    }
}

fn keeps(role: &str, at_least: u32) -> Structure {
    Structure {
        keep: vec![KeepRule {
            role: role.to_owned(),
            at_least,
        }],
        ..free()
    }
}

fn one(role: &str) -> Structure {
    Structure {
        one: vec![role.to_owned()],
        ..free()
    }
}

fn to_role(role: &str) -> AccountChange {
    AccountChange {
        role: Some(role.to_owned()),
        ..AccountChange::default()
    }
}

fn off() -> AccountChange {
    AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    }
}

fn of_role(account_name: &str, role: &str) -> Account {
    Account {
        role: role.to_owned(),
        ..account(account_name)
    }
}

async fn made(store: &SharedStore, account_name: &str, role: &str) -> AccountId {
    let account = of_role(account_name, role);
    store.create_account(&account, HASH, None, &free()).await.unwrap();
    account.id
}

pub(super) async fn of_many_new_accounts_at_once_as_many_are_made_as_there_are_seats(place: &dyn Place) {
    let store = place.open();
    let answers = at_once(24, |number| {
        let store = Arc::clone(&store);
        async move {
            let role = if number % 2 == 0 { "chief" } else { "clerk" };
            let account = Account {
                accepted_at: (number % 3 == 0).then(|| at(1)),
                ..of_role(&format!("u{number}"), role)
            };
            store.create_account(&account, HASH, None, &seats()).await
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    for refused in answers.into_iter().filter_map(Result::err) {
        let full = matches!(&refused, StoreError::SeatsFull { name, used: 3, at_most: 3 } if name == "staff");
        assert!(full, "{refused:?}");
    }
    assert_eq!(roles_of(&store).await.len(), 3, "what was refused left nothing behind");
}

pub(super) async fn a_seat_is_taken_by_a_change_of_role_too_and_freed_by_leaving(place: &dyn Place) {
    let store = place.open();
    for name in ["a", "b"] {
        made(&store, name, "chief").await;
    }
    let mut visitors = Vec::new();
    for number in 0..8 {
        visitors.push(made(&store, &format!("v{number}"), "visitor").await);
    }
    let raised = visitors.clone();
    let answers = at_once(8, move |number| {
        let (store, id) = (Arc::clone(&store), raised[number]);
        async move {
            (
                id,
                store
                    .change_account(id, None, &to_role("clerk"), None, &seats())
                    .await
                    .is_ok(),
            )
        }
    })
    .await;
    let seated: Vec<AccountId> = answers
        .into_iter()
        .filter_map(|(id, made)| made.then_some(id))
        .collect();
    assert_eq!(seated.len(), 1);

    let store = place.open();
    let inside = store
        .change_account(seated[0], None, &to_role("chief"), None, &seats())
        .await;
    assert!(inside.is_ok(), "who has a seat keeps it in another role of the group");
    let other = *visitors.iter().find(|id| **id != seated[0]).unwrap();
    let full = store
        .change_account(other, None, &to_role("chief"), None, &seats())
        .await;
    assert!(matches!(full, Err(StoreError::SeatsFull { used: 3, .. })));
    store.remove_account(seated[0], None, &seats()).await.unwrap();
    store
        .change_account(other, None, &to_role("chief"), None, &seats())
        .await
        .unwrap();
}

pub(super) async fn seats_that_were_made_fewer_displace_nobody_and_let_nobody_in(place: &dyn Place) {
    let store = place.open();
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(made(&store, &format!("u{number}"), "clerk").await);
    }
    let named = AccountChange {
        display_name: Some("still here".to_owned()),
        ..AccountChange::default()
    };
    store
        .change_account(ids[0], None, &named, None, &seats())
        .await
        .unwrap();
    let refused = store
        .create_account(&of_role("late", "clerk"), HASH, None, &seats())
        .await;
    assert!(
        matches!(
            refused,
            Err(StoreError::SeatsFull {
                used: 4..,
                at_most: 3,
                ..
            })
        ),
        "{refused:?}"
    );
}

pub(super) async fn of_many_ways_out_at_once_the_last_of_a_role_is_left(place: &dyn Place) {
    let store = place.open();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(made(&store, &format!("u{number}"), "chief").await);
    }
    let leaving = ids.clone();
    let shared = Arc::clone(&store);
    let answers = at_once(12, move |number| {
        let (store, id) = (Arc::clone(&shared), leaving[number]);
        async move {
            let rules = keeps("chief", 1);
            match number % 3 {
                0 => store.remove_account(id, None, &rules).await.map(drop),
                1 => store
                    .change_account(id, None, &to_role("clerk"), None, &rules)
                    .await
                    .map(drop),
                _ => store.change_account(id, None, &off(), None, &rules).await.map(drop),
            }
        }
    })
    .await;
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 1);
    assert!(
        matches!(&refused[0], StoreError::LastOfRole { role } if role == "chief"),
        "{refused:?}"
    );
    let mut left = 0;
    for id in ids {
        let account = store.account(id).await.unwrap();
        left += usize::from(account.is_some_and(|account| account.role == "chief" && Standing::of(&account).in_use));
    }
    assert_eq!(left, 1);
}

pub(super) async fn an_invited_or_disabled_account_does_not_stand_in_for_the_last_one(place: &dyn Place) {
    let store = place.open();
    let last = made(&store, "last", "chief").await;
    let invited = Account {
        accepted_at: None,
        ..of_role("invited", "chief")
    };
    store.create_account(&invited, HASH, None, &free()).await.unwrap();
    let switched_off = made(&store, "off", "chief").await;
    store
        .change_account(switched_off, None, &off(), None, &free())
        .await
        .unwrap();

    let rules = keeps("chief", 1);
    let refused = store.remove_account(last, None, &rules).await;
    assert!(matches!(refused, Err(StoreError::LastOfRole { .. })));
    store.remove_account(switched_off, None, &rules).await.unwrap();
    store.remove_account(invited.id, None, &rules).await.unwrap();
    let refused = store.change_account(last, None, &off(), None, &rules).await;
    assert!(matches!(refused, Err(StoreError::LastOfRole { .. })));
    assert!(!store.account(last).await.unwrap().unwrap().disabled);
}

pub(super) async fn a_role_held_by_one_is_never_held_by_two(place: &dyn Place) {
    let store = place.open();
    let answers = at_once(16, |number| {
        let store = Arc::clone(&store);
        async move {
            let name = format!("u{number}");
            if number % 2 == 0 {
                return store
                    .create_account(&of_role(&name, "head"), HASH, None, &one("head"))
                    .await;
            }
            let id = made(&store, &name, "clerk").await;
            store
                .change_account(id, None, &to_role("head"), None, &one("head"))
                .await
                .map(drop)
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let refused = answers.into_iter().filter_map(Result::err);
    for why in refused {
        assert!(
            matches!(&why, StoreError::HeldByOne { role } if role == "head"),
            "{why:?}"
        );
    }
    let heads = roles_of(&store).await.into_iter().filter(|role| role == "head");
    assert_eq!(heads.count(), 1);
}

pub(super) async fn who_was_changed_meanwhile_changes_nobody(place: &dyn Place) {
    let store = place.open();
    let (ann, bob) = (registered(&store, "ann").await, registered(&store, "bob").await);
    let by_ann = Structure {
        acting: Some(Acting { id: ann.id, version: 1 }),
        ..free()
    };
    store
        .change_account(bob.id, None, &to_role("chief"), None, &by_ann)
        .await
        .unwrap();
    store.change_account(ann.id, None, &off(), None, &free()).await.unwrap();

    let judged_before = store
        .change_account(bob.id, None, &to_role("clerk"), None, &by_ann)
        .await;
    assert!(matches!(judged_before, Err(StoreError::ActorChanged)));
    let by_disabled = Structure {
        acting: Some(Acting { id: ann.id, version: 2 }),
        ..free()
    };
    assert!(matches!(
        store.remove_account(bob.id, None, &by_disabled).await,
        Err(StoreError::ActorChanged)
    ));
    let new = store.create_account(&account("carol"), HASH, None, &by_disabled).await;
    assert!(matches!(new, Err(StoreError::ActorChanged)));
    assert_eq!(store.account(bob.id).await.unwrap().unwrap().role, "chief");
}

pub(super) async fn the_last_used_of_a_role_are_told_in_their_order(place: &dyn Place) {
    let store = place.open();
    let mut ids = Vec::new();
    for (name, used) in [
        ("a", None),
        ("b", Some(at(30))),
        ("c", Some(at(20))),
        ("d", Some(at(10))),
    ] {
        let account = Account {
            last_used_at: used,
            ..of_role(name, "chief")
        };
        store.create_account(&account, HASH, None, &free()).await.unwrap();
        ids.push(account.id);
    }
    store.reinstate_account(ids[0], at(25)).await.unwrap();
    store.change_account(ids[1], None, &off(), None, &free()).await.unwrap();
    made(&store, "e", "clerk").await;
    assert_eq!(store.last_used_of("chief", 2).await.unwrap(), [ids[0], ids[2]]);
    assert_eq!(store.last_used_of("chief", 9).await.unwrap(), [ids[0], ids[2], ids[3]]);
    assert!(store.last_used_of("chief", 0).await.unwrap().is_empty());
}

fn handing(holder: &Account, heir: &Account) -> HandOver {
    HandOver {
        holder: (holder.id, holder.version),
        holder_becomes: to_role(&heir.role),
        heir: (heir.id, heir.version),
        heir_becomes: to_role(&holder.role),
    }
}

pub(super) async fn a_role_is_handed_over_in_one_step_and_both_are_signed_out(place: &dyn Place) {
    let store = place.open();
    let (head, heir) = (of_role("head", "head"), of_role("heir", "clerk"));
    for account in [&head, &heir] {
        store.create_account(account, HASH, None, &free()).await.unwrap();
    }
    let session = opened(&store, heir.id, at(1)).await;
    let rules = Structure {
        keep: keeps("head", 1).keep,
        ..one("head")
    };
    let reason = EndReason::AccountChanged;
    let handed = store.hand_over(&handing(&head, &heir), &reason, at(2), &rules).await;
    let (former, new, ended) = handed.unwrap();
    assert_eq!((former.role.as_str(), new.role.as_str()), ("clerk", "head"));
    assert_eq!(ended, [session.id]);
    assert_eq!(store.account(head.id).await.unwrap(), Some(former));
    assert_eq!(store.account(heir.id).await.unwrap(), Some(new));
    let again = store.hand_over(&handing(&head, &heir), &reason, at(3), &rules).await;
    assert!(matches!(again, Err(StoreError::VersionMismatch)));
}

pub(super) async fn of_many_hand_overs_at_once_one_is_made_and_there_is_one_head(place: &dyn Place) {
    let store = place.open();
    let head = of_role("head", "head");
    store.create_account(&head, HASH, None, &free()).await.unwrap();
    let mut heirs = Vec::new();
    for number in 0..16 {
        let heir = of_role(&format!("u{number}"), "clerk");
        store.create_account(&heir, HASH, None, &free()).await.unwrap();
        heirs.push(heir);
    }
    let shared = Arc::clone(&store);
    let answers = at_once(16, move |number| {
        let (store, handing) = (Arc::clone(&shared), handing(&head, &heirs[number]));
        let rules = Structure {
            keep: keeps("head", 1).keep,
            ..one("head")
        };
        async move {
            store
                .hand_over(&handing, &EndReason::AccountChanged, at(2), &rules)
                .await
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let heads = roles_of(&store).await.into_iter().filter(|role| role == "head");
    assert_eq!(heads.count(), 1);
}
