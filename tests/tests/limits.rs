//! What one address or one slow visitor can take, and that others do not notice.

use std::time::Duration;

use http::Request;
use stagedoor_tests::{Certificates, Door, Recorder, body_of, eventually, raw};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[path = "limits/answers.rs"]
mod answers;

const POLICY: &str = "[site.console.areas]\nall = { paths = [\"/**\"], open_to = \"everyone\" }\n";
/// Long enough for anything that does happen.
const SOON: Duration = Duration::from_secs(20);

async fn door_with(building: &str) -> (Door, Recorder) {
    let console = Recorder::start().await;
    let plan = Door::plan().site("console", &console.url()).policy(POLICY);
    (plan.building(building).open().await, console)
}

/// Everything that arrives until the other side closes.
async fn until_closed(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // Closed by a reset is closed as well.
    let _either = tokio::time::timeout(SOON, stream.read_to_end(&mut all))
        .await
        .expect("it is closed");
    String::from_utf8_lossy(&all).into_owned()
}

async fn counted(door: &Door, family: &str, label: &str) -> f64 {
    let metrics = door.admin().get("/metrics").await.text();
    let line = metrics
        .lines()
        .find(|line| line.starts_with(family) && line.contains(label));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_of_an_address_are_closed_and_others_are_not() {
    let (door, _console) = door_with("[limits]\nconnections_per_address_max = 3\n").await;
    let crowd = door.visitor("console").from("127.0.0.2");
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(crowd.connect().await);
    }
    eventually("the three are in", SOON, async || {
        (counted(&door, "stagedoor_connections_open", "").await >= 3.0).then_some(())
    })
    .await;
    let mut fourth = crowd.connect().await;
    assert_eq!(until_closed(&mut fourth).await, "");
    let refused = counted(
        &door,
        "stagedoor_connections_refused_total",
        "connections_per_address_max",
    )
    .await;
    assert!(refused >= 1.0, "{refused}");
    door.visitor("console").get("/").await.expect(200);
    drop(held);
    eventually("a place is free again", SOON, async || {
        let request = Request::get("/").body(body_of("")).expect("a request");
        crowd
            .try_open(request)
            .await
            .ok()
            .filter(|answer| answer.status() == 200)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_nothing_but_nonsense_is_turned_away_and_others_are_not() {
    let (door, console) = door_with("[limits]\nmalformed_per_minute_max = 5\n").await;
    let nonsense = door.visitor("console").from("127.0.0.2");
    // The count begins anew with each minute, and one may begin meanwhile.
    eventually("it is turned away", SOON, async || {
        let answer = raw::exchange_over(Box::new(nonsense.connect().await), "nonsense\r\n\r\n".to_owned()).await;
        assert!(answer.is_empty() || raw::status(&answer) == 400, "{answer}");
        answer.is_empty().then_some(())
    })
    .await;
    let refused = counted(&door, "stagedoor_connections_refused_total", "malformed_per_minute_max").await;
    assert!(refused >= 1.0, "{refused}");
    assert_eq!(console.bytes(), 0);
    door.visitor("console").get("/").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_drips_in_is_answered_408_however_often_it_drips() {
    let (door, console) = door_with("[limits]\nheader_deadline = \"1s\"\n").await;
    let mut stream = door.visitor("console").connect().await;
    let (mut from_door, mut to_door) = stream.split();
    let drip = async {
        for byte in b"GET / HTTP/1.1\r\nHost: console.localhost\r\nX: "
            .iter()
            .chain(std::iter::repeat(&b'x'))
        {
            if to_door.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let answer = tokio::select! {
        answer = until_closed(&mut from_door) => answer,
        () = drip => String::new(),
    };
    assert_eq!(raw::status(&answer), 408, "{answer}");
    assert!(answer.contains("header_too_slow"), "{answer}");
    assert_eq!(console.bytes(), 0);
    let counted_before = counted(&door, "stagedoor_connections_broken_total", "\"too_slow\"").await;
    let mut silent = door.visitor("console").connect().await;
    assert_eq!(until_closed(&mut silent).await, "");
    // The connection is closed a moment before it is counted.
    eventually("it is counted", SOON, async || {
        let now = counted(&door, "stagedoor_connections_broken_total", "\"too_slow\"").await;
        (now >= counted_before + 1.0).then_some(())
    })
    .await;
}

/// A door with TLS and these limits, and what its visitors trust.
async fn secured_door(console: &Recorder, limits: &str) -> (Door, Certificates, u16) {
    let plan = Door::plan().site("console", &console.url()).policy(POLICY).with_tls();
    let mut door = plan.building(limits).prepare();
    let certificates = Certificates::write(door.folder(), &["console.localhost"]);
    door.start().await;
    let https = door.https.expect("TLS");
    (door, certificates, https)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_stalls_makes_room_for_the_next_one() {
    let console = Recorder::start().await;
    let limits = "[limits]\nhandshake_deadline = \"1h\"\nhandshakes_in_flight_max = 1\n";
    let (door, certificates, https) = secured_door(&console, limits).await;
    let mut stalled = TcpStream::connect(("127.0.0.1", https)).await.expect("it listens");
    stalled.write_all(&[0x16, 3, 1]).await.expect("it is open");
    // One at a time may shake hands, and nobody waits for one who stalls.
    let visitor = stagedoor_tests::Visitor::new(([127, 0, 0, 1], https).into(), format!("console.localhost:{https}"));
    let visitor = visitor.over_tls(certificates.client(&["http/1.1"]));
    eventually("the next one comes in", SOON, async || {
        let request = Request::get("/").body(body_of("")).expect("a request");
        visitor
            .try_open(request)
            .await
            .ok()
            .filter(|answer| answer.status() == 200)
    })
    .await;
    assert_eq!(until_closed(&mut stalled).await, "");
    eventually("it is counted", SOON, async || {
        let displaced = counted(&door, "stagedoor_connections_broken_total", "tls_handshake_displaced").await;
        (displaced >= 1.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_stalls_is_ended_in_time() {
    let console = Recorder::start().await;
    let (door, _, https) = secured_door(&console, "[limits]\nhandshake_deadline = \"1s\"\n").await;
    let mut alone = TcpStream::connect(("127.0.0.1", https)).await.expect("it listens");
    assert_eq!(until_closed(&mut alone).await, "");
    eventually("it is counted", SOON, async || {
        let too_slow = counted(&door, "stagedoor_connections_broken_total", "tls_handshake_too_slow").await;
        (too_slow >= 1.0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_on_the_admin_port_keeps_nobody_out() {
    let (door, _console) = door_with("").await;
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(TcpStream::connect(door.admin_address()).await.expect("it listens"));
    }
    door.visitor("console").get("/").await.expect(200);
    // More than the port has places for are closed at once, and the others when their time is over.
    eventually("the admin API answers", SOON, async || {
        let request = format!(
            "GET /livez HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            door.admin_address()
        );
        let stream = TcpStream::connect(door.admin_address()).await.ok()?;
        let answer = raw::exchange_over(Box::new(stream), request).await;
        (raw::status(&answer) == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_passed_on_by_a_declared_proxy_count_once() {
    let (door, _console) =
        door_with("[limits]\nconnections_max = 6\n[proxies]\nproxy_protocol = [\"127.0.0.3\"]\n").await;
    let balancer = door.visitor("console").from("127.0.0.3");
    let ask = "PROXY TCP4 192.0.2.7 192.0.2.1 4000 80\r\nGET / HTTP/1.1\r\nHost: console.localhost\r\n\r\n";
    let mut held = Vec::new();
    for number in 0..5 {
        let mut stream = balancer.connect().await;
        stream.write_all(ask.as_bytes()).await.expect("it is open");
        let answer = raw::read_head(&mut stream).await;
        assert_eq!(raw::status(&answer), 200, "{number}: {answer}");
        held.push(stream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_proxy_announces_the_visitor_and_nobody_else_can() {
    let (door, _console) = door_with("[proxies]\nproxy_protocol = [\"127.0.0.3\"]\n").await;
    let ask = "GET /.stagedoor/whoami HTTP/1.1\r\nHost: console.localhost\r\nConnection: close\r\n\r\n";
    let exchange = async |from: &str, before: &[u8]| {
        let mut stream = door.visitor("console").from(from).connect().await;
        stream
            .write_all(&[before, ask.as_bytes()].concat())
            .await
            .expect("it is open");
        until_closed(&mut stream).await
    };
    let answer = exchange("127.0.0.3", b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 80\r\n").await;
    assert!(answer.contains("192.0.2.7"), "{answer}");
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x08\xc0\0\x02\x01\x0f\xa0\0\x50";
    let answer = exchange("127.0.0.3", v2).await;
    assert!(answer.contains("192.0.2.8"), "{answer}");
    // Demanded of the declared one, and no HTTP from anybody else.
    assert_eq!(exchange("127.0.0.3", b"").await, "");
    let answer = exchange("127.0.0.2", b"PROXY TCP4 192.0.2.7 192.0.2.1 4000 80\r\n").await;
    assert_eq!(raw::status(&answer), 400, "{answer}");
    let answer = exchange("127.0.0.2", b"").await;
    assert!(answer.contains("127.0.0.2") && !answer.contains("192.0.2"), "{answer}");
    assert!(counted(&door, "stagedoor_connections_broken_total", "proxy_header_malformed").await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_declared_proxy_cannot_name_reaches_no_console() {
    let (door, console) = door_with("[proxies]\nproxy_protocol = [\"127.0.0.3\"]\n").await;
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for ahead in [
        &b"PROXY UNKNOWN\r\n"[..],
        b"PROXY UNKNOWN 192.0.2.7 192.0.2.1 4000 80\r\n",
        local,
    ] {
        for path in ["/", "/.stagedoor/whoami", "/.stagedoor/login"] {
            let ask = format!("GET {path} HTTP/1.1\r\nHost: console.localhost\r\nAccept: application/json\r\n\r\n");
            let mut stream = door.visitor("console").from("127.0.0.3").connect().await;
            let bytes = [ahead, ask.as_bytes()].concat();
            stream.write_all(&bytes).await.expect("it is open");
            let answer = until_closed(&mut stream).await;
            assert_eq!(raw::status(&answer), 400, "{ahead:?} {path}: {answer}");
            assert!(answer.contains("address_unknown"), "{ahead:?} {path}: {answer}");
        }
        let visitor = door.visitor("console").from("127.0.0.3").over_http2_in_clear();
        visitor.behind_proxy(ahead).get("/").await.expect(400);
    }
    assert_eq!(console.bytes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_writes_nothing_into_the_operators_log() {
    let (door, _console) = door_with("").await;
    let mut http2 = door.visitor("console").connect().await;
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    // Acknowledgements of what was never sent, of which the library would complain with the visitor's own bytes.
    bytes.extend(b"\0\0\x08\x06\x01\0\0\0\0WRITTEN!".repeat(2000));
    let _until_it_is_closed = http2.write_all(&bytes).await;
    until_closed(&mut http2).await;
    let answer = raw::exchange_over(
        Box::new(door.visitor("console").connect().await),
        "WRITTEN! /\r\n\r\n".to_owned(),
    );
    assert_eq!(raw::status(&answer.await), 400);
    door.visitor("console").get("/").await.expect(200);
    let log = door.log();
    assert!(!log.contains("WRITTEN!") && !log.contains("WARN"), "{log}");
}
