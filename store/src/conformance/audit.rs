//! The audit.

use std::sync::Arc;

use stagedoor_identity::event::{AuditQuery, Event, Kind, Outcome};
use stagedoor_identity::port::SharedStore;

use super::Place;
use super::sample::{at, at_once, event, free, hostile_texts, registered};

fn query() -> AuditQuery {
    AuditQuery {
        limit: 1000,
        ..AuditQuery::default()
    }
}

async fn numbers(store: &SharedStore, query: &AuditQuery) -> Vec<u64> {
    let found = store.events(query).await.unwrap();
    found.into_iter().map(|stored| stored.number).collect()
}

pub(super) async fn events_come_back_whole_newest_first_and_numbered_from_one(place: &dyn Place) {
    let store = place.open();
    let mut written = vec![event(Kind::SignInSucceeded, 1)];
    for (number, text) in hostile_texts().into_iter().enumerate() {
        let some = || Some(text.clone());
        written.push(Event {
            actor: text.clone(),
            account: some(),
            address: Some("2001:db8::1".parse().unwrap()),
            outcome: [Outcome::Allowed, Outcome::Refused, Outcome::Done, Outcome::Failed][number % 4],
            reason: some(),
            rule: some(),
            site: some(),
            area: some(),
            target: some(),
            policy_revision: Some(7),
            request_id: some(),
            support_code: some(),
            session: some(),
            details: vec![(text.clone(), text.clone()), ("again".to_owned(), text.clone())],
            ..event(Kind::RequestRefused, 2)
        });
    }
    let (first, rest) = written.split_at(2);
    store.record(first).await.unwrap();
    store.record(&[]).await.unwrap();
    store.record(rest).await.unwrap();

    let mut read = store.events(&query()).await.unwrap();
    read.reverse();
    let expected: Vec<u64> = (1..).take(written.len()).collect();
    assert_eq!(read.iter().map(|stored| stored.number).collect::<Vec<_>>(), expected);
    assert_eq!(read.into_iter().map(|stored| stored.event).collect::<Vec<_>>(), written);
}

pub(super) async fn numbers_have_no_gap_when_many_record_at_once(place: &dyn Place) {
    let store = place.open();
    at_once(60, |number| {
        let store = Arc::clone(&store);
        async move {
            // Others fail in between: a number must not be lost with them.
            let nobody = super::sample::account("nobody").id;
            assert!(store.remove_account(nobody, None, &free()).await.is_err());
            let seconds = i64::try_from(number).unwrap();
            let pair = [
                event(Kind::RequestRefused, seconds),
                event(Kind::SignInSucceeded, seconds),
            ];
            store.record(&pair).await.unwrap();
        }
    })
    .await;
    let mut read = store.events(&query()).await.unwrap();
    read.reverse();
    assert_eq!(
        read.iter().map(|stored| stored.number).collect::<Vec<_>>(),
        (1..=120).collect::<Vec<u64>>()
    );
    for pair in read.chunks(2) {
        assert_eq!(
            pair[0].event.at_micros, pair[1].event.at_micros,
            "what is recorded together stays together"
        );
    }
}

/// Five events, numbered 1 to 5, one a second.
async fn with_five_events(place: &dyn Place) -> SharedStore {
    let store = place.open();
    let mut written: Vec<Event> = (1..=5).map(|seconds| event(Kind::RequestRefused, seconds)).collect();
    written[0].account = Some("alice".to_owned());
    written[1].actor = "alice".to_owned();
    written[1].kind = Kind::SignInSucceeded;
    written[2].account = Some("bob".to_owned());
    written[3].actor = "alice".to_owned();
    written[3].account = Some("alice".to_owned());
    written[3].kind = Kind::SignInSucceeded;
    written[4].support_code = Some("K7-QX".to_owned());
    store.record(&written).await.unwrap();
    store
}

async fn assert_found(store: &SharedStore, ask: impl FnOnce(&mut AuditQuery), found: &[u64]) {
    let mut asked = query();
    ask(&mut asked);
    assert_eq!(numbers(store, &asked).await, found, "{asked:?}");
}

pub(super) async fn events_are_found_by_time_kind_and_support_code(place: &dyn Place) {
    let store = with_five_events(place).await;
    let text = |text: &str| Some(text.to_owned());
    assert_found(&store, |asked| asked.since = Some(at(4)), &[5, 4]).await;
    assert_found(&store, |asked| asked.until = Some(at(2)), &[1]).await;
    assert_found(
        &store,
        |asked| (asked.since, asked.until) = (Some(at(2)), Some(at(4))),
        &[3, 2],
    )
    .await;
    assert_found(&store, |asked| asked.since = Some(at(9)), &[]).await;
    assert_found(&store, |asked| asked.kind = text("request.refused"), &[5, 3, 1]).await;
    assert_found(&store, |asked| asked.kind = text("no.such"), &[]).await;
    assert_found(&store, |asked| asked.support_code = text("K7-QX"), &[5]).await;
    assert_found(&store, |asked| asked.support_code = text("' OR 1=1 --"), &[]).await;
}

pub(super) async fn events_of_an_account_are_what_it_did_and_what_was_done_to_it(place: &dyn Place) {
    let store = with_five_events(place).await;
    let alice = || Some("alice".to_owned());
    let kind = Some("sign_in.succeeded".to_owned());
    assert_found(&store, |asked| asked.account = alice(), &[4, 2, 1]).await;
    assert_found(&store, |asked| (asked.account, asked.kind) = (alice(), kind), &[4, 2]).await;
    assert_found(
        &store,
        |asked| (asked.account, asked.before) = (alice(), Some(4)),
        &[2, 1],
    )
    .await;
    assert_found(&store, |asked| (asked.account, asked.limit) = (alice(), 1), &[4]).await;
    assert_found(
        &store,
        |asked| (asked.account, asked.until) = (alice(), Some(at(4))),
        &[2, 1],
    )
    .await;
    assert_found(&store, |asked| asked.account = Some("al".to_owned()), &[]).await;
}

pub(super) async fn the_audit_pages_by_number(place: &dyn Place) {
    let store = place.open();
    let events: Vec<Event> = (0..25).map(|seconds| event(Kind::RequestRefused, seconds)).collect();
    store.record(&events).await.unwrap();
    let mut seen = Vec::new();
    loop {
        let page = numbers(
            &store,
            &AuditQuery {
                before: seen.last().copied(),
                limit: 7,
                ..query()
            },
        )
        .await;
        assert!(page.len() <= 7);
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<u64>>());
}

pub(super) async fn the_audit_of_a_removed_account_stays(place: &dyn Place) {
    let store = place.open();
    let alice = registered(&store, "alice").await;
    let about = Event {
        account: Some("alice".to_owned()),
        ..event(Kind::SignInSucceeded, 1)
    };
    store.record(&[about]).await.unwrap();
    store.remove_account(alice.id, None, &free()).await.unwrap();
    let asked = AuditQuery {
        account: Some("alice".to_owned()),
        ..query()
    };
    assert_eq!(numbers(&store, &asked).await, [1]);
}
