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
