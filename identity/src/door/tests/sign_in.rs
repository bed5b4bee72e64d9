use super::*;
use crate::port::{Credentials as _, Sessions as _};
use crate::sign_in::RefusedBecause;
use std::future::Future as _;

#[tokio::test]
async fn the_right_name_and_password_open_a_session_and_leave_a_line_in_the_audit() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let open = stage.opened(attempt("Ann", PASSWORD)).await;
    let session = stage.live(&open.token);
    assert_eq!(session.account().id, account.id);
    assert_eq!(session.facts().visitor().role, "viewer");
    assert_eq!(session.account().last_sign_in_at, Some(stage.clock.now()));
    let events = stage.events(Kind::SignInSucceeded).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event.session, Some(session.id().0.to_string()));
    assert_eq!(stage.door.tally().sign_ins_of("succeeded"), 1);
}

#[tokio::test]
async fn wrong_name_wrong_password_and_disabled_look_the_same_outside() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let off = stage.account("off").await;
    let disabled = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    stage.change(off.id, disabled).await;
    for (name, password) in [
        ("nobody", PASSWORD),
        ("ann", "wrong"),
        ("off", PASSWORD),
        ("not a name", PASSWORD),
        ("", ""),
    ] {
        let before = stage.door.tally().hashes.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(
            stage.refused(attempt(name, password)).await,
            SignInRefusal::InvalidCredentials,
            "{name}"
        );
        let after = stage.door.tally().hashes.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(after - before, 1, "{name} costs one hash as everybody does");
    }
}

#[tokio::test]
async fn a_password_typed_as_a_name_is_kept_nowhere_in_clear() {
    let stage = Stage::new().await;
    for typed in ["hunter2-is-my-password", "Hunter2\r\nforged", "correct horse"] {
        stage.refused(attempt(typed, "whatever")).await;
    }
    let audit = stage.all_events().await;
    for part in ["hunter2", "Hunter2", "horse", "forged", "whatever"] {
        assert!(!audit.contains(part), "{part} in {audit}");
    }
    let labels: Vec<_> = stage.events(Kind::SignInFailed).await;
    assert_eq!(labels.len(), 3);
    for stored in labels {
        let label = stored.event.account.unwrap();
        assert!(label.starts_with("unknown:") && label.len() == 16, "{label}");
    }
    let state = format!("{:?}", stage.store);
    assert!(!state.contains("hunter2") && !state.contains("horse"), "{state}");
}

#[tokio::test]
async fn who_has_the_right_password_is_told_that_address_or_channel_refuses_and_others_are_not() {
    let mut rules = rules();
    rules.roles.get_mut("viewer").unwrap().networks = Some(vec!["192.0.2.0/24".to_owned()]);
    let stage = Stage::with(rules).await;
    stage.account("ann").await;
    let refused = |reason| SignInRefusal::Refused { reason };
    let there = stage.refused(attempt_from("ann", PASSWORD, THERE)).await;
    assert_eq!(there, refused(RefusedBecause::Address));
    let by_door = Attempt {
        channel: "window".to_owned(),
        ..attempt("ann", PASSWORD)
    };
    assert_eq!(stage.refused(by_door).await, refused(RefusedBecause::Channel));
    let wrong = stage.refused(attempt_from("ann", "wrong", THERE)).await;
    assert_eq!(wrong, SignInRefusal::InvalidCredentials);
    let audited = stage.events(Kind::SignInRefused).await;
    assert_eq!(audited[0].event.reason.as_deref(), Some("channel_not_allowed"));
    assert_eq!(audited[1].event.reason.as_deref(), Some("address_not_allowed"));
}

#[tokio::test]
async fn an_accounts_own_networks_are_asked_before_it_comes_in() {
    let stage = Stage::new().await;
    let new = NewAccount {
        networks: vec!["198.51.100.0/24".to_owned()],
        ..new_account("ann")
    };
    stage.door.create_account(new, &by()).await.unwrap();
    let refusal = stage.refused(attempt("ann", PASSWORD)).await;
    let reason = RefusedBecause::Address;
    assert_eq!(refusal, SignInRefusal::Refused { reason });
    stage.opened(attempt_from("ann", PASSWORD, THERE)).await;
}

#[tokio::test]
async fn a_store_that_fails_refuses_and_opens_nothing() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    for operation in [
        "account_by_name",
        "credentials",
        "reserve_attempt",
        "account",
        "open_session",
        "forgive",
        "record",
    ] {
        stage.store.break_down(operation);
        let refusal = stage.refused(attempt("ann", PASSWORD)).await;
        assert_eq!(refusal, SignInRefusal::Unavailable, "{operation}");
        stage.store.mend();
        assert!(stage.door.sessions().is_empty(), "{operation}");
    }
}

#[tokio::test]
async fn a_session_that_could_not_be_audited_is_ended_again_in_the_store() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    stage.store.break_down("record");
    assert_eq!(
        stage.refused(attempt("ann", PASSWORD)).await,
        SignInRefusal::Unavailable
    );
    stage.store.mend();
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert!(stored.iter().all(|session| session.ended.is_some()));
}

#[tokio::test]
async fn a_visitor_who_hangs_up_half_way_leaves_store_and_memory_agreed() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let first = stage.opened(attempt("ann", PASSWORD)).await;
    let door = Arc::clone(&stage.door);
    let mut hung_up = Box::pin(async move { door.sign_in(attempt("ann", PASSWORD)).await });
    // Polled once, so that it has begun, and never again.
    std::future::poll_fn(|context| {
        let _ = hung_up.as_mut().poll(context);
        std::task::Poll::Ready(())
    })
    .await;
    drop(hung_up);
    while first.session.end().is_none() {
        tokio::task::yield_now().await;
    }
    while stage.door.sessions().is_empty() {
        tokio::task::yield_now().await;
    }
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    let live: Vec<_> = stored
        .iter()
        .filter(|session| session.ended.is_none())
        .map(|s| s.id)
        .collect();
    let remembered: Vec<_> = stage.door.sessions().iter().map(|(record, _)| record.id).collect();
    assert_eq!(live, remembered);
    assert_eq!(stage.end(&first.token), "displaced");
}

#[tokio::test]
async fn a_hash_of_other_cost_is_brought_up_to_date_at_sign_in() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let current = stage.store.credentials(account.id).await.unwrap().unwrap();
    let weak = crate::credential::pool::weak_hash(PASSWORD);
    stage
        .store
        .rehash_password(account.id, &current.password_hash, &weak)
        .await
        .unwrap();
    let before = stage.store.credentials(account.id).await.unwrap().unwrap();
    assert_eq!(before.password_hash, weak);
    stage.opened(attempt("ann", PASSWORD)).await;
    let after = stage.store.credentials(account.id).await.unwrap().unwrap();
    assert!(after.password_hash.contains("m=19456,t=2,p=1"));
    assert_eq!(after.credentials_version, before.credentials_version);
    stage.opened(attempt("ann", PASSWORD)).await;
}

#[tokio::test]
async fn an_overlong_user_agent_is_cut_and_tokens_are_never_alike() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let long = Attempt {
            from: Origin {
                user_agent: "x".repeat(10_000),
                ..origin(HERE)
            },
            ..attempt("ann", PASSWORD)
        };
        let open = stage.opened(long).await;
        assert_eq!(open.session.record().user_agent.len(), 256);
        assert!(seen.insert(open.token.expose().to_owned()));
        assert!(!format!("{:?}", stage.store).contains(open.token.expose()));
    }
}
