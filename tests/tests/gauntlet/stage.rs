//! The door of every case: two sites with an area for everybody, one for users and one for administrators, and everything
//! else for nobody.

use serde_json::json;
use stagedoor_tests::http2::{self, Ended};
use stagedoor_tests::{Door, PASSWORD, Recorder, Visitor, Way, Ways, Wire, raw};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::case::{Case, Peer, Who};

const POLICY: &str = "
[site.a.areas]
public = { paths = [\"/public/**\"], open_to = \"everyone\" }
app = { paths = [\"/app/**\"] }
admin = { paths = [\"/admin/**\"] }

[site.b.areas]
public = { paths = [\"/public/**\"], open_to = \"everyone\" }
app = { paths = [\"/app/**\"] }

[role.user]
may = { \"a/app\" = \"all\", \"b/app\" = \"all\" }

[role.admin]
may = { \"*\" = \"all\" }
networks = [\"127.0.0.0/24\"]

[session]
per_account = 0
";

/// What the clean request before a hostile one asks for, and the recorder's answer.
pub(crate) const FIRST: &str = "/public/first";
const PAGE: [u8; 15] = *b"a fake console\n";

/// A door, its consoles, and the cookies of those who are signed in.
pub(crate) struct Stage {
    /// The door.
    pub(crate) ways: Ways,
    /// The console of site `a`.
    pub(crate) console: Recorder,
    /// The console of site `b`.
    pub(crate) other: Recorder,
    in_clear: Cookies,
    in_tls: Cookies,
}

struct Cookies {
    bob: String,
    alice: String,
}

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The status of the answer, 0 where there was none.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body, and whatever came behind it.
    pub(crate) body: Vec<u8>,
    /// How it ended; over HTTP/1 an answer is over when the connection is.
    pub(crate) ended: Ended,
}

impl Stage {
    /// Opens it.
    pub(crate) async fn open() -> Self {
        Self::with("").await
    }

    /// Opens it with further sections of `stagedoor.toml`.
    pub(crate) async fn with(building: &str) -> Self {
        let (console, other) = (Recorder::start().await, Recorder::start().await);
        let settings = "identity_headers = [\"stagedoor\", \"remote\", \"forwarded\"]\nassertion = true\n\
                        body_bytes_max = \"1MiB\"";
        let plan = Door::plan()
            .site_with("a", &console.url(), settings)
            .site_with("b", &other.url(), settings)
            .policy(POLICY)
            .building(building);
        let ways = Ways::open(plan, &["a", "b"]).await;
        let admin = ways.door.admin();
        for (name, role) in [
            ("alice", "admin"),
            ("bob", "user"),
            ("carol", "user"),
            ("dave", "user"),
            ("erin", "user"),
        ] {
            admin.add_account(name, role).await;
        }
        admin
            .change_account("carol", json!({ "disabled": true }))
            .await
            .expect(200);
        let in_clear = Cookies::of(&ways, Way::Http1).await;
        let in_tls = Cookies::of(&ways, Way::Http1InTls).await;
        Self {
            ways,
            console,
            other,
            in_clear,
            in_tls,
        }
    }

    /// What a sender has, by this way.
    pub(crate) fn peer(&self, way: Way, who: Who) -> Peer {
        let (scheme, cookies) = match way {
            Way::Http1 | Way::Http2InClear => ("http", &self.in_clear),
            Way::Http1InTls | Way::Http2 => ("https", &self.in_tls),
        };
        let cookie = match who {
            Who::Nobody => None,
            Who::Bob => Some(cookies.bob.clone()),
            Who::Alice => Some(cookies.alice.clone()),
        };
        Peer { scheme, cookie }
    }

    /// Sends what a case has to send, from an address, and takes what comes back.
    pub(crate) async fn send(&self, case: &Case, way: Way, from: &str) -> Outcome {
        let peer = self.peer(way, case.who);
        let visitor = self.visitor(way, from).behind_proxy(case.ahead.clone());
        let Ok(wire) = self.ways.try_wire(way, &visitor).await else {
            return Outcome::closed();
        };
        if Way::BY_HAND.contains(&way) {
            Self::bytes(case, wire, &case.http1(&peer)).await
        } else {
            Self::frames(wire, &case.http2(&peer)).await
        }
    }

    async fn bytes(case: &Case, mut wire: Box<dyn Wire>, bytes: &[u8]) -> Outcome {
        if case.used_connection {
            let first = format!("GET {FIRST} HTTP/1.1\r\nHost: a.localhost\r\n\r\n");
            wire.write_all(first.as_bytes()).await.expect("the connection is open");
            assert_eq!(raw::status(&raw::read_head(&mut wire).await), 200, "{}", case.name);
            let mut page = [0; PAGE.len()];
            wire.read_exact(&mut page).await.expect("the recorder's page");
            assert_eq!(page, PAGE);
        }
        let pieces = case.pieces.unwrap_or(bytes.len()).max(1);
        Outcome::of_bytes(raw::hear(wire, bytes.chunks(pieces), case.then_end).await)
    }

    async fn frames(wire: Box<dyn Wire>, frames: &[u8]) -> Outcome {
        let answer = http2::converse(wire, frames, 1).await;
        Outcome {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            ended: answer.ended,
        }
    }

    fn visitor(&self, way: Way, from: &str) -> Visitor {
        self.ways.visitor(way, "a").from(from)
    }
}

impl Cookies {
    async fn of(ways: &Ways, way: Way) -> Self {
        let of = async |name| ways.signed_in(way, "a", name).await.cookie_header().expect("signed in");
        Self {
            bob: of("bob").await,
            alice: of("alice").await,
        }
    }
}

impl Outcome {
    /// A connection that was not even let begin.
    fn closed() -> Self {
        Self {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            ended: Ended::Closed,
        }
    }

    fn of_bytes(heard: raw::Heard) -> Self {
        let text = String::from_utf8_lossy(&heard.bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let status = if text.starts_with("HTTP/1.1 ") {
            raw::status(&text)
        } else {
            0
        };
        Self {
            status,
            headers: lines
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
            ended: if heard.closed { Ended::Closed } else { Ended::Silent },
        }
    }

    /// The value of a header, where it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(each, _)| each == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_or_locked_gets_no_session_by_any_way_and_who_has_one_is_held_to_it() {
    let stage = Stage::open().await;
    let door = &stage.ways.door;
    for _ in 0..5 {
        door.visitor("a")
            .from("127.0.0.44")
            .sign_in("dave", "not his password")
            .await
            .expect(401);
    }
    for way in Way::BY_HAND.into_iter().chain(Way::BY_FRAMES) {
        let before = stage.console.bytes();
        for name in ["carol", "dave"] {
            let visitor = stage.visitor(way, "127.0.0.44");
            let answer = visitor.sign_in(name, PASSWORD).await;
            assert_ne!(answer.status, 200, "{way:?} {name}");
            visitor.get("/app/page").await.expect(401);
        }
        for path in ["/admin/users", "/unknown"] {
            let erin = stage.ways.signed_in(way, "a", "erin").await;
            erin.get(path).await.expect(403);
        }
        assert_eq!(stage.console.bytes(), before, "{way:?}");
        stage
            .ways
            .signed_in(way, "a", "erin")
            .await
            .get("/app/page")
            .await
            .expect(200);
        let alice = stage.ways.signed_in(way, "a", "alice").await;
        alice.get("/admin/users").await.expect(200);
        let before = stage.console.bytes();
        alice.clone().from("127.0.1.1").get("/admin/users").await.expect(403);
        assert_eq!(stage.console.bytes(), before, "{way:?}: from another network");
    }
}
