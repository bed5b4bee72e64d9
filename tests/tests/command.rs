//! The command line, as an operator types it: with the door open and with the door shut, for people and for programs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use http::{Method, Request, header};
use rustix::process::Signal;
use serde_json::{Value, json};
use stagedoor_tests::{
    Admin, Door, FakeConsole, PASSWORD, Reply, Running, Visitor, body_of, eventually, free_port, soon, stagedoor,
    stagedoor_binary,
};

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"] }\n\n[role.operator]\nmay = { all = \"manage\" }\n\
                      default = true\n\n[lockout]\nfailures = 3\n";
/// For a process to start or to end.
const MOMENT: Duration = Duration::from_secs(60);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command said that must end with this code.
#[track_caller]
fn expect(output: Output, code: i32) -> (String, String) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "out: {out}\nerr: {err}");
    (out, err)
}

/// Runs a command with `--output json` and reads its answer.
#[track_caller]
fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let all = [arguments, &["--output", "json"]].concat();
    let (out, _) = expect(stagedoor(folder, &all), 0);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: no JSON ({error}): {out}"))
}

/// Runs a command with a line of standard input.
fn with_input(folder: &Path, arguments: &[&str], line: &str) -> Output {
    let mut command = Command::new(stagedoor_binary());
    command.current_dir(folder).args(arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be started");
    let mut input = child.stdin.take().expect("it is piped");
    writeln!(input, "{line}").expect("it reads");
    drop(input);
    child.wait_with_output().expect("it ends")
}

async fn open() -> (FakeConsole, Door) {
    let console = FakeConsole::start().await;
    let door = Door::plan().site("console", &console.url()).policy(POLICY).open().await;
    (console, door)
}

#[test]
fn init_writes_files_that_are_fine_and_never_writes_over_any() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = json_of(folder.path(), &["init"]);
    let token = std::fs::read_to_string(folder.path().join("stagedoor-data/admin.token")).expect("the token is kept");
    assert_eq!(made["token"], token.trim());
    let (out, _) = expect(stagedoor(folder.path(), &["check"]), 0);
    assert!(out.starts_with("fine: 1 site"), "{out}");
    assert_eq!(json_of(folder.path(), &["check"])["ok"], true);

    std::fs::write(folder.path().join("policy.toml"), "# mine\n").expect("a write");
    let (_, err) = expect(stagedoor(folder.path(), &["init"]), 1);
    assert!(err.contains("nothing was written"), "{err}");
    let kept = std::fs::read_to_string(folder.path().join("policy.toml")).expect("the file");
    assert_eq!(kept, "# mine\n");
}

#[test]
fn exit_codes_tell_failure_wrong_usage_and_bad_configuration_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| stagedoor(folder.path(), arguments);
    expect(run(&["--version"]), 0);
    expect(run(&["--help"]), 0);
    expect(run(&["opn"]), 2);
    expect(run(&["policy", "explain", "GET", "/"]), 2);
    expect(run(&["init", "--preset", "none"]), 2);
    expect(run(&["check"]), 64);
    let (_, err) = expect(run(&["serve"]), 64);
    assert!(err.contains("stagedoor init"), "{err}");
    let (_, err) = expect(run(&["account", "list"]), 1);
    assert!(err.contains("not running"), "{err}");
    expect(run(&["init"]), 0);
    expect(run(&["account", "show", "nobody"]), 1);
    let failed = run(&["account", "show", "nobody", "--output", "json"]);
    let (_, problem) = expect(failed, 1);
    let problem = problem
        .find('{')
        .map(|start| &problem[start..])
        .expect("JSON after the notes");
    let problem: Value = serde_json::from_str(problem).expect("a problem in JSON");
    assert_eq!(problem["code"], "not_found", "{problem}");
    std::fs::write(folder.path().join("policy.toml"), "[rolle.x]\n").expect("a write");
    expect(run(&["check"]), 64);
    expect(run(&["policy", "show"]), 64);
    // Accounts can be mended while the rules cannot be used.
    expect(run(&["account", "list"]), 0);
}

#[test]
fn every_shell_gets_its_completions() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (out, _) = expect(stagedoor(folder.path(), &["completions", shell]), 0);
        assert!(out.contains("stagedoor") && out.contains("reset-password"), "{shell}");
    }
    let (out, _) = expect(stagedoor(folder.path(), &["completions", "bash"]), 0);
    std::fs::write(folder.path().join("completions"), out).expect("a write");
    let checked = Command::new("bash")
        .arg("-n")
        .arg(folder.path().join("completions"))
        .status();
    assert!(checked.expect("bash is there").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_sessions_locks_and_tokens_are_kept_by_the_open_door() {
    let (_console, door) = open().await;
    let run = |arguments: &[&str]| expect(door.command(arguments), 0);
    let answer = |arguments: &[&str]| json_of(door.folder(), arguments);
    let add = [
        "account",
        "add",
        "ada",
        "--role",
        "operator",
        "--password-stdin",
        "--lasting",
    ];
    expect(with_input(door.folder(), &add, PASSWORD), 0);
    let made = answer(&["account", "add", "bea", "--role", "operator"]);
    assert!(
        made["temporary_password"]
            .as_str()
            .is_some_and(|password| password.len() >= 12)
    );
    assert_eq!(answer(&["account", "list"])["items"].as_array().map(Vec::len), Some(2));
    assert!(run(&["account", "list"]).0.contains("temporary password"));

    let ada = door.signed_in("console", "ada").await;
    ada.get("/page").await.expect(200);
    let sessions = answer(&["session", "list", "--account", "ada"]);
    let id = sessions["items"][0]["id"].as_str().expect("a session").to_owned();
    assert!(run(&["session", "list"]).0.contains("ada"));
    run(&["session", "end", &id]);
    ada.get("/page").await.expect(401);

    ada.sign_in("ada", PASSWORD).await.expect(200);
    run(&["account", "disable", "ada"]);
    ada.get("/page").await.expect(401);
    run(&["account", "enable", "ada"]);
    for _ in 0..3 {
        ada.sign_in("ada", "a wrong password").await;
    }
    let locked = ada.sign_in("ada", PASSWORD).await;
    assert_ne!(locked.status, 200, "three failures lock");
    let lockouts = answer(&["lockout", "list"]);
    let lock = lockouts["items"][0]["id"].as_str().expect("a lock").to_owned();
    run(&["lockout", "end", &lock]);
    ada.sign_in("ada", PASSWORD).await.expect(200);
    for _ in 0..3 {
        ada.sign_in("ada", "a wrong password").await;
    }
    run(&["account", "unlock", "ada"]);
    ada.sign_in("ada", PASSWORD).await.expect(200);
    let reset = answer(&["account", "reset-password", "ada"]);
    assert!(reset["temporary_password"].is_string(), "{reset}");
    ada.get("/page").await.expect(401);

    let token = answer(&["token", "create", "reader", "--scope", "accounts:read"]);
    let reader = Admin::new(
        door.admin_address(),
        token["token"].as_str().expect("a token").to_owned(),
    );
    reader.get("/v1/accounts").await.expect(200);
    reader.get("/v1/audit").await.expect(403);
    assert!(run(&["token", "list"]).0.contains("reader"));
    run(&["token", "revoke", "reader"]);
    reader.get("/v1/accounts").await.expect(401);

    expect(door.command(&["account", "remove", "bea"]), 2);
    run(&["account", "remove", "bea", "--yes"]);
    expect(door.command(&["account", "show", "bea"]), 1);
    let failures = answer(&["audit", "--account", "ada", "--event", "sign_in.failed"]);
    assert!(
        failures["items"].as_array().is_some_and(|items| items.len() >= 6),
        "{failures}"
    );
    assert!(run(&["audit", "--since", "-15m"]).0.contains("account.removed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_shown_explained_got_and_applied() {
    let (_console, door) = open().await;
    door.admin().add_account("ada", "operator").await;
    let run = |arguments: &[&str], code| expect(door.command(arguments), code);
    let answer = |arguments: &[&str]| json_of(door.folder(), arguments);
    let ada = door.signed_in("console", "ada").await;

    assert!(run(&["policy", "show"], 0).0.contains("manage"));
    assert_eq!(answer(&["policy", "show"])["rows"][0]["area"], "all");
    let url = format!("http://console.localhost:{}/page", door.http);
    let explain = ["policy", "explain", "--as", "ada", "--from", "127.0.0.1", "POST", &url];
    assert!(run(&explain, 0).0.contains("role.operator.may.all"));
    assert_eq!(answer(&explain)["decision"], "allow");
    ada.post("/page", "").await.expect(200);
    assert_eq!(run(&["policy", "get"], 0).0, POLICY);
    let got = answer(&["policy", "get"]);
    assert_eq!(got["text"], POLICY);

    let narrower = POLICY.replace("\"manage\"", "\"view\"");
    std::fs::write(door.folder().join("policy.new"), &narrower).expect("a write");
    run(&["policy", "apply", "policy.new"], 0);
    ada.post("/page", "").await.expect(403);
    assert_eq!(answer(&explain)["decision"], "refuse");
    let status = answer(&["policy", "status"]);
    assert_eq!((&status["revision"], &status["last_fault"]), (&json!(2), &Value::Null));
    assert!(run(&["policy", "status"], 0).0.contains("revision"));

    let old_tag = got["etag"].as_str().expect("a tag");
    let (_, err) = run(&["policy", "apply", "--if-match", old_tag, "policy.new"], 1);
    assert!(err.contains("changed"), "{err}");
    std::fs::write(door.folder().join("policy.new"), narrower + "[rolle.x]\n").expect("a write");
    let (_, err) = run(&["policy", "apply", "policy.new"], 64);
    assert!(err.contains("rolle") && err.contains("policy.toml:10:2"), "{err}");
    assert_eq!(answer(&["policy", "status"])["revision"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_work_on_the_store_while_the_door_is_shut() {
    let console = FakeConsole::start().await;
    let mut door = Door::plan().site("console", &console.url()).policy(POLICY).prepare();
    let (_, err) = expect(door.command(&["account", "list"]), 1);
    assert!(err.contains("not running"), "{err}");
    door.start().await;
    door.admin().add_account("ada", "operator").await;
    let ada = door.signed_in("console", "ada").await;
    door.process().signal(Signal::TERM);
    assert!(door.process().end_within(MOMENT).success());

    let (_, note) = expect(door.command(&["account", "add", "bea"]), 0);
    assert!(note.contains("the door is not running"), "{note}");
    let reset = ["account", "reset-password", "bea", "--password-stdin"];
    expect(with_input(door.folder(), &reset, "a new one, by hand"), 0);
    assert_eq!(
        json_of(door.folder(), &["session", "list"])["items"][0]["account"],
        "ada"
    );
    expect(door.command(&["session", "end", "--account", "ada"]), 0);

    door.start().await;
    ada.get("/page").await.expect(401);
    let bea = door.visitor("console").sign_in("bea", "a new one, by hand").await;
    assert!(
        bea.text().contains("password"),
        "a temporary password must be changed: {}",
        bea.text()
    );
    let events = json_of(door.folder(), &["audit", "--account", "bea"]);
    assert!(events.to_string().contains("account.created"), "{events}");
}

/// `stagedoor serve --upstream …` in an empty folder, on ports of its own.
struct Plain {
    process: Running,
    http: u16,
    folder: tempfile::TempDir,
    _console: FakeConsole,
}

impl Plain {
    async fn serve(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let console = FakeConsole::start().await;
        let (folder, http, admin) = (tempfile::tempdir().expect("a folder"), free_port(), free_port());
        let mut command = Command::new(stagedoor_binary());
        command
            .current_dir(folder.path())
            .args(["serve", "--upstream", &console.url()]);
        command.args(arguments).envs(environment.iter().copied());
        command.env("STAGEDOOR_LISTEN_HTTP", format!("127.0.0.1:{http}"));
        command.env("STAGEDOOR_ADMIN_LISTEN", format!("127.0.0.1:{admin}"));
        let process = Running::start("stagedoor", command, &folder.path().join("door.log"));
        let mut plain = Self {
            process,
            http,
            folder,
            _console: console,
        };
        until_open(&mut plain.process, http).await;
        plain
    }

    fn visitor(&self) -> Visitor {
        visitor_of(self.http)
    }
}

fn visitor_of(port: u16) -> Visitor {
    Visitor::new(([127, 0, 0, 1], port).into(), format!("127.0.0.1:{port}"))
}

async fn until_open(process: &mut Running, port: u16) {
    eventually("the door is open", MOMENT, async || {
        assert!(process.ended().is_none(), "it ended:\n{}", process.log());
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
    })
    .await;
}

/// The value of a hidden field of a form.
fn hidden(page: &Reply, name: &str) -> String {
    let text = page.text();
    let field = text.split('<').find(|tag| tag.contains(&format!("name=\"{name}\"")));
    let field = field.unwrap_or_else(|| panic!("no field `{name}` in {text}"));
    let value = field.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
    value.expect("the field has a value").to_owned()
}

async fn submit_setup(visitor: &Visitor, page: &Reply, name: &str) -> Reply {
    let fields = [
        ("csrf", hidden(page, "csrf")),
        ("link", hidden(page, "link")),
        ("username", name.to_owned()),
        ("new_password", PASSWORD.replace(' ', "+")),
        ("repeat", PASSWORD.replace(' ', "+")),
    ];
    let form: Vec<String> = fields.iter().map(|(field, value)| format!("{field}={value}")).collect();
    let request = Request::builder().method(Method::POST).uri("/.stagedoor/setup");
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    visitor
        .send(request.body(body_of(form.join("&"))).expect("a request"))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_an_upstream_alone_prints_a_link_that_makes_the_first_account_once() {
    let plain = Plain::serve(&[], &[]).await;
    let visitor = plain.visitor().always("accept", "text/html");
    let log = plain.process.log();
    let link = log
        .split_whitespace()
        .find(|word| word.contains("/.stagedoor/setup?token="));
    let link = link.unwrap_or_else(|| panic!("no link in {log}"));
    let path = link
        .strip_prefix(&format!("http://127.0.0.1:{}", plain.http))
        .expect("a link to this door");
    visitor.get("/.stagedoor/setup?token=guessed").await.expect(404);
    let page = visitor.get(path).await.expect(200);
    let second_page = visitor.get(path).await.expect(200);
    submit_setup(&visitor, &page, "ada").await.expect(303);
    submit_setup(&visitor, &second_page, "eve").await.expect(404);
    visitor.get(path).await.expect(404);

    let ada = plain.visitor();
    ada.sign_in("ada", PASSWORD).await.expect(200);
    ada.get("/page").await.expect(200);
    let eve = plain.visitor();
    eve.sign_in("eve", PASSWORD).await.expect(401);
    eve.get("/page").await.expect(401);
    assert!(plain.folder.path().join("stagedoor-data/stagedoor.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_can_be_named_with_a_password_from_the_environment() {
    let plain = Plain::serve(&["--admin", "ada"], &[("STAGEDOOR_ADMIN_PASSWORD", PASSWORD)]).await;
    let ada = plain.visitor();
    ada.sign_in("ada", PASSWORD).await.expect(200);
    ada.get("/page").await.expect(200);
    let log = plain.process.log();
    assert!(!log.contains("setup?token="), "nobody needs a link any more: {log}");
    assert!(!log.contains(PASSWORD), "the password was printed");

    let folder = tempfile::tempdir().expect("a folder");
    let without = ["serve", "--upstream", "http://127.0.0.1:9", "--admin", "ada"];
    let (_, err) = expect(stagedoor(folder.path(), &without), 1);
    assert!(err.contains("STAGEDOOR_ADMIN_PASSWORD"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_s_accounts_can_sign_in_and_nothing_of_it_stays() {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let held = folder.path().join("temporary");
    std::fs::create_dir(&held).expect("a folder");
    let mut command = Command::new(stagedoor_binary());
    command.args(["demo", "--listen", &format!("127.0.0.1:{port}")]);
    command.env("TMPDIR", &held).current_dir(folder.path());
    let mut demo = Running::start("demo", command, &folder.path().join("demo.log"));
    until_open(&mut demo, port).await;
    let printed = soon("it says what to try", async || {
        let printed = demo.log();
        printed.contains("Ctrl-C ends the demo").then_some(printed)
    })
    .await;
    for (name, path, status) in [
        ("olga", "/settings", 200),
        ("otto", "/devices", 200),
        ("vera", "/settings", 403),
    ] {
        let line = printed.lines().find(|line| line.trim_start().starts_with(name));
        let password = line
            .and_then(|line| line.split_whitespace().nth(1))
            .expect("a password");
        let visitor = visitor_of(port);
        visitor.sign_in(name, password).await.expect(200);
        visitor.get("/").await.expect(200);
        visitor.get(path).await.expect(status);
    }
    assert!(
        std::fs::read_dir(&held).expect("a folder").next().is_some(),
        "the demo keeps its files there"
    );
    demo.signal(Signal::INT);
    let status = demo.end_within(MOMENT);
    assert!(status.success(), "{status}");
    let left: Vec<_> = std::fs::read_dir(&held).expect("a folder").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
