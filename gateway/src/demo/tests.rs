//! The sample console, page by page, as the door would ask for it.

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use futures_util::StreamExt as _;
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use stagedoor_config::{Environment, Inline, Loaded, Sources};
use stagedoor_policy::request::{ClientAddress, Target};
use stagedoor_policy::{Decision, Question, Revision, Visitor, decide};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::ServiceExt as _;

use super::{ACCOUNTS, Showing, building_text, console, policy_text, what_to_try};

const LISTEN: &str = "127.0.0.1:8080";

#[derive(Debug)]
struct Page {
    status: StatusCode,
    location: Option<String>,
    text: String,
}

async fn ask(console: &Router, method: &str, path: &str, form: &str) -> Page {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-stagedoor-user", "otto")
        .header("x-stagedoor-role", "operator")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    answered(console, request.body(Body::from(form.to_owned())).unwrap()).await
}

async fn answered(console: &Router, request: Request<Body>) -> Page {
    let response = console.clone().oneshot(request).await.unwrap();
    let location = response
        .headers()
        .get(header::LOCATION)
        .map(|to| to.to_str().unwrap().to_owned());
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Page { status, location, text }
}

#[tokio::test]
async fn every_page_of_the_menu_opens_and_says_who_is_there() {
    let console = console();
    for path in [
        "/",
        "/devices",
        "/live",
        "/upload",
        "/settings",
        "/whoami",
        "/devices/1",
    ] {
        let page = ask(&console, "GET", path, "").await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains("otto (operator)"), "{path}");
        assert!(
            !page.text.contains("<script>") && !page.text.contains(" onclick"),
            "{path} has a script of its own"
        );
    }
    for path in [
        "/static/lighthouse.css",
        "/static/live.js",
        "/static/lighthouse.svg",
        "/favicon.ico",
    ] {
        assert_eq!(ask(&console, "GET", path, "").await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(
        ask(&console, "GET", "/elsewhere", "").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_renamed_device_bears_its_new_name_and_the_overview_says_by_whom() {
    let console = console();
    let page = ask(&console, "POST", "/devices/1/rename", "name=Lamp+%3Cb%3E").await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some("/devices/1"))
    );
    assert!(
        ask(&console, "GET", "/devices/1", "")
            .await
            .text
            .contains("<h1>Lamp &lt;b&gt;</h1>")
    );
    let overview = ask(&console, "GET", "/", "").await.text;
    assert!(
        overview.contains("otto renamed North pier lamp to Lamp &lt;b&gt;"),
        "{overview}"
    );
    assert_eq!(
        ask(&console, "POST", "/devices/1/rename", "name=").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        ask(&console, "POST", "/devices/99/rename", "name=x").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_get_deletes_and_a_post_only_searches() {
    let console = console();
    let found = ask(&console, "POST", "/devices/search", "contains=canal").await.text;
    assert!(
        found.contains("Pump house") && found.contains("3 shown") && !found.contains("Fog horn"),
        "{found}"
    );
    assert_eq!(
        ask(&console, "GET", "/devices/3/delete", "").await.location.as_deref(),
        Some("/devices")
    );
    assert_eq!(
        ask(&console, "GET", "/devices/3", "").await.status,
        StatusCode::NOT_FOUND
    );
    ask(&console, "POST", "/settings/restore", "").await;
    assert_eq!(ask(&console, "GET", "/devices/3", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn settings_are_kept_when_they_make_sense() {
    let console = console();
    let saved = ask(&console, "POST", "/settings", "organisation=Pilots&history_days=30").await;
    assert_eq!(saved.location.as_deref(), Some("/settings"));
    assert!(
        ask(&console, "GET", "/settings", "")
            .await
            .text
            .contains(r#"value="Pilots""#)
    );
    let refused = ask(&console, "POST", "/settings", "organisation=Pilots&history_days=0").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn whoami_shows_the_identity_headers_and_the_cookies_that_came_along() {
    let console = console();
    let request = Request::get("/whoami")
        .header("x-stagedoor-user", "vera")
        .header("remote-groups", "viewers")
        .header("cookie", "theme=dark; tracking=1");
    let page = answered(&console, request.body(Body::empty()).unwrap()).await.text;
    assert!(page.contains("x-stagedoor-user") && page.contains("viewers"), "{page}");
    assert!(page.contains("theme, tracking") && !page.contains("dark"), "{page}");
    assert!(
        ask(&console, "GET", "/whoami", "")
            .await
            .text
            .contains("came along: none")
    );
}

#[tokio::test]
async fn an_upload_of_any_size_is_counted() {
    let chunks = futures_util::stream::iter((0..160).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 64 * 1024])));
    let request = Request::post("/upload").body(Body::from_stream(chunks)).unwrap();
    let page = answered(&console(), request).await;
    assert!(page.text.contains("10485760 bytes came in"), "{}", page.text);
}

#[tokio::test]
async fn a_form_of_any_size_is_not() {
    let endless = format!("name={}", "x".repeat(super::FORM_BYTES_MAX));
    let page = ask(&console(), "POST", "/devices/1/rename", &endless).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_event_stream_begins_with_a_reading() {
    let response = console()
        .oneshot(Request::get("/events").body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(
        response.headers().get(header::CONTENT_TYPE).unwrap(),
        "text/event-stream"
    );
    let first = response.into_body().into_data_stream().next().await.unwrap().unwrap();
    assert_eq!(first.as_ref(), b"data: {\"devices\":12,\"online\":9,\"tick\":0}\n\n");
}

#[tokio::test]
async fn only_so_many_streams_are_open_at_once_and_a_closed_one_makes_room() {
    let console = console();
    let open = || async {
        console
            .clone()
            .oneshot(Request::get("/events").body(Body::empty()).unwrap())
            .await
            .unwrap()
    };
    let mut streams = Vec::new();
    for _ in 0..super::live::STREAMS_MAX {
        streams.push(open().await);
    }
    assert_eq!(open().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    streams.pop();
    assert_eq!(open().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_web_socket_sends_a_reading_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, console()).into_future());
    let mut visitor = tokio::net::TcpStream::connect(address).await.unwrap();
    let handshake = "GET /live/ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                     sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    visitor.write_all(handshake.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    // On a busy machine the next reading may have come with the first one.
    while !String::from_utf8_lossy(&heard).contains("\"tick\":0}") {
        assert_ne!(
            visitor.read_buf(&mut heard).await.unwrap(),
            0,
            "{}",
            String::from_utf8_lossy(&heard)
        );
    }
    assert!(
        heard.starts_with(b"HTTP/1.1 101 "),
        "{}",
        String::from_utf8_lossy(&heard)
    );
}

#[test]
fn what_to_try_names_the_accounts_their_passwords_and_the_files() {
    let told = what_to_try(&Showing {
        listen: LISTEN.parse().unwrap(),
        building: Path::new("/tmp/d/stagedoor.toml"),
        policy: Path::new("/tmp/d/policy.toml"),
        passwords: ["p-olga", "p-otto-long", "p-vera"],
    });
    for account in ACCOUNTS {
        assert!(
            told.contains(&format!("  {}   p-{}", account.name, account.name)),
            "{told}"
        );
    }
    assert!(
        told.contains("http://127.0.0.1:8080/.stagedoor/login") && told.contains("/tmp/d/policy.toml"),
        "{told}"
    );
    assert!(
        told.contains(r#"-d '{"username": "vera", "password": "p-vera"}'"#),
        "{told}"
    );
    assert!(told.lines().all(|line| line.chars().count() <= 120), "{told}");
}

/// The demo's files, as `stagedoor demo` writes them, read by the real reader.
fn loaded() -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let (building, policy) = (folder.path().join("stagedoor.toml"), folder.path().join("policy.toml"));
    let [listen, admin, upstream] = ["127.0.0.1:8080", "127.0.0.1:9080", "127.0.0.1:8181"];
    let address = |text: &str| text.parse().unwrap();
    let text = building_text(
        address(listen),
        address(admin),
        address(upstream),
        &folder.path().join("data"),
    );
    std::fs::write(&building, text).unwrap();
    std::fs::write(&policy, policy_text()).unwrap();
    let sources = Sources {
        building: Some(building),
        policy: Some(policy),
        inline: Inline::default(),
    };
    stagedoor_config::load(&sources, &Environment::default()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_files_of_the_demo_have_neither_faults_nor_warnings() {
    let loaded = loaded();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    assert_eq!(loaded.building.sites[0].upstream.port, 8181);
    assert_eq!(loaded.building.portal.title, "Lighthouse");
}

#[test]
fn the_roles_of_the_accounts_may_do_what_the_printed_table_says() {
    let policy = stagedoor_policy::compile(&loaded().rules, Revision(1)).unwrap();
    let site = policy.site("console").unwrap();
    let may = |role: &str, method: Method, path: &str| {
        let target = Target::parse(&method, path.as_bytes()).unwrap();
        let visitor = Visitor {
            role,
            grants: &[],
            networks: None,
            channel: "browser",
            second_factor: false,
        };
        let question = Question {
            site,
            target: &target,
            address: ClientAddress::of_peer([127, 0, 0, 1].into()),
            visitor: Some(visitor),
            preflight: false,
        };
        matches!(decide(&policy, &question), Decision::Allow(_))
    };
    let all = ["owner", "operator", "viewer"];
    assert_eq!(ACCOUNTS.map(|account| account.role), all);
    let who = |method: Method, path: &str| all.map(|role| may(role, method.clone(), path));
    for path in [
        "/",
        "/whoami",
        "/devices",
        "/devices/3",
        "/live",
        "/live/ws",
        "/events",
        "/static/live.js",
    ] {
        assert_eq!(who(Method::GET, path), [true, true, true], "{path}");
    }
    assert_eq!(who(Method::POST, "/devices/search"), [true, true, true]);
    assert_eq!(who(Method::POST, "/devices/3/rename"), [true, true, false]);
    assert_eq!(who(Method::GET, "/devices/3/delete"), [true, true, false]);
    assert_eq!(who(Method::POST, "/upload"), [true, true, false]);
    assert_eq!(who(Method::GET, "/settings"), [true, false, false]);
    assert_eq!(who(Method::POST, "/settings/restore"), [true, false, false]);
    assert_eq!(who(Method::GET, "/nowhere"), [false, false, false]);
}

#[test]
fn an_odd_folder_is_written_as_toml_has_it() {
    let any: SocketAddr = LISTEN.parse().unwrap();
    let building = building_text(any, any, any, Path::new("/tmp/a \"b\" \\c"));
    assert!(building.contains(r#"data_dir = "/tmp/a \"b\" \\c""#), "{building}");
}
