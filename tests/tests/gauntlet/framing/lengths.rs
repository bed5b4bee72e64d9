//! How long a body is said to be.

use super::{SMUGGLED, named, post};
use crate::case::{Ask, BAD_REQUEST, Case, Expected, body, both, each, without};
use crate::judge::run;
use crate::stage::Stage;

/// Lengths that are no plain number, or more than one.
pub(super) fn numbers() -> Vec<Case> {
    let mut cases = Vec::new();
    for value in each(
        "+5¦-5¦5,5¦5, 5¦5,6¦5, ¦,5¦0x5¦0X5¦5h¦05¦005¦0000000000000000000005¦5.0¦5.¦.5¦5e0¦1_0¦5 5¦5 6¦5;a¦5\t5¦\
        \"5\"¦'5'¦five¦¦\x20¦\t¦18446744073709551621¦99999999999999999999¦4294967301¦9223372036854775813¦5\u{b}¦\
        5\u{c}¦\u{b}5¦5\0¦\u{665}¦\u{ff15}¦5 chunked¦chunked¦5\r6¦+0¦-0¦-1¦00¦nan¦inf¦5%¦%35¦5L¦0b101¦0o5¦5*1¦\
        5\u{a0}¦\u{feff}5¦5\u{85}¦(5)¦[5]¦5:5¦5|5¦5&5¦5/1¦~5¦!5¦5!¦5-¦5+¦1e1¦^5",
    ) {
        let bytes = post(&format!("Content-Length: {value}\r\n"), &format!("abcde{SMUGGLED}"));
        cases.push(Case::bytes(
            format!("length {}", named(value)),
            "C01 CVE-2022-31394",
            bytes,
            Expected::Refused(&[400, 413]),
        ));
    }
    for (name, lines) in [
        ("twice, alike", "Content-Length: 5\r\nContent-Length: 5\r\n"),
        ("twice, differing", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        ("twice, differing letters", "Content-Length: 5\r\nCONTENT-LENGTH: 5\r\n"),
        ("twice, one empty", "Content-Length: 5\r\nContent-Length:\r\n"),
        ("twice, one of nothing", "Content-Length: 0\r\nContent-Length: 5\r\n"),
        (
            "thrice",
            "Content-Length: 5\r\nX: y\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
        ),
        ("a space before the colon", "Content-Length : 5\r\n"),
        ("a tab before the colon", "Content-Length\t: 5\r\n"),
        ("a space before the name", " Content-Length: 5\r\n"),
        ("folded", "Content-Length:\r\n 5\r\n"),
        ("folded behind a digit", "Content-Length: 1\r\n 5\r\n"),
        ("no colon", "Content-Length 5\r\n"),
        ("NUL behind the name", "Content-Length\0: 5\r\n"),
        ("CR behind the name", "Content-Length\r: 5\r\n"),
    ] {
        cases.push(Case::bytes(
            format!("length {name}"),
            "C01",
            post(lines, &format!("abcde{SMUGGLED}")),
            BAD_REQUEST,
        ));
    }
    for (name, lines) in [
        ("an underscore", "Content_Length: 5\r\n"),
        ("a dot", "Content.Length: 5\r\n"),
        ("both", "Content-Length: 0\r\nContent_Length: 5\r\n"),
    ] {
        // A header of another name to us, and the same to whoever folds it: it does not arrive.
        let bytes = format!("POST /public/x HTTP/1.1\r\n<HOST>{lines}\r\n");
        let safe = Expected::RefusedOr(&[400], both(without("content_length"), without("content.length")));
        cases.push(Case::bytes(format!("length with {name}"), "C06 B02", bytes, safe));
    }
    cases.push(Case::bytes(
        "plain",
        "C01",
        post("Content-Length: 5\r\n", "abcde"),
        Expected::Arrives(body("abcde")),
    ));
    cases.push(Case::bytes(
        "blanks around",
        "RFC 9110 5.5",
        post("Content-Length:  5\t \r\n", "abcde"),
        Expected::RefusedOr(&[400], body("abcde")),
    ));
    cases.push(Case::bytes(
        "nothing",
        "C01",
        post("Content-Length: 0\r\n", ""),
        Expected::Arrives(body("")),
    ));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_length_is_one_number_in_plain_digits() {
    run(&Stage::open().await, numbers()).await;
}

/// Lengths beside a coding, and bodies where nobody expects one.
pub(super) fn beside_codings() -> Vec<Case> {
    let mut cases = Vec::new();
    for (length, coding) in [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 0", "Transfer-Encoding: chunked"),
        ("Content-Length: 3", "Transfer-Encoding: identity"),
        ("content-length: 5", "transfer-encoding: chunked"),
        ("Content-Length: 5", "Transfer-Encoding: xchunked"),
        ("Content-Length: 5", "Transfer-Encoding:"),
        ("Content-Length: 5", "Transfer-Encoding: gzip, chunked"),
        ("Content-Length: 5\r\nContent-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 999999999999999999999", "Transfer-Encoding: chunked"),
        ("Content-Length: x", "Transfer-Encoding: chunked"),
        (
            "Content-Length: 5",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        ),
        ("Content-Length: 5", "Transfer-Encoding : chunked"),
        ("Content-Length: 5", "Transfer-Encoding:\tchunked"),
        ("Content-Length: 5", "Transfer-Encoding: \"chunked\""),
        ("Content-Length: 5", "Transfer-Encoding: CHUNKED"),
        ("Content-Length: 5", "Transfer-Encoding: chunked, chunked"),
    ] {
        for lines in [format!("{length}\r\n{coding}\r\n"), format!("{coding}\r\n{length}\r\n")] {
            for body in [
                format!("0\r\n\r\n{SMUGGLED}"),
                format!("5\r\nabcde\r\n0\r\n\r\n{SMUGGLED}"),
                format!("abcde{SMUGGLED}"),
            ] {
                let name = format!("{} with {}", named(&lines), named(&body));
                cases.push(Case::bytes(name, "C04 pingora#945", post(&lines, &body), BAD_REQUEST).then_end());
            }
        }
    }
    for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
        let bytes = format!(
            "{method} /public/x HTTP/1.1\r\n<HOST>Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"
        );
        cases.push(Case::bytes(
            format!("both with {method}"),
            "C04 TE.0",
            bytes,
            BAD_REQUEST,
        ));
        let bytes = format!("{method} /public/x HTTP/1.1\r\n<HOST>Transfer-Encoding: chunked\r\n\r\n{SMUGGLED}");
        cases.push(
            Case::bytes(
                format!("a coding without chunks, {method}"),
                "C04 TE.0",
                bytes,
                Expected::CutOff(&[400]),
            )
            .then_end(),
        );
        let bytes = format!(
            "{method} /public/x HTTP/1.1\r\n<HOST>Content-Length: {}\r\n\r\n{SMUGGLED}",
            SMUGGLED.len()
        );
        // Who reads no body of a GET takes it for the next request: it goes by a connection that nobody uses after.
        let safe = Expected::RefusedOr(&[400], body(SMUGGLED));
        cases.push(Case::bytes(format!("a body with {method}"), "C04 CL.0", bytes, safe));
        let ask = Ask::new(method, "/public/x").body(SMUGGLED);
        let safe = Expected::RefusedOr(&[400], body(SMUGGLED));
        cases.push(Case::ask(
            format!("a body with {method}, by every way"),
            "C04 CL.0",
            ask,
            safe,
        ));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_a_coding_is_refused_whichever_comes_first() {
    run(&Stage::open().await, beside_codings()).await;
}
