//! Many accounts: what a page of the list costs does not grow with them, and a search keeps others waiting for no long time.

use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::account::{AccountName, AccountQuery};
use stagedoor_identity::port::{Accounts as _, KeepRule, SeatRule, Structure};
use stagedoor_identity::{Account, AccountId};
use stagedoor_policy::time::Timestamp;
use stagedoor_store::Redis;
use stagedoor_store::redis::Settings;
use uuid::Uuid;

use super::server::Server;

const ACCOUNTS: usize = 12_000;
const AT_ONCE: usize = 500;

fn name(number: usize) -> AccountName {
    AccountName::parse(&format!("operator-{number:07}")).expect("a name")
}

fn account(number: usize) -> Account {
    let id = AccountId(Uuid::from_u128(u128::try_from(number).expect("small") + 1));
    let mut account = Account::new(id, name(number), "operator", Timestamp::from_micros(0));
    account.display_name = format!("Somebody {number}");
    account
}

async fn fill(store: &Arc<Redis>) {
    for first in (0..ACCOUNTS).step_by(AT_ONCE) {
        let making = (first..ACCOUNTS.min(first + AT_ONCE)).map(|number| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                store
                    .create_account(&account(number), "not a hash", None, &Structure::default())
                    .await
            })
        });
        for made in making.collect::<Vec<_>>() {
            made.await.expect("it ran").expect("made");
        }
    }
}

/// How many scripts Redis has run.
fn scripts(server: &Server) -> u64 {
    let said = server.say(&["INFO", "commandstats"]);
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    let calls = line.and_then(|line| line.split(',').next());
    calls.expect("a count").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn among_many_accounts_a_page_is_one_script_and_a_search_a_few() {
    let server = Server::with(&["--appendonly", "no"]);
    // So long that no renewal of it is counted.
    let settings = Settings {
        lease: Duration::from_secs(3600),
        ..server.settings()
    };
    let store = Arc::new(Redis::open(settings).await.expect("the store opens"));
    fill(&store).await;
    let query = |contains: &str, after: Option<AccountName>| AccountQuery {
        contains: contains.to_owned(),
        after,
        limit: 50,
        ..AccountQuery::default()
    };
    store
        .list_accounts(&query("", None))
        .await
        .expect("the script is known from now on");
    let middle = Some(name(ACCOUNTS / 2));
    for (what, query, found, scripts_max) in [
        ("a page", query("", middle.clone()), 50, 1),
        ("the first of many", query("somebody 1", None), 50, 1),
        ("the last one", query(&format!("{}", ACCOUNTS - 1), None), 1, 3),
        ("nobody", query("nobody", None), 0, 3),
    ] {
        let before = scripts(&server);
        let began = std::time::Instant::now();
        let listed = store.list_accounts(&query).await.expect("listed");
        let took = began.elapsed();
        let run = scripts(&server) - before;
        println!("{what}: {took:?}, {run} scripts");
        assert_eq!(listed.len(), found, "{what}");
        assert!(run <= scripts_max, "{what}: {run} scripts");
    }
    let rules = Structure {
        seats: vec![SeatRule {
            name: "all".to_owned(),
            roles: vec!["operator".to_owned()],
            at_most: 20,
        }],
        keep: vec![KeepRule {
            role: "operator".to_owned(),
            at_least: 1,
        }],
        ..Structure::default()
    };
    let began = std::time::Instant::now();
    store
        .remove_account(account(7).id, None, &rules)
        .await
        .expect("removed");
    println!("a rule that counts all: {:?}", began.elapsed());
    assert_eq!(store.last_used_of("operator", 2).await.expect("told").len(), 2);
}
