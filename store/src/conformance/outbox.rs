//! Letters that wait.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::AccountId;
use stagedoor_identity::letter::{DueLetter, Failure, LetterId, LetterKind, QueuedLetter, Waiting};
use stagedoor_identity::port::{SharedStore, StoreError, Structure};

use super::Place;
use super::sample::{at, at_once, hostile_texts, new_id, registered};

const CLAIM: Duration = Duration::from_secs(60);

fn letter(account: Option<AccountId>, kind: LetterKind, due_s: i64) -> QueuedLetter {
    QueuedLetter {
        id: LetterId(new_id()),
        account,
        kind,
        to: "ann@example.org".to_owned(),
        sealed: vec![0, 1, 255],
        due_at: at(due_s),
        give_up_at: at(due_s + 1000),
        letters_max: 1000,
    }
}

async fn queued(store: &SharedStore, due_s: i64) -> LetterId {
    let letter = letter(None, LetterKind::PasswordChanged, due_s);
    store.queue_letter(&letter).await.unwrap();
    letter.id
}

async fn taken(store: &SharedStore, worker: &str, now_s: i64) -> Vec<DueLetter> {
    store.take_due(worker, at(now_s), CLAIM, 100).await.unwrap()
}

async fn one_taken(store: &SharedStore, now_s: i64) -> DueLetter {
    let mut due = taken(store, "door", now_s).await;
    assert_eq!(due.len(), 1);
    due.remove(0)
}

fn failure(retry_s: i64) -> Failure {
    Failure {
        why: "451 try later".to_owned(),
        retry_at: at(retry_s),
        may_have_arrived: false,
    }
}

pub(super) async fn a_queued_letter_is_taken_whole_once_it_is_due(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await;
    for (number, text) in hostile_texts().into_iter().enumerate() {
        let due_s = i64::try_from(number).unwrap() * 100;
        let letter = QueuedLetter {
            to: text.clone(),
            sealed: text.into_bytes(),
            ..letter(Some(ann.id), LetterKind::EmailChanged, due_s)
        };
        store.queue_letter(&letter).await.unwrap();
        assert!(taken(&store, "door", due_s - 1).await.is_empty(), "not due yet");
        let due = one_taken(&store, due_s).await;
        assert_eq!((due.claim, due.failures, due.may_have_arrived), (1, 0, false));
        let found = due.letter;
        assert_eq!(
            (found.id, found.account, found.kind),
            (letter.id, letter.account, letter.kind)
        );
        assert_eq!((found.to, found.sealed), (letter.to, letter.sealed));
        assert_eq!((found.due_at, found.give_up_at), (letter.due_at, letter.give_up_at));
        assert!(store.letter_sent(letter.id).await.unwrap());
    }
}

pub(super) async fn letters_are_taken_in_the_order_they_became_due(place: &dyn Place) {
    let store = place.open();
    let mut expected = Vec::new();
    for due_s in [3, 1, 2] {
        expected.push((due_s, queued(&store, due_s).await));
    }
    expected.sort();
    let first = store.take_due("door", at(10), CLAIM, 2).await.unwrap();
    let then = store.take_due("door", at(10), CLAIM, 2).await.unwrap();
    assert_eq!((first.len(), then.len()), (2, 1));
    let order = first.iter().chain(&then).map(|due| due.letter.id);
    assert!(order.eq(expected.iter().map(|(_due, id)| *id)));
}

pub(super) async fn of_many_workers_one_gets_each_letter(place: &dyn Place) {
    let store = place.open();
    let mut all = BTreeSet::new();
    for due_s in 0..40 {
        all.insert(queued(&store, due_s).await);
    }
    let takings = at_once(20, |number| {
        let store = Arc::clone(&store);
        async move {
            store
                .take_due(&format!("door {number}"), at(100), CLAIM, 7)
                .await
                .unwrap()
        }
    })
    .await;
    let taken: Vec<LetterId> = takings.iter().flatten().map(|due| due.letter.id).collect();
    assert_eq!(taken.len(), 40, "each once");
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), all);
}

pub(super) async fn a_claim_runs_out_and_what_is_told_of_it_then_is_ignored(place: &dyn Place) {
    let store = place.open();
    let id = queued(&store, 0).await;
    let first = one_taken(&store, 0).await;
    assert!(taken(&store, "other", 59).await.is_empty(), "claimed");
    let second = one_taken(&store, 60).await;
    assert_eq!((second.letter.id, second.claim), (id, 2));

    assert!(!store.handing_over(id, first.claim, at(500)).await.unwrap());
    assert!(!store.letter_failed(id, first.claim, &failure(61)).await.unwrap());
    assert!(!store.give_letter_up(id, first.claim).await.unwrap());
    assert!(taken(&store, "other", 119).await.is_empty(), "the second claim holds");
    assert!(store.handing_over(id, second.claim, at(500)).await.unwrap());
}

pub(super) async fn a_letter_that_is_being_handed_over_stays_claimed_and_is_known_for_it(place: &dyn Place) {
    let store = place.open();
    let id = queued(&store, 0).await;
    let due = one_taken(&store, 0).await;
    assert!(store.handing_over(id, due.claim, at(700)).await.unwrap());
    assert!(taken(&store, "other", 699).await.is_empty());
    let again = one_taken(&store, 700).await;
    assert!(again.may_have_arrived, "nobody has said how that ended");
    assert_eq!(again.failures, 0);
}

pub(super) async fn a_failed_letter_is_due_at_its_next_try_and_counts_its_failures(place: &dyn Place) {
    let store = place.open();
    let id = queued(&store, 0).await;
    for round in 0..3_u32 {
        let now_s = i64::from(round) * 100;
        let due = one_taken(&store, now_s).await;
        assert_eq!((due.failures, due.may_have_arrived), (round, false));
        assert!(store.handing_over(id, due.claim, at(now_s + 700)).await.unwrap());
        assert!(store.letter_failed(id, due.claim, &failure(now_s + 100)).await.unwrap());
        assert!(
            !store.letter_failed(id, due.claim, &failure(now_s)).await.unwrap(),
            "told once"
        );
        assert!(taken(&store, "door", now_s + 99).await.is_empty());
    }
    let due = one_taken(&store, 300).await;
    let unknown = Failure {
        may_have_arrived: true,
        ..failure(400)
    };
    assert!(store.letter_failed(id, due.claim, &unknown).await.unwrap());
    assert!(one_taken(&store, 400).await.may_have_arrived);
}

pub(super) async fn a_sent_or_given_up_letter_is_gone(place: &dyn Place) {
    let store = place.open();
    let sent = queued(&store, 0).await;
    assert_eq!(one_taken(&store, 0).await.letter.id, sent);
    assert!(store.letter_sent(sent).await.unwrap());
    assert!(!store.letter_sent(sent).await.unwrap());
    let given_up = queued(&store, 1).await;
    let due = one_taken(&store, 1).await;
    assert!(store.give_letter_up(given_up, due.claim).await.unwrap());
    assert!(!store.give_letter_up(given_up, due.claim).await.unwrap());
    assert!(taken(&store, "door", 10_000).await.is_empty());
    assert_eq!(store.letters_waiting().await.unwrap(), Waiting::default());
}

pub(super) async fn a_worker_that_starts_again_finds_what_it_had_claimed_and_no_other_does(place: &dyn Place) {
    let store = place.open();
    queued(&store, 0).await;
    assert_eq!(taken(&store, "mine", 0).await.len(), 1);
    queued(&store, 1).await;
    assert_eq!(taken(&store, "theirs", 1).await.len(), 1);
    assert_eq!(store.release_claims("mine", at(2)).await.unwrap(), 1);
    let again = taken(&store, "mine", 2).await;
    assert_eq!(again.iter().map(|due| due.claim).collect::<Vec<_>>(), [2]);
    assert_eq!(store.release_claims("nobody", at(3)).await.unwrap(), 0);
}

pub(super) async fn a_full_outbox_refuses_and_keeps_what_it_has(place: &dyn Place) {
    let store = place.open();
    let answers = at_once(20, |number| {
        let store = Arc::clone(&store);
        async move {
            let letter = QueuedLetter {
                letters_max: 5,
                ..letter(None, LetterKind::Trial, i64::try_from(number).unwrap())
            };
            store.queue_letter(&letter).await
        }
    })
    .await;
    let full = |answer: &Result<(), StoreError>| matches!(answer, Err(StoreError::OutboxFull { letters_max: 5 }));
    assert_eq!(answers.iter().filter(|answer| full(answer)).count(), 15);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
    let waiting = store.letters_waiting().await.unwrap();
    assert_eq!(waiting.letters, 5);
    assert!(waiting.oldest.is_some_and(|oldest| oldest < at(20)));
}

pub(super) async fn a_newer_letter_of_the_same_use_takes_the_place_of_the_one_that_waits(place: &dyn Place) {
    let store = place.open();
    let (ann, bob) = (registered(&store, "ann").await, registered(&store, "bob").await);
    let of = |account: &stagedoor_identity::Account, kind| QueuedLetter {
        letters_max: 4,
        ..letter(Some(account.id), kind, 0)
    };
    for letter in [
        of(&ann, LetterKind::Invitation),
        of(&bob, LetterKind::Invitation),
        of(&ann, LetterKind::PasswordReset),
        of(&ann, LetterKind::PasswordChanged),
    ] {
        store.queue_letter(&letter).await.unwrap();
    }
    let due = taken(&store, "door", 0).await;
    let old = due
        .iter()
        .find(|due| due.letter.account == Some(ann.id) && due.letter.kind == LetterKind::Invitation);
    let reminder = of(&ann, LetterKind::InvitationReminder);
    store
        .queue_letter(&reminder)
        .await
        .expect("one goes as one comes: not full");
    let old = old.unwrap();
    assert!(
        !store.handing_over(old.letter.id, old.claim, at(700)).await.unwrap(),
        "its link has ended"
    );
    let refused = store.queue_letter(&of(&ann, LetterKind::PasswordChanged)).await;
    assert!(
        matches!(refused, Err(StoreError::OutboxFull { .. })),
        "notices never replace each other"
    );
    assert_eq!(store.letters_waiting().await.unwrap().letters, 4);
}

pub(super) async fn letters_go_with_their_account_and_none_is_queued_for_nobody(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await;
    let invitation = letter(Some(ann.id), LetterKind::Invitation, 0);
    store.queue_letter(&invitation).await.unwrap();
    let trial = letter(None, LetterKind::Trial, 0);
    store.queue_letter(&trial).await.unwrap();
    store.remove_account(ann.id, None, &Structure::default()).await.unwrap();
    assert_eq!(one_taken(&store, 0).await.letter.id, trial.id);
    let late = store
        .queue_letter(&letter(Some(ann.id), LetterKind::Invitation, 0))
        .await;
    assert!(matches!(late, Err(StoreError::NotFound)));
}

pub(super) async fn waiting_letters_are_listed_with_why_they_wait(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await;
    let mut letters = Vec::new();
    for due_s in 0..5 {
        let letter = letter(Some(ann.id), LetterKind::EmailChanged, due_s);
        store.queue_letter(&letter).await.unwrap();
        letters.push(letter);
    }
    let due = one_taken(&store, 0).await;
    assert!(
        store
            .letter_failed(due.letter.id, due.claim, &failure(77))
            .await
            .unwrap()
    );
    let first = store.list_letters(None, 2).await.unwrap();
    let rest = store
        .list_letters(first.last().map(|letter| letter.id), 100)
        .await
        .unwrap();
    assert_eq!((first.len(), rest.len()), (2, 3));
    let listed: Vec<_> = first.iter().chain(&rest).map(|letter| letter.id).collect();
    assert_eq!(listed, letters.iter().map(|letter| letter.id).collect::<Vec<_>>());
    let failed = &first[0];
    assert_eq!(
        (failed.account, failed.kind, failed.to.as_str()),
        (Some(ann.id), LetterKind::EmailChanged, "ann@example.org")
    );
    assert_eq!(
        (failed.queued_at, failed.due_at, failed.give_up_at),
        (at(0), at(77), at(1000))
    );
    assert_eq!(
        (failed.failures, failed.last_failure.as_deref()),
        (1, Some("451 try later"))
    );
    assert_eq!((first[1].failures, first[1].last_failure.as_deref()), (0, None));
}

pub(super) async fn waiting_letters_survive_reopening(place: &dyn Place) {
    let store = place.open();
    let id = queued(&store, 0).await;
    let due = one_taken(&store, 0).await;
    assert!(store.handing_over(id, due.claim, at(700)).await.unwrap());
    drop(store);
    let store = place.open();
    assert!(taken(&store, "other", 699).await.is_empty());
    assert_eq!(store.release_claims("door", at(1)).await.unwrap(), 1);
    let again = one_taken(&store, 1).await;
    assert_eq!((again.letter.id, again.claim, again.may_have_arrived), (id, 2, true));
}

pub(super) async fn a_disuse_is_warned_of_once_with_its_letter_or_not_at_all(place: &dyn Place) {
    let store = place.open();
    let ann = registered(&store, "ann").await.id;
    let warning = |max: u32| QueuedLetter {
        letters_max: max,
        ..letter(Some(ann), LetterKind::InactivityWarning, 0)
    };
    let full = store.warn_once(ann, at(5), &warning(0)).await;
    assert!(matches!(full, Err(StoreError::OutboxFull { letters_max: 0 })));
    let tries = at_once(20, |_| {
        let (store, warning) = (Arc::clone(&store), warning(10));
        async move { store.warn_once(ann, at(5), &warning).await.unwrap() }
    })
    .await;
    assert_eq!(
        tries.into_iter().filter(|done| *done).count(),
        1,
        "the full outbox left no mark"
    );
    assert_eq!(store.letters_waiting().await.unwrap().letters, 1);
    let due = one_taken(&store, 1).await;
    store.letter_sent(due.letter.id).await.unwrap();
    drop(store);
    let store = place.open();
    for since in [5, 4] {
        assert!(!store.warn_once(ann, at(since), &warning(10)).await.unwrap(), "{since}");
    }
    assert_eq!(store.letters_waiting().await.unwrap().letters, 0);
    assert!(
        store.warn_once(ann, at(6), &warning(10)).await.unwrap(),
        "another disuse"
    );
    assert_eq!(store.letters_waiting().await.unwrap().letters, 1);
    let nobody = AccountId(new_id());
    let unknown = store
        .warn_once(nobody, at(6), &letter(Some(nobody), LetterKind::InactivityWarning, 0))
        .await;
    assert!(matches!(unknown, Err(StoreError::NotFound)));
}
