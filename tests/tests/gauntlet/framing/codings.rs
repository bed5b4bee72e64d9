//! How a body is said to be coded.

use super::{SMUGGLED, named, post};
use crate::case::{BAD_REQUEST, Case, Check, Expected, anything, body, both, each, without};
use crate::judge::run;
use crate::stage::Stage;

/// What is put before, behind and within the name and the value, to be taken for nothing by one reader and for something by
/// another.
const ODD: [&str; 26] = [
    " ", "\t", "\u{b}", "\u{c}", "\0", "\u{1}", "\u{8}", "\u{1f}", "\u{7f}", "\u{85}", "\u{a0}", "\r", "\n", "\"", "'",
    ",", ";", ":", "=", "/", "\\", "x", "_", "#", "\u{2028}", "\u{feff}",
];

/// Codings that some reader sees and another does not.
pub(super) fn codings() -> Vec<Case> {
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
            let blank_around = [" ", "\t"].contains(&odd) && line.contains("chunked") && !line.contains("identity");
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
            cases.push(Case::bytes(named(&line), "C06 defparam/smuggler", bytes, safe));
        }
    }
    for value in each(
        "xchunked¦chunkedx¦identity¦gzip¦gzip, chunked¦chunked, gzip¦identity, chunked¦chunked, identity¦\
        chunked, chunked¦chunked,¦,chunked¦chunked;q=1¦chunked;x¦\"chunked\"¦chunked \"¦compress, chunked¦\
        deflate¦trailers¦cow¦¦none¦0¦chunked chunked¦chunked\r\n gzip¦chunked\r\n\tgzip¦\r\n chunked¦\
        chun\r\n ked¦%63hunked¦\u{441}hunked¦chunked\u{0}¦CHUNKED, chunked¦c\u{ff48}unked¦chunked; foo=bar¦\
        (chunked)¦chunked(comment)¦chunked, x¦br¦zstd, chunked¦chunked\\¦false, chunked",
    ) {
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
        let bytes = format!("POST /public/x {version}\r\n<HOST>Transfer-Encoding: chunked\r\n\r\n{smuggling}");
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
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_encoding_is_chunked_in_one_spelling_or_is_refused() {
    run(&Stage::open().await, codings()).await;
}

/// Passes what has no header that folds to the coding's name.
fn not_the_coding() -> Check {
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
