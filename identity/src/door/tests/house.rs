use super::*;
use crate::port::{Accounts as _, Attempts as _, Sessions as _};

#[tokio::test]
async fn housekeeping_writes_when_sessions_and_accounts_were_last_used() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(60);
    let used = stage.clock.now();
    stage.door.used(&open.session, used);
    stage.wait(5);
    stage.store.break_down("touch");
    assert!(stage.door.keep_house().await.is_err());
    stage.store.mend();
    stage.door.keep_house().await.unwrap();
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    assert_eq!(stored[0].last_used_at, used);
    let account = stage.store.account(account.id).await.unwrap().unwrap();
    assert_eq!(account.last_used_at, Some(used));
}

#[tokio::test]
async fn housekeeping_ends_idle_sessions_that_nobody_asked_for() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(30 * 60);
    stage.door.keep_house().await.unwrap();
    assert!(open.session.end().is_some());
    let stored = stage.store.sessions(stage.clock.now()).await.unwrap();
    assert!(stored[0].ended.is_some());
    assert_eq!(stage.end(&open.token), "idle");
    stage.door.keep_house().await.unwrap();
    assert_eq!(stage.events(Kind::SessionEnded).await.len(), 1);
    assert_eq!(
        stage
            .door
            .tally()
            .live_sessions
            .load(std::sync::atomic::Ordering::Relaxed),
        0
    );
}

#[tokio::test]
async fn an_ended_session_is_forgotten_once_it_would_have_expired() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.door.sign_out(&open.token, &origin(HERE)).await.unwrap();
    stage.wait(12 * 3600 - 1);
    stage.door.keep_house().await.unwrap();
    assert_eq!(stage.end(&open.token), "signed_out");
    stage.wait(2);
    stage.door.keep_house().await.unwrap();
    assert_eq!(stage.end(&open.token), "unknown");
    assert!(format!("{:?}", stage.store).contains("sessions: {}"));
}

#[tokio::test]
async fn an_account_is_remembered_by_its_64_latest_ended_sessions_only() {
    let mut rules = rules();
    rules.lockout.failures = 1000;
    rules.lockout.failures_from_anywhere = 1000;
    let stage = Stage::with(rules).await;
    stage.account("ann").await;
    let mut tokens = Vec::new();
    for _ in 0..67 {
        stage.wait(1);
        tokens.push(stage.opened(attempt("ann", PASSWORD)).await.token);
    }
    let ends: Vec<_> = tokens.iter().map(|token| stage.end(token)).collect();
    assert_eq!(ends[..2], ["unknown", "unknown"]);
    assert!(ends[2..66].iter().all(|end| *end == "displaced"));
    assert_eq!(ends[66], "live");
}

#[tokio::test]
async fn old_failures_are_forgotten() {
    let stage = Stage::new().await;
    stage.refused(attempt("nobody", "wrong")).await;
    stage.wait(901);
    stage.door.keep_house().await.unwrap();
    let now = stage.clock.now();
    assert_eq!(stage.store.forget_attempts(now, now).await.unwrap(), 0);
    assert!(format!("{:?}", stage.store).contains("attempts: {}"));
}

#[tokio::test]
async fn a_key_of_the_doors_own_is_made_once() {
    let stage = Stage::new().await;
    let first = stage.door.key("assertion").await.unwrap();
    let stage = stage.reopened().await;
    assert!(stage.door.key("assertion").await.unwrap().matches(first.expose()));
    assert!(!stage.door.key("other").await.unwrap().matches(first.expose()));
}

#[tokio::test]
async fn a_door_whose_store_cannot_be_read_does_not_open() {
    let stage = Stage::new().await;
    stage.store.break_down("sessions");
    let parts = Parts {
        store: Arc::clone(&stage.store) as _,
        clock: Arc::clone(&stage.clock) as _,
        chance: Arc::new(SeededChance::new(1)),
        policy: Arc::clone(&stage.policy) as _,
        hashes_in_flight: 1,
        issuer: "Stagedoor".to_owned(),
        letterhead: Arc::new(crate::letter::NoLetterhead),
        links_under: "/.stagedoor/".to_owned(),
    };
    assert!(Doorkeeper::open(parts).await.is_err());
}

#[tokio::test]
async fn bans_of_more_accounts_than_one_round_looks_at_are_found_in_the_next() {
    let mut rules = rules();
    rules.inactivity.block_after = Some(Duration::from_secs(60));
    let stage = Stage::with(rules).await;
    let model = stage.account("model").await;
    for number in 0..600 {
        let account = Account {
            id: AccountId(crate::chance::uuid_v7(&SeededChance::new(number), stage.clock.now())),
            name: AccountName::parse(&format!("many-{number}")).unwrap(),
            ..model.clone()
        };
        stage
            .store
            .create_account(&account, "", None, &crate::port::Structure::default())
            .await
            .unwrap();
    }
    stage.wait(60);
    stage.door.keep_house().await.unwrap();
    assert_eq!(stage.door.tally().bans.load(std::sync::atomic::Ordering::Relaxed), 500);
    stage.door.keep_house().await.unwrap();
    stage.door.keep_house().await.unwrap();
    assert_eq!(stage.door.tally().bans.load(std::sync::atomic::Ordering::Relaxed), 601);
}
