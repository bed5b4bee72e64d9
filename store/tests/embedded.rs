//! The embedded store keeps every promise of the conformance suite, and a few of its own.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of a test")]

use std::path::PathBuf;
use std::sync::Arc;

use stagedoor_identity::port::SharedStore;
use stagedoor_store::Embedded;
use stagedoor_store::conformance::Place;
use tempfile::TempDir;

struct Folder(TempDir);

fn folder() -> Folder {
    Folder(tempfile::tempdir().expect("a folder"))
}

impl Folder {
    /// Made by the store, so the umask of whoever runs this does not matter.
    fn path(&self) -> PathBuf {
        self.0.path().join("data")
    }
}

impl Place for Folder {
    fn open(&self) -> SharedStore {
        Arc::new(Embedded::open(&self.path()).expect("the store opens"))
    }
}

mod promises {
    use super::folder;

    stagedoor_store::conformance_tests!(folder);
}

/// A file that an older Stagedoor has written.
mod an_older_file {
    use rusqlite::Connection;
    use stagedoor_identity::account::{AccountName, AccountQuery};
    use stagedoor_identity::event::AuditQuery;
    use stagedoor_identity::{Account, Secret};
    use stagedoor_policy::time::Timestamp;
    use stagedoor_store::OpenError;

    use super::*;

    const SCHEMA_1: &str = include_str!("data/schema-0001.sql");

    fn written_with(sql: &str) -> Folder {
        let folder = folder();
        drop(folder.open());
        let file = folder.path().join("stagedoor.db");
        std::fs::write(&file, []).unwrap();
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch(sql).unwrap();
        folder
    }

    async fn named(store: &SharedStore, name: &str) -> Account {
        let name = AccountName::parse(name).unwrap();
        store.account_by_name(&name).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn is_brought_up_to_date_with_all_that_is_in_it() {
        let folder = written_with(SCHEMA_1);
        let store = folder.open();
        let (ann, carol) = (named(&store, "ann").await, named(&store, "carol").await);
        assert_eq!((ann.display_name.as_str(), ann.version), ("ann Ünal 홍길동", 1));
        assert_eq!(ann.accepted_at, Some(ann.created_at), "who could sign in still can");
        assert_eq!(
            (ann.invitation, ann.devices, ann.second_factor_demanded),
            (None, 0, false)
        );
        assert!(carol.disabled && carol.accepted_at.is_some());
        assert!(
            store
                .credentials(ann.id)
                .await
                .unwrap()
                .unwrap()
                .password_hash
                .starts_with("$argon2id$")
        );

        let sessions = store.sessions(Timestamp::from_micros(0)).await.unwrap();
        assert_eq!(
            sessions.iter().map(|session| session.account).collect::<Vec<_>>(),
            [ann.id]
        );
        assert!(store.use_recovery_code(ann.id, &[1; 32]).await.unwrap());
        assert!(!store.list_tokens().await.unwrap().is_empty());
        assert!(store.policy_revision().await.unwrap().is_some());
        let kept = store.key_or_insert("totp", &Secret::new(b"another")).await.unwrap();
        assert_eq!(kept.expose().len(), 32, "the key of before, not the one offered now");
        let all = AuditQuery {
            limit: 1000,
            ..AuditQuery::default()
        };
        assert!(store.events(&all).await.unwrap().len() >= 3);

        drop(store);
        let again = folder.open();
        assert_eq!(
            named(&again, "ann").await,
            Account {
                recovery_codes_left: 0,
                ..ann
            }
        );
    }

    #[tokio::test]
    async fn finds_names_by_the_folding_of_now() {
        let folder = written_with(SCHEMA_1);
        let store = folder.open();
        let query = AccountQuery {
            contains: "ÜNAL 홍".to_owned(),
            limit: 5,
            ..AccountQuery::default()
        };
        let found = store.list_accounts(&query).await.unwrap();
        assert_eq!(
            found.iter().map(|account| account.name.as_str()).collect::<Vec<_>>(),
            ["ann"]
        );
    }

    #[test]
    fn is_left_as_it_was_where_it_cannot_be_brought_up_to_date() {
        let folder = written_with(&format!("{SCHEMA_1} CREATE TABLE device (in_the_way INTEGER);"));
        let file = folder.path().join("stagedoor.db");
        assert!(matches!(Embedded::open(&folder.path()), Err(OpenError::Engine(_))));
        let connection = Connection::open(&file).unwrap();
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 1);
        assert!(
            connection.prepare("SELECT accepted_at FROM account").is_err(),
            "all of it or nothing"
        );
    }

    #[test]
    fn of_now_is_refused_by_a_stagedoor_that_knows_less() {
        let folder = folder();
        drop(folder.open());
        let connection = Connection::open(folder.path().join("stagedoor.db")).unwrap();
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        connection.pragma_update(None, "user_version", version + 1).unwrap();
        drop(connection);
        let refused = Embedded::open(&folder.path()).unwrap_err();
        assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
    }
}

mod beside_the_promises {
    use std::fs;
    use std::sync::Mutex;
    use std::time::Duration;

    use stagedoor_identity::account::AccountName;
    use stagedoor_identity::port::{Accounts as _, Attempts as _, Reserved, Source};
    use stagedoor_policy::rules::LockoutRules;
    use stagedoor_policy::time::Timestamp;
    use stagedoor_store::OpenError;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn somewhere() -> Source {
        Source("192.0.2.1".to_owned())
    }

    #[tokio::test]
    async fn a_typed_password_never_lands_in_the_file() {
        let folder = folder();
        let store = folder.open();
        let typed = "Correct-Horse-Battery";
        let rules = LockoutRules {
            failures: 1,
            ..LockoutRules::default()
        };
        store.reserve_attempt(typed, &somewhere(), &rules, NOW).await.unwrap();
        assert_eq!(store.lockouts(None, NOW).await.unwrap().len(), 1);
        for entry in fs::read_dir(folder.path()).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            for spelling in [typed.to_owned(), typed.to_lowercase()] {
                let found = bytes
                    .windows(spelling.len())
                    .any(|window| window == spelling.as_bytes());
                assert!(!found, "`{spelling}` lies in the file");
            }
        }
    }

    #[tokio::test]
    async fn the_case_of_a_name_does_not_give_a_second_count() {
        let store = folder_store().1;
        for (name, expected) in [("alice", 1), ("ALICE", 2), ("Alice", 3)] {
            let answer = store
                .reserve_attempt(name, &somewhere(), &LockoutRules::default(), NOW)
                .await
                .unwrap();
            assert!(
                matches!(answer, Reserved::Go { failures, .. } if failures == expected),
                "{answer:?}"
            );
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn two_processes_with_one_file_cannot_outrun_the_count_together() {
        let (folder, door) = folder_store();
        let command_line = folder.open();
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let store = Arc::clone(if number % 2 == 0 { &door } else { &command_line });
                let rules = LockoutRules {
                    failures: 5,
                    ..LockoutRules::default()
                };
                tokio::spawn(async move { store.reserve_attempt("alice", &somewhere(), &rules, NOW).await.unwrap() })
            })
            .collect();
        let mut let_through = 0;
        for task in tasks {
            let_through += usize::from(matches!(task.await.unwrap(), Reserved::Go { .. }));
        }
        assert_eq!(let_through, 5);
        let alice = AccountName::parse("alice").unwrap();
        assert_eq!(command_line.unlock(&alice).await.unwrap(), 1);
        assert!(
            door.lockouts(None, NOW).await.unwrap().is_empty(),
            "what one does, the other sees"
        );
    }

    #[tokio::test]
    async fn a_name_that_is_always_locked_from_somewhere_does_not_fill_the_disk() {
        let (folder, store) = folder_store();
        let rules = LockoutRules {
            failures: 3,
            failures_from_anywhere: 1000,
            ..LockoutRules::default()
        };
        for round in 0..100 {
            let now = NOW.after(Duration::from_secs(round * 450));
            let source = Source(format!("192.0.2.{}", round % 2));
            for _failure in 0..3 {
                store.reserve_attempt("alice", &source, &rules, now).await.unwrap();
            }
            assert!(!store.lockouts(None, now).await.unwrap().is_empty());
            let before = NOW.after(Duration::from_secs((round * 450).saturating_sub(600)));
            store.forget_attempts(before, now).await.unwrap();
        }
        let connection = rusqlite::Connection::open(folder.path().join("stagedoor.db")).unwrap();
        let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert!(count("SELECT count(*) FROM failure") <= 12);
        assert!(count("SELECT count(*) FROM lock") <= 3);
    }

    #[tokio::test]
    async fn a_step_waits_for_another_process_that_writes() {
        let (folder, store) = folder_store();
        let other = rusqlite::Connection::open(folder.path().join("stagedoor.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let waiting = tokio::spawn(async move {
            let name = AccountName::parse("alice").unwrap();
            store.unlock(&name).await
        });
        tokio::task::yield_now().await;
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(waiting.await.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn each_operation_is_told_to_the_observer_by_its_name() {
        let folder = folder();
        let told = Arc::new(Mutex::new(Vec::new()));
        let observer = {
            let told = Arc::clone(&told);
            Arc::new(move |operation: &'static str, took: Duration| told.lock().unwrap().push((operation, took)))
        };
        let store = Embedded::open_observed(&folder.path(), observer).unwrap();
        let name = AccountName::parse("alice").unwrap();
        store.account_by_name(&name).await.unwrap();
        store.unlock(&name).await.unwrap();
        let told = told.lock().unwrap();
        assert_eq!(
            told.iter().map(|(operation, _took)| *operation).collect::<Vec<_>>(),
            ["account_by_name", "unlock"]
        );
        assert!(told.iter().all(|(_operation, took)| !took.is_zero()));
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_alone() {
        let folder = folder();
        drop(folder.open());
        let file = folder.path().join("stagedoor.db");
        let junk = vec![0x5a; 8192];
        fs::write(&file, &junk).unwrap();
        let refused = Embedded::open(&folder.path()).unwrap_err();
        assert!(
            matches!(&refused, OpenError::Engine(why) if why.contains("damaged")),
            "{refused}"
        );
        assert_eq!(fs::read(&file).unwrap(), junk);
    }

    #[test]
    fn many_processes_may_open_a_new_folder_at_once() {
        let folder = folder();
        std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8)
                .map(|_number| scope.spawn(|| Embedded::open(&folder.path())))
                .collect();
            for opened in opening {
                opened.join().unwrap().unwrap();
            }
        });
    }

    #[test]
    fn closing_leaves_one_whole_file_that_can_be_copied() {
        let (folder, store) = folder_store();
        drop(store);
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["stagedoor.db"]);
    }

    fn folder_store() -> (Folder, SharedStore) {
        let folder = folder();
        let store = folder.open();
        (folder, store)
    }
}
