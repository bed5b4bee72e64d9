//! What a site lets pass by name, over real sockets: the very bytes that reach the console, and those that never do.

use stagedoor_tests::{Door, Recorder, raw};

const POLICY: &str = r#"
[site.strict.areas]
open = { paths = ["/open/**"], open_to = "everyone" }

[site.lenient]
allow = [
    "encoded-slash", "encoded-backslash", "encoded-percent", "encoded-dot", "encoded-semicolon", "encoded-question-mark",
    "encoded-hash", "semicolon", "empty-segment", "raw-delimiters", "raw-non-ascii", "look-alikes",
]
[site.lenient.areas]
open = { paths = ["/open/**", "/*"], open_to = "everyone" }
closed = { paths = ["/closed/**", "/open/closed/**"] }

[site.folding]
allow = ["case-insensitive"]
[site.folding.areas]
open = { paths = ["/Open/**"], open_to = "everyone" }
closed = { paths = ["/Open/Closed/**"] }
"#;

struct Stage {
    door: Door,
    console: Recorder,
}

impl Stage {
    async fn open() -> Self {
        let console = Recorder::start().await;
        let url = console.url();
        let plan = Door::plan()
            .site("strict", &url)
            .site("lenient", &url)
            .site("folding", &url);
        Self {
            door: plan.policy(POLICY).open().await,
            console,
        }
    }

    /// The status, and the target that reached the console, if one did.
    async fn ask(&self, site: &str, target: &str) -> (u16, Option<String>) {
        let before = self.console.seen().len();
        let port = self.door.http;
        let request = format!("GET {target} HTTP/1.1\r\nHost: {site}.localhost:{port}\r\nConnection: close\r\n\r\n");
        let answer = raw::exchange(self.door.address(), request).await;
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status for {target}: {answer:?}"));
        let seen = self.console.seen();
        (status, seen.get(before).map(|seen| seen.target().to_owned()))
    }
}

#[tokio::test]
async fn a_site_that_asks_by_name_gets_one_spelling_and_another_site_gets_nothing() {
    let stage = Stage::open().await;
    for (sent, forwarded) in [
        ("/open/a%2fb", "/open/a%2Fb"),
        ("/open/%2F/b", "/open/%2F/b"),
        ("/open/OFFICE%5canna", "/open/OFFICE%5Canna"),
        ("/open/100%25", "/open/100%25"),
        ("/open/a%2Ejs", "/open/a.js"),
        ("/open/why%3f/c%23/d%3b", "/open/why%3F/c%23/d%3B"),
        (
            "/open/a.do;jsessionid=0A!b.n1?x=%zz",
            "/open/a.do;jsessionid=0A!b.n1?x=%zz",
        ),
        ("//open///b", "/open/b"),
        ("/open/{id}|^?q={x}", "/open/%7Bid%7D%7C%5E?q={x}"),
        ("/open/ä?q=ü", "/open/%C3%A4?q=%C3%BC"),
        ("/open/%E2%80%A6x", "/open/%E2%80%A6x"),
    ] {
        assert_eq!(
            stage.ask("lenient", sent).await,
            (200, Some(forwarded.to_owned())),
            "{sent}"
        );
        assert_eq!(stage.ask("strict", sent).await, (400, None), "{sent}");
        assert_eq!(stage.ask("folding", sent).await.1, None, "{sent}");
    }
    for (sent, forwarded) in [("/OPEN/X?Q=A", "/open/x?Q=A"), ("/%4fpen", "/open")] {
        assert_eq!(
            stage.ask("folding", sent).await,
            (200, Some(forwarded.to_owned())),
            "{sent}"
        );
        assert_eq!(stage.ask("strict", sent).await.1, None, "{sent}");
    }
}

#[tokio::test]
async fn no_leniency_opens_what_is_closed_in_any_reading() {
    let stage = Stage::open().await;
    for (site, sent) in [
        ("lenient", "/closed%2Fx"),
        ("lenient", "/closed%5Cx"),
        ("lenient", "/closed%3Bx"),
        ("lenient", "/closed%23/public"),
        ("lenient", "/open/closed%2Fx"),
        ("lenient", "/open%2Fclosed%3Fx"),
        ("lenient", "/open/closed%EF%BC%8Fx"),
        ("lenient", "//open//closed//x"),
        ("lenient", "/open/closed;jsessionid=1"),
        ("folding", "/open/CLOSED/x"),
        ("folding", "/open/%43losed"),
    ] {
        let (status, reached) = stage.ask(site, sent).await;
        assert!(status == 401 || status == 303 || status == 302, "{sent}: {status}");
        assert_eq!(reached, None, "{sent}");
        assert_eq!(stage.ask(site, "/open/x").await.0, 200, "after {sent}");
    }
    for (site, sent) in [
        ("lenient", "/open/..%2Fclosed"),
        ("lenient", "/open/..%5Cclosed"),
        ("lenient", "/open/..;jsessionid=1"),
        ("lenient", "/open/..%3B/closed"),
        ("lenient", "/open/%2e%2e/closed"),
        ("lenient", "/open/%252e%252e/closed"),
        ("lenient", "/open/%EF%BC%8E%EF%BC%8E/closed"),
        ("lenient", "/closed;jsessionid=1/x"),
        ("lenient", "/open;x=y"),
        ("lenient", "/%2Fopen"),
        ("folding", "/open/closed./x"),
        ("folding", "/open/CLOSED~1/x"),
    ] {
        assert_eq!(stage.ask(site, sent).await, (400, None), "{sent}");
        assert_eq!(stage.ask(site, "/open/x").await.0, 200, "after {sent}");
    }
}

#[tokio::test]
async fn the_portal_is_reserved_in_every_reading() {
    let stage = Stage::open().await;
    for (site, sent) in [
        ("lenient", "/.stagedoor%2Flogin"),
        ("lenient", "/.stagedoor%5Clogin"),
        ("lenient", "/.stagedoor%3Fx"),
        ("lenient", "//.stagedoor//login"),
        ("folding", "/.STAGEDOOR/login"),
        ("folding", "/.StageDoor"),
    ] {
        assert_eq!(stage.ask(site, sent).await.1, None, "{sent}");
    }
}
