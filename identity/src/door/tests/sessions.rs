use super::*;
use crate::door::admission::Proof;
use crate::port::Sessions as _;
use crate::session::EndReason;
use stagedoor_policy::rules::{ChannelRules, WhenFull};
use std::net::IpAddr;

#[tokio::test]
async fn a_later_sign_in_displaces_the_former_and_its_visitor_is_told_from_where() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let first = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(1);
    let second = stage.opened(attempt_from("ann", PASSWORD, THERE)).await;
    assert_eq!(second.displaced, 1);
    let Lookup::Ended(ended) = stage.look_up(&first.token) else {
        panic!("still live")
    };
    let by: IpAddr = THERE.parse().unwrap();
    assert_eq!(ended.reason, EndReason::Displaced { by });
    assert!(stage.is_live(&second.token));
    assert_eq!(stage.events(Kind::SessionDisplaced).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_sign_ins_at_once_leave_one_live_session_in_memory_and_in_the_store() {
    let mut rules = rules();
    rules.lockout.failures = 1000;
    rules.lockout.failures_from_anywhere = 1000;
    let stage = Stage::with(rules).await;
    stage.account("ann").await;
    let sign_ins: Vec<_> = (0..200)
        .map(|_| {
            let door = Arc::clone(&stage.door);
            tokio::spawn(async move {
                loop {
                    match door.sign_in(attempt("ann", PASSWORD)).await {
                        Ok(Progress::Open(open)) => return open,
                        Err(SignInRefusal::Busy { .. }) => tokio::task::yield_now().await,
                        other => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    let mut tokens = Vec::new();
    for sign_in in sign_ins {
        tokens.push(sign_in.await.unwrap().token);
    }
    let live: Vec<_> = tokens.iter().filter(|token| stage.is_live(token)).collect();
    assert_eq!(live.len(), 1);
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    let stored: Vec<_> = stored.iter().filter(|session| session.ended.is_none()).collect();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].token, live[0].hash());
    assert_eq!(stage.door.sessions().len(), 1);
}

/// The hashing spreads sign-ins out in time; here all of them come to the last step together.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_who_have_proved_everything_open_together_and_one_stays() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let house = &stage.door.house;
    let proof = Proof {
        account: account.id,
        channel: "browser".to_owned(),
        from: origin(HERE),
        credentials_version: 1,
        second_factor: false,
        attempts: 0,
        own_lock: None,
        right: None,
        device: None,
    };
    let openings: Vec<_> = (0..200)
        .map(|_| {
            let (house, proof) = (Arc::clone(house), proof.clone());
            let knock = house.knock_of(&account, proof.from.address);
            tokio::spawn(async move { house.open_session(&proof, &knock).await.unwrap() })
        })
        .collect();
    let mut opened = Vec::new();
    for opening in openings {
        opened.push(opening.await.unwrap());
    }
    let live: Vec<_> = opened.iter().filter(|open| stage.is_live(&open.token)).collect();
    assert_eq!(live.len(), 1);
    let displaced: usize = opened.iter().map(|open| open.displaced).sum();
    assert_eq!(displaced, 199);
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    let stored: Vec<_> = stored.iter().filter(|session| session.ended.is_none()).collect();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].id, live[0].session.id());
}

#[tokio::test]
async fn once_a_sign_in_is_answered_the_former_session_is_over() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let mut former = stage.opened(attempt("ann", PASSWORD)).await;
    for _ in 0..20 {
        let later = stage.opened(attempt("ann", PASSWORD)).await;
        assert_eq!(stage.end(&former.token), "displaced");
        assert!(former.session.end().is_some());
        former = later;
    }
}

#[tokio::test]
async fn where_the_rule_is_refuse_the_second_sign_in_is_told_who_holds_the_place() {
    let mut rules = rules();
    rules.session.when_full = WhenFull::Refuse;
    let stage = Stage::with(rules).await;
    stage.account("ann").await;
    let first = stage.opened(attempt("ann", PASSWORD)).await;
    let opened_at = stage.clock.now();
    stage.wait(60);
    stage.door.used(&first.session, stage.clock.now());
    let refusal = stage.refused(attempt_from("ann", PASSWORD, THERE)).await;
    let address: IpAddr = HERE.parse().unwrap();
    assert_eq!(refusal, SignInRefusal::SessionLimit { opened_at, address });
    assert!(stage.is_live(&first.token));
    stage.wait(30 * 60);
    stage.opened(attempt_from("ann", PASSWORD, THERE)).await;
}

#[tokio::test]
async fn a_session_used_since_the_last_flush_holds_its_place_where_the_rule_is_refuse() {
    let mut rules = rules();
    rules.session.when_full = WhenFull::Refuse;
    let stage = Stage::with(rules).await;
    stage.account("ann").await;
    let first = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(29 * 60);
    stage.door.used(&first.session, stage.clock.now());
    stage.wait(2 * 60);
    assert_eq!(stage.refused(attempt("ann", PASSWORD)).await.code(), "session_limit");
    assert!(stage.is_live(&first.token));
}

#[tokio::test]
async fn each_channel_counts_its_own_sessions() {
    let mut rules = rules();
    let client = ChannelRules {
        per_account: Some(2),
        ..ChannelRules::default()
    };
    rules.channels.insert("client".to_owned(), client);
    let stage = Stage::with(rules).await;
    stage.account("ann").await;
    let browser = stage.opened(attempt("ann", PASSWORD)).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        stage.wait(1);
        let by_client = Attempt {
            channel: "client".to_owned(),
            ..attempt("ann", PASSWORD)
        };
        clients.push(stage.opened(by_client).await);
    }
    let live: Vec<bool> = clients.iter().map(|open| stage.is_live(&open.token)).collect();
    assert_eq!(live, [false, true, true]);
    assert!(stage.is_live(&browser.token));
}

#[tokio::test]
async fn a_session_used_since_the_last_flush_is_still_displaced() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let first = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(29 * 60);
    // The store was never told of this, and takes the session for idle two minutes later.
    stage.door.used(&first.session, stage.clock.now());
    stage.wait(2 * 60);
    assert!(stage.is_live(&first.token));
    let second = stage.opened(attempt("ann", PASSWORD)).await;
    assert_eq!(second.displaced, 1);
    assert_eq!(stage.end(&first.token), "displaced");
}

#[tokio::test]
async fn a_session_ends_after_the_idle_limit_and_after_its_lifetime() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let idle = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(30 * 60 - 1);
    assert!(stage.is_live(&idle.token));
    stage.wait(1);
    assert_eq!(stage.end(&idle.token), "idle");
    let busy = stage.opened(attempt("ann", PASSWORD)).await;
    for _ in 0..(12 * 4) {
        let session = stage.live(&busy.token);
        stage.door.used(&session, stage.clock.now());
        stage.wait(15 * 60);
    }
    assert_eq!(stage.end(&busy.token), "expired");
}

#[tokio::test]
async fn a_clock_set_back_does_not_raise_a_session_that_was_over() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    let start = stage.clock.now();
    stage.wait(30 * 60);
    assert_eq!(stage.end(&open.token), "idle");
    stage.clock.set(start);
    assert_eq!(stage.end(&open.token), "idle");
}

#[tokio::test]
async fn a_shorter_idle_limit_holds_at_once() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(120);
    assert!(stage.is_live(&open.token));
    let mut rules = rules();
    rules.session.idle = Duration::from_secs(60);
    stage.policy.swap(compiled(&rules));
    assert_eq!(stage.end(&open.token), "idle");
}

#[tokio::test]
async fn a_second_factor_that_comes_to_be_demanded_ends_the_sessions_without_one_for_good() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    let mut rules = rules();
    rules.second_factor.ask = SecondFactor::Required;
    stage.policy.swap(compiled(&rules));
    assert_eq!(stage.end(&open.token), "policy_changed");
    rules.second_factor.ask = SecondFactor::Optional;
    stage.policy.swap(compiled(&rules));
    assert_eq!(
        stage.end(&open.token),
        "policy_changed",
        "and not only as long as it is"
    );
}

#[tokio::test]
async fn a_changed_role_ends_the_accounts_sessions_and_a_changed_display_name_reaches_them() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    let renamed = AccountChange {
        display_name: Some("Ann Lee".to_owned()),
        role: Some("viewer".to_owned()),
        ..AccountChange::default()
    };
    stage.change(account.id, renamed).await;
    assert_eq!(stage.live(&open.token).facts().account().display_name, "Ann Lee");
    let promoted = AccountChange {
        role: Some("guard".to_owned()),
        ..AccountChange::default()
    };
    stage.change(account.id, promoted).await;
    assert_eq!(stage.end(&open.token), "account_changed");
}

#[tokio::test]
async fn whatever_ends_a_session_wakes_who_waits_for_changes() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    let mut changed = stage.door.changed();
    assert_eq!(stage.door.end_sessions_of(account.id, &by()).await.unwrap(), 1);
    changed.changed().await.unwrap();
    assert!(open.session.end().is_some());
    assert_eq!(stage.end(&open.token), "ended_by_administrator");
}

#[tokio::test]
async fn an_administrator_ends_one_session_once() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    let id = open.session.id();
    let first = stage.door.end_session(id, EndReason::EndedByAdministrator, &by()).await;
    assert!(first.unwrap());
    let second = stage.door.end_session(id, EndReason::EndedByAdministrator, &by()).await;
    assert!(!second.unwrap());
    assert_eq!(stage.end(&open.token), "ended_by_administrator");
    assert_eq!(stage.events(Kind::SessionEnded).await.len(), 1);
}

#[tokio::test]
async fn signing_out_ends_the_session_in_store_and_memory() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.door.sign_out(&open.token, &origin(HERE)).await.unwrap();
    assert_eq!(stage.end(&open.token), "signed_out");
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    assert!(stored.iter().all(|session| session.ended.is_some()));
    stage.door.sign_out(&open.token, &origin(HERE)).await.unwrap();
    assert_eq!(stage.events(Kind::SessionSignedOut).await.len(), 1);
}

#[tokio::test]
async fn a_store_that_cannot_end_a_session_does_not_have_it_said_ended() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.store.break_down("end_sessions_of");
    assert!(stage.door.end_sessions_of(account.id, &by()).await.is_err());
    assert!(stage.is_live(&open.token));
}

#[tokio::test]
async fn a_door_that_was_closed_knows_its_sessions_again_the_ended_ones_too() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let first = stage.opened(attempt("ann", PASSWORD)).await;
    let second = stage.opened(attempt("ann", PASSWORD)).await;
    let stage = stage.reopened().await;
    assert_eq!(stage.end(&first.token), "displaced");
    assert!(stage.is_live(&second.token));
    stage.wait(30 * 60);
    assert_eq!(stage.end(&second.token), "idle");
}

#[tokio::test]
async fn sessions_are_listed_oldest_first_and_only_live_ones() {
    let mut rules = rules();
    rules.session.per_account = 0;
    let stage = Stage::with(rules).await;
    let account = stage.account("ann").await;
    let first = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(20 * 60);
    let second = stage.opened(attempt("ann", PASSWORD)).await;
    let ids = |records: Vec<crate::session::SessionRecord>| records.iter().map(|record| record.id).collect::<Vec<_>>();
    assert_eq!(
        ids(stage.door.sessions_of(account.id)),
        [first.session.id(), second.session.id()]
    );
    stage.wait(15 * 60);
    assert_eq!(ids(stage.door.sessions_of(account.id)), [second.session.id()]);
    assert_eq!(stage.door.sessions().len(), 1);
}

#[tokio::test]
async fn a_token_nobody_was_given_is_unknown() {
    let stage = Stage::new().await;
    let guessed = SessionToken::generate(&SeededChance::new(99));
    assert_eq!(stage.end(&guessed), "unknown");
}
