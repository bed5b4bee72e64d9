//! What is made from the description is checked in as it is made.
//!
//! `STAGEDOOR_WRITE_MADE_FILES=1 cargo test -p stagedoor-config made` writes the files anew.

use std::path::Path;

use crate::describe::{BUILDING, POLICY, building_schema, leaves, policy_reference, policy_schema, settings_reference};

#[test]
fn the_files_made_from_the_description_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (path, made) in [
        ("schema/stagedoor.schema.json", building_schema()),
        ("schema/policy.schema.json", policy_schema()),
        ("docs/reference/settings.md", settings_reference()),
        ("docs/reference/policy.md", policy_reference()),
    ] {
        if std::env::var_os("STAGEDOOR_WRITE_MADE_FILES").is_some() {
            std::fs::write(root.join(path), &made).expect("written");
        }
        let there = std::fs::read_to_string(root.join(path)).expect("the file is checked in");
        assert!(
            there == made,
            "{path} is out of date: run the command at the top of this test's file"
        );
    }
}

#[test]
fn every_default_is_in_the_schema() {
    let schemas = building_schema() + &policy_schema();
    for described in leaves(BUILDING).into_iter().chain(leaves(POLICY)) {
        let Some(default) = described.setting.default else {
            continue;
        };
        serde_json::from_str::<serde_json::Value>(default).expect("a default reads the same in TOML and JSON");
        assert!(schemas.contains(&format!("\"{}\"", described.setting.name)));
    }
}

#[test]
fn every_setting_is_on_its_reference_page() {
    for (page, table) in [(settings_reference(), BUILDING), (policy_reference(), POLICY)] {
        for described in leaves(table) {
            assert!(
                page.contains(&format!("| `{}` |", described.setting.name)),
                "{:?}",
                described.path
            );
        }
    }
}
