//! What works on the files here: init, check, policy show, completions.

use std::os::unix::fs::PermissionsExt as _;

use super::stage::Stage;

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
        "error: there is no preset `palace`\n  help: there is: `starter`\n"
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
