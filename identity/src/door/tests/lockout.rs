use super::*;
use crate::port::Attempts as _;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn after_five_wrong_passwords_the_right_one_is_refused_until_the_lock_ends() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    for _ in 0..5 {
        let refusal = stage.refused(attempt("ann", "wrong")).await;
        assert_eq!(refusal, SignInRefusal::InvalidCredentials);
    }
    let until = stage.clock.now().after(Duration::from_secs(900));
    assert_eq!(
        stage.refused(attempt("ann", PASSWORD)).await,
        SignInRefusal::Locked { until }
    );
    stage.wait(899);
    assert_eq!(
        stage.refused(attempt("ann", PASSWORD)).await,
        SignInRefusal::Locked { until }
    );
    stage.wait(1);
    stage.opened(attempt("ann", PASSWORD)).await;
    assert_eq!(stage.events(Kind::AccountLocked).await.len(), 1);
    assert_eq!(stage.door.tally().lockouts.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_unknown_name_locks_just_as_a_known_one() {
    let stage = Stage::new().await;
    for _ in 0..5 {
        let refusal = stage.refused(attempt("nobody", "wrong")).await;
        assert_eq!(refusal, SignInRefusal::InvalidCredentials);
    }
    let until = stage.clock.now().after(Duration::from_secs(900));
    assert_eq!(
        stage.refused(attempt("Nobody", "wrong")).await,
        SignInRefusal::Locked { until }
    );
    let locks = stage.store.lockouts(None, stage.clock.now()).await.unwrap();
    assert_eq!(locks.len(), 1);
    assert_eq!(locks[0].account, None);
    assert!(stage.door.end_lockout(&locks[0].id, &by()).await.unwrap());
    assert!(!stage.door.end_lockout(&locks[0].id, &by()).await.unwrap());
    assert_eq!(
        stage.refused(attempt("nobody", "wrong")).await,
        SignInRefusal::InvalidCredentials
    );
}

#[tokio::test]
async fn a_lock_is_for_one_source_and_the_owner_elsewhere_comes_in() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    for _ in 0..5 {
        stage.refused(attempt("ann", "wrong")).await;
    }
    stage.opened(attempt_from("ann", PASSWORD, THERE)).await;
    assert_eq!(stage.refused(attempt("ann", PASSWORD)).await.code(), "locked");
}

#[tokio::test]
async fn guesses_spread_over_many_sources_lock_the_name_for_all() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    for host in 0..50 {
        stage
            .refused(attempt_from("ann", "wrong", &format!("203.0.113.{host}")))
            .await;
    }
    assert_eq!(
        stage.refused(attempt_from("ann", PASSWORD, THERE)).await.code(),
        "locked"
    );
}

#[tokio::test]
async fn a_sign_in_that_went_well_begins_the_count_anew() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    for _ in 0..3 {
        for _ in 0..4 {
            stage.refused(attempt("ann", "wrong")).await;
        }
        stage.opened(attempt("ann", PASSWORD)).await;
    }
    assert!(stage.events(Kind::AccountLocked).await.is_empty());
}

#[tokio::test]
async fn failures_older_than_the_window_do_not_count() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    for _ in 0..4 {
        stage.refused(attempt("ann", "wrong")).await;
    }
    stage.wait(600);
    stage.refused(attempt("ann", "wrong")).await;
    stage.opened(attempt("ann", PASSWORD)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_parallel_guesses_compute_no_more_hashes_than_the_limit() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let before = stage.door.tally().hashes.load(Ordering::Relaxed);
    let guesses: Vec<_> = (0..200)
        .map(|_| {
            let door = Arc::clone(&stage.door);
            tokio::spawn(async move { door.sign_in(attempt("ann", "wrong")).await.unwrap_err() })
        })
        .collect();
    for guess in guesses {
        assert!(matches!(
            guess.await.unwrap().code(),
            "invalid_credentials" | "locked" | "busy"
        ));
    }
    // Whoever found no place was not counted; what is left of the five is used up now.
    while stage.refused(attempt("ann", "wrong")).await.code() != "locked" {}
    assert_eq!(stage.door.tally().hashes.load(Ordering::Relaxed) - before, 5);
    assert_eq!(stage.refused(attempt("ann", PASSWORD)).await.code(), "locked");
}

#[tokio::test]
async fn an_administrator_unlocks_an_account() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    for _ in 0..5 {
        stage.refused(attempt("ann", "wrong")).await;
    }
    assert_eq!(stage.door.unlock(account.id, &by()).await.unwrap(), 1);
    stage.opened(attempt("ann", PASSWORD)).await;
    assert_eq!(stage.events(Kind::AccountUnlocked).await.len(), 1);
}

#[tokio::test]
async fn who_finds_no_hashing_place_is_sent_away_without_being_counted() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let mut held = Vec::new();
    while let Ok(place) = stage.door.house.hashes.place() {
        held.push(place);
    }
    for _ in 0..20 {
        assert_eq!(stage.refused(attempt("ann", "wrong")).await.code(), "busy");
    }
    drop(held);
    stage.opened(attempt("ann", PASSWORD)).await;
}
