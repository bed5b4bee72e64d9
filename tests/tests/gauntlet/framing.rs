//! C: where a request ends. The door and the console agree on it, or the console never hears of it.

use crate::case::{BAD_REQUEST, Case, Expected, anything, body, both, target, without};
use crate::judge::run;
use crate::stage::Stage;

/// What is smuggled behind a body: nobody may ask it.
const SMUGGLED: &str = "GET /admin/smuggled HTTP/1.1\r\nHost: a.localhost\r\n\r\n";

/// A POST with these lines and this body.
fn post(lines: &str, body: &str) -> String {
    format!("POST /public/x HTTP/1.1\r\nHOST{lines}\r\n{body}")
}

/// A chunked POST with this body.
fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

/// The name of a case, from what is odd in it.
fn named(what: &str) -> String {
    let text = format!("{what:?}");
    text.chars().take(90).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_length_is_one_number_in_plain_digits() {
    let mut cases = Vec::new();
    for value in [
        "+5",
        "-5",
        "5,5",
        "5, 5",
        "5,6",
        "5, ",
        ",5",
        "0x5",
        "0X5",
        "5h",
        "05",
        "005",
        "0000000000000000000005",
        "5.0",
        "5.",
        ".5",
        "5e0",
        "1_0",
        "5 5",
        "5 6",
        "5;a",
        "5\t5",
        "\"5\"",
        "'5'",
        "five",
        "",
        " ",
        "\t",
        "18446744073709551621",
        "99999999999999999999",
        "4294967301",
        "9223372036854775813",
        "5\u{b}",
        "5\u{c}",
        "\u{b}5",
        "5\0",
        "\u{665}",
        "\u{ff15}",
        "5 chunked",
        "chunked",
        "5\r6",
        "+0",
        "-0",
        "-1",
        "00",
        "nan",
        "inf",
        "5%",
        "%35",
        "5L",
        "0b101",
        "0o5",
        "5*1",
        "5\u{a0}",
        "\u{feff}5",
        "5\u{85}",
        "(5)",
        "[5]",
        "5:5",
        "5|5",
        "5&5",
        "5/1",
        "~5",
        "!5",
        "5!",
        "5-",
        "5+",
        "1e1",
        "^5",
    ] {
        let bytes = post(&format!("Content-Length: {value}\r\n"), &format!("abcde{SMUGGLED}"));
        cases.push(Case::bytes(
            format!("length {}", named(value)),
            "C01 CVE-2022-31394",
            bytes,
            BAD_REQUEST,
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
        let bytes = format!("POST /public/x HTTP/1.1\r\nHOST{lines}\r\n");
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
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_a_coding_is_refused_whichever_comes_first() {
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
            "{method} /public/x HTTP/1.1\r\nHOSTContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"
        );
        cases.push(Case::bytes(
            format!("both with {method}"),
            "C04 TE.0",
            bytes,
            BAD_REQUEST,
        ));
        let bytes = format!("{method} /public/x HTTP/1.1\r\nHOSTTransfer-Encoding: chunked\r\n\r\n{SMUGGLED}");
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
            "{method} /public/x HTTP/1.1\r\nHOSTContent-Length: {}\r\n\r\n{SMUGGLED}",
            SMUGGLED.len()
        );
        // A body where none is usual is still a body: it arrives as one, or the request does not.
        cases.push(Case::bytes(
            format!("a body with {method}"),
            "C04 CL.0",
            bytes,
            Expected::RefusedOr(&[400], body(SMUGGLED)),
        ));
    }
    run(&Stage::open().await, cases).await;
}

/// What is put before, behind and within the name and the value, to be taken for nothing by one reader and for something by
/// another.
const ODD: [&str; 26] = [
    " ", "\t", "\u{b}", "\u{c}", "\0", "\u{1}", "\u{8}", "\u{1f}", "\u{7f}", "\u{85}", "\u{a0}", "\r", "\n", "\"", "'",
    ",", ";", ":", "=", "/", "\\", "x", "_", "#", "\u{2028}", "\u{feff}",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_encoding_is_chunked_in_one_spelling_or_is_refused() {
    let smuggling = format!("0\r\n\r\n{SMUGGLED}");
    let mut cases = Vec::new();
    for odd in ODD {
        for line in [
            format!("Transfer-Encoding: {odd}chunked"),
            format!("Transfer-Encoding: chunked{odd}"),
            format!("Transfer-Encoding: chu{odd}nked"),
            format!("Transfer-Encoding:{odd}chunked"),
            format!("Transfer-Encoding: identity{odd}chunked"),
            format!("Transfer-Encoding: chunked{odd}identity"),
        ] {
            // Blanks around a value are nobody's business; nothing else is.
            let blank_around =
                [" ", "\t"].contains(&odd) && ["chu", "identity"].iter().all(|part| !line.contains(part));
            let safe = if blank_around {
                Expected::RefusedOr(&[400], both(body(""), anything()))
            } else {
                BAD_REQUEST
            };
            let bytes = post(
                &format!("{line}\r\n"),
                if blank_around { "0\r\n\r\n" } else { &smuggling },
            );
            cases.push(Case::bytes(named(&line), "C06 defparam/smuggler", bytes, safe).then_end_unless(blank_around));
        }
        for line in [
            format!("Transfer-Encoding{odd}: chunked"),
            format!("{odd}Transfer-Encoding: chunked"),
            format!("Transfer{odd}Encoding: chunked"),
            format!("X: y\r\n{odd}Transfer-Encoding: chunked"),
            format!("Transfer-Encoding{odd}chunked"),
            format!("Transfer-{odd}Encoding: chunked"),
        ] {
            let bytes = post(&format!("{line}\r\nContent-Length: 0\r\n"), "");
            // Where that makes a header of another name, it is one that nobody can take for the coding.
            let safe = Expected::RefusedOr(&[400], both(without("transfer_encoding"), not_the_coding()));
            cases.push(Case::bytes(named(&line), "C06 defparam/smuggler", bytes, safe).then_end_unless(false));
        }
    }
    for value in [
        "xchunked",
        "chunkedx",
        "identity",
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "identity, chunked",
        "chunked, identity",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked;q=1",
        "chunked;x",
        "\"chunked\"",
        "chunked \"",
        "compress, chunked",
        "deflate",
        "trailers",
        "cow",
        "",
        "none",
        "0",
        "chunked chunked",
        "chunked\r\n gzip",
        "chunked\r\n\tgzip",
        "\r\n chunked",
        "chun\r\n ked",
        "%63hunked",
        "\u{441}hunked",
        "chunked\u{0}",
        "CHUNKED, chunked",
        "c\u{ff48}unked",
        "chunked; foo=bar",
        "(chunked)",
        "chunked(comment)",
        "chunked, x",
        "br",
        "zstd, chunked",
        "chunked\\",
        "false, chunked",
    ] {
        let bytes = post(&format!("Transfer-Encoding: {value}\r\n"), &smuggling);
        cases.push(
            Case::bytes(
                format!("coding {}", named(value)),
                "C02 CVE-2026-2835",
                bytes,
                BAD_REQUEST,
            )
            .then_end(),
        );
    }
    for lines in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
        "Transfer-Encoding: chunked\r\ntransfer-encoding: x",
        "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nX: y\r\nTransfer-encoding: chunked",
        "transfer-encoding: gzip\r\nTRANSFER-ENCODING: chunked",
    ] {
        cases.push(
            Case::bytes(
                named(lines),
                "C02",
                post(&format!("{lines}\r\n"), &smuggling),
                BAD_REQUEST,
            )
            .then_end(),
        );
    }
    for version in ["HTTP/1.0", "HTTP/1.2", "HTTP/0.9", "HTTP/2.0"] {
        let bytes = format!("POST /public/x {version}\r\nHOSTTransfer-Encoding: chunked\r\n\r\n{smuggling}");
        let name = format!("a coding in {version}");
        cases.push(Case::bytes(name, "C02 CVE-2026-2835", bytes, Expected::Refused(&[400, 505])).then_end());
    }
    for value in ["chunked", "Chunked", "CHUNKED"] {
        let bytes = post(&format!("Transfer-Encoding: {value}\r\n"), "3\r\nabc\r\n0\r\n\r\n");
        let safe = if value == "chunked" {
            Expected::Arrives(body("abc"))
        } else {
            Expected::RefusedOr(&[400], body("abc"))
        };
        cases.push(Case::bytes(format!("coding {value}"), "RFC 9112 7", bytes, safe));
    }
    run(&Stage::open().await, cases).await;
}

/// Passes what has no header that folds to the coding's name.
fn not_the_coding() -> crate::case::Check {
    Box::new(|request| {
        let folds = |name: &str| {
            name.to_ascii_lowercase()
                .replace(|each: char| !each.is_ascii_alphanumeric(), "-")
                == "transfer-encoding"
        };
        let found = request.headers.iter().find(|(name, _)| folds(name));
        found.map_or(Ok(()), |(name, _)| Err(format!("`{name}` arrived")))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunk_that_two_readers_could_measure_differently_is_never_part_of_a_whole_request() {
    let cut_off = || Expected::CutOff(&[400]);
    let mut cases = Vec::new();
    for size in [
        "0x3",
        "0X3",
        "+3",
        "-3",
        "3 ",
        "3\t",
        " 3",
        "\t3",
        "3;",
        "3;ext",
        "3;a=b",
        "3; a=\"b\"",
        "3;\nxx",
        "3;a\rb",
        "3;\0",
        "3 ;a",
        "3\u{b}",
        "3\0",
        "3,3",
        "3.0",
        "3h",
        "g",
        "",
        " ",
        "3 3",
        "3x",
        "3\"",
        "'3'",
        "03 ",
        "3\u{a0}",
        "\u{ff13}",
        "3:3",
        "3#",
        "0003\r",
        "3\r",
        "ffffffffffffffff3",
        "10000000000000003",
        "100000000000000000000000000000003",
        "fffffffffffffffe",
        "-1",
        "1e1",
        "3_",
        "%33",
        "3\\",
        "3/",
        "3\u{85}",
        "\u{feff}3",
        "(3)",
        "3;a=\"\r\n\"",
        "3 HTTP/1.1",
    ] {
        let bytes = chunked(&format!("{size}\r\nabc\r\n0\r\n\r\n"));
        cases.push(Case::bytes(format!("size {}", named(size)), "C08 CVE-2025-55315", bytes, cut_off()).then_end());
        let bytes = chunked(&format!("3\r\nabc\r\n{}\r\n\r\n{SMUGGLED}", size.replace('3', "0")));
        cases.push(Case::bytes(format!("last size {}", named(size)), "C08", bytes, cut_off()).then_end());
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
        ("no end", "3\r\nabc\r\n"),
        ("no empty line at the end", "3\r\nabc\r\n0\r\n"),
        ("other bytes for the empty line", "3\r\nabc\r\n0\r\nXY"),
        ("no chunk", "\r\n"),
        ("no chunk at all", ""),
        ("text", "abc\r\n\r\n"),
        ("an end with an extension", "3\r\nabc\r\n0;a\r\n\r\n"),
        ("an end with a blank", "3\r\nabc\r\n0 \r\n\r\n"),
        ("a size that is not there", "3"),
        ("half an end", "3\r\nabc\r\n0\r"),
        ("a size without an end", "3\r"),
        ("an empty chunk in the middle of a line", "0\r\n\r3\r\nabc\r\n0\r\n\r\n"),
        ("a carriage return too many", "3\r\r\nabc\r\n0\r\n\r\n"),
        ("swapped", "3\n\rabc\n\r0\n\r\n\r"),
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
        cases.push(
            Case::bytes(
                format!("size {size}"),
                "C08",
                bytes,
                Expected::RefusedOr(&[400], body("abc")),
            )
            .then_end_unless(true),
        );
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_of_http1_reach_no_console() {
    let mut cases = Vec::new();
    for trailer in [
        "X-Stagedoor-User: mallory",
        "x_stagedoor_user: mallory",
        "Remote-User: mallory",
        "X-Forwarded-For: mallory",
        "Content-Length: 70",
        "Host: mallory",
        "Transfer-Encoding: chunked",
        "Cookie: stagedoor=mallory",
        "Authorization: mallory",
        "X-Harmless: mallory",
        "Connection: mallory",
        "Trailer: mallory",
    ] {
        let bytes = chunked(&format!("3\r\nabc\r\n0\r\n{trailer}\r\n\r\n"));
        let safe = Expected::AtMost(1, both(without("mallory"), body("abc")));
        cases.push(Case::bytes(named(trailer), "B20", bytes, safe).then_end());
    }
    for trailer in [
        "mallory",
        "X : mallory",
        " X: mallory",
        "X: a\0b",
        "X: a\rb",
        ": mallory",
        "X: a\nY: b",
        "X\0: mallory",
        "X: a\r\n b",
    ] {
        let bytes = chunked(&format!("3\r\nabc\r\n0\r\n{trailer}\r\n\r\n{SMUGGLED}"));
        let safe = Expected::AtMost(1, both(without("mallory"), body("abc")));
        cases.push(Case::bytes(named(trailer), "B20", bytes, safe).then_end());
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_ends_in_crlf_and_a_header_is_one_line() {
    let mut cases = Vec::new();
    for (name, bytes) in [
        (
            "line feeds alone",
            "GET /public/x HTTP/1.1\nHost: a.localhost\nConnection: close\n\n",
        ),
        (
            "a line feed behind the request line",
            "GET /public/x HTTP/1.1\nHOST\r\n",
        ),
        (
            "a line feed behind a header",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\nX-B: 2\r\n\r\n",
        ),
        (
            "a line feed for the empty line",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\n\n",
        ),
        (
            "a line feed at the very end",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\n\r\n",
        ),
        ("two line feeds at the end", "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\n\n"),
        (
            "carriage returns alone",
            "GET /public/x HTTP/1.1\rHost: a.localhost\rConnection: close\r\r",
        ),
        (
            "a carriage return in a value",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\rX-B: 2\r\n\r\n",
        ),
        ("a carriage return too many", "GET /public/x HTTP/1.1\r\r\nHOST\r\n"),
        (
            "a carriage return too many behind a header",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\r\n\r\n",
        ),
        (
            "a carriage return in the empty line",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\n\r\r\n",
        ),
        (
            "line feed and carriage return",
            "GET /public/x HTTP/1.1\n\rHost: a.localhost\n\r\n\r",
        ),
        ("an empty line first", "\r\nGET /public/x HTTP/1.1\r\nHOST\r\n"),
        (
            "ten empty lines first",
            "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET /public/x HTTP/1.1\r\nHOST\r\n",
        ),
        ("a line feed first", "\nGET /public/x HTTP/1.1\r\nHOST\r\n"),
        ("a carriage return first", "\rGET /public/x HTTP/1.1\r\nHOST\r\n"),
        ("a folded header", "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\n 2\r\n\r\n"),
        (
            "a header folded by a tab",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\n\t2\r\n\r\n",
        ),
        (
            "a header folded at once",
            "GET /public/x HTTP/1.1\r\nHOSTX-A:\r\n 1\r\n\r\n",
        ),
        (
            "a first header that is folded",
            "GET /public/x HTTP/1.1\r\n Host: a.localhost\r\nConnection: close\r\n\r\n",
        ),
        (
            "a first header behind a tab",
            "GET /public/x HTTP/1.1\r\n\tX-A: 1\r\nHOST\r\n",
        ),
        ("a folded blank", "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\n \r\n\r\n"),
        (
            "an identity in a folded line",
            "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\n X-Stagedoor-User: mallory\r\n\r\n",
        ),
        (
            "a space before a colon",
            "GET /public/x HTTP/1.1\r\nHOSTX-A : 1\r\n\r\n",
        ),
        ("a tab before a colon", "GET /public/x HTTP/1.1\r\nHOSTX-A\t: 1\r\n\r\n"),
        ("a space before a name", "GET /public/x HTTP/1.1\r\nHOST X-A: 1\r\n\r\n"),
        ("no name", "GET /public/x HTTP/1.1\r\nHOST: 1\r\n\r\n"),
        ("no colon", "GET /public/x HTTP/1.1\r\nHOSTX-A\r\n\r\n"),
        ("a name of two words", "GET /public/x HTTP/1.1\r\nHOSTX A: 1\r\n\r\n"),
        ("NUL in a value", "GET /public/x HTTP/1.1\r\nHOSTX-A: a\0b\r\n\r\n"),
        ("NUL in a name", "GET /public/x HTTP/1.1\r\nHOSTX\0A: 1\r\n\r\n"),
        ("a header in quotes", "GET /public/x HTTP/1.1\r\nHOST\"X-A\": 1\r\n\r\n"),
        (
            "a name in another script",
            "GET /public/x HTTP/1.1\r\nHOSTX-\u{e9}: 1\r\n\r\n",
        ),
        ("no end of the head", "GET /public/x HTTP/1.1\r\nHOSTX-A: 1\r\n"),
        ("half a head", "GET /public/x HTTP/1.1\r\nHost: a.loc"),
        ("half a request line", "GET /pub"),
        ("a handshake of TLS", "\u{16}\u{3}\u{1}\0\u{5}hello"),
        ("the preface of HTTP/2 and more", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
    ] {
        cases.push(Case::bytes(name, "C10 CVE-2023-25725", bytes, Expected::Refused(&[400, 408, 505])).then_end());
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_there_once_and_is_one() {
    let get = |hosts: &str| format!("GET /public/x HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
    let mut cases = Vec::new();
    for hosts in [
        "",
        "Host:\r\n",
        "Host: \r\n",
        "Host: a.localhost\r\nHost: a.localhost\r\n",
        "Host: a.localhost\r\nHost: b.localhost\r\n",
        "Host: a.localhost\r\nhost: a.localhost\r\n",
        "Host: a.localhost\r\nHost:\r\n",
        "Host : a.localhost\r\n",
        " Host: a.localhost\r\n",
        "Host_: a.localhost\r\n",
        "Host: a.localhost, b.localhost\r\n",
        "Host: a.localhost b.localhost\r\n",
        "Host: a.localhost/\r\n",
        "Host: a.localhost/public\r\n",
        "Host: a.localhost?x\r\n",
        "Host: a.localhost#x\r\n",
        "Host: http://a.localhost\r\n",
        "Host: user@a.localhost\r\n",
        "Host: b.localhost@a.localhost\r\n",
        "Host: a.localhost@b.localhost\r\n",
        "Host: a.localhost:\r\n",
        "Host: a.localhost:x\r\n",
        "Host: a.localhost:99999\r\n",
        "Host: a.localhost:80:80\r\n",
        "Host: a.localhost:-1\r\n",
        "Host: a.localhost:+80\r\n",
        "Host: a.localhost: 80\r\n",
        "Host: a.localhost:80@b.localhost\r\n",
        "Host: a.localhost\\b\r\n",
        "Host: a.localhost\0\r\n",
        "Host: a.localhost\t\u{b}\r\n",
        "Host: a..localhost\r\n",
        "Host: .a.localhost\r\n",
        "Host: %61.localhost\r\n",
        "Host: a%2elocalhost\r\n",
        "Host: a.localhost%00\r\n",
        "Host: \"a.localhost\"\r\n",
        "Host: [::1\r\n",
        "Host: ::1\r\n",
        "Host: [::1]x\r\n",
        "Host: [a.localhost]\r\n",
        "Host: a.localhost;x\r\n",
        "Host: a.local\r\n host\r\n",
        "Host: \u{ff41}.localhost\r\n",
        "Host: a.loc\u{131}lhost\r\n",
        "Host: c.localhost\r\n",
        "Host: 127.0.0.1\r\n",
        "Host: localhost\r\n",
        "Host: *\r\n",
        "Host: a.localhost.evil.example\r\n",
        "Host: a-localhost\r\n",
        "Host: aXlocalhost\r\n",
        "X-Forwarded-Host: a.localhost\r\n",
    ] {
        cases.push(Case::bytes(
            named(hosts),
            "A12 B12",
            get(hosts),
            Expected::Refused(&[400, 421]),
        ));
    }
    for hosts in [
        "Host: A.Localhost\r\n",
        "Host: a.localhost:8080\r\n",
        "Host: a.localhost.\r\n",
        "Host:a.localhost\r\n",
        "Host: a.localhost \t\r\n",
    ] {
        cases.push(Case::bytes(
            named(hosts),
            "B12",
            get(hosts),
            Expected::RefusedOr(&[400, 421], target("/public/x")),
        ));
    }
    run(&Stage::open().await, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_behind_a_request_is_the_next_one_or_nothing() {
    let clean = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a.localhost\r\nCOOKIE\r\n");
    let last = |path: &str| format!("GET {path} HTTP/1.1\r\nHOST\r\n");
    let public = || -> crate::case::Check {
        Box::new(|request| {
            let open = request.target.starts_with("/public/");
            if open {
                Ok(())
            } else {
                Err(format!("{} was not allowed", request.target))
            }
        })
    };
    let mut cases = vec![
        Case::bytes(
            "two that are allowed",
            "C24",
            [clean("/public/1"), last("/public/2")].concat(),
            Expected::AtMost(2, public()),
        ),
        Case::bytes(
            "one that is denied behind one that is allowed",
            "C24",
            [clean("/public/1"), last("/admin/2")].concat(),
            Expected::AtMost(1, public()),
        ),
        Case::bytes(
            "one that is allowed behind one that is denied",
            "C24",
            [clean("/admin/1"), last("/public/2")].concat(),
            Expected::AtMost(1, public()),
        ),
        Case::bytes(
            "ten",
            "C24",
            [clean("/public/1").repeat(9), last("/public/2")].concat(),
            Expected::AtMost(10, public()),
        ),
    ];
    for (name, hostile) in [
        ("nonsense", "nonsense\r\n\r\n".to_owned()),
        (
            "a request line with blanks",
            "GET  /admin HTTP/1.1\r\nHost: a.localhost\r\n\r\n".to_owned(),
        ),
        ("two lengths", post("Content-Length: 1\r\nContent-Length: 1\r\n", "a")),
        (
            "length and coding",
            post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ),
        ("line feeds", "GET /public/x HTTP/1.1\nHost: a.localhost\n\n".to_owned()),
        (
            "an absolute target elsewhere",
            "GET http://b.localhost/public/x HTTP/1.1\r\nHost: a.localhost\r\n\r\n".to_owned(),
        ),
        ("HTTP/0.9", "GET /public/x\r\n".to_owned()),
        ("a body nobody declared", SMUGGLED.to_owned()),
    ] {
        cases.push(
            Case::bytes(
                format!("{name} behind one that is allowed"),
                "C24",
                [clean("/public/1"), hostile.clone()].concat(),
                Expected::AtMost(1, public()),
            )
            .then_end(),
        );
        let posted = "POST /public/1 HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 3\r\n\r\nabc";
        cases.push(
            Case::bytes(
                format!("{name} behind a body"),
                "C24",
                format!("{posted}{hostile}"),
                Expected::AtMost(1, public()),
            )
            .then_end(),
        );
    }
    let upgrade = "GET /public/1 HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let pipelined = format!("{upgrade}{SMUGGLED}");
    cases.push(
        Case::bytes(
            "data behind an upgrade that is declined",
            "C12 CVE-2026-2833",
            pipelined,
            Expected::AtMost(1, public()),
        )
        .then_end(),
    );
    for line in [
        "Expect: 100-continue",
        "Expect: 200-ok",
        "Expect: 100-continue, x",
        "Expect:",
        "Expect : 100-continue",
        "Expect: 100-continue\r\nExpect: x",
    ] {
        let bytes = post(&format!("{line}\r\nContent-Length: 3\r\n"), "abc");
        cases.push(Case::bytes(
            line,
            "C22 Expect",
            bytes,
            Expected::RefusedOr(&[400, 417], body("abc")),
        ));
    }
    run(&Stage::open().await, cases).await;
}
