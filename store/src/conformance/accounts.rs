//! Accounts.

use std::sync::Arc;

use stagedoor_identity::account::{AccountChange, AccountQuery, Invitation};
use stagedoor_identity::port::{Opened, Reserved, SharedStore, Source, StoreError};
use stagedoor_identity::{Account, EndReason};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::{ExtraGrant, Level};

use super::Place;
use super::sample::{
    HASH, account, at, at_once, free, hostile_texts, name, not_ended, open, opened, read_session, registered, session,
    sorted,
};

pub(super) async fn a_new_account_is_read_back_whole_by_id_and_by_name(place: &dyn Place) {
    let store = place.open();
    let mut alice = account("alice@example.org");
    alice.display_name = "Алиса 愛麗絲".to_owned();
    alice.email = Some("alice@example.org".to_owned());
    alice.networks = vec!["198.51.100.0/24".to_owned(), "!198.51.100.9".to_owned()];
    alice.password_temporary = true;
    alice.accepted_at = None;
    alice.invitation = Some(Invitation {
        sent_at: at(1),
        expires_at: at(2),
    });
    alice.second_factor_demanded = true;
    alice.preferences = [("landing".to_owned(), "calendar 달력".to_owned())].into();
    alice.grants = [Level::None, Level::View, Level::Manage]
        .into_iter()
        .map(|level| ExtraGrant {
            site: (level == Level::View).then(|| "console".to_owned()),
            area: "devices".to_owned(),
            level,
            actions: vec!["reboot".to_owned()],
        })
        .collect();
    store.create_account(&alice, HASH, None, &free()).await.unwrap();

    assert_eq!(store.account(alice.id).await.unwrap().as_ref(), Some(&alice));
    assert_eq!(store.account_by_name(&alice.name).await.unwrap().as_ref(), Some(&alice));
    let credentials = store.credentials(alice.id).await.unwrap().unwrap();
    assert_eq!(credentials.password_hash, HASH);
    assert!(credentials.totp_sealed.is_none() && credentials.totp_last_step.is_none());

    let nobody = account("nobody");
    assert_eq!(store.account(nobody.id).await.unwrap(), None);
    assert_eq!(store.account_by_name(&nobody.name).await.unwrap(), None);
    let asked = [nobody.id, alice.id];
    assert_eq!(store.accounts_by_id(&asked).await.unwrap(), [alice]);
    assert_eq!(store.accounts_by_id(&[]).await.unwrap(), []);
    assert!(store.credentials(nobody.id).await.unwrap().is_none());
}

pub(super) async fn a_name_belongs_to_one_account_also_when_many_ask_for_it_at_once(place: &dyn Place) {
    let store = place.open();
    let asked = at_once(20, |_number| {
        let store = Arc::clone(&store);
        async move { store.create_account(&account("alice"), HASH, None, &free()).await }
    })
    .await;
    assert_eq!(asked.iter().filter(|answer| answer.is_ok()).count(), 1);
    let refused = asked
        .iter()
        .filter(|answer| matches!(answer, Err(StoreError::NameTaken)));
    assert_eq!(refused.count(), 19);
    assert_eq!(
        names(
            &store,
            AccountQuery {
                limit: 10,
                ..AccountQuery::default()
            }
        )
        .await,
        ["alice"]
    );
}

pub(super) async fn a_change_leaves_the_rest_alone_and_raises_the_version(place: &dyn Place) {
    let store = place.open();
    let mut alice = account("alice");
    alice.email = Some("alice@example.org".to_owned());
    store.create_account(&alice, HASH, None, &free()).await.unwrap();

    let change = AccountChange {
        role: Some("chief".to_owned()),
        disabled: Some(true),
        ..AccountChange::default()
    };
    let (changed, ended) = store
        .change_account(alice.id, Some(1), &change, None, &free())
        .await
        .unwrap();
    let expected = Account {
        role: "chief".to_owned(),
        disabled: true,
        version: 2,
        ..alice.clone()
    };
    assert_eq!(changed, expected);
    assert!(ended.is_empty());
    assert_eq!(store.account(alice.id).await.unwrap(), Some(expected));

    let no_email = AccountChange {
        email: Some(None),
        ..AccountChange::default()
    };
    let (changed, _ended) = store
        .change_account(alice.id, None, &no_email, None, &free())
        .await
        .unwrap();
    assert_eq!((changed.email, changed.version), (None, 3));
    let nobody = store
        .change_account(account("nobody").id, None, &no_email, None, &free())
        .await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

pub(super) async fn a_change_of_an_older_version_is_refused_and_changes_nothing(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let live = opened(&store, alice.id, at(1)).await;
    let before = store.account(alice.id).await.unwrap();

    let change = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    let end = Some((&EndReason::AccountDisabled, at(2)));
    let refused = store.change_account(alice.id, Some(7), &change, end, &free()).await;
    assert!(matches!(refused, Err(StoreError::VersionMismatch)));
    assert!(matches!(
        store.remove_account(alice.id, Some(7), &free()).await,
        Err(StoreError::VersionMismatch)
    ));
    assert_eq!(store.account(alice.id).await.unwrap(), before);
    assert_eq!(not_ended(&store).await, [live.id]);
}

pub(super) async fn of_many_changes_to_one_version_one_is_made(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let answers = at_once(20, |number| {
        let (store, id) = (Arc::clone(&store), alice.id);
        async move {
            let change = AccountChange {
                display_name: Some(format!("n{number}")),
                ..AccountChange::default()
            };
            store
                .change_account(id, Some(1), &change, None, &free())
                .await
                .ok()
                .map(|(changed, _ended)| changed)
        }
    })
    .await;
    let made: Vec<Account> = answers.into_iter().flatten().collect();
    assert_eq!(made.len(), 1);
    assert_eq!(store.account(alice.id).await.unwrap().as_ref(), made.first());
}

pub(super) async fn a_change_ends_the_sessions_it_is_told_to_end(place: &dyn Place) {
    let store = place.open();
    let (alice, bob) = (registered(&store, "alice").await, registered(&store, "bob").await);
    let first = opened(&store, alice.id, at(1)).await;
    let second = opened(&store, alice.id, at(2)).await;
    let of_bob = opened(&store, bob.id, at(2)).await;

    let change = AccountChange {
        networks: Some(vec!["192.0.2.0/24".to_owned()]),
        ..AccountChange::default()
    };
    let end = Some((&EndReason::AccountChanged, at(3)));
    let (_changed, ended) = store
        .change_account(alice.id, None, &change, end, &free())
        .await
        .unwrap();
    assert_eq!(sorted(ended), sorted(vec![first.id, second.id]));
    assert_eq!(not_ended(&store).await, [of_bob.id]);
    let over = read_session(&store, first.id).await.ended.unwrap();
    assert_eq!(
        (over.reason, over.at_micros),
        (EndReason::AccountChanged, at(3).as_micros())
    );
}

pub(super) async fn a_removed_account_is_gone_with_its_credentials_and_sessions(place: &dyn Place) {
    let store = place.open();
    let (alice, bob) = (registered(&store, "alice").await, registered(&store, "bob").await);
    let of_alice = opened(&store, alice.id, at(1)).await;
    let of_bob = opened(&store, bob.id, at(1)).await;
    store
        .set_second_factor(alice.id, b"sealed", 1, &[[1; 32]], None)
        .await
        .unwrap();
    let version = store.credentials(alice.id).await.unwrap().unwrap().credentials_version;

    assert_eq!(
        store.remove_account(alice.id, None, &free()).await.unwrap(),
        [of_alice.id]
    );
    assert_eq!(store.account(alice.id).await.unwrap(), None);
    assert!(store.credentials(alice.id).await.unwrap().is_none());
    let code = store.use_recovery_code(alice.id, &[1; 32]).await;
    assert!(matches!(code, Ok(false) | Err(StoreError::NotFound)), "{code:?}");
    assert_eq!(not_ended(&store).await, [of_bob.id]);
    let late = session(alice.id, at(2));
    let answer = store.open_session(
        &late,
        version,
        &alice.role,
        1,
        stagedoor_policy::rules::WhenFull::Displace,
    );
    assert_eq!(answer.await.unwrap(), Opened::Stale);
    assert!(matches!(
        store.remove_account(alice.id, None, &free()).await,
        Err(StoreError::NotFound)
    ));
}

pub(super) async fn a_removed_name_can_be_registered_again_as_another_account(place: &dyn Place) {
    let store = place.open();
    let first = registered(&store, "alice").await;
    store.remove_account(first.id, Some(1), &free()).await.unwrap();
    let second = registered(&store, "alice").await;
    assert_ne!(first.id, second.id);
    let found = store.account_by_name(&second.name).await.unwrap().unwrap();
    assert_eq!(found.id, second.id);
    let opened = open(&store, &session(second.id, at(1)), 1).await;
    assert_eq!(opened, Opened::Open { displaced: Vec::new() });
}

pub(super) async fn reinstating_notes_when_and_never_goes_back(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let reinstated = store.reinstate_account(alice.id, at(100)).await.unwrap();
    assert_eq!(reinstated.reinstated_at, Some(at(100)));
    let earlier = store.reinstate_account(alice.id, at(50)).await.unwrap();
    assert_eq!(earlier.reinstated_at, Some(at(100)));
    let nobody = store.reinstate_account(account("nobody").id, at(1)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

pub(super) async fn the_list_pages_through_all_names_in_their_order(place: &dyn Place) {
    let store = place.open();
    let mut expected: Vec<String> = (0..25).map(|number| format!("user-{}", (number * 7) % 25)).collect();
    expected.extend(["0", "z", "a.b", "a_b", "a-b", "a+b", "a@b"].map(str::to_owned));
    for wanted in &expected {
        registered(&store, wanted).await;
    }
    expected.sort();

    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().map(|last| name(last));
        let page = names(
            &store,
            AccountQuery {
                after,
                limit: 4,
                ..AccountQuery::default()
            },
        )
        .await;
        assert!(page.len() <= 4);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, expected);
}

pub(super) async fn the_list_finds_part_of_a_name_or_display_name_in_any_script(place: &dyn Place) {
    let store = place.open();
    for (account_name, display) in [
        ("alice", "愛麗絲"),
        ("bob", "Боб Ёлкин"),
        ("carol", "ÅSA"),
        ("dave", "100% *_a:b"),
        ("erol", "İlkay Işık"),
        ("fritz", "Fritz Straßer"),
        ("gildong", "홍길동"),
    ] {
        let mut account = account(account_name);
        account.display_name = display.to_owned();
        store.create_account(&account, HASH, None, &free()).await.unwrap();
    }
    for (part, found) in [
        ("lic", &["alice"][..]),
        ("麗", &["alice"]),
        ("Ёлк", &["bob"]),
        ("SA", &["carol"]),
        ("%", &["dave"]),
        ("*_", &["dave"]),
        ("a:b", &["dave"]),
        ("ilkay", &["erol"]),
        ("IŞIK", &["erol"]),
        ("STRASSE", &["fritz"]),
        ("길", &["gildong"]),
        ("\u{1100}\u{1175}\u{11af}", &["gildong"]),
        ("carol åsa", &[]),
        ("ro", &["carol", "erol"]),
        ("", &["alice", "bob", "carol", "dave", "erol", "fritz", "gildong"]),
        ("nobody", &[]),
        ("l%e", &[]),
    ] {
        let query = AccountQuery {
            contains: part.to_owned(),
            limit: 10,
            ..AccountQuery::default()
        };
        assert_eq!(names(&store, query).await, found, "part `{part}`");
    }
}

pub(super) async fn a_search_keeps_to_display_names_and_roles_where_it_is_told_to(place: &dyn Place) {
    let store = place.open();
    for (account_name, display, role) in [
        ("kim", "Sumi", "chief"),
        ("lee", "Kim Sumi", "clerk"),
        ("park", "KIM", "chief"),
    ] {
        let mut account = account(account_name);
        account.display_name = display.to_owned();
        account.role = role.to_owned();
        store.create_account(&account, HASH, None, &free()).await.unwrap();
    }
    let asked = |display_name_only: bool, roles: Option<&[&str]>| AccountQuery {
        contains: "kim".to_owned(),
        display_name_only,
        roles: roles.map(|roles| roles.iter().map(|&role| role.to_owned()).collect()),
        after: None,
        limit: 10,
    };
    assert_eq!(names(&store, asked(false, None)).await, ["kim", "lee", "park"]);
    assert_eq!(names(&store, asked(true, None)).await, ["lee", "park"]);
    assert_eq!(names(&store, asked(false, Some(&["chief"]))).await, ["kim", "park"]);
    assert_eq!(
        names(&store, asked(true, Some(&["chief", "clerk"]))).await,
        ["lee", "park"]
    );
    assert!(names(&store, asked(false, Some(&[]))).await.is_empty());
    for (characters, found) in [(1, 1), (20, 1), (100, 1), (101, 0)] {
        let mut long = account(&format!("long{characters}"));
        long.display_name = "홍".repeat(characters);
        store.create_account(&long, HASH, None, &free()).await.unwrap();
        let contains = long.display_name.clone();
        let query = AccountQuery {
            contains,
            after: Some(name("l")),
            limit: 1,
            ..AccountQuery::default()
        };
        assert_eq!(names(&store, query).await.len(), found, "{characters} characters");
    }
}

pub(super) async fn a_new_name_takes_failures_and_locks_along_and_frees_the_old_one(place: &dyn Place) {
    let store = place.open();
    let (alice, _bob) = (registered(&store, "alice").await, registered(&store, "bob").await);
    let rules = LockoutRules {
        failures: 2,
        ..LockoutRules::default()
    };
    let source = Source("192.0.2.1".to_owned());
    for _failure in 0..2 {
        store.reserve_attempt("alice", &source, &rules, at(1)).await.unwrap();
    }
    let renamed = |to: &str| AccountChange {
        name: Some(name(to)),
        ..AccountChange::default()
    };
    let taken = store
        .change_account(alice.id, None, &renamed("bob"), None, &free())
        .await;
    assert!(matches!(taken, Err(StoreError::NameTaken)));
    let (carol, _ended) = store
        .change_account(alice.id, None, &renamed("carol"), None, &free())
        .await
        .unwrap();
    assert_eq!(carol.name, name("carol"));
    assert_eq!(store.account_by_name(&name("carol")).await.unwrap(), Some(carol));
    assert_eq!(store.account_by_name(&name("alice")).await.unwrap(), None);

    let locked = store.reserve_attempt("carol", &source, &rules, at(2)).await.unwrap();
    assert!(matches!(locked, Reserved::Locked { .. }), "{locked:?}");
    let locks = store.lockouts(Some(&name("carol")), at(2)).await.unwrap();
    assert_eq!(locks.len(), 1);
    assert!(store.unlock_one(&locks[0].id).await.unwrap());
    let free_again = store.reserve_attempt("alice", &source, &rules, at(2)).await.unwrap();
    assert!(matches!(free_again, Reserved::Go { failures: 1, .. }), "{free_again:?}");
    registered(&store, "alice").await;
}

pub(super) async fn hostile_texts_come_back_as_they_were(place: &dyn Place) {
    let store = place.open();
    for (number, text) in hostile_texts().into_iter().enumerate() {
        let mut account = account(&format!("u{number}"));
        account.display_name.clone_from(&text);
        account.email = Some(text.clone());
        account.role.clone_from(&text);
        account.networks = vec![text.clone()];
        account.grants = vec![ExtraGrant {
            site: Some(text.clone()),
            area: text.clone(),
            level: Level::View,
            actions: vec![text.clone()],
        }];
        store.create_account(&account, HASH, None, &free()).await.unwrap();
        assert_eq!(store.account(account.id).await.unwrap(), Some(account.clone()));

        let mut session = session(account.id, at(1));
        session.channel.clone_from(&text);
        session.user_agent.clone_from(&text);
        let displace = stagedoor_policy::rules::WhenFull::Displace;
        let opened = store.open_session(&session, 1, &text, 1, displace).await.unwrap();
        assert_eq!(opened, Opened::Open { displaced: Vec::new() });
        assert_eq!(read_session(&store, session.id).await, session);
    }
}

async fn names(store: &SharedStore, query: AccountQuery) -> Vec<String> {
    let found = store.list_accounts(&query).await.unwrap();
    found.iter().map(|account| account.name.as_str().to_owned()).collect()
}
