//! Failures and locks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::port::{Reserved, SharedStore, Source};
use stagedoor_policy::rules::LockoutRules;
use stagedoor_policy::time::Timestamp;

use super::Place;
use super::sample::{at, at_once, hostile_texts, name, registered};

/// Three failures from one source or ten from anywhere within 600 s lock for 900 s.
const RULES: LockoutRules = LockoutRules {
    failures: 3,
    failures_from_anywhere: 10,
    within: Duration::from_secs(600),
    lasts: Duration::from_secs(900),
};

fn source(number: usize) -> Source {
    Source(format!("192.0.2.{number}"))
}

async fn fail(store: &SharedStore, name: &str, from: usize, now: Timestamp) -> Reserved {
    store.reserve_attempt(name, &source(from), &RULES, now).await.unwrap()
}

fn go(failures: u32) -> Reserved {
    Reserved::Go {
        failures,
        locks_until: None,
    }
}

fn go_and_lock(failures: u32, until: Timestamp) -> Reserved {
    Reserved::Go {
        failures,
        locks_until: Some(until),
    }
}

async fn lock(store: &SharedStore, name: &str, from: usize, now: Timestamp) {
    for failures in 1..RULES.failures {
        assert_eq!(fail(store, name, from, now).await, go(failures));
    }
    let until = now.after(RULES.lasts);
    assert_eq!(fail(store, name, from, now).await, go_and_lock(RULES.failures, until));
}

pub(super) async fn failures_lock_a_name_for_a_source_and_only_there(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    lock(&store, "alice", 1, at(10)).await;
    let until = at(10).after(RULES.lasts);
    assert_eq!(fail(&store, "alice", 1, at(11)).await, Reserved::Locked { until });
    assert_eq!(fail(&store, "alice", 2, at(11)).await, go(1));
    assert_eq!(fail(&store, "bob", 1, at(11)).await, go(1));

    let locks = store.lockouts(Some(&alice.name), at(11)).await.unwrap();
    assert_eq!(locks.len(), 1);
    assert_eq!(locks[0].account.as_ref(), Some(&alice.name));
    assert_eq!(locks[0].source, Some(source(1)));
    assert_eq!((locks[0].failures, locks[0].since, locks[0].until), (3, at(10), until));
    assert_eq!(store.lockouts(None, at(11)).await.unwrap(), locks);
    assert!(store.lockouts(Some(&name("bob")), at(11)).await.unwrap().is_empty());
}

pub(super) async fn parallel_guesses_cannot_outrun_the_count(place: &dyn Place) {
    let store = place.open();
    let answers = at_once(100, |_number| {
        let store = Arc::clone(&store);
        async move { fail(&store, "alice", 1, at(1)).await }
    })
    .await;
    let let_through = answers
        .iter()
        .filter(|answer| matches!(answer, Reserved::Go { .. }))
        .count();
    assert_eq!(let_through, 3, "one source");

    let answers = at_once(100, |number| {
        let store = Arc::clone(&store);
        async move { fail(&store, "bob", number, at(1)).await }
    })
    .await;
    let let_through = answers
        .iter()
        .filter(|answer| matches!(answer, Reserved::Go { .. }))
        .count();
    assert_eq!(let_through, 10, "many sources");
}

pub(super) async fn unknown_and_known_names_count_alike(place: &dyn Place) {
    let store = place.open();
    registered(&store, "known").await;
    for step in 0..5 {
        let known = fail(&store, "known", 1, at(step)).await;
        let unknown = fail(&store, "unknown", 1, at(step)).await;
        assert_eq!(known, unknown);
    }
    let locks = store.lockouts(None, at(5)).await.unwrap();
    let accounts: BTreeSet<_> = locks.iter().map(|lock| lock.account.clone()).collect();
    assert_eq!(
        accounts,
        BTreeSet::from([None, Some(name("known"))]),
        "a typed name no account has is not told"
    );
}

pub(super) async fn failures_from_many_sources_lock_the_name_everywhere(place: &dyn Place) {
    let store = place.open();
    lock(&store, "alice", 1, at(0)).await;
    for from in 2..=7 {
        assert_eq!(fail(&store, "alice", from, at(1)).await, go(1));
    }
    let until = at(2).after(RULES.lasts);
    assert_eq!(
        fail(&store, "alice", 8, at(2)).await,
        go_and_lock(1, until),
        "the tenth, the lock's three counted"
    );
    for from in [1, 2, 99] {
        assert_eq!(fail(&store, "alice", from, at(3)).await, Reserved::Locked { until });
    }
    let locks = store.lockouts(Some(&name("alice")), at(3)).await.unwrap();
    let everywhere: Vec<_> = locks.iter().filter(|lock| lock.source.is_none()).collect();
    assert_eq!(everywhere.len(), 1);
    assert_eq!((everywhere[0].failures, everywhere[0].until), (10, until));
}

pub(super) async fn a_lock_ends_by_itself_and_the_count_starts_anew(place: &dyn Place) {
    let store = place.open();
    let short = LockoutRules {
        lasts: Duration::from_secs(60),
        ..RULES
    };
    let try_it = async |now| store.reserve_attempt("alice", &source(1), &short, now).await.unwrap();
    for _failure in 0..3 {
        try_it(at(0)).await;
    }
    assert_eq!(try_it(at(59)).await, Reserved::Locked { until: at(60) });
    assert_eq!(store.lockouts(None, at(59)).await.unwrap().len(), 1);
    assert!(store.lockouts(None, at(60)).await.unwrap().is_empty());
    assert_eq!(
        try_it(at(60)).await,
        go(1),
        "still within the window of the failures that locked"
    );
    assert_eq!(try_it(at(61)).await, go(2));
    assert_eq!(try_it(at(62)).await, go_and_lock(3, at(122)));
}

pub(super) async fn failures_outside_the_window_do_not_count(place: &dyn Place) {
    let store = place.open();
    assert_eq!(fail(&store, "alice", 1, at(0)).await, go(1));
    assert_eq!(fail(&store, "alice", 1, at(599)).await, go(2));
    assert_eq!(
        fail(&store, "alice", 1, at(601)).await,
        go(2),
        "the first lies 601 s back"
    );
    assert_eq!(fail(&store, "alice", 1, at(602)).await, go_and_lock(3, at(1502)));
}

pub(super) async fn a_right_attempt_takes_the_failures_from_its_source_back(place: &dyn Place) {
    let store = place.open();
    fail(&store, "alice", 1, at(0)).await;
    fail(&store, "alice", 1, at(1)).await;
    store.forgive("alice", &source(1)).await.unwrap();
    assert_eq!(fail(&store, "alice", 1, at(2)).await, go(1));
    assert_eq!(fail(&store, "alice", 1, at(2)).await, go(2));
    store.forgive("nobody-tried-this", &source(1)).await.unwrap();
}

pub(super) async fn a_right_attempt_that_reached_the_limit_leaves_no_lock(place: &dyn Place) {
    let store = place.open();
    lock(&store, "alice", 1, at(0)).await;
    store.forgive("alice", &source(1)).await.unwrap();
    assert!(store.lockouts(None, at(0)).await.unwrap().is_empty());
    assert_eq!(fail(&store, "alice", 1, at(1)).await, go(1));

    for from in 1..=9 {
        fail(&store, "bob", from, at(0)).await;
    }
    let until = at(0).after(RULES.lasts);
    assert_eq!(fail(&store, "bob", 10, at(0)).await, go_and_lock(1, until));
    store.forgive("bob", &source(10)).await.unwrap();
    assert!(store.lockouts(None, at(0)).await.unwrap().is_empty());
    assert_eq!(
        fail(&store, "bob", 11, at(1)).await,
        go_and_lock(1, at(1).after(RULES.lasts)),
        "nine still count"
    );
}

pub(super) async fn a_right_attempt_from_one_source_does_not_hide_guesses_from_others(place: &dyn Place) {
    let store = place.open();
    for from in 2..=9 {
        fail(&store, "alice", from, at(0)).await;
    }
    fail(&store, "alice", 1, at(1)).await;
    store.forgive("alice", &source(1)).await.unwrap();
    assert_eq!(fail(&store, "alice", 20, at(2)).await, go(1), "the ninth");
    let until = at(2).after(RULES.lasts);
    assert_eq!(
        fail(&store, "alice", 21, at(2)).await,
        go_and_lock(1, until),
        "the tenth"
    );
}

pub(super) async fn unlocking_a_name_ends_every_lock_of_it_and_forgets_its_failures(place: &dyn Place) {
    let store = place.open();
    lock(&store, "alice", 1, at(0)).await;
    lock(&store, "alice", 2, at(0)).await;
    fail(&store, "alice", 3, at(0)).await;
    lock(&store, "bob", 1, at(0)).await;
    assert_eq!(store.unlock(&name("alice")).await.unwrap(), 2);
    assert_eq!(store.unlock(&name("alice")).await.unwrap(), 0);
    assert!(store.lockouts(Some(&name("alice")), at(1)).await.unwrap().is_empty());
    assert_eq!(
        store.lockouts(None, at(1)).await.unwrap().len(),
        1,
        "the other name stays locked"
    );
    for from in 1..=3 {
        assert_eq!(fail(&store, "alice", from, at(1)).await, go(1));
    }
}

pub(super) async fn one_lock_is_ended_by_its_id(place: &dyn Place) {
    let store = place.open();
    lock(&store, "alice", 1, at(0)).await;
    lock(&store, "alice", 2, at(0)).await;
    let locks = store.lockouts(None, at(1)).await.unwrap();
    let wanted = locks.iter().find(|lock| lock.source == Some(source(1))).unwrap();
    assert!(store.unlock_one(&wanted.id).await.unwrap());
    assert!(!store.unlock_one(&wanted.id).await.unwrap());
    assert!(!store.unlock_one("' OR 1=1 --").await.unwrap());
    assert_eq!(
        fail(&store, "alice", 1, at(1)).await,
        go(1),
        "the failures it was set for are used up"
    );
    let until = at(0).after(RULES.lasts);
    assert_eq!(fail(&store, "alice", 2, at(1)).await, Reserved::Locked { until });
}

pub(super) async fn old_failures_are_forgotten_but_not_under_a_lock(place: &dyn Place) {
    let store = place.open();
    fail(&store, "alice", 1, at(0)).await;
    fail(&store, "alice", 2, at(500)).await;
    lock(&store, "bob", 1, at(0)).await;
    assert!(store.forget_attempts(at(400), at(500)).await.unwrap() > 0);
    assert_eq!(fail(&store, "alice", 2, at(501)).await, go(2), "what was later is kept");
    assert_eq!(
        fail(&store, "alice", 1, at(501)).await,
        go(1),
        "what was earlier is not"
    );
    let until = at(0).after(RULES.lasts);
    assert_eq!(fail(&store, "bob", 1, at(501)).await, Reserved::Locked { until });

    assert!(store.forget_attempts(at(5000), at(5000)).await.unwrap() > 0);
    assert_eq!(
        store.forget_attempts(at(5000), at(5000)).await.unwrap(),
        0,
        "nothing is left"
    );
    assert_eq!(fail(&store, "bob", 1, at(5001)).await, go(1));
}

pub(super) async fn a_lock_survives_reopening(place: &dyn Place) {
    let store = place.open();
    lock(&store, "alice", 1, at(0)).await;
    fail(&store, "bob", 1, at(0)).await;
    drop(store);
    let store = place.open();
    let until = at(0).after(RULES.lasts);
    assert_eq!(fail(&store, "alice", 1, at(1)).await, Reserved::Locked { until });
    assert_eq!(fail(&store, "bob", 1, at(1)).await, go(2));
}

pub(super) async fn hostile_names_and_sources_count_for_themselves_alone(place: &dyn Place) {
    let store = place.open();
    for text in hostile_texts() {
        let source = Source("a:b*".to_owned());
        let answer = store.reserve_attempt(&text, &source, &RULES, at(0)).await.unwrap();
        assert_eq!(answer, go(1), "name `{text:.20}`");
        let source = Source(text.clone());
        let answer = store.reserve_attempt("hostile", &source, &RULES, at(0)).await;
        assert!(matches!(
            answer.unwrap(),
            Reserved::Go { failures: 1, .. } | Reserved::Locked { .. }
        ));
    }
    // Name and source never run into one another.
    let split = |source: &str| Source(source.to_owned());
    assert_eq!(
        store.reserve_attempt("x", &split("y:z"), &RULES, at(0)).await.unwrap(),
        go(1)
    );
    assert_eq!(
        store.reserve_attempt("x:y", &split("z"), &RULES, at(0)).await.unwrap(),
        go(1)
    );
}
