//! Who may do what to whom: the operator by the rules about who there may be, accounts by what they administer besides.

use stagedoor_policy::rules::{AreaRules, ChangedBy, HeldBy, SeatRules, SiteRules};
use stagedoor_policy::{ExtraGrant, Level};

use super::*;
use crate::account::AccountQuery;
use crate::port::StoreError;
use crate::{ChangeFault, EndReason, RefusedWhy};

/// `super` administers everybody, `admin` admins and clerks, `clerk` nobody; `super` is changed by its holder alone and keeps
/// one, `site` never changes, `head` is held by one. Two areas, of which an admin may manage one.
fn rules() -> Rules {
    let area = |path: &str| AreaRules {
        paths: vec![path.to_owned()],
        ..AreaRules::default()
    };
    let site = SiteRules {
        areas: [
            ("devices".to_owned(), area("/devices/**")),
            ("tickets".to_owned(), area("/tickets/**")),
        ]
        .into(),
        ..SiteRules::default()
    };
    let role = |administers: &[&str]| RoleRules {
        administers: administers.iter().map(|&name| name.to_owned()).collect(),
        ..RoleRules::default()
    };
    let may = |area: &str| [(area.to_owned(), vec!["manage".to_owned()])].into();
    let roles = [
        (
            "super",
            RoleRules {
                role_changed_by: ChangedBy::Holder,
                keep_at_least: 1,
                may: may("*"),
                ..role(&["*"])
            },
        ),
        (
            "admin",
            RoleRules {
                may: may("devices"),
                ..role(&["admin", "clerk", "site"])
            },
        ),
        (
            "clerk",
            RoleRules {
                default: true,
                channels: Some(texts(&["browser", "client"])),
                unchanged_while_on: texts(&["client"]),
                ..role(&[])
            },
        ),
        (
            "site",
            RoleRules {
                role_changed_by: ChangedBy::Nobody,
                ..role(&[])
            },
        ),
        (
            "head",
            RoleRules {
                held_by: HeldBy::One,
                ..role(&["*"])
            },
        ),
    ];
    Rules {
        sites: [("console".to_owned(), site)].into(),
        roles: roles.map(|(name, role)| (name.to_owned(), role)).into(),
        channels: [("client".to_owned(), stagedoor_policy::rules::ChannelRules::default())].into(),
        ..Rules::default()
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn grant(area: &str) -> ExtraGrant {
    ExtraGrant {
        site: None,
        area: area.to_owned(),
        level: Level::View,
        actions: Vec::new(),
    }
}

fn to_role(role: &str) -> AccountChange {
    AccountChange {
        role: Some(role.to_owned()),
        ..AccountChange::default()
    }
}

fn granting(area: &str) -> AccountChange {
    AccountChange {
        grants: Some(vec![grant(area)]),
        ..AccountChange::default()
    }
}

fn named(name: &str) -> AccountChange {
    AccountChange {
        display_name: Some(name.to_owned()),
        ..AccountChange::default()
    }
}

fn off() -> AccountChange {
    AccountChange {
        disabled: Some(true),
        ..AccountChange::default()
    }
}

fn new_of(name: &str, role: &str) -> NewAccount {
    NewAccount {
        role: Some(role.to_owned()),
        ..new_account(name)
    }
}

/// Why a change was refused: the rule's code, or `not_found`.
fn why<T: std::fmt::Debug>(outcome: Result<T, ChangeFault>) -> &'static str {
    match outcome.unwrap_err() {
        ChangeFault::Refused(refused) => refused.why.code(),
        ChangeFault::Store(StoreError::NotFound) => "not_found",
        other => panic!("{other:?}"),
    }
}

impl Stage {
    async fn of(&self, name: &str, role: &str) -> Account {
        self.door.create_account(new_of(name, role), &by()).await.unwrap()
    }

    async fn changes(&self, id: AccountId, change: AccountChange, by: &Actor) -> Result<Account, ChangeFault> {
        self.door.change_account(id, None, change, by).await
    }
}

#[tokio::test]
async fn full_seats_are_refused_with_what_is_used_what_is_left_and_what_to_do() {
    let mut rules = rules();
    let seats = SeatRules {
        roles: texts(&["admin", "clerk"]),
        at_most: 2,
        advice: Some("Upgrade your plan.".to_owned()),
    };
    rules.seats.insert("staff".to_owned(), seats);
    let stage = Stage::with(rules).await;
    let ann = stage.of("ann", "admin").await;
    stage.of("bob", "clerk").await;
    let ChangeFault::Refused(full) = stage
        .door
        .create_account(new_of("carol", "clerk"), &by())
        .await
        .unwrap_err()
    else {
        panic!("not refused by a rule")
    };
    assert_eq!(full.why, RefusedWhy::SeatsFull { used: 2, at_most: 2 });
    for part in ["2 of 2 seats", "0 are left", "Upgrade your plan."] {
        assert!(full.sentence.contains(part), "{}", full.sentence);
    }
    let site = stage.of("carol", "site").await;
    assert_eq!(
        why(stage.changes(site.id, to_role("clerk"), &by()).await),
        "role_change_refused"
    );
    stage.door.remove_account(ann.id, None, &by()).await.unwrap();
    stage.of("dora", "admin").await;
}

#[tokio::test]
async fn a_role_that_only_its_holder_or_nobody_may_change_is_not_changed_by_others() {
    let stage = Stage::with(rules()).await;
    let (ann, bob) = (stage.of("ann", "super").await, stage.of("bob", "super").await);
    let site = stage.of("site1", "site").await;
    for by in [by(), Actor::account(&bob)] {
        assert_eq!(
            why(stage.changes(ann.id, to_role("clerk"), &by).await),
            "role_change_refused"
        );
        assert_eq!(
            why(stage.changes(site.id, to_role("admin"), &by).await),
            "role_change_refused"
        );
    }
    assert_eq!(
        why(stage.changes(site.id, to_role("admin"), &Actor::account(&site)).await),
        "role_change_refused"
    );
    let same = AccountChange {
        display_name: Some("Ann".to_owned()),
        ..to_role("super")
    };
    stage.changes(ann.id, same, &by()).await.unwrap();
}

#[tokio::test]
async fn a_changed_own_role_ends_the_own_sessions_at_once() {
    let stage = Stage::with(rules()).await;
    let (ann, _bob) = (stage.of("ann", "super").await, stage.of("bob", "super").await);
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    stage
        .changes(ann.id, to_role("clerk"), &Actor::account(&ann))
        .await
        .unwrap();
    assert_eq!(stage.end(&session.token), "account_changed");
    assert_eq!(
        why(stage.changes(ann.id, to_role("super"), &Actor::account(&ann)).await),
        "role_change_refused"
    );
}

#[tokio::test]
async fn the_last_of_a_protected_role_is_neither_removed_nor_demoted_nor_disabled_by_anybody() {
    let stage = Stage::with(rules()).await;
    let (ann, bob) = (stage.of("ann", "super").await, stage.of("bob", "admin").await);
    let itself = Actor::account(&ann);
    assert_eq!(
        why(stage.door.remove_account(ann.id, None, &by()).await),
        "last_of_role"
    );
    assert_eq!(
        why(stage.door.remove_account(ann.id, None, &itself).await),
        "last_of_role"
    );
    assert_eq!(
        why(stage.changes(ann.id, to_role("clerk"), &itself).await),
        "last_of_role"
    );
    assert_eq!(why(stage.changes(ann.id, off(), &by()).await), "last_of_role");
    stage.changes(bob.id, to_role("super"), &by()).await.unwrap();
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    stage.door.remove_account(ann.id, None, &itself).await.unwrap();
    assert_eq!(stage.end(&session.token), "account_removed");
}

#[tokio::test]
async fn a_role_held_by_one_is_given_once_and_never_by_an_account_nor_by_a_change() {
    let stage = Stage::with(rules()).await;
    let (ann, head) = (stage.of("ann", "super").await, stage.of("head", "head").await);
    let itself = Actor::account(&ann);
    assert_eq!(
        why(stage.door.create_account(new_of("second", "head"), &by()).await),
        "held_by_one"
    );
    assert_eq!(
        why(stage.door.create_account(new_of("second", "head"), &itself).await),
        "role_change_refused"
    );
    assert_eq!(
        why(stage.changes(ann.id, to_role("head"), &itself).await),
        "role_change_refused"
    );
    assert_eq!(
        why(stage.changes(head.id, to_role("clerk"), &by()).await),
        "role_change_refused"
    );
    assert_eq!(
        why(stage.door.remove_account(head.id, None, &itself).await),
        "last_of_role"
    );
}

#[tokio::test]
async fn accounts_of_roles_that_somebody_does_not_administer_do_not_exist_for_them() {
    let stage = Stage::with(rules()).await;
    let (admin, boss) = (stage.of("ann", "admin").await, stage.of("boss", "super").await);
    let by = Actor::account(&admin);
    let session = stage.opened(attempt("boss", PASSWORD)).await;
    assert_eq!(why(stage.changes(boss.id, named("x"), &by).await), "not_found");
    assert_eq!(why(stage.door.remove_account(boss.id, None, &by).await), "not_found");
    assert_eq!(
        why(stage
            .door
            .reset_password(boss.id, password("a new long one 17"), &by)
            .await),
        "not_found"
    );
    assert_eq!(why(stage.door.reset_second_factor(boss.id, &by).await), "not_found");
    assert_eq!(why(stage.door.unlock(boss.id, &by).await), "not_found");
    assert_eq!(why(stage.door.reinstate(boss.id, &by).await), "not_found");
    assert_eq!(why(stage.door.end_sessions_of(boss.id, &by).await), "not_found");
    let ended = stage
        .door
        .end_session(session.session.id(), EndReason::EndedByAdministrator, &by)
        .await;
    assert!(!ended.unwrap());
    assert!(stage.is_live(&session.token));
    assert_eq!(
        why(stage.door.create_account(new_of("x", "super"), &by).await),
        "permission_denied"
    );
}

#[tokio::test]
async fn whoever_asks_for_some_roles_is_shown_those_among_them_that_exist_for_them() {
    let stage = Stage::with(rules()).await;
    let (admin, _) = (stage.of("ann", "admin").await, stage.of("boss", "super").await);
    stage.of("carl", "clerk").await;
    let asked = async |roles: &[&str], by: &Actor| -> Vec<String> {
        let query = AccountQuery {
            roles: Some(texts(roles)),
            limit: 10,
            ..AccountQuery::default()
        };
        let found = stage.door.accounts(query, by).await.unwrap();
        found.iter().map(|account| account.name.as_str().to_owned()).collect()
    };
    assert_eq!(asked(&["super", "clerk"], &Actor::account(&admin)).await, ["carl"]);
    assert!(asked(&["super"], &Actor::account(&admin)).await.is_empty());
    assert_eq!(asked(&["super", "clerk"], &by()).await, ["boss", "carl"]);
}

#[tokio::test]
async fn nobody_raises_themselves_and_nobody_gives_what_they_do_not_hold() {
    let stage = Stage::with(rules()).await;
    let (admin, clerk) = (stage.of("ann", "admin").await, stage.of("carl", "clerk").await);
    let by = Actor::account(&admin);
    for role in ["super", "clerk"] {
        assert_eq!(
            why(stage.changes(admin.id, to_role(role), &by).await),
            "role_change_refused"
        );
    }
    for change in [granting("devices"), off()] {
        assert_eq!(
            why(stage.changes(admin.id, change.clone(), &by).await),
            "permission_denied",
            "{change:?}"
        );
    }
    let networks = AccountChange {
        networks: Some(vec!["192.0.2.0/24".to_owned()]),
        ..AccountChange::default()
    };
    assert_eq!(why(stage.changes(admin.id, networks, &by).await), "permission_denied");
    let address = AccountChange {
        email: Some(Some("elsewhere@example.org".to_owned())),
        ..AccountChange::default()
    };
    assert_eq!(
        why(stage.changes(admin.id, address, &by).await),
        "permission_denied",
        "it is confirmed by a link"
    );
    assert_eq!(
        why(stage.changes(clerk.id, to_role("super"), &by).await),
        "permission_denied"
    );
    assert_eq!(
        why(stage.changes(clerk.id, granting("tickets"), &by).await),
        "permission_denied"
    );
    let with_tickets = NewAccount {
        grants: vec![grant("tickets")],
        ..new_of("dan", "clerk")
    };
    assert_eq!(
        why(stage.door.create_account(with_tickets, &by).await),
        "permission_denied"
    );
    stage.changes(clerk.id, granting("devices"), &by).await.unwrap();
    // What somebody else has given stays, though it is more than the admin holds.
    stage.changes(clerk.id, granting("tickets"), &self::by()).await.unwrap();
    stage
        .changes(
            clerk.id,
            AccountChange {
                display_name: Some("C".to_owned()),
                ..granting("tickets")
            },
            &by,
        )
        .await
        .unwrap();
    assert_eq!(
        why(stage
            .door
            .reset_password(admin.id, password("a new long one 17"), &by)
            .await),
        "permission_denied"
    );
}

#[tokio::test]
async fn a_disabled_locked_banned_or_removed_account_acts_no_more() {
    let mut rules = rules();
    rules.inactivity.block_after = Some(Duration::from_secs(86_400));
    let stage = Stage::with(rules).await;
    let (admin, clerk) = (stage.of("ann", "admin").await, stage.of("carl", "clerk").await);
    let by = Actor::account(&admin).from(Some(HERE.parse().unwrap()));
    let enabled = AccountChange {
        disabled: Some(false),
        ..AccountChange::default()
    };
    stage.changes(clerk.id, named("a"), &by).await.unwrap();

    stage.change(admin.id, off()).await;
    assert_eq!(why(stage.changes(clerk.id, named("b"), &by).await), "permission_denied");
    stage.change(admin.id, enabled).await;
    for _guess in 0..5 {
        stage.refused(attempt("ann", "wrong")).await;
    }
    assert_eq!(why(stage.changes(clerk.id, named("b"), &by).await), "permission_denied");
    let elsewhere = Actor::account(&admin).from(Some(THERE.parse().unwrap()));
    stage.changes(clerk.id, named("c"), &elsewhere).await.unwrap();
    stage.door.unlock(admin.id, &self::by()).await.unwrap();
    stage.wait(86_401);
    assert_eq!(why(stage.changes(clerk.id, named("b"), &by).await), "permission_denied");
    stage.door.reinstate(admin.id, &self::by()).await.unwrap();
    stage.changes(clerk.id, named("d"), &by).await.unwrap();
    stage.door.remove_account(admin.id, None, &self::by()).await.unwrap();
    assert_eq!(why(stage.changes(clerk.id, named("b"), &by).await), "permission_denied");
}

#[tokio::test]
async fn an_account_that_is_signed_in_by_the_client_is_left_alone() {
    let stage = Stage::with(rules()).await;
    let clerk = stage.of("carl", "clerk").await;
    let client = Attempt {
        channel: "client".to_owned(),
        ..attempt("carl", PASSWORD)
    };
    let session = stage.opened(client).await;
    stage.opened(attempt("carl", PASSWORD)).await;
    assert_eq!(why(stage.changes(clerk.id, named("x"), &by()).await), "signed_in");
    assert_eq!(why(stage.door.remove_account(clerk.id, None, &by()).await), "signed_in");
    stage.door.sign_out(&session.token, &origin(HERE)).await.unwrap();
    stage.changes(clerk.id, named("x"), &by()).await.unwrap();
    stage.door.remove_account(clerk.id, None, &by()).await.unwrap();
}

#[tokio::test]
async fn disuse_passes_over_the_last_of_a_protected_role_and_over_no_other() {
    let mut rules = rules();
    rules.inactivity.block_after = Some(Duration::from_secs(86_400));
    rules.session.idle = Duration::from_secs(9 * 86_400);
    rules.session.lifetime = Duration::from_secs(9 * 86_400);
    let stage = Stage::with(rules).await;
    let (ann, bob) = (stage.of("ann", "super").await, stage.of("bob", "super").await);
    stage.of("carl", "clerk").await;
    let session = stage.opened(attempt("ann", PASSWORD)).await;
    stage.wait(2 * 86_400);
    let refused = stage.refused(attempt("bob", PASSWORD)).await;
    assert_eq!(refused.code(), "refused");
    assert!(stage.is_live(&session.token), "of the two the one used last");
    stage.opened(attempt("ann", PASSWORD)).await;
    assert_eq!(stage.refused(attempt("carl", PASSWORD)).await.code(), "refused");
    stage.door.keep_house().await.unwrap();
    assert!(!stage.door.is_banned(&ann, stage.clock.now()));
    assert!(stage.door.is_banned(&bob, stage.clock.now()));
    let reopened = stage.reopened().await;
    reopened.opened(attempt("ann", PASSWORD)).await;
}

#[tokio::test]
async fn the_list_shows_the_accounts_of_the_roles_that_somebody_administers() {
    let stage = Stage::with(rules()).await;
    let (admin, boss) = (stage.of("ann", "admin").await, stage.of("boss", "super").await);
    let clerk = stage.of("carl", "clerk").await;
    let seen = async |by: &Actor| -> Vec<String> {
        let query = crate::account::AccountQuery {
            limit: 10,
            ..Default::default()
        };
        let accounts = stage.door.accounts(query, by).await.unwrap();
        accounts
            .into_iter()
            .map(|account| account.name.as_str().to_owned())
            .collect()
    };
    assert_eq!(seen(&Actor::account(&admin)).await, ["ann", "carl"]);
    assert_eq!(seen(&Actor::account(&boss)).await, ["ann", "boss", "carl"]);
    assert!(seen(&Actor::account(&clerk)).await.is_empty());
    assert_eq!(
        why(stage.door.account(boss.id, &Actor::account(&admin)).await),
        "not_found"
    );
    stage.door.account(clerk.id, &Actor::account(&clerk)).await.unwrap();
}

#[tokio::test]
async fn a_token_bound_to_an_account_acts_as_it_and_dies_with_its_password() {
    let stage = Stage::with(rules()).await;
    let (admin, boss) = (stage.of("ann", "admin").await, stage.of("boss", "super").await);
    let token = |name: &str, account| crate::port::ApiToken {
        name: name.to_owned(),
        scopes: vec!["accounts:read".to_owned(), "accounts:write".to_owned()],
        created_at: stage.clock.now(),
        expires_at: None,
        account,
    };
    let itself = Actor::account(&admin);
    assert_eq!(
        why(stage.door.create_token(token("t", None), &itself).await),
        "permission_denied"
    );
    assert_eq!(
        why(stage.door.create_token(token("t", Some(boss.id)), &itself).await),
        "not_found"
    );
    let secret = stage
        .door
        .create_token(token("own", Some(admin.id)), &itself)
        .await
        .unwrap();
    let found = stage.door.token(secret.expose_text()).await.unwrap().unwrap();
    let actor = stage.door.actor_of(&found).await.unwrap().unwrap();
    assert_eq!(why(stage.changes(boss.id, named("x"), &actor).await), "not_found");
    stage.door.create_token(token("operators", None), &by()).await.unwrap();
    assert!(!stage.door.revoke_token("operators", &actor).await.unwrap());

    stage
        .door
        .reset_password(admin.id, password("a new long one 17"), &by())
        .await
        .unwrap();
    assert!(stage.door.token(secret.expose_text()).await.unwrap().is_none());
    assert_eq!(stage.door.store().list_tokens().await.unwrap().len(), 1);
}
