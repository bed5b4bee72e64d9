//! The commands on a real store, through the real admin API, with the door closed.

use serde_json::Value;

use super::stage::{ClosedPort, Stage};

#[tokio::test]
async fn from_init_to_an_account_that_is_looked_after() {
    let port = ClosedPort::take();
    let stage = Stage::real(&port);
    for line in [
        "init",
        "account add ada --role administrator",
        "account edit ada --display-name Ada --email ada@example.com --network 192.0.2.0/24 --grant everything=view",
        "account reset-password ada",
        "account disable ada",
        "account enable ada",
        "account unlock ada",
        "account reinstate ada",
        "account reset-second-factor ada",
        "session list --account ada",
        "session end --account ada",
        "lockout list",
        "token list",
        "policy status",
    ] {
        let ran = stage.run(line).await;
        assert_eq!(ran.exit, 0, "{line}: {ran:?}");
    }
    let shown = stage.run("account show ada").await.out;
    for told in [
        "Ada",
        "ada@example.com",
        "everything=view",
        "192.0.2.0/24",
        "temporary password",
    ] {
        assert!(shown.contains(told), "{told} is missing in\n{shown}");
    }
    let audit = stage
        .run("audit --account ada --event account.created --output json")
        .await;
    let events: Value = serde_json::from_str(&audit.out).unwrap();
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "{audit:?}");
    assert_eq!(stage.run("account remove ada --yes").await.exit, 0);
    assert_eq!(stage.run("account show ada").await.exit, 1);
}

#[tokio::test]
async fn an_invitation_is_made_sent_again_and_taken_back_and_its_link_shown_where_no_letter_goes() {
    let port = ClosedPort::take();
    let stage = Stage::real(&port);
    stage.run("init").await;
    let made = stage
        .run("account invite vera --role administrator --display-name Vera")
        .await;
    assert!(
        made.exit == 0 && made.out.contains("/.stagedoor/invitation?token="),
        "{made:?}"
    );
    let again = stage.run("account resend-invitation vera").await;
    assert!(
        again.exit == 0 && again.out.contains("/.stagedoor/invitation?token="),
        "{again:?}"
    );
    assert_ne!(made.out, again.out);
    assert_eq!(stage.run("account withdraw-invitation vera").await.exit, 0);
    assert_eq!(stage.run("account show vera").await.exit, 1);
    stage.run("account add ada --role administrator").await;
    let link = stage.run("account recover-second-factor ada").await;
    assert!(
        link.exit == 0 && link.out.contains("/.stagedoor/recovery?token="),
        "{link:?}"
    );
    let refused = stage.run("account hand-over ada").await;
    assert!(
        refused.exit == 1 && refused.err.contains("ermission denied"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_policy_is_read_changed_and_applied_and_a_faulty_one_is_not() {
    let port = ClosedPort::take();
    let stage = Stage::real(&port);
    stage.run("init").await;
    let read = stage.run("policy get").await.out;
    stage.write(
        "new.toml",
        &format!("{read}\n[role.guest]\nmay = {{ everything = \"view\" }}\n"),
    );
    let applied = stage.run("policy apply new.toml").await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert!(stage.run("policy show").await.out.contains("guest"));
    stage.write(
        "faulty.toml",
        &format!("{read}\n[role.guest]\nmay = {{ attic = \"view\" }}\n"),
    );
    let refused = stage.run("policy apply faulty.toml").await;
    assert_eq!(refused.exit, 64, "{refused:?}");
    assert!(refused.err.contains("attic"), "{}", refused.err);
    assert!(
        stage.run("policy get").await.out.contains("role.guest"),
        "the good one is still in force"
    );
}

#[tokio::test]
async fn an_explanation_comes_from_the_policy_in_force() {
    let port = ClosedPort::take();
    let stage = Stage::real(&port);
    stage.run("init").await;
    stage.run("account add ada --role administrator").await;
    let allowed = stage
        .run("policy explain --as ada --from 192.0.2.7 GET http://localhost/x")
        .await;
    assert!(allowed.out.starts_with("decision  allow\n"), "{allowed:?}");
    let refused = stage
        .run("policy explain --from 192.0.2.7 GET http://localhost/x")
        .await;
    assert!(refused.out.contains("sign_in_required"), "{refused:?}");
    assert_eq!(refused.exit, 0, "a refusal is an answer");
}
