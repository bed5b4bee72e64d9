//! What people choose for themselves, through the running door: it reaches consoles as headers that nobody else can set, and
//! leads where they want to be after signing in.

use std::collections::HashMap;

use http::{Request, header};
use serde_json::json;
use stagedoor_tests::{Door, FakeConsole, PASSWORD, Reply, Visitor, Way, Ways, body_of};

#[path = "oneself/letters.rs"]
mod letters;

const POLICY: &str = r#"
[site.console.areas]
shop = { paths = ["/shop/**"], open_to = "everyone" }
all = { paths = ["/**"] }

[role.keeper]
may = { "*" = "all" }

[role.guard]
may = { "*" = "all" }
networks = ["127.0.0.1"]
channels = ["browser"]

[messages]
address_not_allowed = "This is an unusual behavior. Contact yout administrator."

[channel.client]
refused = "can't log in to the client"

[preferences.landing]
choices = ["calendar", "dashboard"]
default = "dashboard"
leads = { calendar = "/backstage/calendar", dashboard = "/backstage/dashboard" }

[preferences.calendar-view]
choices = ["5", "10"]
default = "5"
header = "X-Stagedoor-Preference-Events"
"#;
const LANDING: &str = "x-stagedoor-preference-landing";
const EVENTS: &str = "x-stagedoor-preference-events";
const FORM: &str = "application/x-www-form-urlencoded";

struct Stage {
    ways: Ways,
    _console: FakeConsole,
}

impl Stage {
    async fn open() -> Self {
        let console = FakeConsole::start().await;
        let plan = Door::plan().site("console", &console.url()).policy(POLICY);
        let ways = Ways::open(plan, &["console"]).await;
        ways.door.admin().add_account("ada", "keeper").await;
        Self {
            ways,
            _console: console,
        }
    }
}

/// Sends the form of a page as a browser does, with the page's own token and version.
async fn fill_in(visitor: &Visitor, page: &str, fields: &[(&str, &str)]) -> Reply {
    let shown = visitor.get(page).await.expect(200).text();
    let hidden = |name: &str| {
        let rest = shown.split_once(&format!("name=\"{name}\" value=\""))?.1;
        Some((name.to_owned(), rest.split('"').next()?.to_owned()))
    };
    let mut all: Vec<(String, String)> = ["csrf", "version"].into_iter().filter_map(hidden).collect();
    all.extend(
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs: Vec<String> = all
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    let request = Request::post(page).header(header::CONTENT_TYPE, FORM);
    visitor
        .send(request.body(body_of(pairs.join("&"))).expect("a request"))
        .await
}

async fn choose(visitor: &Visitor, landing: &str, events: &str) {
    let fields = [
        ("display_name", "Ada"),
        ("preference:landing", landing),
        ("preference:calendar-view", events),
    ];
    let answer = fill_in(visitor, "/.stagedoor/profile/details", &fields)
        .await
        .expect(303);
    assert_eq!(answer.header("location"), Some("/.stagedoor/profile"));
}

/// Every value that the console got of a header, in whatever spelling it came.
async fn told(visitor: &Visitor, path: &str, forged: &[(&'static str, &str)]) -> HashMap<String, Vec<String>> {
    let request = forged.iter().fold(Request::get(path), |request, (name, value)| {
        request.header(*name, *value)
    });
    let answer = visitor
        .send(request.body(body_of("")).expect("a request"))
        .await
        .expect(200);
    let headers = answer.json()["headers"].as_array().expect("headers").clone();
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for pair in headers {
        let name = pair[0]
            .as_str()
            .expect("a name")
            .to_lowercase()
            .replace(['_', '.'], "-");
        let value = pair[1].as_str().expect("a value").to_owned();
        found.entry(name).or_default().push(value);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_reaches_the_console_with_the_next_request_and_by_every_way() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ways.signed_in(way, "console", "ada").await;
        choose(&ada, "dashboard", "5").await;
        let before = told(&ada, "/", &[]).await;
        assert_eq!(before[LANDING], ["dashboard"], "{way:?}");
        assert_eq!(before[EVENTS], ["5"], "{way:?}");
        choose(&ada, "calendar", "10").await;
        for _ in 0..2 {
            let after = told(&ada, "/", &[]).await;
            assert_eq!(
                (&after[LANDING][..], &after[EVENTS][..]),
                (&["calendar".to_owned()][..], &["10".to_owned()][..])
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sets_the_header_of_a_choice_but_the_door() {
    let stage = Stage::open().await;
    let forged = [
        ("x-stagedoor-preference-landing", "forged"),
        ("X-Stagedoor-Preference-Landing", "forged"),
        ("x_stagedoor_preference_landing", "forged"),
        ("x.stagedoor.preference.landing", "forged"),
        ("x-stagedoor-preference-gone", "forged"),
    ];
    for way in Way::ALL {
        let ada = stage.ways.signed_in(way, "console", "ada").await;
        let found = told(&ada, "/", &forged).await;
        assert_eq!(found[LANDING], ["dashboard"], "{way:?}");
        assert!(
            !found.values().flatten().any(|value| value == "forged"),
            "{way:?}: {found:?}"
        );
        let stranger = stage.ways.visitor(way, "console");
        let found = told(&stranger, "/shop/x", &forged).await;
        let about = found.keys().filter(|name| name.starts_with("x-stagedoor-preference"));
        assert_eq!(about.count(), 0, "{way:?}: nobody is signed in");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_changes_its_choices_is_told_at_once() {
    let stage = Stage::open().await;
    let ada = stage.ways.signed_in(Way::Http1, "console", "ada").await;
    choose(&ada, "calendar", "10").await;
    assert_eq!(told(&ada, "/", &[]).await[LANDING], ["calendar"]);
    let admin = stage.ways.door.admin();
    let tag = admin.get("/v1/policy").await.expect(200);
    let tag = tag.header("etag").expect("a tag").to_owned();
    let without = POLICY
        .replace("\"calendar\", ", "")
        .replace("calendar = \"/backstage/calendar\", ", "");
    admin.replace_policy(&without, &tag).await.expect(200);
    let after = told(&ada, "/", &[]).await;
    assert_eq!(after[LANDING], ["dashboard"], "a choice that is gone is none");
    assert_eq!(after[EVENTS], ["10"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_was_on_the_way_to_nowhere_leads_to_the_landing_page() {
    let stage = Stage::open().await;
    let door = &stage.ways.door;
    let sign_in = async |to: &str| {
        let visitor = door.visitor("console").always("accept", "text/html");
        let fields = [("username", "ada"), ("password", PASSWORD), ("to", to)];
        let answer = fill_in(&visitor, "/.stagedoor/login", &fields).await.expect(303);
        (visitor, answer.header("location").expect("a way on").to_owned())
    };
    let (ada, onward) = sign_in("").await;
    assert_eq!(onward, "/backstage/dashboard");
    choose(&ada, "calendar", "5").await;
    assert_eq!(sign_in("").await.1, "/backstage/calendar");
    assert_eq!(
        sign_in("/").await.1,
        "/backstage/calendar",
        "the start page is nowhere in particular"
    );
    assert_eq!(sign_in("/tickets?open=1").await.1, "/tickets?open=1");
    assert_eq!(sign_in("//evil.example").await.1, "/backstage/calendar");
    let program = door.visitor("console");
    let answer = program.sign_in("ada", PASSWORD).await.expect(200).json();
    assert_eq!(answer["account"], json!("ada"), "programs are led nowhere");
}

/// A PNG by its first and last bytes.
fn png(bytes: usize) -> Vec<u8> {
    let (head, tail) = (&b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], &b"\0\0\0\0IEND\xaeB`\x82"[..]);
    [head, &vec![b'x'; bytes - head.len() - tail.len()], tail].concat()
}

async fn send_picture(visitor: &Visitor, picture: &[u8]) -> Reply {
    const PAGE: &str = "/.stagedoor/profile/picture";
    let page = visitor.get("/.stagedoor/profile/name").await.text();
    let token = page
        .split_once("name=\"csrf\" value=\"")
        .map_or("", |(_, rest)| rest.split('"').next().unwrap_or(""));
    let head = "--between\r\nContent-Disposition: form-data; name=";
    let csrf = format!("{head}\"csrf\"\r\n\r\n{token}\r\n");
    let named = format!("{head}\"picture\"; filename=\"a.png\"\r\n\r\n");
    let body = [csrf.as_bytes(), named.as_bytes(), picture, b"\r\n--between--\r\n"].concat();
    let request = Request::post(PAGE).header(header::CONTENT_TYPE, "multipart/form-data; boundary=between");
    visitor.send(request.body(body_of(body)).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_through_the_door_whole_and_a_large_one_is_refused_with_a_sentence() {
    let stage = Stage::open().await;
    for way in Way::ALL {
        let ada = stage.ways.signed_in(way, "console", "ada").await;
        let picture = png(256 * 1024);
        send_picture(&ada, &picture).await.expect(303);
        let profile = ada.get("/.stagedoor/profile").await.expect(200).text();
        let (_, rest) = profile.split_once("class=\"portrait\" src=\"").expect("a picture");
        let shown = ada.get(rest.split('"').next().expect("its path")).await.expect(200);
        assert_eq!(shown.header("content-type"), Some("image/png"), "{way:?}");
        assert_eq!(
            shown.header("content-security-policy"),
            Some("default-src 'none'; sandbox; frame-ancestors 'none'"),
            "{way:?}"
        );
        assert!(shown.body == picture, "{way:?}");
        for bytes in [256 * 1024 + 1, 300 * 1024, 5 * 1024 * 1024] {
            let refused = send_picture(&ada, &png(bytes)).await.expect(413);
            assert!(refused.text().contains("at most 256 KiB are taken"), "{way:?} {bytes}");
        }
        ada.get("/.stagedoor/profile").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_held_for_pictures_of_people_who_are_signed_in_alone() {
    let stage = Stage::open().await;
    let stranger = stage.ways.visitor(Way::Http1, "console");
    let refused = send_picture(&stranger, &png(100 * 1024)).await.expect(413);
    assert!(!refused.text().contains("are taken"), "not even looked at");
    send_picture(&stranger, &png(1024)).await.expect(401);
    let ada = stage.ways.signed_in(Way::Http1, "console", "ada").await;
    let large = body_of(vec![b'x'; 100 * 1024]);
    let request = Request::post("/.stagedoor/profile/name").header(header::CONTENT_TYPE, FORM);
    ada.send(request.body(large).expect("a request")).await.expect(413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_address_and_channel_are_told_in_the_policys_words_at_sign_in_and_after() {
    const UNUSUAL: &str = "This is an unusual behavior. Contact yout administrator.";
    let stage = Stage::open().await;
    let door = &stage.ways.door;
    door.admin().add_account("gus", "guard").await;
    let gus = door.signed_in("console", "gus").await;
    gus.get("/").await.expect(200);
    let elsewhere = gus.clone().from("127.0.0.2").always("accept", "text/html");
    for page in ["/", "/.stagedoor/profile"] {
        let refused = elsewhere.get(page).await.expect(403);
        assert!(refused.text().contains(UNUSUAL), "{page}: {}", refused.text());
    }
    let program = gus.clone().from("127.0.0.2").get("/").await.expect(403).json();
    assert_eq!(program["message"], UNUSUAL);
    let stranger = door.visitor("console").from("127.0.0.2");
    assert_eq!(
        stranger.sign_in("gus", PASSWORD).await.expect(401).json()["message"],
        UNUSUAL
    );
    let client = json!({ "username": "gus", "password": PASSWORD, "channel": "client" });
    let refused = door
        .visitor("console")
        .post_json("/.stagedoor/login", &client)
        .await
        .expect(401);
    assert_eq!(refused.json()["message"], "can't log in to the client");
}
