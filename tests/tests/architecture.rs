//! Which crate may know which: read from cargo itself, so that no arrow can be drawn the wrong way without a test to say so.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use stagedoor_tests::repository;

/// What each crate of the workspace may name: in what it ships, and in its own tests besides.
const ARROWS: [(&str, &[&str], &[&str]); 9] = [
    ("policy", &[], &[]),
    ("identity", &["policy"], &[]),
    ("store", &["identity", "policy"], &["store"]),
    ("portal", &["identity", "policy"], &["store"]),
    ("config", &["identity", "policy"], &[]),
    ("admin-api", &["config", "identity", "policy"], &["store"]),
    (
        "gateway",
        &["admin-api", "config", "identity", "policy", "portal", "store"],
        &[],
    ),
    ("tests", &["policy"], &[]),
    // What is measured with real doors is started by the harness of the tests.
    ("benches", &["identity", "policy", "store", "tests"], &[]),
];

/// Libraries that only these crates may name, so that they can be exchanged by changing these alone. The benches build the
/// bare proxy that the door is measured beside.
const KEPT_IN: [(&str, &[&str]); 3] = [
    ("pingora", &["gateway", "benches"]),
    ("rusqlite", &["store"]),
    ("redis", &["store"]),
];

/// A dependency as a manifest names it.
#[derive(Debug)]
struct Named {
    name: String,
    only_in_tests: bool,
}

/// Every crate of the workspace by its folder, and what its manifest names.
fn workspace() -> BTreeMap<String, Vec<Named>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| (folder_of(package), dependencies_of(package)))
        .collect()
}

/// The last part of the folder that holds the manifest: `gateway`.
fn folder_of(package: &Value) -> String {
    let manifest = package["manifest_path"].as_str().expect("a path");
    let folder = manifest.rsplit('/').nth(1).expect("a manifest lies in a folder");
    folder.to_owned()
}

fn dependencies_of(package: &Value) -> Vec<Named> {
    let named = |dependency: &Value| Named {
        name: dependency["name"].as_str().expect("a name").to_owned(),
        only_in_tests: dependency["kind"] == "dev",
    };
    let dependencies = package["dependencies"].as_array().expect("a list");
    dependencies.iter().map(named).collect()
}

/// `stagedoor-policy` is the crate in `policy/`; `None` for a crate of somebody else.
fn own_crate(name: &str) -> Option<&str> {
    match name {
        "stagedoor" => Some("gateway"),
        other => other.strip_prefix("stagedoor-"),
    }
}

#[test]
fn every_crate_of_the_workspace_has_its_place_in_the_list() {
    let found: BTreeSet<String> = workspace().into_keys().collect();
    let listed: BTreeSet<String> = ARROWS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(found, listed);
}

#[test]
fn crates_name_only_crates_further_in() {
    let workspace = workspace();
    for (name, ships, tests) in ARROWS {
        for dependency in &workspace[name] {
            let Some(other) = own_crate(&dependency.name) else {
                continue;
            };
            let allowed = ships.contains(&other) || (dependency.only_in_tests && tests.contains(&other));
            assert!(allowed, "`{name}` may not name `{other}`: {dependency:?}");
        }
    }
}

#[test]
fn the_list_itself_has_no_circle_and_names_nothing_that_is_not_used() {
    let workspace = workspace();
    let mut further_in = BTreeSet::new();
    for (name, ships, _) in ARROWS {
        for other in ships {
            assert!(further_in.contains(other), "`{name}` comes before `{other}`");
            let used = workspace[name]
                .iter()
                .any(|dependency| own_crate(&dependency.name) == Some(*other));
            assert!(
                used,
                "`{name}` is allowed `{other}` and does not use it: take the arrow out"
            );
        }
        further_in.insert(name);
    }
}

#[test]
fn the_proxy_library_and_the_database_each_stay_in_one_room() {
    for (name, dependencies) in workspace() {
        for (library, rooms) in KEPT_IN {
            // `pingora-core` is pingora too.
            let named = dependencies
                .iter()
                .find(|dependency| dependency.name == library || dependency.name.starts_with(&format!("{library}-")));
            assert!(
                named.is_none() || rooms.contains(&name.as_str()),
                "`{name}` names {named:?}, which only {rooms:?} may"
            );
        }
    }
}

#[test]
fn no_file_makes_the_toolchain_fetch_another_one() {
    for file in ["rust-toolchain", "rust-toolchain.toml"] {
        let listed = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "--", file, &format!("*/{file}")])
            .current_dir(repository())
            .output()
            .expect("git can be started");
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        assert!(
            listed.stdout.is_empty(),
            "tracked: {}",
            String::from_utf8_lossy(&listed.stdout)
        );
        assert!(
            !repository().join(file).exists(),
            "`{file}` lies in the root of the checkout"
        );
    }
}
