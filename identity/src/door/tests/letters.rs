//! Letters: queued, taken, sent, tried again, given up.

use super::*;
use crate::ChangeFault;
use crate::letter::{DueLetter, Letter, LetterKind, LetterOutcome, Letterhead, OpenedLetter, Says, Sealer};
use crate::port::{Outbox as _, StoreError};

const CLAIM: Duration = Duration::from_secs(60);

async fn stage() -> Stage {
    let stage = Stage::new().await;
    stage.letterhead.swap(Some(SwappableLetterhead::sample()));
    stage
}

const TO: &str = "ann@example.org";

impl Stage {
    async fn due(&self) -> Vec<(DueLetter, OpenedLetter)> {
        self.door.due_letters("door", CLAIM, 10).await.unwrap()
    }

    async fn one_due(&self) -> DueLetter {
        let mut due = self.due().await;
        assert_eq!(due.len(), 1);
        due.remove(0).0
    }

    fn letters(&self, outcome: LetterOutcome) -> u64 {
        let tally = self.door.tally();
        let counted = tally
            .letters()
            .filter(|(kind, of, _)| [LetterKind::Trial, LetterKind::PasswordChanged].contains(kind) && *of == outcome);
        counted.map(|(_, _, count)| count).sum()
    }

    async fn last(&self, kind: Kind) -> StoredEvent {
        self.events(kind).await.remove(0)
    }

    async fn kinds(&self) -> Vec<Kind> {
        let query = AuditQuery {
            limit: 100,
            ..AuditQuery::default()
        };
        let events = self.store.events(&query).await.unwrap();
        let letters = events.into_iter().rev().map(|stored| stored.event.kind);
        letters.filter(|kind| kind.name().starts_with("letter.")).collect()
    }
}

#[tokio::test]
async fn without_a_mail_server_nothing_is_queued_and_the_caller_knows() {
    let stage = Stage::new().await;
    assert!(stage.door.letterhead().is_none());
    assert_eq!(stage.door.queue_trial(TO, &by()).await.unwrap(), None);
    assert!(stage.events(Kind::LetterTried).await.is_empty());
    assert_eq!(stage.door.letters_waiting().await.unwrap().letters, 0);
}

#[tokio::test]
async fn a_sent_letter_is_gone_counted_and_in_the_audit_with_whose_it_was() {
    let stage = stage().await;
    let ann = stage.account("ann").await;
    let change = crate::letter::Change {
        at: stage.clock.now(),
        from: None,
    };
    let letter = Letter {
        account: Some(ann.id),
        to: TO.to_owned(),
        display_name: "Ann".to_owned(),
        says: Says::PasswordChanged(change),
    };
    let sealer = Sealer::new(&stage.door.key("letters").await.unwrap()).unwrap();
    let head = stage.door.letterhead().unwrap();
    let queued = letter
        .seal(&head, &sealer, stage.chance.as_ref(), stage.clock.now())
        .unwrap();
    stage.store.queue_letter(&queued).await.unwrap();
    assert_eq!(stage.door.letters_waiting().await.unwrap().letters, 1);
    let (due, opened) = stage.due().await.remove(0);
    assert!(opened.rendered.text.contains("Box office"));
    assert!(stage.door.handing_over(&due, CLAIM).await.unwrap());
    stage.door.letter_sent(&due).await.unwrap();
    assert_eq!(stage.door.letters_waiting().await.unwrap().letters, 0);
    assert_eq!(
        (
            stage.letters(LetterOutcome::Sent),
            stage.letters(LetterOutcome::Repeated)
        ),
        (1, 0)
    );
    let event = stage.last(Kind::LetterSent).await;
    assert_eq!(event.event.account.as_deref(), Some("ann"));
    assert!(
        !format!("{event:?}").contains("example.org"),
        "neither address nor words"
    );
}

#[tokio::test]
async fn a_failing_letter_is_tried_again_ever_later_and_the_audit_says_so_once() {
    let stage = stage().await;
    stage.door.queue_trial(TO, &by()).await.unwrap();
    for wait_s in [30, 60, 120, 240] {
        let due = stage.one_due().await;
        stage.door.letter_failed(&due, "451 later", false).await.unwrap();
        stage.wait(wait_s * 3 / 4 - 1);
        assert!(stage.due().await.is_empty(), "not before {wait_s} s less a quarter");
        stage.wait(wait_s / 4 + 1);
    }
    assert_eq!(stage.kinds().await, [Kind::LetterTried, Kind::LetterDelayed]);
    assert_eq!(stage.letters(LetterOutcome::Delayed), 4);
}

#[tokio::test]
async fn a_letter_is_given_up_when_its_days_are_over_and_the_audit_says_to_whom_it_was() {
    let stage = stage().await;
    stage.door.queue_trial(TO, &by()).await.unwrap();
    let days = SwappableLetterhead::sample().give_up_after;
    let end = stage.clock.now().after(days);
    let mut tries = 0;
    while stage.clock.now() < end {
        for (due, _) in stage.due().await {
            stage.door.letter_failed(&due, "no route", false).await.unwrap();
            tries += 1;
        }
        stage.wait(60);
    }
    assert!((60..120).contains(&tries), "{tries}: about one an hour");
    assert!(stage.due().await.is_empty());
    assert_eq!(
        stage.kinds().await,
        [Kind::LetterTried, Kind::LetterDelayed, Kind::LetterGivenUp]
    );
    let event = stage.last(Kind::LetterGivenUp).await.event;
    assert_eq!(event.reason.as_deref(), Some("out_of_time"));
    assert!(event.details.contains(&("to".to_owned(), "ann@example.org".to_owned())));
    assert_eq!(stage.door.letters_waiting().await.unwrap().letters, 0);
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_not_tried_again() {
    let stage = stage().await;
    stage.door.queue_trial(TO, &by()).await.unwrap();
    let due = stage.one_due().await;
    stage.door.letter_refused(&due, "550 no such user").await.unwrap();
    stage.wait(86_400);
    assert!(stage.due().await.is_empty());
    let event = stage.last(Kind::LetterGivenUp).await.event;
    assert_eq!(event.reason.as_deref(), Some("refused"));
    assert!(
        event
            .details
            .contains(&("why".to_owned(), "550 no such user".to_owned()))
    );
    assert_eq!(stage.letters(LetterOutcome::GivenUp), 1);
}

#[tokio::test]
async fn a_letter_cut_off_while_it_was_handed_over_goes_again_under_its_old_name_and_the_audit_says_so() {
    let stage = stage().await;
    stage.door.queue_trial(TO, &by()).await.unwrap();
    let (first, opened) = stage.due().await.remove(0);
    assert!(stage.door.handing_over(&first, CLAIM).await.unwrap());

    let again = stage.reopened().await;
    again.letterhead.swap(Some(SwappableLetterhead::sample()));
    assert_eq!(again.door.release_letters("door").await.unwrap(), 1);
    let (second, opened_again) = again.due().await.remove(0);
    assert!(
        !stage.door.handing_over(&first, CLAIM).await.unwrap(),
        "the claim before is over"
    );
    assert!(again.door.handing_over(&second, CLAIM).await.unwrap());
    assert_eq!(opened.message_id, opened_again.message_id);
    assert_eq!(again.kinds().await, [Kind::LetterTried, Kind::LetterRepeated]);
    assert_eq!(again.letters(LetterOutcome::Repeated), 1);
}

#[tokio::test]
async fn a_full_outbox_refuses_the_next_letter_and_says_what_to_do() {
    let stage = stage().await;
    stage.letterhead.swap(Some(Letterhead {
        letters_max: 1,
        ..SwappableLetterhead::sample()
    }));
    stage.door.queue_trial(TO, &by()).await.unwrap();
    let refused = stage.door.queue_trial(TO, &by()).await.unwrap_err();
    assert!(matches!(
        refused,
        ChangeFault::Store(StoreError::OutboxFull { letters_max: 1 })
    ));
    assert!(refused.to_string().contains("mail server"), "{refused}");
}

#[tokio::test]
async fn a_letter_sealed_with_a_key_that_is_lost_is_given_up() {
    let stage = stage().await;
    stage.door.queue_trial(TO, &by()).await.unwrap();
    let mut taken = stage
        .store
        .take_due("thief", stage.clock.now(), Duration::ZERO, 1)
        .await
        .unwrap();
    let mut forged = taken.remove(0).letter;
    stage.store.letter_sent(forged.id).await.unwrap();
    forged.sealed.reverse();
    forged.letters_max = 10;
    stage.store.queue_letter(&forged).await.unwrap();
    assert!(stage.due().await.is_empty());
    let event = stage.last(Kind::LetterGivenUp).await.event;
    assert_eq!(event.reason.as_deref(), Some("unreadable"));
}

#[tokio::test]
async fn a_trial_to_what_is_no_address_is_refused_and_nothing_is_queued() {
    let stage = stage().await;
    for to in [
        "",
        "ann",
        "a@b@c",
        "a@b\r\nBcc: eve@example.org",
        "a@b, eve@example.org",
        "Ann <a@b>",
    ] {
        let refused = stage.door.queue_trial(to, &by()).await.unwrap_err();
        assert!(matches!(refused, ChangeFault::Unfit(_)), "{to:?}");
    }
    assert_eq!(stage.door.letters_waiting().await.unwrap().letters, 0);
}
