//! The chunks of a body, and what comes behind them.

use super::{SMUGGLED, chunked, named};
use crate::case::{Case, Expected, body, both, each, without};
use crate::judge::run;
use crate::stage::Stage;

/// Chunks and their sizes.
pub(super) fn chunks() -> Vec<Case> {
    // A size beyond all measure may as well be refused for being too large.
    let cut_off = || Expected::CutOff(&[400, 413]);
    let mut cases = Vec::new();
    for size in each(
        "0x3¦0X3¦+3¦-3¦3 ¦3\t¦\x203¦\t3¦3;¦3;ext¦3;a=b¦3; a=\"b\"¦3;\nxx¦3;a\rb¦3;\0¦3 ;a¦3\u{b}¦3\0¦3,3¦3.0¦3h¦\
        g¦¦\x20¦3 3¦3x¦3\"¦'3'¦03 ¦3\u{a0}¦\u{ff13}¦3:3¦3#¦0003\r¦3\r¦ffffffffffffffff3¦10000000000000003¦\
        100000000000000000000000000000003¦fffffffffffffffe¦-1¦3_¦%33¦3\\¦3/¦3\u{85}¦\u{feff}3¦(3)¦\
        3;a=\"\r\n\"¦3 HTTP/1.1",
    ) {
        let bytes = chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n"));
        cases.push(Case::bytes(
            format!("size {}", named(size)),
            "C08 CVE-2025-55315",
            bytes,
            cut_off(),
        ));
        let bytes = chunked(&format!("3\r\nabc\r\n{}\r\n\r\n{SMUGGLED}", size.replace('3', "0")));
        cases.push(Case::bytes(
            format!("last size {}", named(size)),
            "C08",
            bytes,
            cut_off(),
        ));
    }
    for (name, body) in [
        ("a line feed alone behind the size", "3\nabc\r\n0\r\n\r\n"),
        ("a line feed alone behind the data", "3\r\nabc\n0\r\n\r\n"),
        ("a carriage return alone behind the size", "3\rabc\r\n0\r\n\r\n"),
        ("a carriage return alone behind the data", "3\r\nabc\r0\r\n\r\n"),
        ("nothing behind the data", "3\r\nabc0\r\n\r\n"),
        ("two more bytes of data", "3\r\nabcde\r\n0\r\n\r\n"),
        ("a byte too few", "3\r\nab\r\n0\r\n\r\n"),
        ("two other bytes behind the data", "3\r\nabcXY0\r\n\r\n"),
        ("an empty line too many", "3\r\nabc\r\n\r\n0\r\n\r\n"),
        ("line feeds at the end", "3\r\nabc\r\n0\n\n"),
        ("a line feed alone at the very end", "3\r\nabc\r\n0\r\n\n"),
        ("no chunk", "\r\n"),
        ("text", "xyz\r\n\r\n"),
        ("an end with an extension", "3\r\nabc\r\n0;a\r\n\r\n"),
        ("an end with a blank", "3\r\nabc\r\n0 \r\n\r\n"),
        ("an empty chunk in the middle of a line", "0\r\n\r3\r\nabc\r\n0\r\n\r\n"),
        ("a carriage return too many", "3\r\r\nabc\r\n0\r\n\r\n"),
        ("swapped", "3\n\rabc\n\r0\n\r\n\r"),
    ] {
        cases.push(Case::bytes(name, "C08", chunked(body), cut_off()));
    }
    for (name, body) in [
        ("no end", "3\r\nabc\r\n"),
        ("no empty line at the end", "3\r\nabc\r\n0\r\n"),
        ("other bytes for the empty line", "3\r\nabc\r\n0\r\nXY"),
        ("no chunk at all", ""),
        ("a size that is not there", "3"),
        ("half an end", "3\r\nabc\r\n0\r"),
        ("a size without an end", "3\r"),
        ("more bytes promised than come", "1e1\r\nabc"),
    ] {
        cases.push(Case::bytes(name, "C08", chunked(body), cut_off()).then_end());
    }
    for (name, wanted, bytes) in [
        ("plain", "abc", "3\r\nabc\r\n0\r\n\r\n"),
        ("upper case", "abcdefghij", "A\r\nabcdefghij\r\n0\r\n\r\n"),
        ("nothing", "", "0\r\n\r\n"),
        ("one byte each", "abc", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"),
    ] {
        cases.push(Case::bytes(
            name,
            "RFC 9112 7.1",
            chunked(bytes),
            Expected::Arrives(body(wanted)),
        ));
    }
    for size in ["03", "0003", "0000000000000003"] {
        let bytes = chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n"));
        cases.push(Case::bytes(
            format!("size {size}"),
            "C08",
            bytes,
            Expected::RefusedOr(&[400], body("abc")),
        ));
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_two_readers_could_measure_differently_is_never_part_of_a_whole_request() {
    run(&Stage::open().await, chunks()).await;
}

/// What may stand behind the last chunk.
pub(super) fn trailers() -> Vec<Case> {
    let mut cases = Vec::new();
    for trailer in each(
        "X-Stagedoor-User: mallory¦x_stagedoor_user: mallory¦Remote-User: mallory¦X-Forwarded-For: mallory¦\
        Content-Length: 70¦Host: mallory¦Transfer-Encoding: chunked¦Cookie: stagedoor=mallory¦\
        Authorization: mallory¦X-Harmless: mallory¦Connection: mallory¦Trailer: mallory",
    ) {
        let bytes = chunked(&format!("3\r\nabc\r\n0\r\n{trailer}\r\n\r\n"));
        let safe = Expected::AtMost(1, both(without("mallory"), body("abc")));
        cases.push(Case::bytes(named(trailer), "B20", bytes, safe).then_end());
    }
    for trailer in
        each("mallory¦X : mallory¦\x20X: mallory¦X: a\0b¦X: a\rb¦: mallory¦X: a\nY: b¦X\0: mallory¦X: a\r\n b")
    {
        let bytes = chunked(&format!("3\r\nabc\r\n0\r\n{trailer}\r\n\r\n{SMUGGLED}"));
        let safe = Expected::AtMost(1, both(without("mallory"), body("abc")));
        cases.push(Case::bytes(named(trailer), "B20", bytes, safe).then_end());
    }
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_of_http1_reach_no_console() {
    run(&Stage::open().await, trailers()).await;
}
