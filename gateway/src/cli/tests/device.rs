//! `stagedoor device …`, and what `account edit` demands.

use std::os::unix::fs::PermissionsExt as _;

use super::stage::{Canned, Stage};

const SCANNER: &str =
    r#"{"id":"7","name":"scanner","registered_at":"2026-11-18T11:06:40Z","last_seen_at":null,"account":null}"#;

fn there() -> Canned {
    Canned::default().on(
        "GET /v1/devices",
        200,
        &format!(r#"{{"items":[{SCANNER}],"next":null}}"#),
    )
}

#[tokio::test]
async fn devices_are_listed_with_whose_they_are() {
    let ran = Stage::before(&there()).await.run("device list").await;
    assert_eq!(
        ran.out,
        " name     registered (UTC)     last seen (UTC)  account  id\n \
         scanner  2026-11-18 11:06:40  -                -        7\n",
        "{ran:?}"
    );
    let canned = Canned::default().on("GET /v1/devices?account=vera", 200, r#"{"items":[],"next":null}"#);
    let ran = Stage::before(&canned).await.run("device list --account vera").await;
    assert_eq!(ran.out, "No device.\n");
}

#[tokio::test]
async fn a_device_is_linked_unlinked_and_removed_by_its_name() {
    let canned = there()
        .on("PUT /v1/devices/7", 200, SCANNER)
        .on("DELETE /v1/devices/7", 204, "");
    let stage = Stage::before(&canned).await;
    for (typed, told) in [
        ("device link scanner vera", "Device scanner is linked to vera.\n"),
        ("device unlink scanner", "Device scanner is nobody's.\n"),
        (
            "device remove scanner",
            "Device scanner is gone, and its key is worthless.\n",
        ),
    ] {
        let ran = stage.run(typed).await;
        assert_eq!((ran.exit, ran.out.as_str()), (0, told), "{ran:?}");
    }
    let sent: Vec<_> = canned.asked().into_iter().map(|asked| asked.body).collect();
    assert!(sent.contains(&r#"{"account":"vera"}"#.to_owned()), "{sent:?}");
    assert!(sent.contains(&r#"{"account":null}"#.to_owned()), "{sent:?}");
    let ran = stage.run("device link printer vera").await;
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("no device is called `printer`"), "{}", ran.err);
}

#[tokio::test]
async fn the_key_of_a_device_is_printed_once_or_kept_in_a_file_of_ones_own() {
    let canned = Canned::default().on(
        "POST /v1/devices",
        201,
        r#"{"id":"7","name":"scanner","key":"sdd_new"}"#,
    );
    let stage = Stage::before(&canned).await;
    let ran = stage.run("device register scanner").await;
    assert!(ran.out.contains("shown this once:\n  sdd_new"), "{ran:?}");
    let ran = stage
        .run("device register scanner --save scanner.key --output json")
        .await;
    assert!(ran.exit == 0 && !ran.out.contains("sdd_new"), "{ran:?}");
    let file = stage.folder.path().join("scanner.key");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "sdd_new\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_second_factor_is_demanded_of_one_account_and_no_more() {
    let canned = Canned::default().on(
        "PATCH /v1/accounts/vera",
        200,
        r#"{"id":"1","name":"vera","role":"viewer"}"#,
    );
    let stage = Stage::before(&canned).await;
    for typed in ["--demand-second-factor", "--no-second-factor-demand"] {
        let ran = stage.run(&format!("account edit vera {typed}")).await;
        assert_eq!(ran.exit, 0, "{ran:?}");
    }
    let sent: Vec<_> = canned.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        sent,
        [
            r#"{"second_factor_demanded":true}"#,
            r#"{"second_factor_demanded":false}"#
        ]
    );
}
