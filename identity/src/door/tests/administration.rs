use super::*;
use crate::ChangeFault;
use crate::port::{ApiToken, StoreError};

fn token(name: &str, scopes: &[&str]) -> ApiToken {
    ApiToken {
        name: name.to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        created_at: stagedoor_policy::time::Timestamp::from_micros(0),
        expires_at: None,
        account: None,
    }
}

#[tokio::test]
async fn a_new_account_has_the_default_role_and_a_name_is_given_once() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    assert_eq!((account.role.as_str(), account.version), ("viewer", 1));
    let again = stage.door.create_account(new_account("ANN"), &by()).await;
    assert!(matches!(again, Err(ChangeFault::Store(StoreError::NameTaken))));
    let events = stage.events(Kind::AccountCreated).await;
    assert_eq!((events.len(), events[0].event.actor.as_str()), (1, "cli"));
}

#[tokio::test]
async fn a_change_of_an_account_that_somebody_else_changed_is_refused() {
    let stage = Stage::new().await;
    let account = stage.account("ann").await;
    let renamed = |name: &str| AccountChange {
        display_name: Some(name.to_owned()),
        ..AccountChange::default()
    };
    let id = account.id;
    let first = stage
        .door
        .change_account(id, Some(1), renamed("A"), &by())
        .await
        .unwrap();
    assert_eq!(first.version, 2);
    let second = stage.door.change_account(id, Some(1), renamed("B"), &by()).await;
    assert!(matches!(second, Err(ChangeFault::Store(StoreError::VersionMismatch))));
    let removed = stage.door.remove_account(id, Some(1), &by()).await;
    assert!(matches!(removed, Err(ChangeFault::Store(StoreError::VersionMismatch))));
}

#[tokio::test]
async fn another_role_is_refused_where_the_account_lacks_the_networks_it_demands() {
    let mut rules = rules();
    rules.roles.get_mut("guard").unwrap().account_networks.required = true;
    let stage = Stage::with(rules).await;
    let account = stage.account("ann").await;
    let promoted = AccountChange {
        role: Some("guard".to_owned()),
        ..AccountChange::default()
    };
    let refused = stage
        .door
        .change_account(account.id, None, promoted.clone(), &by())
        .await;
    let Err(ChangeFault::Unfit(faults)) = refused else {
        panic!("{refused:?}")
    };
    assert!(faults.iter().any(|(field, _)| *field == "networks"), "{faults:?}");
    let with_networks = AccountChange {
        networks: Some(vec!["192.0.2.0/24".to_owned()]),
        ..promoted
    };
    assert_eq!(stage.change(account.id, with_networks).await.role, "guard");
}

#[tokio::test]
async fn disabling_and_removing_end_every_session_at_once() {
    let stage = Stage::new().await;
    let ann = stage.account("ann").await;
    let bob = stage.account("bob").await;
    let ann_open = stage.opened(attempt("ann", PASSWORD)).await;
    let bob_open = stage.opened(attempt("bob", PASSWORD)).await;
    let disabled = AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    };
    stage.change(ann.id, disabled).await;
    stage.door.remove_account(bob.id, None, &by()).await.unwrap();
    assert_eq!(stage.end(&ann_open.token), "account_disabled");
    assert_eq!(stage.end(&bob_open.token), "account_removed");
    assert_eq!(
        stage.refused(attempt("bob", PASSWORD)).await,
        SignInRefusal::InvalidCredentials
    );
}

#[tokio::test]
async fn changes_of_an_account_that_is_not_there_are_not_found() {
    let stage = Stage::new().await;
    let nobody = AccountId(uuid::Uuid::nil());
    let not_found = |fault: ChangeFault| matches!(fault, ChangeFault::Store(StoreError::NotFound));
    let change = AccountChange::default();
    assert!(not_found(
        stage
            .door
            .change_account(nobody, None, change, &by())
            .await
            .unwrap_err()
    ));
    assert!(not_found(
        stage.door.remove_account(nobody, None, &by()).await.unwrap_err()
    ));
    assert!(not_found(stage.door.unlock(nobody, &by()).await.unwrap_err()));
    assert!(not_found(stage.door.reinstate(nobody, &by()).await.unwrap_err()));
    assert!(not_found(
        stage.door.reset_second_factor(nobody, &by()).await.unwrap_err()
    ));
    assert!(not_found(stage.door.end_sessions_of(nobody, &by()).await.unwrap_err()));
    let reset = stage.door.reset_password(nobody, password(PASSWORD), &by()).await;
    assert!(not_found(reset.unwrap_err()));
}

#[tokio::test]
async fn a_bearer_token_is_shown_once_and_kept_as_a_hash() {
    let stage = Stage::new().await;
    let secret = stage
        .door
        .create_token(token("ci", &["accounts:read"]), &by())
        .await
        .unwrap();
    let text = secret.expose_text();
    assert!(text.starts_with("sdt_") && text.len() == 47);
    assert!(!format!("{:?}", stage.store).contains(text));
    assert!(!stage.all_events().await.contains(text));
    let found = stage.door.token(text).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.created_at), ("ci", stage.clock.now()));
    let bare = text.trim_start_matches("sdt_");
    for wrong in ["", "sdt_", bare, &format!("{text}x"), &text.to_uppercase()] {
        assert_eq!(stage.door.token(wrong).await.unwrap(), None, "{wrong}");
    }
    assert!(stage.door.revoke_token("ci", &by()).await.unwrap());
    assert!(!stage.door.revoke_token("ci", &by()).await.unwrap());
    assert_eq!(stage.door.token(text).await.unwrap(), None);
}

#[tokio::test]
async fn a_bearer_token_ends_when_it_says_so() {
    let stage = Stage::new().await;
    let ending = ApiToken {
        expires_at: Some(stage.clock.now().after(Duration::from_secs(60))),
        ..token("ci", &["*"])
    };
    let secret = stage.door.create_token(ending, &by()).await.unwrap();
    stage.wait(59);
    assert!(stage.door.token(secret.expose_text()).await.unwrap().is_some());
    stage.wait(1);
    assert!(stage.door.token(secret.expose_text()).await.unwrap().is_none());
}

#[tokio::test]
async fn every_fault_of_a_token_is_told_at_once() {
    let stage = Stage::new().await;
    let faulty = ApiToken {
        expires_at: Some(stage.clock.now()),
        ..token("Bad Name", &["everything"])
    };
    let Err(ChangeFault::Unfit(faults)) = stage.door.create_token(faulty, &by()).await else {
        panic!("made")
    };
    let fields: Vec<_> = faults.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["name", "scopes", "expires_at"]);
}
