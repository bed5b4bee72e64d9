//! What belongs to one visitor is never taken for another's: decisions, cookies.

use http::{Request, header};
use stagedoor_tests::{Visitor, Way, body_of, raw};
use tokio::io::AsyncWriteExt as _;

use crate::stage::{ROOMY, Stage};

/// As many bytes as a browser keeps in one cookie.
const COOKIE_BYTES: usize = 4000;

#[tokio::test(flavor = "multi_thread")]
async fn one_visitors_permit_is_never_the_next_ones_on_the_same_connection() {
    let stage = Stage::open(ROOMY).await;
    let (ada, bob) = (stage.signed_in("ada").await, stage.signed_in("bob").await);
    let mut wire = stage.visitor("127.0.0.1").connect().await;
    for round in 0..3 {
        for (who, status) in [(Some(&ada), 200), (Some(&bob), 403), (None, 401)] {
            // One path in every spelling that is the same, so that whatever remembers decisions would be hit.
            for path in ["/admin/users", "/admin/%75sers", "/admin/users?as=ada"] {
                let cookie = who.map_or_else(String::new, |who: &Visitor| {
                    format!("Cookie: {}\r\n", who.cookie_header().expect("signed in"))
                });
                let request = format!("GET {path} HTTP/1.1\r\nHost: console.localhost\r\n{cookie}\r\n");
                wire.write_all(request.as_bytes())
                    .await
                    .expect("the connection is open");
                let head = raw::read_head(&mut wire).await;
                assert_eq!(raw::status(&head), status, "round {round}, {path}: {head}");
                read_body(&mut wire, &head).await;
            }
        }
    }
}

async fn read_body(wire: &mut (impl tokio::io::AsyncRead + Unpin), head: &str) {
    let lengths = head.lines().filter_map(|line| line.split_once(':'));
    let length = lengths
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .find_map(|(_, value)| value.trim().parse().ok());
    let mut body = vec![0; length.expect("a length")];
    tokio::io::AsyncReadExt::read_exact(wire, &mut body)
        .await
        .expect("the whole body");
}

fn cookies(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("big{number}={}", "x".repeat(COOKIE_BYTES)))
        .collect()
}

async fn ask(who: &Visitor, cookies: String) -> stagedoor_tests::Reply {
    let request = Request::get("/app/page").header(header::COOKIE, cookies);
    who.send(request.body(body_of("")).expect("a request")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_sets_cookies_without_end_locks_nobody_out_for_good() {
    let stage = Stage::open(ROOMY).await;
    for way in Way::ALL {
        let bob = stage.person(way);
        bob.sign_in("bob", "/").await.expect(303);
        let name = way.session_cookie();
        let own = format!("{name}={}", bob.visitor.cookie(name).expect("a session"));
        // A great many fit, and wherever ours stands among them it is found and nothing is cut.
        for place in [0, 5, 10] {
            let mut many = cookies(10);
            many.insert(place, own.clone());
            ask(&bob.visitor, many.join("; ")).await.expect(200);
            let seen = stage.console.last();
            assert_eq!(seen.values("x-stagedoor-user"), ["bob"], "{way:?} {place}");
            assert_eq!(seen.values("cookie"), [cookies(10).join("; ")], "{way:?} {place}");
        }
        let before = stage.console.bytes();
        let mut too_many = cookies(20);
        too_many.insert(0, own.clone());
        let page = ask(&bob.visitor, too_many.join("; ")).await.expect(431);
        // Over HTTP/2 the library answers before the door sees anything, with a status and no page.
        let told = page.text().contains("Delete the cookies of this site");
        assert_eq!(told, Way::BY_HAND.contains(&way), "{way:?}: {}", page.text());
        assert_eq!(page.header("set-cookie"), None, "{way:?}");
        assert_eq!(stage.console.bytes(), before, "{way:?}");
        // The session was never the one that was cut.
        ask(&bob.visitor, own).await.expect(200);
    }
}
