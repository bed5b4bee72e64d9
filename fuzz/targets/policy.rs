//! The text of policy.toml, and a question to whatever loads. Line 1: `ADDRESS METHOD TARGET`; the rest: the file.
#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use http::Method;
use libfuzzer_sys::fuzz_target;
use stagedoor_config::{Environment, Inline, Sources, load};
use stagedoor_policy::request::{ClientAddress, Target};
use stagedoor_policy::{Decision, Policy, Question, Revision, SiteId, Visitor, compile, decide, explain};

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let asked = std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let policy_file = file();
    std::fs::write(policy_file, parts.next().unwrap_or_default()).expect("the folder can be written");
    let sources = Sources {
        policy: Some(policy_file.clone()),
        inline: Inline {
            upstream: Some("http://127.0.0.1:8000".to_owned()),
            data_dir: None,
        },
        ..Sources::default()
    };
    let loaded = match load(&sources, &Environment::default()) {
        Ok(loaded) => loaded,
        Err(faults) => {
            assert!(!faults.to_string().is_empty());
            return;
        }
    };
    let policy = compile(&loaded.rules, Revision(1)).expect("what loads compiles");
    let mut words = asked.split(' ');
    let mut word = || words.next().unwrap_or_default();
    let address = word().parse().unwrap_or([203, 0, 113, 9].into());
    let method = Method::from_bytes(word().as_bytes()).unwrap_or(Method::GET);
    let Ok(target) = Target::parse(&method, word().as_bytes()) else {
        return;
    };
    let sites: Vec<SiteId> = policy.sites().map(|(id, _)| id).collect();
    for site in sites {
        judge_for_everybody(&policy, site, &target, ClientAddress::of_peer(address));
    }
});

/// Rewritten for each input; in memory where the machine has a folder for that.
fn file() -> &'static PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let memory = std::path::Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        folder.expect("a folder").keep().join("policy.toml")
    })
}

fn judge_for_everybody(policy: &Policy, site: SiteId, target: &Target<'_>, address: ClientAddress) {
    let stranger = judge(
        policy,
        Question {
            site,
            target,
            address,
            visitor: None,
            preflight: false,
        },
    );
    for role in policy.roles().chain(["nobody"]) {
        let of = |second_factor| {
            let visitor = Visitor {
                role,
                grants: &[],
                networks: None,
                channel: "browser",
                second_factor,
            };
            is_open(judge(
                policy,
                Question {
                    site,
                    target,
                    address,
                    visitor: Some(visitor),
                    preflight: false,
                },
            ))
        };
        assert!(of(true) || !of(false), "a second factor closed a door");
        assert!(
            policy.has_role(role) || !of(true) || is_open(stranger),
            "a role that is none opened a door"
        );
    }
}

/// Judged both ways; a permit is for the site that was asked for.
fn judge(policy: &Policy, question: Question<'_>) -> Decision {
    let decision = decide(policy, &question);
    assert_eq!(explain(policy, &question).decision, decision);
    if let Decision::Allow(permit) = decision {
        assert_eq!(permit.site(), question.site);
        assert!(policy.admits_to_site(question.site, question.address).is_ok());
    }
    decision
}

fn is_open(decision: Decision) -> bool {
    matches!(decision, Decision::Allow(_))
}
