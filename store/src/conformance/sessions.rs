//! Sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::AccountChange;
use stagedoor_identity::port::Opened;
use stagedoor_identity::{AccountId, EndReason, SessionId};
use stagedoor_policy::rules::WhenFull;

use super::Place;
use super::sample::{
    ROLE, account, at, at_once, free, not_ended, open, opened, read_session, registered, session, sorted,
};

pub(super) async fn an_opened_session_is_read_back_whole_and_notes_the_sign_in(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let mut wanted = session(alice.id, at(5));
    wanted.address = "2001:db8::1".parse().unwrap();
    wanted.second_factor = true;
    assert_eq!(open(&store, &wanted, 1).await, Opened::Open { displaced: Vec::new() });
    assert_eq!(store.sessions(at(5)).await.unwrap(), [wanted]);
    let seen = store.account(alice.id).await.unwrap().unwrap();
    assert_eq!((seen.last_sign_in_at, seen.last_used_at), (Some(at(5)), Some(at(5))));
}

pub(super) async fn of_two_hundred_sessions_opened_at_once_one_is_live(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let answers = at_once(200, |_number| {
        let (store, id) = (Arc::clone(&store), alice.id);
        async move { open(&store, &session(id, at(1)), 1).await }
    })
    .await;
    let displaced = |answer: &Opened| match answer {
        Opened::Open { displaced } => displaced.len(),
        other => panic!("not opened: {other:?}"),
    };
    assert_eq!(answers.iter().map(displaced).sum::<usize>(), 199);
    assert_eq!(not_ended(&store).await.len(), 1);
}

pub(super) async fn the_oldest_session_is_displaced_and_told_by_whom(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let first = opened(&store, alice.id, at(1)).await;
    let mut second = session(alice.id, at(2));
    second.address = IpAddr::from([203, 0, 113, 9]);
    assert_eq!(
        open(&store, &second, 1).await,
        Opened::Open {
            displaced: vec![first.id]
        }
    );
    let over = read_session(&store, first.id).await.ended.unwrap();
    assert_eq!(over.reason, EndReason::Displaced { by: second.address });
    assert_eq!(over.at_micros, at(2).as_micros());
    assert_eq!(not_ended(&store).await, [second.id]);
}

pub(super) async fn a_full_account_refuses_and_names_the_oldest_session(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let first = opened(&store, alice.id, at(1)).await;
    let second = opened(&store, alice.id, at(2)).await;
    let third = session(alice.id, at(3));
    let answer = store.open_session(&third, 1, ROLE, 2, WhenFull::Refuse).await.unwrap();
    let full = Opened::Full {
        opened_at: first.opened_at,
        address: first.address,
    };
    assert_eq!(answer, full);
    assert_eq!(not_ended(&store).await, [first.id, second.id]);
    assert_eq!(
        store.sessions(at(3)).await.unwrap().len(),
        2,
        "the refused one is not kept"
    );

    store.end_session(first.id, &EndReason::SignedOut, at(4)).await.unwrap();
    let answer = store.open_session(&third, 1, ROLE, 2, WhenFull::Refuse).await.unwrap();
    assert_eq!(answer, Opened::Open { displaced: Vec::new() });
}

pub(super) async fn any_number_of_sessions_is_any_number(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    for second in 0..20 {
        let wanted = session(alice.id, at(second));
        let answer = store.open_session(&wanted, 1, ROLE, 0, WhenFull::Refuse).await.unwrap();
        assert_eq!(answer, Opened::Open { displaced: Vec::new() });
    }
    assert_eq!(not_ended(&store).await.len(), 20);
}

pub(super) async fn a_limit_of_three_keeps_the_newest_three(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let mut ids = Vec::new();
    for second in 0..5 {
        ids.push(opened(&store, alice.id, at(second)).await.id);
    }
    let newest = session(alice.id, at(5));
    let answer = open(&store, &newest, 3).await;
    assert_eq!(
        answer,
        Opened::Open {
            displaced: ids[..3].to_vec()
        },
        "a lowered limit is caught up with"
    );
    assert_eq!(not_ended(&store).await, [ids[3], ids[4], newest.id]);
}

pub(super) async fn each_channel_has_sessions_of_its_own(place: &dyn Place) {
    let store = place.open();
    let (alice, bob) = (registered(&store, "alice").await, registered(&store, "bob").await);
    let browser = opened(&store, alice.id, at(1)).await;
    let of_bob = opened(&store, bob.id, at(1)).await;
    let mut client = session(alice.id, at(2));
    client.channel = "client".to_owned();
    assert_eq!(open(&store, &client, 1).await, Opened::Open { displaced: Vec::new() });
    let live = not_ended(&store).await;
    assert_eq!(sorted(live), sorted(vec![browser.id, of_bob.id, client.id]));
}

pub(super) async fn an_ended_expired_or_idle_session_takes_no_room(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let ended = opened(&store, alice.id, at(0)).await;
    store.end_session(ended.id, &EndReason::SignedOut, at(1)).await.unwrap();
    let idle = opened(&store, alice.id, at(1)).await;
    let idle_since = idle.last_used_at.after(idle.idle_after);

    let mut wanted = session(alice.id, idle_since);
    wanted.idle_after = Duration::from_secs(1_000_000);
    let answer = store.open_session(&wanted, 1, ROLE, 1, WhenFull::Refuse).await.unwrap();
    assert_eq!(answer, Opened::Open { displaced: Vec::new() }, "idle");

    let after_expiry = session(alice.id, wanted.expires_at);
    let answer = store
        .open_session(&after_expiry, 1, ROLE, 1, WhenFull::Refuse)
        .await
        .unwrap();
    assert_eq!(answer, Opened::Open { displaced: Vec::new() }, "expired");

    // One that is in use is not idle, however long ago it was opened.
    let used = after_expiry.opened_at.after(Duration::from_secs(599));
    store.touch(&[(after_expiry.id, alice.id, used)]).await.unwrap();
    let mut next = session(alice.id, used.after(Duration::from_secs(599)));
    next.channel.clone_from(&after_expiry.channel);
    let answer = store.open_session(&next, 1, ROLE, 1, WhenFull::Refuse).await.unwrap();
    assert!(matches!(answer, Opened::Full { .. }), "{answer:?}");
}

pub(super) async fn what_has_changed_since_the_check_makes_the_opening_stale(place: &dyn Place) {
    let store = place.open();
    let stale = async |id: AccountId, version: u64, role: &str| {
        let answer = store
            .open_session(&session(id, at(9)), version, role, 1, WhenFull::Displace)
            .await;
        assert_eq!(answer.unwrap(), Opened::Stale);
    };
    stale(account("nobody").id, 1, ROLE).await;

    let alice = registered(&store, "alice").await;
    let live = opened(&store, alice.id, at(1)).await;
    let version = store.credentials(alice.id).await.unwrap().unwrap().credentials_version;
    stale(alice.id, version, "another-role").await;
    stale(alice.id, version + 1, ROLE).await;
    assert_eq!(not_ended(&store).await, [live.id], "a stale opening displaces nobody");

    store
        .set_second_factor(alice.id, b"sealed", 1, &[], None)
        .await
        .unwrap();
    stale(alice.id, version, ROLE).await;
    let version = store.credentials(alice.id).await.unwrap().unwrap().credentials_version;
    let reason = EndReason::CredentialsChanged;
    store
        .set_password(alice.id, "new", false, None, &reason, at(2))
        .await
        .unwrap();
    stale(alice.id, version, ROLE).await;

    let version = store.credentials(alice.id).await.unwrap().unwrap().credentials_version;
    let disable = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    store
        .change_account(alice.id, None, &disable, None, &free())
        .await
        .unwrap();
    stale(alice.id, version, ROLE).await;
    let enable = AccountChange {
        disabled: Some(false),
        ..AccountChange::default()
    };
    store
        .change_account(alice.id, None, &enable, None, &free())
        .await
        .unwrap();
    assert_eq!(
        open(&store, &session(alice.id, at(9)), 1).await,
        Opened::Open { displaced: Vec::new() }
    );
}

pub(super) async fn a_session_ends_once_and_keeps_its_first_reason(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let live = opened(&store, alice.id, at(1)).await;
    assert!(store.end_session(live.id, &EndReason::SignedOut, at(2)).await.unwrap());
    assert!(
        !store
            .end_session(live.id, &EndReason::EndedByAdministrator, at(3))
            .await
            .unwrap()
    );
    let all = store
        .end_sessions_of(alice.id, None, &EndReason::PolicyChanged, at(4))
        .await
        .unwrap();
    assert!(all.is_empty());
    let over = read_session(&store, live.id).await.ended.unwrap();
    assert_eq!((over.reason, over.at_micros), (EndReason::SignedOut, at(2).as_micros()));
    let unknown = session(alice.id, at(1)).id;
    assert!(!store.end_session(unknown, &EndReason::SignedOut, at(2)).await.unwrap());
}

pub(super) async fn all_sessions_of_an_account_end_but_the_one_to_keep(place: &dyn Place) {
    let store = place.open();
    let (alice, bob) = (registered(&store, "alice").await, registered(&store, "bob").await);
    let mut ids = Vec::new();
    for second in 1..=4 {
        ids.push(opened(&store, alice.id, at(second)).await.id);
    }
    let of_bob = opened(&store, bob.id, at(9)).await;
    let reason = EndReason::EndedByAdministrator;
    let ended = store
        .end_sessions_of(alice.id, Some(ids[2]), &reason, at(9))
        .await
        .unwrap();
    assert_eq!(sorted(ended), sorted(vec![ids[0], ids[1], ids[3]]));
    assert_eq!(not_ended(&store).await, [ids[2], of_bob.id]);
    for id in [ids[0], ids[1], ids[3]] {
        assert_eq!(read_session(&store, id).await.ended.unwrap().reason, reason);
    }
    let ended = store.end_sessions_of(alice.id, None, &reason, at(10)).await.unwrap();
    assert_eq!(ended, [ids[2]]);
}

pub(super) async fn touching_moves_times_forward_only(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let live = opened(&store, alice.id, at(10)).await;
    let unknown: SessionId = session(alice.id, at(1)).id;
    for (touched, expected) in [(at(20), at(20)), (at(15), at(20)), (at(5), at(20)), (at(21), at(21))] {
        let nobody = account("nobody").id;
        store
            .touch(&[(live.id, alice.id, touched), (unknown, nobody, touched)])
            .await
            .unwrap();
        assert_eq!(read_session(&store, live.id).await.last_used_at, expected);
        assert_eq!(
            store.account(alice.id).await.unwrap().unwrap().last_used_at,
            Some(expected)
        );
    }
    assert_eq!(
        store.account(alice.id).await.unwrap().unwrap().version,
        1,
        "a use is no change"
    );
    store.touch(&[]).await.unwrap();

    // A sign-in by a clock that was set back leaves the later times standing.
    open(&store, &session(alice.id, at(3)), 0).await;
    let seen = store.account(alice.id).await.unwrap().unwrap();
    assert_eq!((seen.last_sign_in_at, seen.last_used_at), (Some(at(10)), Some(at(21))));
}

pub(super) async fn expired_sessions_are_not_read_and_are_forgotten(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let old = opened(&store, alice.id, at(0)).await;
    let new = opened(&store, alice.id, at(100)).await;
    store.end_session(new.id, &EndReason::SignedOut, at(101)).await.unwrap();

    let read = store.sessions(old.expires_at).await.unwrap();
    assert_eq!(
        read.iter().map(|session| session.id).collect::<Vec<_>>(),
        [new.id],
        "ended ones are read"
    );
    assert_eq!(
        store.forget_sessions(old.expires_at).await.unwrap(),
        0,
        "not before it has expired"
    );
    assert_eq!(store.forget_sessions(new.expires_at).await.unwrap(), 1);
    let left = store.sessions(at(0)).await.unwrap();
    assert_eq!(left.iter().map(|session| session.id).collect::<Vec<_>>(), [new.id]);
}
