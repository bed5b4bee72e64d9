//! What is wrong, broken, too large or missing: told clearly, with the right exit code, nothing lost, and nobody let in who
//! was not before.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use futures_util::stream;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use stagedoor_tests::{
    Body, Door, FakeConsole, PASSWORD, Recorder, Running, Visitor, body_of, eventually, free_port, soon,
    stagedoor_binary,
};

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n[role.operator]\nmay = { all = \"all\" }\n";

fn plain_door() -> Door {
    Door::plan()
        .site("console", "http://127.0.0.1:9")
        .policy(POLICY)
        .prepare()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// Runs `serve` while somebody else holds both ports. A door that bound anything before it had judged its files would fail
/// on them, with another exit code.
#[track_caller]
fn refused_before_binding(door: &Door) -> String {
    let _held = [hold(door.http), hold(door.admin)];
    let output = door.command(&["serve", "--config", "stagedoor.toml"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(!door.folder().join("data").exists(), "a store was made: {said}");
    said
}

fn hold(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).expect("the port is free")
}

/// As a user who is subject to the permissions of files, which root is not.
fn command_without_privilege(door: &Door) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set=-dac_override,-dac_read_search", "--"]);
        command.arg(stagedoor_binary());
        command
    } else {
        Command::new(stagedoor_binary())
    };
    command.current_dir(door.folder()).stdin(Stdio::null());
    command.args(["serve", "--config", "stagedoor.toml"]);
    command
}

#[test]
fn every_fault_of_both_files_is_told_at_once_with_its_place() {
    let door = plain_door();
    let building = std::fs::read_to_string(door.building_file()).expect("the building");
    std::fs::write(door.building_file(), format!("{building}\n[lissten]\nhttp = 7\n")).expect("a write");
    let policy = POLICY.replace("[\"/**\"]", "7") + "may_not = 1\n[role.operator.deep]\n";
    std::fs::write(door.policy_file(), &policy).expect("a write");
    let line = building.lines().count() + 2;
    let places = [
        format!("stagedoor.toml:{line}:2"),
        "policy.toml:2:17".to_owned(),
        "policy.toml:6:1".to_owned(),
    ];

    let told = refused_before_binding(&door);
    for expected in places
        .iter()
        .map(String::as_str)
        .chain(["`lissten`", "`listen`?", "`may_not`"])
    {
        assert!(told.contains(expected), "`{expected}` is not in:\n{told}");
    }
    let output = door.command(&["check", "--output", "json"]);
    assert_eq!(output.status.code(), Some(64));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let faults = answer["faults"].as_array().expect("faults");
    let found: Vec<String> = faults
        .iter()
        .map(|fault| {
            let file = Path::new(fault["file"].as_str().expect("a file"));
            let name = file.file_name().expect("a name").to_string_lossy();
            format!("{name}:{}:{}", fault["line"], fault["column"])
        })
        .collect();
    assert!(places.iter().all(|place| found.contains(place)), "{found:?}");
    assert_eq!(answer["ok"], false);
}

#[test]
fn values_of_the_wrong_kind_are_told_and_nothing_is_bound() {
    for (right, wrong, told) in [
        ("data_dir = \"data\"", "data_dir = 3", "found a number"),
        (
            "upstream = \"http://127.0.0.1:9\"",
            "upstream = \"gopher://x\"",
            "gopher",
        ),
        ("hosts = [\"console.localhost\"]", "hosts = [\"a b\"]", "a b"),
        ("[store]", "[store", "stagedoor.toml:"),
        ("[site.console]", "[site.console]\nread_timeout = \"soon\"", "soon"),
        (
            "[site.console]",
            "[site.console]\nca_file = \"missing.pem\"",
            "missing.pem",
        ),
    ] {
        let door = plain_door();
        let building = std::fs::read_to_string(door.building_file()).expect("the building");
        assert!(building.contains(right), "{right}");
        std::fs::write(door.building_file(), building.replacen(right, wrong, 1)).expect("a write");
        let said = refused_before_binding(&door);
        assert!(
            said.contains(told) && said.contains("stagedoor.toml:"),
            "{wrong}: {said}"
        );
    }
    let door = Door::plan().site("console", "http://127.0.0.1:9").policy(POLICY);
    let door = door.environment("STAGEDOOR_LISTENN", "x").prepare();
    let mut command = Command::new(stagedoor_binary());
    command.current_dir(door.folder()).env("STAGEDOOR_LISTENN", "x");
    let output = command.arg("serve").output().expect("it starts");
    assert_eq!(output.status.code(), Some(64));
    assert!(said(&output).contains("STAGEDOOR_LISTENN"), "{}", said(&output));
}

#[test]
fn a_file_that_cannot_be_read_as_one_is_told_and_nothing_is_bound() {
    type Spoil = fn(&Path);
    let spoilt: [(&str, Spoil, &str); 4] = [
        (
            "missing",
            |file| std::fs::remove_file(file).expect("it was there"),
            "No such file",
        ),
        (
            "binary",
            |file| std::fs::write(file, [0x7f, b'E', 0xff, 0xfe, 0]).expect("a write"),
            "not UTF-8",
        ),
        (
            "huge",
            |file| std::fs::write(file, vec![b'#'; 17 << 20]).expect("a write"),
            "larger than 16 MiB",
        ),
        ("a folder", replace_by_folder, "not a plain file"),
    ];
    for (what, spoil, told) in spoilt {
        for name in ["stagedoor.toml", "policy.toml"] {
            let door = plain_door();
            spoil(&door.folder().join(name));
            let said = refused_before_binding(&door);
            assert!(said.contains(told) && said.contains(name), "{what} {name}: {said}");
        }
    }
    let door = plain_door();
    std::fs::write(door.building_file(), "").expect("a write");
    let said = refused_before_binding(&door);
    assert!(said.contains("no site is declared"), "{said}");
}

fn replace_by_folder(file: &Path) {
    std::fs::remove_file(file).expect("it was there");
    std::fs::create_dir(file).expect("a folder");
}

#[test]
fn a_file_without_the_right_to_read_it_is_told_and_nothing_is_bound() {
    let door = plain_door();
    std::fs::set_permissions(door.policy_file(), PermissionsExt::from_mode(0o000)).expect("the owner may");
    let output = command_without_privilege(&door).output().expect("it starts");
    assert_eq!(output.status.code(), Some(64), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("Permission denied") && said.contains("policy.toml"),
        "{said}"
    );
}

#[test]
fn an_occupied_port_ends_the_start_with_its_address() {
    for admin in [false, true] {
        let door = plain_door();
        let port = if admin { door.admin } else { door.http };
        let _held = hold(port);
        let output = door.command(&["serve", "--config", "stagedoor.toml"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(&format!("cannot listen on 127.0.0.1:{port}")) && said.contains("another program"),
            "{said}"
        );
    }
}

#[test]
fn a_data_folder_that_cannot_be_used_ends_the_start_with_its_name() {
    let door = plain_door();
    let data = door.folder().join("data");
    let start = || {
        let output = command_without_privilege(&door).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        said(&output)
    };
    std::fs::create_dir(&data).expect("a folder");
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o500)).expect("the owner may");
    let told = start();
    assert!(told.contains("data") && told.contains("Permission denied"), "{told}");

    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o777)).expect("the owner may");
    let told = start();
    assert!(told.contains("open to others") && told.contains("chmod"), "{told}");
    assert!(
        !data.join("stagedoor.db").exists(),
        "a store was made where others can write"
    );

    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700)).expect("the owner may");
    let file = data.join("stagedoor.db");
    std::fs::write(&file, "these are somebody's letters, not a database\n".repeat(20)).expect("a write");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("the owner may");
    let before = std::fs::read(&file).expect("the file");
    let told = start();
    assert!(told.contains("not a database") && told.contains("backup"), "{told}");
    assert_eq!(
        std::fs::read(&file).expect("the file"),
        before,
        "what was there is lost"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_without_an_administrator_or_none_at_all_open_a_door_that_lets_nobody_in() {
    for policy in [POLICY.replace("all = \"all\"", "all = \"view\""), String::new()] {
        let console = Recorder::start().await;
        let door = Door::plan()
            .site("console", &console.url())
            .policy(&policy)
            .open()
            .await;
        let status = door.visitor("console").get("/").await.status;
        assert!(status == 401 || status == 403, "{status}");
        assert!(console.seen().is_empty());
        assert!(door.log().contains("nobody can sign in yet"), "{}", door.log());
    }
}

/// A door in front of a recorder that takes bodies of a kibibyte, with `ada` signed in.
async fn manned() -> (Door, Recorder, Visitor) {
    let console = Recorder::start().await;
    let door = Door::plan().site_with("console", &console.url(), "body_bytes_max = \"1KiB\"");
    let door = door.policy(POLICY).open().await;
    door.admin().add_account("ada", "operator").await;
    let ada = door.signed_in("console", "ada").await;
    (door, console, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let (door, console, _) = manned().await;
    let stranger = door.visitor("console");
    let wrong = stranger.sign_in("ada", "not her password").await.expect(401);
    let unknown = stranger.sign_in("nobody", "not her password").await.expect(401);
    let but_for_the_request = |text: String| {
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        let fields = answer.as_object_mut().expect("an object");
        fields.retain(|name, _| name != "request_id" && name != "support_code");
        answer
    };
    assert_eq!(but_for_the_request(wrong.text()), but_for_the_request(unknown.text()));
    assert_eq!(stranger.cookie("stagedoor"), None);
    stranger.get("/").await.expect(401);
    assert!(console.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_is_broken_overlong_or_there_twice_is_nobody_s() {
    let (door, console, ada) = manned().await;
    let good = ada.cookie("stagedoor").expect("ada's cookie");
    let cut = &good[..good.len() - 1];
    let swapped: String = good.chars().rev().collect();
    for cookie in [
        "stagedoor=".to_owned(),
        "stagedoor=x".to_owned(),
        format!("stagedoor={cut}"),
        format!("stagedoor={good}A"),
        format!("stagedoor=\"{good}\""),
        format!("stagedoor={swapped}"),
        format!("stagedoor={}", "A".repeat(6000)),
        format!("stagedoor={good}; stagedoor={good}"),
        format!("stagedoor={good}; stagedoor=x"),
        format!("Stagedoor={good}"),
        "stagedoor=%00; ;;;=; =".to_owned(),
    ] {
        let request = Request::get("/").header(header::COOKIE, &cookie).body(body_of(""));
        let answer = door.visitor("console").send(request.expect("a request")).await;
        assert_eq!(answer.status, 401, "`{cookie}`");
    }
    assert!(console.seen().is_empty());
    ada.get("/").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_too_large_is_answered_431_and_goes_no_further() {
    let (_door, console, ada) = manned().await;
    for headers in [
        vec!["x".repeat(70 * 1024)],
        vec!["x".repeat(1024); 70],
        vec!["x".repeat(4 << 20)],
        vec!["x".to_owned(); 240],
    ] {
        let make = || {
            let mut request = Request::get("/");
            for (number, value) in headers.iter().enumerate() {
                request = request.header(format!("x-{number}"), value);
            }
            request.body(body_of("")).expect("a request")
        };
        assert_eq!(answered(&ada, make).await, 431);
    }
    assert!(console.seen().is_empty());
    ada.get("/").await.expect(200);
}

/// The status of the answer to a request that is refused before it was sent to its end. The door closes then, and where it
/// closes on bytes it has not read, the network may lose the answer on its way: such a request is sent again.
async fn answered(visitor: &Visitor, make: impl Fn() -> Request<Body>) -> u16 {
    soon("an answer arrives", async || {
        Some(visitor.try_open(make()).await.ok()?.status().as_u16())
    })
    .await
}

/// A body whose length is not said beforehand.
fn undeclared(pieces: usize) -> Body {
    let pieces = (0..pieces).map(|_| Ok(Frame::data(vec![b'x'; 512].into())));
    StreamBody::new(stream::iter(pieces.collect::<Vec<_>>())).boxed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_answered_413_whether_its_length_is_declared_or_not() {
    let (door, console, ada) = manned().await;
    ada.post("/", vec![b'x'; 1024]).await.expect(200);
    assert_eq!(console.last().body.len(), 1024);
    let before = console.seen().len();
    let refused = ada.post("/", vec![b'x'; 1025]).await.expect(413);
    assert!(refused.text().contains("body_too_large"), "{}", refused.text());
    ada.send(Request::post("/").body(undeclared(2)).expect("a request"))
        .await
        .expect(200);
    let known = console.seen().len();
    let too_much = || Request::post("/").body(undeclared(40)).expect("a request");
    assert_eq!(answered(&ada, too_much).await, 413);
    assert_eq!((before, known), (1, 2));
    // Never a whole request: the recorder notes those alone.
    assert_eq!(console.seen().len(), known);
    // And of the door's own pages.
    let login = || {
        let login = Request::post("/.stagedoor/login").header(header::CONTENT_TYPE, "application/json");
        login.body(body_of(vec![b' '; 65 * 1024])).expect("a request")
    };
    assert_eq!(answered(&door.visitor("console"), login).await, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_and_a_wrong_type_are_answered_so_by_portal_and_api() {
    let (door, _console, _) = manned().await;
    let post = |visitor: Visitor, path: &'static str, kind: &'static str, body: &'static str| {
        let token = format!("Bearer {}", door.admin().token());
        async move {
            let request = Request::post(path).header(header::CONTENT_TYPE, kind);
            let request = request.header(header::AUTHORIZATION, token).body(body_of(body));
            visitor.send(request.expect("a request")).await
        }
    };
    let api = || Visitor::new(door.admin_address(), door.admin_address().to_string());
    for body in ["{", "{\"username\": 7}", "[]", "\u{0}", "{\"username\":\"ada\"}"] {
        let answer = post(door.visitor("console"), "/.stagedoor/login", "application/json", body).await;
        assert_eq!(answer.status, 400, "`{body}`: {}", answer.text());
        let answer = post(api(), "/v1/accounts", "application/json", body).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 422),
            "`{body}`: {}",
            answer.text()
        );
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    for kind in ["text/plain", "application/xml", "nonsense"] {
        let fine = "{\"username\":\"ada\",\"password\":\"x\"}";
        post(door.visitor("console"), "/.stagedoor/login", kind, fine)
            .await
            .expect(415);
        post(api(), "/v1/accounts", kind, fine).await.expect(415);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_away_or_silent_is_a_page_with_a_support_code_in_bounded_time() {
    const BOUND: Duration = Duration::from_secs(15);
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent_url = format!("http://{}", silent.local_addr().expect("an address"));
    let policy = format!("{POLICY}\n[site.silent.areas]\nall = {{ paths = [\"/**\"] }}\n");
    let door = Door::plan()
        .site("console", &format!("http://127.0.0.1:{}", free_port()))
        .site_with("silent", &silent_url, "read_timeout = \"1s\"")
        .policy(&policy)
        .open()
        .await;
    door.admin().add_account("ada", "operator").await;
    for (site, status, reason) in [
        ("console", 502, "upstream_unreachable"),
        ("silent", 504, "upstream_timeout"),
    ] {
        let ada = door.signed_in(site, "ada").await.always("accept", "text/html");
        let asked = Instant::now();
        let page = ada.get("/page").await.expect(status);
        assert!(asked.elapsed() < BOUND, "{site}: {:?}", asked.elapsed());
        assert!(page.text().contains("<html"), "{}", page.text());
        let event = soon("the audit has it", async || {
            let found = door.admin().audit("event=request.refused").await;
            found.into_iter().find(|event| event["reason"] == reason)
        })
        .await;
        let code = event["support_code"].as_str().expect("a support code");
        assert!(page.text().contains(code), "{code} is not on the page");
        door.visitor(site).get("/page").await.expect(401);
    }
}

/// Starts the door where a file that grows too large is an error, not the end of the process: as on a full disk.
fn start_with_file_errors(door: &Door) -> Running {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" serve --config stagedoor.toml"]);
    command.arg(stagedoor_binary()).current_dir(door.folder());
    Running::start("stagedoor", command, &door.folder().join("door.log"))
}

/// Lets no file of a process grow past so many bytes.
fn limit_files(process: &Running, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let status = Command::new("prlimit")
        .args(["--pid", &process.id().to_string(), &limit])
        .status();
    assert!(status.expect("prlimit is part of Debian").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_changes_and_sign_ins_and_leaves_who_is_signed_in_alone() {
    let console = FakeConsole::start().await;
    let door = Door::plan().site("console", &console.url()).policy(POLICY).prepare();
    let process = start_with_file_errors(&door);
    eventually("the door is ready", Duration::from_secs(60), async || {
        let answers = tokio::net::TcpStream::connect(door.admin_address()).await.is_ok();
        (answers && door.readiness().await.status == 200).then_some(())
    })
    .await;
    let admin = door.admin();
    admin.add_account("ada", "operator").await;
    admin.add_account("bea", "operator").await;
    let ada = door.signed_in("console", "ada").await;
    let tag = admin
        .get("/v1/policy")
        .await
        .header("etag")
        .map(str::to_owned)
        .expect("a tag");

    limit_files(&process, "1024");
    let bea = door.visitor("console");
    let refused = bea.sign_in("bea", PASSWORD).await.expect(503);
    assert_eq!(refused.json()["error"], "unavailable", "{}", refused.text());
    assert_eq!(bea.cookie("stagedoor"), None);
    bea.get("/").await.expect(401);
    bea.sign_in("bea", "a wrong password").await.expect(503);
    for (method, path, body) in [
        (
            Method::POST,
            "/v1/accounts",
            json!({ "name": "cid", "role": "operator" }),
        ),
        (Method::PATCH, "/v1/accounts/bea", json!({ "disabled": true })),
        (Method::POST, "/v1/accounts/bea/password", json!({})),
    ] {
        let answer = admin.ask(method, path, Some(body)).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.text());
        assert!(answer.json()["title"].is_string(), "{}", answer.text());
    }
    let changed = admin.replace_policy(&format!("{POLICY}# changed\n"), &tag).await;
    assert!(
        changed.status.is_server_error(),
        "{} {}",
        changed.status,
        changed.text()
    );
    assert_eq!(std::fs::read_to_string(door.policy_file()).expect("the file"), POLICY);
    for _ in 0..50 {
        ada.get("/page").await.expect(200);
        door.visitor("console").get("/page").await.expect(401);
    }

    limit_files(&process, "unlimited");
    soon("bea can sign in again", async || {
        (bea.sign_in("bea", PASSWORD).await.status == 200).then_some(())
    })
    .await;
    bea.get("/page").await.expect(200);
    ada.get("/page").await.expect(200);
    admin.add_account("cid", "operator").await;
    assert_eq!(admin.account("bea").await["disabled"], false);
    admin
        .replace_policy(&format!("{POLICY}# changed\n"), &tag)
        .await
        .expect(200);
    assert!(door.readiness().await.status == 200);
}
