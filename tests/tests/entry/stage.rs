//! The door of these stories: one site with an area for everybody, one for users and one for administrators.

use std::time::Duration;

use serde_json::{Value, json};
use stagedoor_tests::{Admin, Door, DoorPlan, PASSWORD, Recorder, Reply, Visitor, Way, Ways, totp, when_not_busy};

use crate::person::Person;

const AREAS: &str = "[site.console.areas]\npublic = { paths = [\"/public/**\"], open_to = \"everyone\" }\n\
    app = { paths = [\"/app/**\"] }\nadmin = { paths = [\"/admin/**\"] }\n\n\
    [role.user]\nmay = { app = \"all\" }\n\n[role.admin]\nmay = { \"*\" = \"all\" }\n\n";
/// Where a story does not care how many sessions there are.
pub(crate) const ROOMY: &str = "[session]\nper_account = 0\n\n";
/// For a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// See the module.
pub(crate) struct Stage {
    pub(crate) ways: Ways,
    pub(crate) admin: Admin,
    pub(crate) console: Recorder,
}

impl Stage {
    /// With these rules beside the areas and roles; `ada` is an administrator and `bob` a user.
    pub(crate) async fn open(rules: &str) -> Self {
        Self::with(rules, |plan| plan).await
    }

    pub(crate) async fn with(rules: &str, more: impl FnOnce(DoorPlan) -> DoorPlan) -> Self {
        let console = Recorder::start().await;
        let plan = Door::plan()
            .site("console", &console.url())
            .policy(&format!("{AREAS}{rules}"));
        let ways = Ways::open(more(plan), &["console"]).await;
        let admin = ways.door.admin();
        admin.add_account("ada", "admin").await;
        admin.add_account("bob", "user").await;
        Self { ways, admin, console }
    }

    /// Somebody from a loopback address, by plain HTTP.
    pub(crate) fn visitor(&self, from: &str) -> Visitor {
        self.ways.door.visitor("console").from(from)
    }

    /// Somebody with a browser.
    pub(crate) fn person(&self, way: Way) -> Person {
        Person::new(self.ways.visitor(way, "console"))
    }

    /// Somebody who has signed in with [`PASSWORD`].
    pub(crate) async fn signed_in(&self, name: &str) -> Visitor {
        let visitor = self.visitor("127.0.0.1");
        sign_in(&visitor, name, PASSWORD).await.expect(200);
        visitor
    }

    /// An account with a second factor, and its secret in base32. The code of this half minute is used up.
    pub(crate) async fn enrolled(&self, name: &str) -> String {
        self.admin.add_account(name, "user").await;
        let visitor = self.visitor("127.0.0.1");
        let ticket = sign_in(&visitor, name, PASSWORD).await.json()["ticket"].clone();
        let shown = step(&visitor, "/enrol", json!({ "ticket": ticket })).await.expect(200);
        let (secret, ticket) = (shown.json()["secret"].clone(), shown.json()["ticket"].clone());
        let secret = secret.as_str().expect("a secret").to_owned();
        let proof = json!({ "ticket": ticket, "code": totp(&secret, 0) });
        step(&visitor, "/enrol", proof).await.expect(200);
        secret
    }

    /// How many password hashes the door has computed.
    pub(crate) async fn hashes(&self) -> f64 {
        self.ways.door.metric("stagedoor_password_hashes_total", &[]).await
    }
}

/// Tries to sign in until the door is not too busy to look: what it says then.
pub(crate) async fn sign_in(visitor: &Visitor, name: &str, password: &str) -> Reply {
    step(visitor, "", json!({ "username": name, "password": password })).await
}

/// Takes a step of a sign-in, as a program does, as soon as the door is not too busy for it.
pub(crate) async fn step(visitor: &Visitor, page: &str, body: Value) -> Reply {
    when_not_busy(async || visitor.post_json(&format!("/.stagedoor/login{page}"), &body).await).await
}

/// Fails the test unless the answer has this status and code.
#[track_caller]
pub(crate) fn told(answer: &Reply, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (status, Some(code)),
        "{}",
        answer.text()
    );
}
