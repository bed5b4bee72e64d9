//! The sets of house rules that come with the product, from `init` to the printed table.

use serde_json::Value;

use super::stage::{Ran, Stage};

/// A folder that `init --preset` was run in.
async fn with_preset(name: &str) -> Stage {
    let stage = Stage::empty();
    let ran = stage.run(&format!("init --preset {name}")).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    stage
}

/// Each row of the printed table: its cells, without the lines.
fn table(ran: &Ran) -> Vec<Vec<&str>> {
    let rows = ran.out.lines().filter(|line| line.starts_with('│'));
    rows.map(|row| row.trim_matches('│').split('┆').map(str::trim).collect())
        .collect()
}

async fn assert_table(name: &str, summary: &str, rows: &[&[&str]]) {
    let stage = with_preset(name).await;
    let ran = stage.run("check").await;
    assert_eq!((ran.exit, ran.out.as_str()), (0, summary), "{ran:?}");
    let shown = stage.run("policy show").await;
    assert_eq!(table(&shown), rows, "{}", shown.out);
}

#[tokio::test]
async fn the_preset_bstage_opens_the_menus_that_its_manual_opens() {
    let rows: &[&[&str]] = &[
        &["site", "area", "admin", "head", "onsite", "operator"],
        &["console", "content", "manage", "manage", "-", "manage"],
        &["console", "dashboard", "manage", "manage", "-", "manage"],
        &["console", "dormant", "-", "manage", "-", "-"],
        &["console", "frame", "manage", "manage", "manage", "manage"],
        &["console", "manage-site", "manage", "manage", "manage", "manage"],
        &["console", "members", "manage", "manage", "-", "manage"],
        &["console", "settings", "manage", "manage", "-", "-"],
        &["console", "shop", "manage", "manage", "-", "manage"],
    ];
    assert_table("bstage", "fine: 1 site, 8 areas, 4 roles\n", rows).await;
}

#[tokio::test]
async fn the_preset_stager_grants_nothing_to_a_new_user() {
    let rows: &[&[&str]] = &[
        &["site", "area", "manager", "user"],
        &["console", "calendar", "manage", "-"],
        &["console", "contacts", "manage +export", "-"],
        &["console", "dashboard", "manage", "-"],
        &["console", "events", "manage +publish", "-"],
        &["console", "frame", "manage", "manage"],
        &["console", "scanning", "manage", "-"],
        &["console", "settings", "manage", "-"],
        &["console", "shop", "manage", "manage"],
        &["console", "tickets", "manage +refund", "-"],
        &["console", "users", "manage", "-"],
    ];
    assert_table("stager", "fine: 1 site, 10 areas, 2 roles\n", rows).await;
}

#[tokio::test]
async fn the_preset_filingbox_opens_the_menus_that_its_manual_opens() {
    let rows: &[&[&str]] = &[
        &["site", "area", "device-admin", "general-admin", "super-admin"],
        &["console", "admins", "-", "-", "manage"],
        &["console", "audit-logs", "-", "manage", "manage"],
        &["console", "client", "manage", "-", "manage"],
        &["console", "devices", "-", "manage", "manage"],
        &["console", "frame", "manage", "manage", "manage"],
        &["console", "settings", "-", "-", "manage"],
    ];
    assert_table("filingbox", "fine: 1 site, 6 areas, 3 roles\n", rows).await;
}

#[tokio::test]
async fn init_says_which_role_the_first_account_of_a_preset_has() {
    for (name, role) in [
        ("starter", "administrator"),
        ("bstage", "head"),
        ("stager", "manager"),
        ("filingbox", "super-admin"),
    ] {
        let stage = Stage::empty();
        let ran = stage.run(&format!("init --preset {name}")).await;
        assert!(ran.out.contains(&format!("--role {role}\n")), "{}", ran.out);
        let shown = stage.run("policy show --output json").await;
        let shown: Value = serde_json::from_str(&shown.out).unwrap();
        let columns = shown["columns"].as_array().unwrap();
        assert!(columns.iter().any(|column| column == role), "{shown}");
    }
}

#[tokio::test]
async fn compliance_tells_each_departure_of_the_preset_filingbox_with_the_manuals_sentence() {
    let stage = with_preset("filingbox").await;
    let ran = stage.run("policy compliance --output json").await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let departures = told["departures"].as_array().unwrap();
    let settings: Vec<&str> = departures
        .iter()
        .filter_map(|departure| departure["setting"].as_str())
        .collect();
    assert_eq!(
        settings,
        [
            "password.at_most",
            "password.require",
            "password.other_characters",
            "password.repeats_at_most",
            "password.runs_at_most"
        ],
        "10 characters will do, since everybody shows a second factor"
    );
    for departure in departures {
        assert!(departure["reason"].is_string(), "{departure}");
    }
    assert_eq!(
        departures[3]["reason"],
        "Identical characters or numbers cannot be repeated consecutively."
    );
    let ran = stage.run("policy compliance").await;
    for told in [
        "These rules depart from the standards in 5 places:\n",
        "\npassword.at_most = 20\n  NIST SP 800-63B-4, 3.1.1.2 (should): 64 characters and more are permitted\n  \
         OWASP ASVS 5.0.0, 6.2.9 (shall): 64 characters and more are permitted\n  reason: Input length: 10 ~ 20 characters\n",
        "\npassword.require = upper, lower, digit, special\n",
        "\nWhatever the rules say:\n",
    ] {
        assert!(ran.out.contains(told), "{told} is missing in\n{}", ran.out);
    }
}

#[tokio::test]
async fn compliance_asks_for_a_reason_where_none_is_given_and_finds_no_departure_where_there_is_none() {
    let stage = with_preset("starter").await;
    let ran = stage.run("policy compliance").await;
    assert!(
        ran.out.starts_with(
            "These rules depart from the standards in 1 place:\n\nsecond_factor.ask = optional for administrator\n"
        ),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("no reason is given: write one in `[departures]`, as \"second_factor.ask\""),
        "{}",
        ran.out
    );
    let policy = std::fs::read_to_string(stage.folder.path().join("policy.toml")).unwrap();
    stage.write(
        "policy.toml",
        &format!("{policy}\n[second_factor]\nask = \"required\"\n"),
    );
    let ran = stage.run("policy compliance").await;
    assert!(ran.out.starts_with("These rules depart from nothing"), "{}", ran.out);
    let ran = Stage::empty().run("policy compliance").await;
    assert_eq!(ran.exit, 64, "{ran:?}");
}
