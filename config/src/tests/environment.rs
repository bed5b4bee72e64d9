//! Settings from the environment.

use super::{BUILDING, Folder, POLICY, told};
use crate::describe::{self, leaves};
use crate::environment::name_of;
use crate::{Environment, Inline, Sources, StoreChoice, load};

#[test]
fn the_environment_wins_over_the_file() {
    let folder = Folder::with(&format!("{BUILDING}[listen]\nhttp = [\"127.0.0.1:1\"]\n"), POLICY);
    let building = folder
        .load_in(&[
            ("STAGEDOOR_LISTEN_HTTP", "127.0.0.1:8081, [::1]:8081"),
            ("STAGEDOOR_ADMIN_LISTEN", "127.0.0.1:9081"),
            ("STAGEDOOR_STORE_DATA_DIR", "/data"),
            ("STAGEDOOR_SITE_CONSOLE_UPSTREAM", "http://console:3000"),
            ("STAGEDOOR_SITE_CONSOLE_WEBSOCKETS", "false"),
            ("STAGEDOOR_LIMITS_THREADS", "2"),
            ("PATH", "/bin"),
        ])
        .expect("loads")
        .building;
    assert_eq!(building.listen.http.len(), 2);
    assert_eq!(building.admin.listen.port(), 9081);
    assert_eq!(
        building.store,
        StoreChoice::Embedded {
            data_dir: "/data".into()
        }
    );
    assert_eq!(
        (building.sites[0].upstream.host.as_str(), building.sites[0].websockets),
        ("console", false)
    );
    assert_eq!(building.limits.threads, Some(2));
}

#[test]
fn every_setting_of_the_building_has_a_name_that_is_found() {
    for described in leaves(describe::BUILDING) {
        let name = name_of(&described).replace("_NAME_", "_CONSOLE_");
        let folder = Folder::with(BUILDING, POLICY);
        let told = match folder.load_in(&[(&name, "\u{0}")]) {
            Ok(_) => Vec::new(),
            Err(faults) => told(&faults),
        };
        assert!(
            !told.iter().any(|fault| fault.contains("no setting is called")),
            "{name}: {told:#?}"
        );
    }
}

#[test]
fn a_name_of_the_environment_that_is_no_setting_is_a_fault() {
    let folder = Folder::with(BUILDING, POLICY);
    let faults = folder
        .load_in(&[("STAGEDOOR_LISTEN_HTP", "x"), ("STAGEDOOR_ROLE_A_MAY", "x")])
        .expect_err("at fault");
    let rendered = faults.to_string();
    assert_eq!(faults.len(), 2, "{rendered}");
    assert!(rendered.contains("did you mean `STAGEDOOR_LISTEN_HTTP`?"), "{rendered}");
    assert!(
        rendered.contains("rules of policy.toml cannot come from the environment"),
        "{rendered}"
    );
}

#[test]
fn names_of_the_command_line_are_none_of_ours() {
    let folder = Folder::with(BUILDING, POLICY);
    folder
        .load_in(&[("STAGEDOOR_ADMIN_PASSWORD", "secret"), ("STAGEDOOR_ADMIN_URL", "x")])
        .expect("loads");
}

#[test]
fn a_wrong_value_is_told_by_the_name_of_the_variable() {
    let folder = Folder::with(BUILDING, POLICY);
    let faults = folder
        .load_in(&[("STAGEDOOR_LIMITS_THREADS", "many"), ("STAGEDOOR_LISTEN_HTTP", "a,b")])
        .expect_err("at fault");
    let told = told(&faults);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].starts_with("STAGEDOOR_L"), "{told:#?}");
}

#[test]
fn a_secret_can_come_from_a_file_and_another_setting_cannot() {
    let folder = Folder::with(BUILDING, POLICY);
    folder.write("url", "file:/elsewhere\n");
    let url = folder.path("url").display().to_string();
    let loaded = folder.load_in(&[("STAGEDOOR_STORE_URL_FILE", &url)]).expect("loads");
    assert_eq!(
        loaded.building.store,
        StoreChoice::Embedded {
            data_dir: "/elsewhere".into()
        }
    );
    folder
        .load_in(&[("STAGEDOOR_STORE_DATA_DIR_FILE", &url)])
        .expect_err("not a secret");
    folder
        .load_in(&[("STAGEDOOR_STORE_URL_FILE", "/missing")])
        .expect_err("no such file");
    folder
        .load_in(&[("STAGEDOOR_STORE_URL_FILE", &url), ("STAGEDOOR_STORE_URL", "file:/x")])
        .expect_err("both");
}

#[test]
fn a_secret_of_the_environment_is_in_no_fault_and_no_debug_text() {
    let folder = Folder::with(BUILDING, POLICY);
    let variables = [("STAGEDOOR_STORE_URL", "redis://:hunter2@r")];
    let loaded = folder.load_in(&variables).expect("loads");
    assert!(matches!(loaded.building.store, StoreChoice::Redis { .. }));
    assert!(!format!("{:?}", loaded.building).contains("hunter2"));
    let faulty = [("STAGEDOOR_STORE_URL", "redis://:hunter2@r:x")];
    let faults = folder.load_in(&faulty).expect_err("at fault");
    assert!(!faults.to_string().contains("hunter2"));
    assert!(!format!("{:?}", super::environment(&variables)).contains("hunter2"));
}

#[test]
fn a_site_can_come_from_the_environment_alone() {
    let env = super::environment(&[("STAGEDOOR_SITE_CONSOLE_UPSTREAM", "http://127.0.0.1:8000")]);
    let loaded = load(&Sources::default(), &env).expect("loads");
    assert_eq!(loaded.building.sites[0].name, "console");
}

#[test]
fn the_name_of_a_site_with_dashes_is_found_again() {
    let building = "[site.my-read]\nupstream = \"http://x\"\n";
    let folder = Folder::with(building, "[site.my-read.areas]\nall = { paths = [\"/**\"] }\n");
    let loaded = folder
        .load_in(&[("STAGEDOOR_SITE_MY_READ_READ_TIMEOUT", "7s")])
        .expect("loads");
    assert_eq!(loaded.building.sites[0].timeouts.read.as_secs(), 7);
}

#[test]
fn the_command_line_wins_over_the_environment() {
    let sources = Sources {
        inline: Inline {
            upstream: Some("http://one:1".to_owned()),
            data_dir: Some("/from/argument".into()),
        },
        ..Sources::default()
    };
    let env = super::environment(&[
        ("STAGEDOOR_SITE_CONSOLE_UPSTREAM", "http://two:2"),
        ("STAGEDOOR_STORE_DATA_DIR", "/from/environment"),
    ]);
    let building = load(&sources, &env).expect("loads").building;
    assert_eq!(building.sites[0].upstream.host, "one");
    assert_eq!(
        building.store,
        StoreChoice::Embedded {
            data_dir: "/from/argument".into()
        }
    );
    let _ = Environment::default();
}
