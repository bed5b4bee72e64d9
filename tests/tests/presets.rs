//! The sets of house rules that come with the product, by the real binary: written, checked, shown, and what their manuals
//! say of roles, addresses and passwords, through the running door.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};
use stagedoor_tests::{Admin, Door, FakeConsole, Reply, Visitor, repository, stagedoor};

const PRESETS: [&str; 4] = ["starter", "bstage", "stager", "filingbox"];
/// Keeps the rules of every preset.
const FIT: &str = "Kv7$mQx2pLrT4!Zb";

/// Runs a command that must go well, and reads what it printed as JSON.
fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let all = [arguments, &["--output", "json"]].concat();
    let ran = stagedoor(folder, &all);
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert_eq!(ran.status.code(), Some(0), "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
}

/// The rows of `policy show`, as `area: a role's right, the next one's…`.
fn table(folder: &Path) -> Vec<String> {
    let shown = json_of(folder, &["policy", "show"]);
    let words = |list: &Value| {
        let words = list.as_array().expect("a list").iter();
        words
            .map(|word| word.as_str().expect("a word").to_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let rows = shown["rows"].as_array().expect("rows").iter();
    let head = format!("area: {}", words(&shown["columns"]));
    let rows = rows.map(|row| format!("{}: {}", row["area"].as_str().expect("a name"), words(&row["may"])));
    [head].into_iter().chain(rows).collect()
}

#[test]
fn every_preset_is_written_checked_and_shown_by_the_real_binary() {
    for name in PRESETS {
        let folder = tempfile::tempdir().expect("a folder");
        let made = json_of(folder.path(), &["init", "--preset", name]);
        assert_eq!(made["preset"], name);
        let checked = json_of(folder.path(), &["check"]);
        assert_eq!(
            (&checked["ok"], &checked["warnings"]),
            (&json!(true), &json!([])),
            "{checked}"
        );
        let expected: &[&str] = match name {
            "starter" => &["area: administrator", "everything: manage"],
            "bstage" => &[
                "area: admin, head, onsite, operator",
                "content: manage, manage, -, manage",
                "dashboard: manage, manage, -, manage",
                "dormant: -, manage, -, -",
                "frame: manage, manage, manage, manage",
                "manage-site: manage, manage, manage, manage",
                "members: manage, manage, -, manage",
                "settings: manage, manage, -, -",
                "shop: manage, manage, -, manage",
            ],
            "stager" => &[
                "area: manager, user",
                "calendar: manage, -",
                "contacts: manage +export, -",
                "dashboard: manage, -",
                "events: manage +publish, -",
                "frame: manage, manage",
                "scanning: manage, -",
                "settings: manage, -",
                "shop: manage, manage",
                "tickets: manage +refund, -",
                "users: manage, -",
            ],
            _ => &[
                "area: device-admin, general-admin, super-admin",
                "admins: -, -, manage",
                "audit-logs: -, manage, manage",
                "client: manage, -, manage",
                "devices: -, manage, manage",
                "frame: manage, manage, manage",
                "settings: -, -, manage",
            ],
        };
        assert_eq!(table(folder.path()), expected, "{name}");
        let compliance = json_of(folder.path(), &["policy", "compliance"]);
        let without_reason = compliance["departures"].as_array().expect("a list").iter();
        let without_reason: Vec<&Value> = without_reason
            .filter(|departure| departure["reason"].is_null() && departure["setting"] != "second_factor.ask")
            .collect();
        assert!(without_reason.is_empty(), "{name}: {without_reason:?}");
    }
}

/// A door with the rules of a preset, changed where `but` says so, in front of a console that describes each request.
struct Stage {
    door: Door,
    admin: Admin,
    _console: FakeConsole,
}

impl Stage {
    async fn with(preset: &str, but: &[(&str, &str)]) -> Self {
        let file = repository().join("presets").join(preset).join("policy.toml");
        let mut policy = std::fs::read_to_string(file).expect("the preset");
        for (from, to) in but {
            assert!(policy.contains(from), "`{from}` is not in the preset {preset}");
            policy = policy.replace(from, to);
        }
        let console = FakeConsole::start().await;
        let door = Door::plan()
            .site("console", &console.url())
            .building("[portal]\ntitle = \"FilingBox MEGA2\"\n")
            .policy(&policy)
            .open()
            .await;
        let admin = door.admin();
        Self {
            door,
            admin,
            _console: console,
        }
    }

    async fn try_add(&self, account: Value) -> Reply {
        self.admin.ask(Method::POST, "/v1/accounts", Some(account)).await
    }

    async fn add(&self, name: &str, role: &str, more: Value) {
        let mut account = json!({
            "name": name, "display_name": name, "password": FIT, "password_temporary": false, "role": role,
        });
        let fields = account.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        self.try_add(account).await.expect(201);
    }

    fn visitor(&self, from: &str) -> Visitor {
        self.door.visitor("console").from(from)
    }

    async fn signed_in(&self, name: &str) -> Visitor {
        let visitor = self.visitor("127.0.0.1");
        visitor.sign_in(name, FIT).await.expect(200);
        visitor
    }
}

/// Signs in by a channel other than the browser.
async fn sign_in_by(visitor: &Visitor, channel: &str, name: &str) -> Reply {
    let body = json!({ "username": name, "password": FIT, "channel": channel });
    visitor.post_json("/.stagedoor/login", &body).await
}

/// The paths that are answered by the console; the others have to be refused for want of a right.
async fn opened<'p>(visitor: &Visitor, paths: &[&'p str]) -> Vec<&'p str> {
    let mut opened = Vec::new();
    for path in paths {
        let reply = visitor.get(path).await;
        match reply.status.as_u16() {
            200 => opened.push(*path),
            403 => {}
            status => panic!("{path}: {status}: {}", reply.text()),
        }
    }
    opened
}

/// The reason of a refused sign-in.
fn why_not(reply: &Reply) -> String {
    let refusal = reply.json();
    assert_eq!(refusal["error"], "refused", "{refusal}");
    refusal["reason"].as_str().expect("a reason").to_owned()
}

/// The sentences about one field of a refused request.
fn told(reply: &Reply, field: &str) -> Vec<String> {
    let problem = reply.json();
    let fields = problem["fields"].as_array().cloned().unwrap_or_default();
    let about = fields.iter().filter(|fault| fault["field"] == field);
    about
        .map(|fault| fault["message"].as_str().expect("a sentence").to_owned())
        .collect()
}

const BSTAGE_MENUS: [&str; 6] = [
    "/",
    "/content/x",
    "/members/x",
    "/members/dormant/x",
    "/manage-site/x",
    "/settings/x",
];

#[tokio::test]
async fn each_role_of_bstage_reaches_the_menus_of_its_manual_and_dormant_members_by_an_added_right() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("ada", "admin", json!({})).await;
    stage.add("ora", "operator", json!({})).await;
    stage.add("site1", "onsite", json!({})).await;
    let ada = stage.signed_in("ada").await;
    let all_but_dormant = ["/", "/content/x", "/members/x", "/manage-site/x", "/settings/x"];
    assert_eq!(opened(&ada, &BSTAGE_MENUS).await, all_but_dormant);
    let ora = stage.signed_in("ora").await;
    let no_settings = ["/", "/content/x", "/members/x", "/manage-site/x"];
    assert_eq!(opened(&ora, &BSTAGE_MENUS).await, no_settings);
    let onsite = stage.signed_in("site1").await;
    assert_eq!(opened(&onsite, &BSTAGE_MENUS).await, ["/manage-site/x"]);

    let dormant = json!({ "grants": [{ "area": "dormant", "level": "view" }] });
    stage.admin.change_account("ada", dormant.clone()).await.expect(200);
    let ada = stage.signed_in("ada").await;
    assert_eq!(opened(&ada, &BSTAGE_MENUS).await, BSTAGE_MENUS);
    for name in ["ora", "site1"] {
        let refused = stage.admin.change_account(name, dormant.clone()).await.expect(422);
        assert!(
            told(&refused, "grants")[0].ends_with("may not be granted `dormant`"),
            "{}",
            refused.text()
        );
    }
}

#[tokio::test]
async fn addresses_of_a_bstage_account_are_ten_public_ones_at_most() {
    let stage = Stage::with("bstage", &[]).await;
    stage.add("ada", "admin", json!({})).await;
    let change = async |networks: &[String]| {
        let reply = stage.admin.change_account("ada", json!({ "networks": networks })).await;
        (reply.status.as_u16(), told(&reply, "networks").len())
    };
    let public = |count: u8| (1..=count).map(|last| format!("203.0.113.{last}")).collect::<Vec<_>>();
    assert_eq!(change(&public(10)).await, (200, 0));
    assert_eq!(change(&public(11)).await, (422, 1));
    for unfit in [
        "10.0.0.1",
        "192.168.1.20",
        "172.16.0.1",
        "127.0.0.1",
        "203.0.113.0/24",
        "fd00::1",
    ] {
        assert_eq!(change(&[unfit.to_owned()]).await, (422, 1), "{unfit}");
    }
}

#[tokio::test]
async fn a_new_stager_user_sees_nothing_and_then_what_was_granted_feature_by_feature_and_action_by_action() {
    let stage = Stage::with("stager", &[]).await;
    stage
        .try_add(json!({ "name": "uma", "password": FIT, "password_temporary": false }))
        .await
        .expect(201);
    let uma = stage.signed_in("uma").await;
    let features = [
        "/",
        "/backstage/calendar/1",
        "/backstage/events/1",
        "/backstage/tickets/1",
        "/backstage/settings/x",
    ];
    assert_eq!(opened(&uma, &features).await, [""; 0]);
    let grants = json!({ "grants": [
        { "area": "events", "level": "view" },
        { "area": "tickets", "level": "manage" },
        { "area": "events", "level": "none", "actions": ["publish"] },
    ] });
    stage.admin.change_account("uma", grants).await.expect(200);
    let uma = stage.signed_in("uma").await;
    assert_eq!(
        opened(&uma, &features).await,
        ["/backstage/events/1", "/backstage/tickets/1"]
    );
    for (path, status) in [
        ("/backstage/events/1", 403),
        ("/backstage/events/1/publish", 200),
        ("/backstage/tickets/1", 200),
        ("/backstage/tickets/1/refund", 403),
        ("/backstage/settings/account/users/1", 403),
    ] {
        assert_eq!(uma.post(path, "x").await.status, status, "POST {path}");
    }
}

#[tokio::test]
async fn ticket_buyers_of_the_stager_shop_are_none_of_the_doors_accounts() {
    let stage = Stage::with("stager", &[]).await;
    let buyer = stage.visitor("127.0.0.1").always("x-stagedoor-user", "uma");
    let seen = buyer.get("/web/users").await.expect(200).text().to_ascii_lowercase();
    for header in ["x-stagedoor-user", "x-stagedoor-role", "x-stagedoor-assertion"] {
        assert!(!seen.contains(header), "{header} in {seen}");
    }
    assert_eq!(stage.visitor("127.0.0.1").get("/backstage/events/1").await.status, 401);
}

#[tokio::test]
async fn a_stager_user_is_signed_in_once_by_browser_and_any_number_of_times_by_mobile() {
    let stage = Stage::with("stager", &[]).await;
    stage.add("intern", "manager", json!({})).await;
    let first = stage.signed_in("intern").await;
    let second = stage.signed_in("intern").await;
    assert_eq!(
        first.get("/").await.status,
        401,
        "somebody else signed in under the same name"
    );
    let mut phones = Vec::new();
    for _ in 0..5 {
        let phone = stage.visitor("127.0.0.1");
        sign_in_by(&phone, "mobile", "intern").await.expect(200);
        phones.push(phone);
    }
    for phone in &phones {
        phone.get("/backstage/scanning/1").await.expect(200);
    }
    second.get("/").await.expect(200);
}

/// For what has nothing to do with the second factor.
const ONE_FACTOR: [(&str, &str); 1] = [("ask = \"required\"", "ask = \"optional\"")];
const FILINGBOX_MENUS: [&str; 5] = ["/devices/1", "/admins/1", "/audit-logs/1", "/settings/1", "/client/1"];

#[tokio::test]
async fn each_role_of_filingbox_reaches_its_menus_by_its_own_channel() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    stage
        .add("general", "general-admin", json!({ "networks": ["127.0.0.1"] }))
        .await;
    stage
        .try_add(json!({ "name": "robot", "display_name": "R", "password": FIT, "password_temporary": false }))
        .await
        .expect(201);
    assert_eq!(
        stage.admin.account("robot").await["role"],
        "device-admin",
        "the role by default"
    );
    let superb = stage.signed_in("superb").await;
    assert_eq!(opened(&superb, &FILINGBOX_MENUS).await, FILINGBOX_MENUS);
    let general = stage.signed_in("general").await;
    assert_eq!(
        opened(&general, &FILINGBOX_MENUS).await,
        ["/devices/1", "/audit-logs/1"]
    );

    let robot = stage.visitor("127.0.0.1");
    // The web UI is not for device admins, and the client program is for nobody else.
    assert_eq!(why_not(&robot.sign_in("robot", FIT).await), "channel");
    sign_in_by(&robot, "client", "robot").await.expect(200);
    assert_eq!(opened(&robot, &FILINGBOX_MENUS).await, ["/client/1"]);
    for name in ["superb", "general"] {
        let refused = sign_in_by(&stage.visitor("127.0.0.1"), "client", name).await;
        assert_eq!(why_not(&refused), "channel", "{name}");
    }
}

#[tokio::test]
async fn a_general_admin_of_filingbox_comes_in_from_registered_addresses_of_the_manuals_shape() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    let account = |networks: &[&str]| {
        json!({ "name": "general", "display_name": "G", "password": FIT, "password_temporary": false,
                "role": "general-admin", "networks": networks })
    };
    let refused = stage.try_add(account(&[])).await.expect(422);
    assert_eq!(told(&refused, "networks")[0], "The IP address format is invalid.");
    for unfit in [
        "255.1.1.1",
        "192.0.2.0",
        "192.0.2.0/24",
        "2001:db8::1",
        "192.0.2",
        "1.1.1.1,1.1.1.2",
    ] {
        let refused = stage.try_add(account(&[unfit])).await.expect(422);
        let told = told(&refused, "networks");
        assert_eq!(told[0], "The IP address format is invalid.", "{unfit}");
        assert!(told.len() > 1, "{unfit}: and why");
    }
    let six = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5", "1.1.1.6"];
    assert_eq!(stage.try_add(account(&six)).await.status, 422);
    stage
        .try_add(account(&[
            "127.0.0.1",
            "1.1.1.2",
            "1.1.1.3",
            "1.1.1.4",
            "254.254.254.254",
        ]))
        .await
        .expect(201);
    let device = json!({ "name": "robot", "display_name": "R", "password": FIT, "networks": ["1.1.1.1"] });
    let refused = stage.try_add(device).await.expect(422);
    assert!(
        told(&refused, "networks").len() > 1,
        "addresses are for general admins: {}",
        refused.text()
    );
    stage.signed_in("general").await;
    let elsewhere = stage.visitor("127.0.0.2").sign_in("general", FIT).await;
    assert_eq!(why_not(&elsewhere), "address");
}

#[tokio::test]
async fn passwords_of_filingbox_keep_the_manuals_rules_when_an_account_is_made_and_when_one_is_reset() {
    let stage = Stage::with("filingbox", &ONE_FACTOR).await;
    stage.add("superb", "super-admin", json!({})).await;
    for unfit in [
        "Kv7$mQx2p",
        "Kv7$mQx2pLKv7$mQx2pLw",
        "kv7$mqx2pl",
        "KV7$MQX2PL",
        "Kvs$mQxtpL",
        "Kv7smQx2pL",
        "Kv7$mmQx2p",
        "Kv7$mMQx2p",
        "Kv7$qweX2pL",
        "Kv7$ewqX2pL",
        "Kv7$X2345pL",
        "Kv7!@#X2pLm",
        "Kv7$^mQx2pL",
        "Kv7$ mQx2pL",
        "Kv7$éQx2pLm",
        "Kv7$superb2L",
        "Kv7$FilingBox2",
        "",
    ] {
        let account = json!({ "name": "superb2", "display_name": "S", "password": unfit, "role": "super-admin" });
        let refused = stage.try_add(account).await.expect(422);
        assert_eq!(
            told(&refused, "password")[0],
            "The password entered does not meet the requirements.",
            "{unfit}"
        );
        let reset = stage
            .admin
            .ask(
                Method::POST,
                "/v1/accounts/superb/password",
                Some(json!({ "password": unfit })),
            )
            .await
            .expect(422);
        let told = told(&reset, "password");
        assert_eq!(
            told[0], "The new password entered does not meet the requirements.",
            "{unfit}"
        );
        assert!(told.len() > 1, "{unfit}: and why");
    }
    for fit in ["Kv7$mQx2pL", "R4!tZ9*wB2m", "Kv7$mQx2pLKv7$mQx2pL"] {
        let body = Some(json!({ "password": fit }));
        let reset = stage
            .admin
            .ask(Method::POST, "/v1/accounts/superb/password", body)
            .await;
        assert!(reset.status.is_success(), "{fit}: {}", reset.text());
        let account = stage.admin.account("superb").await;
        assert_eq!(
            account["password_temporary"], true,
            "it has to be changed at the first sign-in"
        );
    }
}
