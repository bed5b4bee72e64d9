//! What holds for every text.

use proptest::prelude::*;

use super::{BUILDING, Folder, POLICY};
use crate::load::{FileTexts, load_texts};
use crate::{Environment, Faults, Loaded, Sources, starter_files};

/// Without a disk: as the files would be loaded.
fn load(building: &str, policy: &str) -> Result<Loaded, Faults> {
    let sources = Sources {
        building: Some("stagedoor.toml".into()),
        policy: Some("policy.toml".into()),
        ..Sources::default()
    };
    let files = FileTexts {
        building: Ok(building.into()),
        policy: Ok(policy.into()),
    };
    load_texts(&sources, &Environment::default(), &files)
}

/// Every place a fault points at must exist.
fn assert_places(faults: &Faults, building: &str, policy: &str) {
    assert!(!faults.is_empty());
    for fault in faults.iter() {
        let text = if fault.file == "policy.toml" { policy } else { building };
        let (Some(line), Some(column)) = (fault.line, fault.column) else {
            continue;
        };
        let found = text.split('\n').nth(line - 1);
        let found = found.unwrap_or_else(|| panic!("line {line} of {text:?} for {fault:?}"));
        assert!(
            (1..=found.chars().count() + 1).contains(&column),
            "column {column} of {found:?} for {fault:?}"
        );
    }
    assert!(!faults.to_string().is_empty());
}

/// Pieces that come together to files, mostly wrong ones.
fn nearly_toml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[site.console]\n"),
        Just("[site.console.areas]\n"),
        Just("[role.a]\n"),
        Just("[networks]\n"),
        Just("upstream = "),
        Just("paths = "),
        Just("may = "),
        Just("idle = "),
        Just("hosts = "),
        Just("http = "),
        Just("\"/**\""),
        Just("\"http://a\""),
        Just("[\"a\", "),
        Just("]"),
        Just("{ "),
        Just(" }"),
        Just("\n"),
        Just("x = "),
        Just("\"30m\""),
        Just("5"),
        Just("-9223372036854775809"),
        Just("true"),
        Just("'é"),
        Just("="),
        Just("\"\"\""),
        Just("1979-05-27"),
        Just("\r\n"),
        Just("\u{feff}"),
        Just("# \u{0}\n"),
        Just("a.b.c = 1\n"),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_panics_and_every_fault_points_into_the_file(building in ".*", policy in nearly_toml()) {
        for (building, policy) in [(building.as_str(), POLICY), (BUILDING, &policy), (&policy, &building)] {
            if let Err(faults) = load(building, policy) {
                assert_places(&faults, building, policy);
            }
        }
    }

    #[test]
    fn a_good_file_with_a_bite_out_of_it_is_told_properly(from in 0usize..4000, length in 1usize..80) {
        for bitten in [0, 1] {
            let (building, policy) = starter_files();
            let mut files = [building.to_owned(), policy.to_owned()];
            let text = &mut files[bitten];
            let start = text.floor_char_boundary(from.min(text.len()));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, "");
            if let Err(faults) = load(&files[0], &files[1]) {
                assert_places(&faults, &files[0], &files[1]);
            }
        }
    }

    #[test]
    fn what_loads_can_be_compiled(policy in nearly_toml(), from in 0usize..4000, length in 1usize..80) {
        let mut bitten = starter_files().1.to_owned();
        let start = bitten.floor_char_boundary(from.min(bitten.len()));
        let end = bitten.floor_char_boundary((start + length).min(bitten.len()));
        bitten.replace_range(start..end, "");
        for text in [policy, bitten] {
            if let Ok(loaded) = load(BUILDING, &text) {
                let policy = stagedoor_policy::compile(&loaded.rules, stagedoor_policy::Revision(1));
                prop_assert!(policy.is_ok_and(|policy| policy.site("console").is_some()), "{text}");
            }
        }
    }

    #[test]
    fn comments_and_space_change_nothing(lines in prop::collection::vec((any::<prop::sample::Index>(), "[ \t]{0,4}(#[ -~]{0,20})?"), 0..20)) {
        let (building, policy) = starter_files();
        let mut spaced: Vec<String> = policy.lines().map(str::to_owned).collect();
        for (place, line) in lines {
            let at = place.index(spaced.len() + 1);
            spaced.insert(at, line);
        }
        let before = load(building, policy).expect("loads");
        let after = load(building, &spaced.join("\n")).expect("loads again");
        prop_assert_eq!(before.rules, after.rules);
    }

    #[test]
    fn no_bytes_on_the_disk_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = Folder::with(BUILDING, POLICY);
        folder.write("policy.toml", &bytes);
        if let Err(faults) = folder.load() {
            prop_assert!(!faults.to_string().is_empty());
        }
    }
}

#[test]
fn nesting_without_end_is_a_fault_and_not_a_crash() {
    for open in ["[", "{a=", "[{a="] {
        let deep = format!("x = {}", open.repeat(100_000));
        assert_places(&load(BUILDING, &deep).expect_err("at fault"), BUILDING, &deep);
    }
    let dotted = format!("{}x = 1", "a.".repeat(100_000));
    assert_places(&load(BUILDING, &dotted).expect_err("at fault"), BUILDING, &dotted);
}
