//! Redis comes back, or another takes over, without the last that it acknowledged: whoever had it acknowledged makes it again.

use std::net::IpAddr;
use std::time::Duration;

use stagedoor_identity::account::AccountName;
use stagedoor_identity::port::{
    Accounts as _, ApiToken, Attempts as _, Credentials as _, FreshPolicy, Keys as _, Opened, Reserved, Sessions as _,
    Source, Structure, Tokens as _,
};
use stagedoor_identity::secret::TokenHash;
use stagedoor_identity::session::{EndReason, SessionId, SessionRecord};
use stagedoor_identity::{Account, AccountId};
use stagedoor_policy::rules::{LockoutRules, WhenFull};
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Redis;
use uuid::Uuid;

use super::server::server;

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// How often `alice` has failed with this one.
async fn fail(store: &Redis) -> u32 {
    let rules = LockoutRules {
        failures: 1000,
        failures_from_anywhere: 1000,
        ..LockoutRules::default()
    };
    let source = Source("192.0.2.1".to_owned());
    let reserved = store.reserve_attempt("alice", &source, &rules, NOW).await;
    match reserved.expect("counted") {
        Reserved::Go { failures, .. } => failures,
        Reserved::Locked { .. } => panic!("not so soon"),
    }
}

pub(crate) async fn registered(store: &Redis) -> Account {
    let name = AccountName::parse("alice").expect("a name");
    let account = Account::new(AccountId(Uuid::now_v7()), name, "clerk", NOW);
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA";
    let free = Structure::default();
    let made = store.create_account(&account, hash, None, &free).await;
    made.expect("made");
    account
}

pub(crate) async fn signed_in(store: &Redis, account: &Account) -> SessionId {
    let id = Uuid::now_v7();
    let session = SessionRecord {
        id: SessionId(id),
        token: TokenHash::of(id.as_bytes()),
        account: account.id,
        channel: "browser".to_owned(),
        address: IpAddr::from([192, 0, 2, 7]),
        user_agent: "a browser".to_owned(),
        second_factor: false,
        device: None,
        opened_at: NOW,
        expires_at: NOW.after(Duration::from_secs(3600)),
        idle_after: Duration::from_secs(600),
        last_used_at: NOW,
        ended: None,
    };
    let credentials = store.credentials(account.id).await.expect("read").expect("some");
    let version = credentials.credentials_version;
    let opened = store
        .open_session(&session, version, "clerk", 0, WhenFull::Displace)
        .await;
    assert_eq!(opened.expect("opened"), Opened::Open { displaced: Vec::new() });
    session.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_and_then_lost_is_made_again_and_what_was_not_lost_is_not_made_twice() {
    let mut server = server();
    let store = server.store().await;
    let account = registered(&store).await;
    store
        .set_second_factor(account.id, b"sealed", 6, &[[1; 32]], None)
        .await
        .expect("set");
    assert_eq!(fail(&store).await, 1);
    let earlier = server.copy_of_its_files();

    assert_eq!((fail(&store).await, fail(&store).await), (2, 3));
    assert!(store.use_totp_step(account.id, 7).await.expect("used"));
    let token = ApiToken {
        name: "ci".to_owned(),
        scopes: vec![],
        created_at: NOW,
        expires_at: None,
        account: None,
    };
    store.add_token(&token, &TokenHash::of(b"ci")).await.expect("added");
    let policy = FreshPolicy {
        sha256: [7; 32],
        text: "text".to_owned(),
        by: "cli".to_owned(),
        at: NOW,
    };
    assert_eq!(store.note_policy(&policy, None).await.expect("noted"), 1);

    server.start_again_with(&earlier);
    assert!(
        !store.use_totp_step(account.id, 7).await.expect("asked"),
        "a used code is used"
    );
    assert_eq!(store.token(&TokenHash::of(b"ci")).await.expect("asked"), Some(token));
    assert_eq!(store.policy_revision().await.expect("asked"), Some((1, [7; 32])));
    assert_eq!(fail(&store).await, 4, "two were made again, one is new");

    server.kill();
    server.start_again();
    assert_eq!(fail(&store).await, 5, "nothing was lost, nothing is made twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_was_acknowledged_does_not_come_undone() {
    let mut server = server();
    let store = server.store().await;
    let account = registered(&store).await;
    let session = signed_in(&store, &account).await;
    let earlier = server.copy_of_its_files();
    assert!(
        store
            .end_session(session, &EndReason::SignedOut, NOW)
            .await
            .expect("ended")
    );
    server.start_again_with(&earlier);
    let found = store.sessions_by_id(&[session]).await.expect("asked");
    assert!(found.iter().all(|record| record.ended.is_some()), "{found:?}");
}
