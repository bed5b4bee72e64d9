//! What a user of Redis has to be allowed, and what lies in its keys.

use std::sync::Arc;
use std::time::Duration;

use stagedoor_identity::Secret;
use stagedoor_store::Redis;
use stagedoor_store::conformance::{self, Place as _};
use stagedoor_store::redis::Settings;

use super::server::{Server, server};

const GUIDE: &str = include_str!("../../../docs/operators-guide.md");

/// What the operators' guide tells to write into the ACL, behind user and password.
fn rights() -> String {
    let (_before, told) = GUIDE
        .split_once("ACL SETUSER door on >PASSWORD ")
        .expect("the guide's rights");
    let (told, _behind) = told.split_once("```").expect("the end of the guide's rights");
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_rights_of_the_guide_is_enough_and_a_wrong_password_is_not_shown() {
    let server = server();
    let mut words = vec!["ACL", "SETUSER", "door", "on", ">hunter2", "resetkeys"];
    let rights = rights();
    words.extend(rights.split_whitespace());
    assert_eq!(server.say(&words), "OK");
    let with = |password: &str| Settings {
        user: Some("door".to_owned()),
        password: Some(Secret::new(password)),
        give_up_after: Duration::from_millis(100),
        ..server.settings()
    };
    let refused = Redis::open(with("hunter3"))
        .await
        .expect_err("a wrong password")
        .to_string();
    assert!(
        refused.contains("check user and password") && !refused.contains("hunter"),
        "{refused}"
    );
    drop(Redis::open(with("hunter2")).await.expect("the store opens"));
    struct AsUser<'a>(&'a Server);
    impl conformance::Place for AsUser<'_> {
        fn open(&self) -> stagedoor_identity::port::SharedStore {
            let settings = Settings {
                user: Some("door".to_owned()),
                password: Some(Secret::new("hunter2")),
                ..self.0.settings()
            };
            let opening = Redis::open(settings);
            let store = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(opening));
            Arc::new(store.expect("the store opens"))
        }
    }
    conformance::fill(&AsUser(&server)).await;
    conformance::goes_on_where_it_was(&AsUser(&server)).await;
    drop(server.open());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_lacks_rights_is_refused_at_the_start_and_told_which() {
    let server = server();
    for (rights, why) in [
        (
            rights().replace("+@sortedset", "+zadd"),
            "may not run ZCARD, ZCOUNT, ZINCRBY, ZRANGE, ",
        ),
        (
            rights().replace("+@stream", "-@stream"),
            "may not run XADD, XRANGE, XREVRANGE",
        ),
        (
            rights().replace("~{stagedoor}:*", "~{another}:*"),
            "and the keys of its prefix",
        ),
        (rights().replace("+evalsha", ""), "operators' guide"),
        (rights().replace("+script|load", ""), "operators' guide"),
        (rights().replace("+info", ""), "operators' guide"),
    ] {
        let mut words = vec!["ACL", "SETUSER", "door", "reset", "on", ">hunter2"];
        words.extend(rights.split_whitespace());
        assert_eq!(server.say(&words), "OK", "{rights}");
        let settings = Settings {
            user: Some("door".to_owned()),
            password: Some(Secret::new("hunter2")),
            ..server.settings()
        };
        let refused = Redis::open(settings).await.expect_err(why).to_string();
        assert!(
            refused.contains(why) && refused.contains("operators' guide"),
            "{refused}"
        );
        assert_eq!(server.say(&["DBSIZE"]), "0", "nothing was left there");
    }
}

#[test]
fn the_example_gives_the_rights_of_the_guide_and_those_that_are_asked_for_besides() {
    let example = include_str!("../../../examples/two-doors/users.acl");
    let of_door = example
        .lines()
        .find_map(|line| line.strip_prefix("user door on #DOOR_PASSWORD_SHA256 "));
    assert_eq!(of_door, Some(format!("{} +config|get +acl|dryrun", rights()).as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_would_not_read_back_what_it_wrote_is_refused() {
    let server = server();
    let rights = format!("{} +acl|dryrun", rights());
    let mut words = vec!["ACL", "SETUSER", "door", "reset", "on", ">hunter2"];
    words.extend(rights.split_whitespace());
    assert_eq!(server.say(&words), "OK");
    let settings = Settings {
        user: Some("door".to_owned()),
        password: Some(Secret::new("hunter2")),
        ..server.settings()
    };
    drop(Redis::open(settings.clone()).await.expect("the store opens"));
    for (lacks, why) in [
        ("-@write", "default` may not write"),
        ("resetkeys", "append-only file after a restart"),
    ] {
        assert_eq!(server.say(&["ACL", "SETUSER", "default", lacks]), "OK");
        let refused = Redis::open(settings.clone()).await.expect_err("it forgets").to_string();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(server.say(&["ACL", "SETUSER", "default", "+@all", "~*"]), "OK");
    }
    // That nobody can come in as it does no harm.
    assert_eq!(server.say(&["ACL", "SETUSER", "default", "off"]), "OK");
    drop(Redis::open(settings).await.expect("the store opens"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_anybody_typed_is_part_of_a_key_and_all_keys_lie_in_one_slot() {
    let server = server();
    conformance::fill(&server).await;
    let keys = server.say(&["--no-raw", "KEYS", "*"]);
    let mut kinds = std::collections::BTreeSet::new();
    for line in keys.lines() {
        let key = line.split('"').nth(1).expect("a key in quotes");
        let rest = key.strip_prefix("{stagedoor}:").expect("one hash tag, and so one slot");
        let mut parts = rest.split(':');
        kinds.insert(parts.next().expect("a kind").to_owned());
        // Behind the kind: names of indexes of the audit, ids, numbers of steps and hashes.
        for part in parts {
            let fixed = ["kind", "account", "support_code"].contains(&part);
            let made = part.len() >= 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            let step = part
                .split('-')
                .all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!(fixed || made || step, "{key}");
        }
    }
    for kind in [
        "account",
        "search",
        "of_role",
        "in_use",
        "link",
        "device",
        "picture",
        "letter",
        "asked",
        "failures",
        "tokens_of",
    ] {
        assert!(kinds.contains(kind), "{kind} of {kinds:?}");
    }
}
