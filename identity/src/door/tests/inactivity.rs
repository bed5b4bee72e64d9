use super::*;
use crate::sign_in::RefusedBecause;

const DAY: u64 = 24 * 3600;

fn thirty_days() -> Rules {
    let mut rules = rules();
    rules.inactivity.block_after = Some(Duration::from_secs(30 * DAY));
    rules
}

fn banned() -> SignInRefusal {
    SignInRefusal::Refused {
        reason: RefusedBecause::Inactive,
    }
}

#[tokio::test]
async fn an_account_never_used_is_banned_thirty_days_after_it_was_made() {
    let stage = Stage::with(thirty_days()).await;
    let account = stage.account("ann").await;
    stage.wait(30 * DAY - 1);
    assert!(!stage.door.is_banned(&account, stage.clock.now()));
    stage.wait(1);
    assert!(stage.door.is_banned(&account, stage.clock.now()));
    assert_eq!(stage.refused(attempt("ann", PASSWORD)).await, banned());
    assert_eq!(
        stage.refused(attempt("ann", "wrong")).await,
        SignInRefusal::InvalidCredentials
    );
}

#[tokio::test]
async fn use_puts_the_ban_off_though_nobody_signed_in_anew() {
    let mut rules = thirty_days();
    rules.session.idle = Duration::from_secs(90 * DAY);
    rules.session.lifetime = Duration::from_secs(90 * DAY);
    let stage = Stage::with(rules).await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(29 * DAY);
    stage.door.used(&open.session, stage.clock.now());
    stage.wait(29 * DAY);
    assert!(stage.is_live(&open.token));
    stage.door.keep_house().await.unwrap();
    stage.wait(DAY);
    assert_eq!(stage.end(&open.token), "inactive");
    stage.door.keep_house().await.unwrap();
    let ended = stage.events(Kind::SessionEnded).await;
    assert_eq!(ended[0].event.reason.as_deref(), Some("inactive"));
}

#[tokio::test]
async fn a_ban_is_written_once_by_housekeeping_or_sign_in_and_over_a_restart() {
    let stage = Stage::with(thirty_days()).await;
    stage.account("ann").await;
    stage.wait(31 * DAY);
    stage.door.keep_house().await.unwrap();
    stage.refused(attempt("ann", PASSWORD)).await;
    stage.door.keep_house().await.unwrap();
    let stage = stage.reopened().await;
    stage.door.keep_house().await.unwrap();
    let events = stage.events(Kind::AccountBanned).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event.actor, "system");
}

#[tokio::test]
async fn a_reinstated_account_comes_in_and_can_be_banned_and_written_again() {
    let stage = Stage::with(thirty_days()).await;
    let account = stage.account("ann").await;
    stage.wait(30 * DAY);
    assert_eq!(stage.refused(attempt("ann", PASSWORD)).await, banned());
    let account = stage.door.reinstate(account.id, &by()).await.unwrap();
    assert!(!stage.door.is_banned(&account, stage.clock.now()));
    stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(30 * DAY);
    assert_eq!(stage.refused(attempt("ann", PASSWORD)).await, banned());
    assert_eq!(stage.events(Kind::AccountBanned).await.len(), 2);
}

#[tokio::test]
async fn a_stricter_rule_bans_a_live_session_at_once_and_an_exempt_role_never() {
    let mut loose = rules();
    loose.session.idle = Duration::from_secs(90 * DAY);
    loose.session.lifetime = Duration::from_secs(90 * DAY);
    let mut strict = loose.clone();
    strict.inactivity.block_after = Some(Duration::from_secs(DAY));
    let mut exempt = strict.clone();
    exempt.roles.get_mut("viewer").unwrap().inactivity_exempt = true;
    let stage = Stage::with(loose).await;
    let account = stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(2 * DAY);
    stage.policy.swap(compiled(&exempt));
    assert!(stage.is_live(&open.token));
    assert!(!stage.door.is_banned(&account, stage.clock.now()));
    stage.policy.swap(compiled(&strict));
    assert_eq!(stage.end(&open.token), "inactive");
}
