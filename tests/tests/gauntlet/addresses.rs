//! B10: from where a request comes. A declared proxy is believed as far as its text has one reading.

use crate::case::{Ask, BAD_REQUEST, Case, DENIED, Expected, Who, each, once};
use crate::judge::run;
use crate::stage::Stage;

/// The one proxy that is declared; alice may not come in from its own address.
const PROXY: &str = "127.0.2.9";
const DECLARED: &str = "[proxies]\ntrusted = [\"127.0.2.9\", \"10.9.0.0/16\"]\n";

fn forwarded(lines: &[&str], source: &'static str, expected: Expected) -> Case {
    let ask = lines
        .iter()
        .fold(Ask::get("/admin/users"), |ask, line| ask.with("X-Forwarded-For", line));
    Case::ask(format!("X-Forwarded-For {lines:?}"), source, ask, expected)
        .by(Who::Alice)
        .from(PROXY)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_proxy_is_believed_where_its_words_have_one_reading() {
    let mut cases = Vec::new();
    for (lines, address) in [
        (&["127.0.0.5"][..], "127.0.0.5"),
        (&["10.1.1.1, 127.0.0.5"], "127.0.0.5"),
        (&["10.1.1.1", "127.0.0.5"], "127.0.0.5"),
        (&["127.0.0.5, 10.9.1.1"], "127.0.0.5"),
        (&["::ffff:127.0.0.5"], "127.0.0.5"),
        (&["::ffff:7f00:5"], "127.0.0.5"),
        (&["127.0.0.5:4711"], "127.0.0.5"),
    ] {
        cases.push(forwarded(
            lines,
            "B10 GHSA-7jmw-8259-q9jx",
            Expected::Arrives(once("x-forwarded-for", address)),
        ));
    }
    for lines in [
        &["127.0.0.5, 10.1.1.1"][..],
        &["127.0.0.5", "10.1.1.1"],
        &["10.1.1.1"],
        &["::1"],
        &["2001:db8::1"],
        &["::ffff:10.0.0.1"],
        &["127.0.1.5"],
        &["127.0.0.5, 127.0.2.8"],
    ] {
        cases.push(forwarded(lines, "B10", DENIED));
    }
    for text in each(
        "0127.0.0.5¦127.0.0.05¦0x7f.0.0.5¦127.0.5¦127.5¦2130706437¦127.0.0.256¦127.0.0.-1¦fe80::1%eth0¦127.0.0.5%lo¦[::1¦::1]¦\
        [127.0.0.5]¦127.0.0.5:x¦127.0.0.5:99999¦:::1¦1::2::3¦::ffff:127.0.0.5.6¦localhost¦unknown¦_hidden¦for=127.0.0.5¦\"127.0.0.5\"¦\
        127.0.0.5 127.0.0.6¦127.0.0.5;127.0.0.6¦127.0.0.5\t127.0.0.6¦,¦,,¦127.0.0.5,,¦127.0.0.5/32¦127.0.0.5/24¦http://127.0.0.5¦\
        127。0。0。5¦127.0.0.5\u{a0}¦-¦*¦::ffff:0x7f.0.0.5¦127.0.0.5@10.1.1.1",
    ) {
        // Nothing the proxy says of who is behind it can be believed where its last word cannot be read.
        cases.push(forwarded(&[text], "B10", Expected::Refused(&[400, 403])));
    }
    // Who stands behind it is not said at all.
    cases.push(forwarded(&[], "B10", Expected::Refused(&[400, 401, 403])));
    let endless = "10.9.1.1, ".repeat(5_000) + "127.0.0.5";
    cases.push(forwarded(&[&endless], "B10", BAD_REQUEST));
    run(&Stage::with(DECLARED).await, cases).await;
}

/// The one peer that speaks the PROXY protocol, and has to.
const SPEAKER: &str = "127.0.4.9";
const SPEAKS: &str = "[proxies]\nproxy_protocol = [\"127.0.4.9\"]\n[limits]\nhandshake_deadline = \"2s\"\n";
/// What a header of version 2 begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn behind(name: &str, ahead: impl AsRef<[u8]>, expected: Expected) -> Case {
    let ask = Ask::get("/admin/users").with("X-Forwarded-For", "127.0.0.99");
    Case::ask(name, "B10 PROXY", ask, expected)
        .by(Who::Alice)
        .from(SPEAKER)
        .behind_proxy(ahead)
}

/// A header of version 2.
fn version2(command: u8, family: u8, length: u16, payload: &[u8]) -> Vec<u8> {
    [SIGNATURE, &[command, family], &length.to_be_bytes(), payload].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_protocol_is_demanded_of_who_speaks_it_and_taken_from_nobody_else() {
    let inside = || Expected::Arrives(once("x-forwarded-for", "127.0.0.5"));
    let port = [0x12, 0x34, 0, 80];
    let v4 = |client: [u8; 4]| [&client[..], &[127, 0, 0, 1], &port].concat();
    let mapped = [&[0; 10][..], &[0xff, 0xff, 127, 0, 0, 5]].concat();
    let v6 = [&mapped[..], &mapped, &port].concat();
    let mut cases = vec![
        behind("version 1", "PROXY TCP4 127.0.0.5 127.0.0.1 4711 80\r\n", inside()),
        behind("version 2", version2(0x21, 0x11, 12, &v4([127, 0, 0, 5])), inside()),
        behind("version 2, IPv4 in IPv6", version2(0x21, 0x21, 36, &v6), inside()),
        behind(
            "version 2 with more",
            version2(0x21, 0x11, 16, &[&v4([127, 0, 0, 5])[..], &[4, 0, 1, 0]].concat()),
            inside(),
        ),
        behind(
            "version 1 from elsewhere",
            "PROXY TCP4 10.1.1.1 127.0.0.1 4711 80\r\n",
            DENIED,
        ),
        behind("version 1, IPv6", "PROXY TCP6 2001:db8::5 ::1 4711 80\r\n", DENIED),
        behind(
            "version 2 from elsewhere",
            version2(0x21, 0x11, 12, &v4([10, 1, 1, 1])),
            DENIED,
        ),
        behind("nothing", "", Expected::Ended),
        behind(
            "version 3",
            version2(0x31, 0x11, 12, &v4([127, 0, 0, 5])),
            Expected::Ended,
        ),
        behind(
            "an unknown command",
            version2(0x22, 0x11, 12, &v4([127, 0, 0, 5])),
            Expected::Ended,
        ),
        behind(
            "version 2, too short for its family",
            version2(0x21, 0x11, 8, &[127, 0, 0, 5, 127, 0, 0, 1]),
            Expected::Ended,
        ),
        behind(
            "version 2, an unknown family",
            version2(0x21, 0x41, 12, &v4([127, 0, 0, 5])),
            Expected::Ended,
        ),
        behind("version 2 for nobody", version2(0x20, 0, 0, &[]), BAD_REQUEST),
    ];
    for line in each(
        "PROXY TCP4 127.0.0.5 127.0.0.1 4711 80\n¦proxy tcp4 127.0.0.5 127.0.0.1 4711 80\r\n¦PROXY TCP4 127.0.0.5 127.0.0.1 4711\r\n¦\
        PROXY  TCP4 127.0.0.5 127.0.0.1 4711 80\r\n¦PROXY TCP4 127.0.0.5 127.0.0.1 4711 80 x\r\n¦PROXY TCP4 127.0.0.05 127.0.0.1 4711 80\r\n¦\
        PROXY TCP4 ::1 ::1 4711 80\r\n¦PROXY TCP6 127.0.0.5 127.0.0.1 4711 80\r\n¦PROXY TCP5 127.0.0.5 127.0.0.1 4711 80\r\n¦\
        PROXY TCP4 127.0.0.5 127.0.0.1 4711 99999\r\n¦PROXY TCP4 127.0.0.5 127.0.0.1 -1 80\r\n¦PROXY TCP4 127.0.0.5 127.0.0.1 4711 80\r\r\n¦\
        PROXY TCP4 0x7f.0.0.5 127.0.0.1 4711 80\r\n¦PROXY TCP4 localhost 127.0.0.1 4711 80\r\n¦PROXY TCP4 127.0.0.5,127.0.0.6 127.0.0.1 1 80\r\n¦\
        PROXY\r\n¦PROXY \r\n¦PROXYTCP4 127.0.0.5 127.0.0.1 4711 80\r\n¦\x20PROXY TCP4 127.0.0.5 127.0.0.1 4711 80\r\n",
    ) {
        cases.push(behind(&format!("{line:?}"), line, Expected::Ended));
    }
    cases.push(behind(
        "a line of 200 bytes",
        format!("PROXY TCP4 {}\r\n", "1".repeat(190)),
        Expected::Ended,
    ));
    cases.push(behind(
        "two headers",
        "PROXY TCP4 127.0.0.5 127.0.0.1 4711 80\r\n".repeat(2),
        Expected::Ended,
    ));
    for ahead in ["PROXY TCP4 127.0.0.5 127.0.0.1 4711 80\r\n", "PROXY UNKNOWN\r\n"] {
        let ask = Ask::get("/admin/users");
        let case = Case::ask(format!("an undeclared {ahead:?}"), "B10 PROXY", ask, Expected::Ended);
        cases.push(case.by(Who::Alice).from("127.0.4.8").behind_proxy(ahead));
    }
    run(&Stage::with(SPEAKS).await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_believed_whatever_he_says() {
    let mut cases = Vec::new();
    for from in ["127.0.2.8", "127.0.2.10", "127.0.3.9"] {
        for text in each("127.0.0.5¦127.0.2.9¦127.0.0.5, 127.0.2.9¦::1¦nonsense¦¦127.0.0.5,,") {
            let ask = Ask::get("/admin/users").with("X-Forwarded-For", text);
            cases.push(
                Case::ask(format!("{from} says {text:?}"), "B06", ask, DENIED)
                    .by(Who::Alice)
                    .from(from),
            );
        }
    }
    run(&Stage::with(DECLARED).await, cases).await;
}
