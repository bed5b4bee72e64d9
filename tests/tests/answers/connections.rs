//! Consoles that tie who is there to the connection, as NTLM and Negotiate do.

use std::collections::HashMap;
use std::sync::Mutex;

use super::*;

/// Signs somebody in for as long as the connection lasts: by NTLM, or, on a page of its own, by nothing that shows.
fn tied() -> impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static {
    let users = Mutex::<HashMap<usize, String>>::default();
    move |seen| {
        let mut users = users.lock().expect("nobody panics here");
        let by_ntlm = seen
            .values("authorization")
            .first()
            .and_then(|value| value.strip_prefix("NTLM "));
        let by_page = seen.target().strip_prefix("/enter/");
        if let Some(user) = by_ntlm.or(by_page) {
            users.insert(seen.connection, user.to_owned());
        }
        match users.get(&seen.connection) {
            Some(user) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{user}", user.len()).into_bytes(),
            None => b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\", NTLM\r\nContent-Length: 6\r\n\r\nnobody"
                .to_vec(),
        }
    }
}

/// One request on a connection that stays open; what the console says of who is there.
async fn who(wire: &mut Box<dyn stagedoor_tests::Wire>, visitor: &Visitor, path: &str, more: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\n{}{more}\r\n", lines_of(visitor));
    wire.write_all(request.as_bytes()).await.expect("it is open");
    read_answer(wire).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ntlm_has_tied_to_one_visitor_is_never_anothers() {
    for (stage, way) in stages(tied).await.filter(|(_, way)| Way::BY_HAND.contains(way)) {
        let (ada, bob) = (stage.visitor(way, "ada").await, stage.visitor(way, "bob").await);
        let mut hers = stage.ways.wire(way, &ada).await;
        let mut his = stage.ways.wire(way, &bob).await;
        assert_eq!(who(&mut hers, &ada, "/page", "").await, "nobody", "{way:?}");
        assert_eq!(
            who(&mut hers, &ada, "/page", "Authorization: NTLM ada\r\n").await,
            "ada",
            "{way:?}"
        );
        for _ in 0..5 {
            assert_eq!(who(&mut his, &bob, "/page", "").await, "nobody", "{way:?}");
            assert_eq!(
                who(&mut hers, &ada, "/page", "").await,
                "ada",
                "{way:?}: her handshake is lost"
            );
        }
        drop(hers);
        // What she left behind is found by nobody, herself on another connection included.
        for visitor in [&bob, &ada] {
            let mut fresh = stage.ways.wire(way, visitor).await;
            assert_eq!(who(&mut fresh, visitor, "/page", "").await, "nobody", "{way:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_behind_one_connection_of_a_proxy_have_connections_of_their_own() {
    let stage = Stage::before(Recorder::answering(tied()).await, "", |plan| plan).await;
    let (ada, bob) = (
        stage.visitor(Way::Http1, "ada").await,
        stage.visitor(Way::Http1, "bob").await,
    );
    let mut shared = stage.ways.wire(Way::Http1, &ada).await;
    assert_eq!(
        who(&mut shared, &ada, "/page", "Authorization: NTLM ada\r\n").await,
        "ada"
    );
    assert_eq!(who(&mut shared, &bob, "/page", "").await, "nobody");
    assert_eq!(
        who(&mut shared, &bob, "/page", "Authorization: Negotiate x\r\n").await,
        "nobody"
    );
    assert_eq!(
        who(&mut shared, &ada, "/page", "").await,
        "nobody",
        "she was somebody else in between"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_with_private_connections_shares_none() {
    for settings in ["private_connections = true", ""] {
        for console in both(tied).await {
            let stage = Stage::before(console, settings, |plan| plan).await;
            for way in Way::ALL {
                let (ada, bob) = (stage.visitor(way, "ada").await, stage.visitor(way, "bob").await);
                let entered_and_found = async || {
                    assert_eq!(ada.get("/enter/ada").await.text(), "ada", "{way:?}");
                    bob.get("/page").await.text()
                };
                if settings.is_empty() {
                    // Nothing shows that this console ties: then connections are shared, as for any other, once they are
                    // back.
                    let shared = async || (entered_and_found().await == "ada").then_some(());
                    soon("a connection is shared", shared).await;
                    break;
                }
                assert_eq!(entered_and_found().await, "nobody", "{way:?}");
            }
        }
    }
}
