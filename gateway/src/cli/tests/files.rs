//! What works on the files here: init, check, policy show, completions.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::stage::{Canned, Stage};

#[tokio::test]
async fn init_writes_both_files_and_says_what_to_do_next() {
    let stage = Stage::empty();
    let ran = stage.run("init here").await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    let folder = stage.folder.path().join("here");
    let (building, policy) = stagedoor_config::starter_files();
    assert_eq!(
        std::fs::read_to_string(folder.join("stagedoor.toml")).unwrap(),
        building
    );
    assert_eq!(std::fs::read_to_string(folder.join("policy.toml")).unwrap(), policy);
    let data = std::fs::metadata(folder.join("stagedoor-data")).unwrap();
    assert_eq!(data.permissions().mode() & 0o777, 0o700);
    assert_eq!(ran.out.matches("sdt_first").count(), 1, "{}", ran.out);
    assert!(
        ran.out.contains("cd here") && ran.out.contains("stagedoor check"),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn init_never_overwrites_a_file() {
    let stage = Stage::empty();
    let policy = stage.folder.path().join("policy.toml");
    std::fs::write(&policy, "mine").unwrap();
    let ran = stage.run("init").await;
    assert_eq!(ran.exit, 1);
    assert!(
        ran.err.contains("policy.toml` is there already; nothing was written"),
        "{}",
        ran.err
    );
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(stage.folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn init_lists_the_presets_when_one_is_not_known() {
    let ran = Stage::empty().run("init --preset palace").await;
    assert_eq!(ran.exit, 2);
    assert_eq!(
        ran.err,
        "error: there is no preset `palace`\n  help: there are `starter`, for any console: nothing without an account, \
         everything for the role `administrator`; `bstage`, for a fan site's back office: head, admins, operators and on-site \
         operators, seats by plan; `stager`, for a ticket shop's back office: rights account by account, scanning on many \
         telephones at once; `filingbox`, for an appliance's console and client program: three roles, addresses and \
         passwords by strict rules\n"
    );
}

#[tokio::test]
async fn check_in_a_folder_without_files_says_how_to_get_some() {
    let ran = Stage::empty().run("check").await;
    assert_eq!(ran.exit, 64);
    assert!(
        ran.err.contains("there is no `stagedoor.toml`") && ran.err.contains("stagedoor init"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn a_completion_script_is_printed_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = Stage::empty().run(&format!("completions {shell}")).await;
        assert_eq!(ran.exit, 0);
        assert!(ran.out.contains("stagedoor") && ran.out.contains("lockout"), "{shell}");
    }
}

#[tokio::test]
async fn what_init_writes_is_fine() {
    let stage = Stage::empty();
    stage.run("init").await;
    let ran = stage.run("check").await;
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (0, "fine: 1 site, 1 area, 1 role\n"),
        "{ran:?}"
    );
    let ran = stage.run("check --output json").await;
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        told,
        json!({ "ok": true, "sites": 1, "areas": 1, "roles": 1, "warnings": [] })
    );
}

#[tokio::test]
async fn check_tells_every_fault_of_both_files_at_once() {
    let stage = Stage::empty();
    stage.write(
        "stagedoor.toml",
        "[site.console]\nupstreem = \"http://127.0.0.1:8000\"\n",
    );
    stage.write("policy.toml", "[role.viewer]\nmay = { garden = \"view\" }\n");
    let ran = stage.run("check").await;
    assert_eq!((ran.exit, ran.out.as_str()), (64, ""), "{ran:?}");
    for told in ["stagedoor.toml:2:1", "`upstreem`", "policy.toml:2:", "garden", "^"] {
        assert!(ran.err.contains(told), "{told} is missing in\n{}", ran.err);
    }
    let ran = stage.run("check --output json").await;
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.exit, told.get("ok")), (64, Some(&json!(false))));
    assert!(told["faults"].as_array().unwrap().len() >= 2, "{told}");
}

#[tokio::test]
async fn check_passes_warnings_on() {
    let stage = Stage::empty();
    stage.write(
        "stagedoor.toml",
        "[site.console]\nupstream = \"http://127.0.0.1:8000\"\n",
    );
    stage.write("policy.toml", "[role.viewer]\nmay = {}\n");
    let ran = stage.run("check").await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(
        ran.out.starts_with("warning: site `console` has no rules"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.ends_with("fine: 1 site, 0 areas, 1 role, 1 warning\n"),
        "{}",
        ran.out
    );
}

#[tokio::test]
async fn the_policy_of_the_files_here_is_shown_as_a_table() {
    let stage = Stage::empty();
    stage.write(
        "stagedoor.toml",
        "[site.console]\nupstream = \"http://127.0.0.1:8000\"\n",
    );
    let policy = "[site.console.areas]\ndevices = { paths = [\"/devices/**\"] }\nrest = { paths = [\"/**\"] }\n\
                  [role.owner]\nmay = { \"*\" = \"all\" }\n[role.viewer]\nmay = { devices = \"view\" }\n";
    stage.write("policy.toml", policy);
    let ran = stage.run("policy show").await;
    assert_eq!(
        ran.out,
        "┌─────────┬─────────┬────────┬────────┐\n\
         │ site    ┆ area    ┆ owner  ┆ viewer │\n\
         ╞═════════╪═════════╪════════╪════════╡\n\
         │ console ┆ devices ┆ manage ┆ view   │\n\
         │ console ┆ rest    ┆ manage ┆ -      │\n\
         └─────────┴─────────┴────────┴────────┘\n",
        "{ran:?}"
    );
    let ran = stage.run("policy show --output json").await;
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        told["rows"][0],
        json!({ "site": "console", "area": "devices", "may": ["manage", "view"] })
    );
}

#[tokio::test]
async fn the_policy_of_a_door_that_was_named_is_asked_for() {
    let canned = Canned::default().on(
        "GET /v1/policy/table",
        200,
        r#"{"columns":["a"],"rows":[],"revision":1}"#,
    );
    let canned = canned.on(
        "GET /v1/nodes",
        200,
        r#"{"nodes":[{"name":"door-1","this":true,"present":true,"version":"1","revision":7,"cannot_take":null},
            {"name":"door-2","this":false,"present":true,"version":"1","revision":6,"cannot_take":7}]}"#,
    );
    let stage = Stage::before(&canned).await;
    stage.run("init").await;
    let ran = stage.run("policy show").await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(canned.lines(), ["GET /v1/policy/table", "GET /v1/nodes"]);
    assert!(ran.out.contains("cannot run revision 7: see `policy status` there"), "{}", ran.out);
}

#[tokio::test]
async fn a_faulty_policy_file_keeps_nobody_from_the_door() {
    let canned = Canned::default().on("GET /v1/sessions", 200, r#"{"items":[],"next":null}"#);
    let address = canned.listen().await.replace("http://", "");
    let stage = Stage::empty();
    let building = format!("[admin]\nlisten = \"{address}\"\n[site.shop]\nupstream = \"http://127.0.0.1:8000\"\n");
    stage.write("elsewhere/stagedoor.toml", &building);
    stage.write("elsewhere/policy.toml", "half a");
    stage.write("elsewhere/stagedoor-data/admin.token", "sdt_kept");
    let ran = stage.run("session list --config elsewhere/stagedoor.toml").await;
    assert_eq!((ran.exit, ran.out.as_str()), (0, "Nobody is signed in.\n"), "{ran:?}");
}

#[tokio::test]
async fn a_faulty_building_is_said_to_be_bad_configuration() {
    let stage = Stage::empty();
    stage.write("stagedoor.toml", "[admin]\nlisten = \"nowhere\"\n");
    let ran = stage.run("session list").await;
    assert_eq!(ran.exit, 64, "{ran:?}");
    assert!(ran.err.contains("`nowhere`"), "{}", ran.err);
}
