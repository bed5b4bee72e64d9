use super::*;

fn with_code(name: &str, code: &str) -> Attempt {
    Attempt {
        code: Some(code.to_owned()),
        ..attempt(name, PASSWORD)
    }
}

#[tokio::test]
async fn who_must_have_a_second_factor_enrols_at_the_first_sign_in() {
    let stage = Stage::new().await;
    stage.guard("eve").await;
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::EnrolSecondFactor).await;
    assert!(stage.door.sessions().is_empty());
    let enrolment = stage.door.begin_enrolment(&ticket, &origin(HERE)).await.unwrap();
    assert!(enrolment.uri.expose_text().starts_with("otpauth://totp/Stagedoor:eve?"));
    let wrong = stage
        .door
        .confirm_enrolment(&enrolment.ticket, "000000", origin(HERE))
        .await;
    assert_eq!(wrong.unwrap_err(), SignInRefusal::InvalidCode);
    let code = stage.code(&enrolment.typed);
    let (codes, progress) = stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await
        .unwrap();
    assert_eq!(codes.len(), 10);
    let Progress::Open(open) = progress else {
        panic!("not open")
    };
    assert!(stage.live(&open.token).second_factor());
    assert_eq!(open.session.account().recovery_codes_left, 10);
    assert_eq!(stage.events(Kind::SecondFactorEnrolled).await.len(), 1);
    // The ticket was for credentials that are no more.
    let again = stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await;
    assert_eq!(again.unwrap_err(), SignInRefusal::TicketExpired);
}

#[tokio::test]
async fn a_code_opens_in_a_second_step_or_along_with_the_password_and_never_twice() {
    let stage = Stage::new().await;
    let (_, typed) = stage.enrolled("eve").await;
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    let code = stage.code(&typed);
    let open = stage.door.second_factor(&ticket, &code, origin(HERE)).await.unwrap();
    assert!(matches!(open, Progress::Open(_)));
    assert_eq!(stage.refused(with_code("eve", &code)).await, SignInRefusal::InvalidCode);
    stage.wait(30);
    let open = stage.opened(with_code("eve", &stage.code(&typed))).await;
    assert!(open.session.second_factor());
}

#[tokio::test]
async fn the_code_that_proved_the_enrolment_is_used_up() {
    let stage = Stage::new().await;
    stage.guard("eve").await;
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::EnrolSecondFactor).await;
    let enrolment = stage.door.begin_enrolment(&ticket, &origin(HERE)).await.unwrap();
    let code = stage.code(&enrolment.typed);
    stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await
        .unwrap();
    assert_eq!(stage.refused(with_code("eve", &code)).await, SignInRefusal::InvalidCode);
}

#[tokio::test]
async fn a_recovery_code_opens_once_however_it_is_typed() {
    let stage = Stage::new().await;
    stage.guard("eve").await;
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::EnrolSecondFactor).await;
    let enrolment = stage.door.begin_enrolment(&ticket, &origin(HERE)).await.unwrap();
    let code = stage.code(&enrolment.typed);
    let (codes, _) = stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await
        .unwrap();
    let typed = codes[3].expose_text().to_uppercase().replace('-', " ");
    let open = stage.opened(with_code("eve", &typed)).await;
    assert_eq!(open.session.account().recovery_codes_left, 9);
    assert_eq!(
        stage.refused(with_code("eve", &typed)).await,
        SignInRefusal::InvalidCode
    );
    assert_eq!(stage.events(Kind::RecoveryCodeUsed).await.len(), 1);
}

#[tokio::test]
async fn missed_codes_count_towards_the_lock_and_a_new_ticket_does_not_reset_them() {
    let stage = Stage::new().await;
    let (_, typed) = stage.enrolled("eve").await;
    // Each round is one attempt for the password and one for the code.
    for _ in 0..2 {
        let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
        let missed = stage.door.second_factor(&ticket, "000000", origin(HERE)).await;
        assert_eq!(missed.unwrap_err(), SignInRefusal::InvalidCode);
    }
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    let missed = stage.door.second_factor(&ticket, "000000", origin(HERE)).await;
    assert_eq!(missed.unwrap_err(), SignInRefusal::InvalidCode);
    let right = stage
        .door
        .second_factor(&ticket, &stage.code(&typed), origin(HERE))
        .await;
    assert_eq!(right.unwrap_err().code(), "locked");
    assert_eq!(stage.refused(attempt("eve", PASSWORD)).await.code(), "locked");
}

#[tokio::test]
async fn the_right_password_as_the_last_attempt_leaves_one_try_at_the_code() {
    let stage = Stage::new().await;
    let (_, typed) = stage.enrolled("eve").await;
    for _ in 0..4 {
        stage.refused(attempt("eve", "wrong")).await;
    }
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    let open = stage
        .door
        .second_factor(&ticket, &stage.code(&typed), origin(HERE))
        .await
        .unwrap();
    assert!(matches!(open, Progress::Open(_)));
    // And all is forgiven.
    stage.wait(60);
    stage.opened(with_code("eve", &stage.code(&typed))).await;
}

#[tokio::test]
async fn a_ticket_passes_its_own_lock_once_and_no_other() {
    let stage = Stage::new().await;
    let (_, typed) = stage.enrolled("eve").await;
    let early = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    for _ in 0..3 {
        stage.refused(attempt("eve", "wrong")).await;
    }
    let last = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    let by_early = stage
        .door
        .second_factor(&early, &stage.code(&typed), origin(HERE))
        .await;
    assert_eq!(by_early.unwrap_err().code(), "locked");
    let missed = stage.door.second_factor(&last, "000000", origin(HERE)).await;
    assert_eq!(missed.unwrap_err(), SignInRefusal::InvalidCode);
    let right = stage.door.second_factor(&last, &stage.code(&typed), origin(HERE)).await;
    assert_eq!(right.unwrap_err().code(), "locked");
}

#[tokio::test]
async fn a_ticket_is_worthless_elsewhere_later_and_after_a_change_of_credentials() {
    let stage = Stage::new().await;
    let (account, typed) = stage.enrolled("eve").await;
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    let elsewhere = stage
        .door
        .second_factor(&ticket, &stage.code(&typed), origin(THERE))
        .await;
    assert_eq!(elsewhere.unwrap_err(), SignInRefusal::TicketExpired);
    stage.wait(600);
    let late = stage
        .door
        .second_factor(&ticket, &stage.code(&typed), origin(HERE))
        .await;
    assert_eq!(late.unwrap_err(), SignInRefusal::TicketExpired);
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    let temporary = password("another temporary one");
    stage.door.reset_password(account.id, temporary, &by()).await.unwrap();
    let stale = stage
        .door
        .second_factor(&ticket, &stage.code(&typed), origin(HERE))
        .await;
    assert_eq!(stale.unwrap_err(), SignInRefusal::TicketExpired);
}

#[tokio::test]
async fn a_sign_in_begun_before_the_account_was_disabled_does_not_finish() {
    let stage = Stage::new().await;
    let (account, typed) = stage.enrolled("eve").await;
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::SecondFactor).await;
    let disabled = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    stage.change(account.id, disabled).await;
    let refused = stage
        .door
        .second_factor(&ticket, &stage.code(&typed), origin(HERE))
        .await;
    assert_eq!(refused.unwrap_err(), SignInRefusal::InvalidCredentials);
    assert!(stage.door.sessions().is_empty());
}

#[tokio::test]
async fn a_ticket_opens_no_step_but_its_own() {
    let stage = Stage::new().await;
    stage.guard("eve").await;
    let ticket = stage.needs(attempt("eve", PASSWORD), NextStep::EnrolSecondFactor).await;
    let here = || origin(HERE);
    let expired = SignInRefusal::TicketExpired;
    assert_eq!(
        stage.door.second_factor(&ticket, "000000", here()).await.unwrap_err(),
        expired
    );
    assert_eq!(
        stage
            .door
            .confirm_enrolment(&ticket, "000000", here())
            .await
            .unwrap_err(),
        expired
    );
    let new = password("a new and good one");
    let changed = stage.door.change_temporary_password(&ticket, new, here()).await;
    assert_eq!(changed.unwrap_err(), expired);
}

#[tokio::test]
async fn somebody_signed_in_enrols_with_the_password_and_gets_a_fresh_session() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    let wrong = stage
        .door
        .begin_own_enrolment(&open.session, &password("wrong"), &origin(HERE))
        .await;
    assert_eq!(wrong.unwrap_err(), SignInRefusal::InvalidCredentials);
    let begun = stage
        .door
        .begin_own_enrolment(&open.session, &password(PASSWORD), &origin(HERE))
        .await;
    let enrolment = begun.unwrap();
    let code = stage.code(&enrolment.typed);
    let (_, progress) = stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await
        .unwrap();
    let Progress::Open(fresh) = progress else {
        panic!("not open")
    };
    assert!(stage.live(&fresh.token).second_factor());
    assert_eq!(stage.end(&open.token), "credentials_changed");
    assert_ne!(open.token.expose(), fresh.token.expose());
}

#[tokio::test]
async fn another_phone_is_not_enrolled_from_a_session_without_the_second_factor() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let by_password = stage.opened(attempt("ann", PASSWORD)).await;
    let by_client = Attempt {
        channel: "client".to_owned(),
        ..attempt("ann", PASSWORD)
    };
    let client = stage.opened(by_client).await;
    let begun = stage
        .door
        .begin_own_enrolment(&by_password.session, &password(PASSWORD), &origin(HERE))
        .await;
    let enrolment = begun.unwrap();
    let code = stage.code(&enrolment.typed);
    stage
        .door
        .confirm_enrolment(&enrolment.ticket, &code, origin(HERE))
        .await
        .unwrap();
    // The other session ended with the change, and could enrol nothing any more.
    let begun = stage
        .door
        .begin_own_enrolment(&client.session, &password(PASSWORD), &origin(HERE))
        .await;
    assert_eq!(begun.unwrap_err(), SignInRefusal::TicketExpired);
}

#[tokio::test]
async fn an_administrator_takes_a_second_factor_away_and_with_it_the_sessions() {
    let stage = Stage::new().await;
    let (account, typed) = stage.enrolled("eve").await;
    let open = stage.opened(with_code("eve", &stage.code(&typed))).await;
    stage.door.reset_second_factor(account.id, &by()).await.unwrap();
    assert_eq!(stage.end(&open.token), "credentials_changed");
    stage.needs(attempt("eve", PASSWORD), NextStep::EnrolSecondFactor).await;
}

#[tokio::test]
async fn the_stored_secret_is_sealed_and_bound_to_its_account() {
    use crate::port::Credentials as _;
    let stage = Stage::new().await;
    let (eve, typed) = stage.enrolled("eve").await;
    let (mallory, _) = stage.enrolled("mallory").await;
    let stored = stage.store.credentials(eve.id).await.unwrap().unwrap();
    let secret = totp_rs::Secret::try_from_base32(typed.expose_text().replace(' ', "")).unwrap();
    let sealed = stored.totp_sealed.unwrap();
    assert!(!sealed.windows(20).any(|window| window == secret.as_bytes()));
    // Put under another account it opens nothing.
    let copied = stage.store.set_second_factor(mallory.id, &sealed, 0, &[], None).await;
    copied.unwrap();
    let refusal = stage.refused(with_code("mallory", &stage.code(&typed))).await;
    assert_eq!(refusal, SignInRefusal::Unavailable);
}
