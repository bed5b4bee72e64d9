use super::*;
use crate::ChangeFault;

const NEXT: &str = "another good sentence";

async fn change_own(stage: &Stage, open: &OpenSession, current: &str, new: &str) -> Result<(), SignInRefusal> {
    let (current, new) = (password(current), password(new));
    stage
        .door
        .change_own_password(&open.session, &current, new, &origin(HERE))
        .await
}

fn temporary(name: &str) -> NewAccount {
    NewAccount {
        password_temporary: true,
        ..new_account(name)
    }
}

#[tokio::test]
async fn a_temporary_password_opens_nothing_but_its_own_change() {
    let stage = Stage::new().await;
    stage.door.create_account(temporary("ann"), &by()).await.unwrap();
    let ticket = stage.needs(attempt("ann", PASSWORD), NextStep::ChangePassword).await;
    assert!(stage.door.sessions().is_empty());
    let changed = stage
        .door
        .change_temporary_password(&ticket, password(NEXT), origin(HERE))
        .await;
    let Progress::Open(open) = changed.unwrap() else {
        panic!("not open")
    };
    assert!(stage.is_live(&open.token));
    assert!(!open.session.account().password_temporary);
    stage.opened(attempt("ann", NEXT)).await;
    assert_eq!(
        stage.refused(attempt("ann", PASSWORD)).await,
        SignInRefusal::InvalidCredentials
    );
    let again = stage
        .door
        .change_temporary_password(&ticket, password("yet another one"), origin(HERE))
        .await;
    assert_eq!(again.unwrap_err(), SignInRefusal::TicketExpired);
}

#[tokio::test]
async fn the_temporary_password_again_and_an_unfit_one_are_told_apart_from_a_good_one() {
    let stage = Stage::new().await;
    stage.door.create_account(temporary("ann"), &by()).await.unwrap();
    let ticket = stage.needs(attempt("ann", PASSWORD), NextStep::ChangePassword).await;
    for unfit in [PASSWORD, "ann", "password1234"] {
        let refused = stage
            .door
            .change_temporary_password(&ticket, password(unfit), origin(HERE))
            .await;
        assert_eq!(refused.unwrap_err().code(), "password_unfit", "{unfit}");
    }
    stage
        .door
        .change_temporary_password(&ticket, password(NEXT), origin(HERE))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_second_factor_comes_before_the_change_of_a_temporary_password() {
    let stage = Stage::new().await;
    let (account, typed) = stage.enrolled("eve").await;
    stage
        .door
        .reset_password(account.id, password(NEXT), &by())
        .await
        .unwrap();
    let ticket = stage.needs(attempt("eve", NEXT), NextStep::SecondFactor).await;
    let code = stage.code(&typed);
    let next = stage.door.second_factor(&ticket, &code, origin(HERE)).await.unwrap();
    let Progress::Needs(NextStep::ChangePassword, ticket) = next else {
        panic!("{next:?}")
    };
    let third = password("the third good sentence");
    let open = stage
        .door
        .change_temporary_password(&ticket, third, origin(HERE))
        .await
        .unwrap();
    let Progress::Open(open) = open else { panic!("not open") };
    assert!(open.session.second_factor());
}

#[tokio::test]
async fn changing_ones_own_password_ends_every_other_session() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let browser = stage.opened(attempt("ann", PASSWORD)).await;
    let by_client = Attempt {
        channel: "client".to_owned(),
        ..attempt("ann", PASSWORD)
    };
    let client = stage.opened(by_client).await;
    let change = change_own(&stage, &browser, PASSWORD, NEXT).await;
    change.unwrap();
    assert!(stage.is_live(&browser.token));
    assert_eq!(stage.end(&client.token), "credentials_changed");
    stage.opened(attempt("ann", NEXT)).await;
}

#[tokio::test]
async fn guessing_the_current_password_from_a_stolen_session_locks_as_at_the_door() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    for _ in 0..5 {
        let guess = change_own(&stage, &open, "guess", NEXT).await;
        assert_eq!(guess.unwrap_err(), SignInRefusal::InvalidCredentials);
    }
    let right = change_own(&stage, &open, PASSWORD, NEXT).await;
    assert_eq!(right.unwrap_err().code(), "locked");
}

#[tokio::test]
async fn an_ended_session_changes_no_password() {
    let stage = Stage::new().await;
    stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage.door.sign_out(&open.token, &origin(HERE)).await.unwrap();
    let change = change_own(&stage, &open, PASSWORD, NEXT).await;
    assert_eq!(change.unwrap_err(), SignInRefusal::TicketExpired);
    stage.opened(attempt("ann", PASSWORD)).await;
}

#[tokio::test]
async fn one_validator_judges_the_passwords_of_everybody() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let new = NewAccount {
        password: password("bob"),
        ..new_account("bob")
    };
    let Err(ChangeFault::Unfit(faults)) = stage.door.create_account(new, &by()).await else {
        panic!("made")
    };
    assert_eq!(faults.iter().filter(|(field, _)| *field == "password").count(), 2);
    let reset = stage.door.reset_password(account.id, password("ann"), &by()).await;
    assert!(matches!(reset, Err(ChangeFault::Unfit(faults)) if faults.len() == 2));
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    let own = change_own(&stage, &open, PASSWORD, "ann").await;
    assert!(matches!(own, Err(SignInRefusal::PasswordUnfit(sentences)) if sentences.len() == 2));
}

#[tokio::test]
async fn a_reset_password_is_temporary_and_ends_every_session() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let open = stage.opened(attempt("ann", PASSWORD)).await;
    stage
        .door
        .reset_password(account.id, password(NEXT), &by())
        .await
        .unwrap();
    assert_eq!(stage.end(&open.token), "credentials_changed");
    stage.needs(attempt("ann", NEXT), NextStep::ChangePassword).await;
    assert_eq!(stage.events(Kind::PasswordReset).await.len(), 1);
}
