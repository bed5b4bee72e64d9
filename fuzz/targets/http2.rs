//! The watch over HTTP/2's frames, both ways. Byte 1: how the rest, the frames, is cut.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use stagedoor::wire::WireFault;
use stagedoor::wire::http2::Http2;
use stagedoor::wire::http2::bare::Outgoing;

/// What a visitor sends before its first frame (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Small, so that an input comes across it, in bytes.
const HEADER_BYTES_MAX: usize = 200;

fuzz_target!(|input: &[u8]| {
    let Some((cut, frames)) = input.split_first() else {
        return;
    };
    let bytes_at_once = usize::from(*cut).max(1);
    check_incoming(&[PREFACE, frames].concat(), bytes_at_once);
    assert_eq!(
        told_of_malformed(frames, usize::MAX),
        told_of_malformed(frames, bytes_at_once),
        "the cut mattered"
    );
    check_outgoing(frames, bytes_at_once);
});

fn check_incoming(sent: &[u8], bytes_at_once: usize) {
    let (whole, in_parts) = (follow(sent, sent.len()), follow(sent, bytes_at_once));
    match (whole, in_parts) {
        (Ok(whole), Ok(in_parts)) => {
            assert_eq!(whole, in_parts, "the cut mattered");
            let fragments = fragments(sent);
            assert!(
                fragments.is_none_or(|count| count == whole.0.len()),
                "{fragments:?} are not {}",
                whole.0.len()
            );
            for target in whole.0 {
                assert!(!target.is_empty() && !target.contains(['#', ' ']), "{target}");
            }
        }
        // A flood may be noticed before or after what is wrong with one of its frames.
        (Err(WireFault::Http2Flood), in_parts) => assert!(in_parts.is_err(), "the cut mattered"),
        (whole, Err(WireFault::Http2Flood)) => assert!(whole.is_err(), "the cut mattered"),
        (whole, in_parts) => assert_eq!(whole, in_parts, "the cut mattered"),
    }
}

/// The targets that the library changes, and whether a head has begun and is not over, where so many bytes come at once.
fn follow(sent: &[u8], bytes_at_once: usize) -> Result<(Vec<Box<str>>, bool), WireFault> {
    let now = Instant::now();
    let mut watch = Http2::new(now, HEADER_BYTES_MAX);
    let mut found = Vec::new();
    for bytes in sent.chunks(bytes_at_once) {
        watch.follow_incoming(bytes, || now)?;
        found.extend(watch.take_cut()?);
    }
    Ok((found, watch.is_mid_head()))
}

/// How many requests ask for a plain path with a fragment, read a second time: with the whole connection at hand, and blocks
/// by another implementation. The watch has taken all of it for well-formed; `None` where that one has not, for it
/// refuses a block that does nothing but resize the table.
fn fragments(sent: &[u8]) -> Option<usize> {
    let (mut decoder, mut block, mut found) = (loona_hpack::Decoder::new(), Vec::new(), 0);
    decoder.set_max_allowed_table_size(4096);
    let mut rest = &sent[PREFACE.len()..];
    while let Some(([high, middle, low, kind, flags, ..], behind)) = rest.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
        let Some((mut payload, next)) = behind.split_at_checked(length) else {
            break;
        };
        rest = next;
        if *kind == 1 {
            let padding = if flags & 0x08 == 0 {
                None
            } else {
                payload.split_off_first()
            };
            payload = &payload[if flags & 0x20 == 0 { 0 } else { 5 }..];
            payload = &payload[..payload.len() - usize::from(padding.copied().unwrap_or(0))];
        }
        if matches!(kind, 1 | 9) {
            block.extend_from_slice(payload);
            if flags & 0x04 != 0 {
                let fields = decoder.decode(&std::mem::take(&mut block)).ok()?;
                found += fields
                    .iter()
                    .filter(|(name, value)| **name == b":path"[..] && is_cut(value))
                    .count();
            }
        }
    }
    Some(found)
}

/// Whether the library cuts this target and takes what is left.
fn is_cut(target: &[u8]) -> bool {
    let made = http::uri::PathAndQuery::try_from(target);
    target.contains(&b'#') && made.is_ok_and(|made| made.as_str().as_bytes() != target)
}

/// How often a visitor that is sent this was told that it breaks the protocol.
fn told_of_malformed(sent: &[u8], bytes_at_once: usize) -> u32 {
    let mut watch = Http2::new(Instant::now(), HEADER_BYTES_MAX);
    sent.chunks(bytes_at_once)
        .for_each(|bytes| watch.follow_outgoing(bytes));
    watch.take_malformed()
}

/// Every byte goes out or becomes part of a reset of the same stream, and there is always one that does.
fn check_outgoing(written: &[u8], bytes_at_once: usize) {
    let mut watch = Http2::new(Instant::now(), HEADER_BYTES_MAX);
    for mut piece in written.chunks(bytes_at_once) {
        while !piece.is_empty() {
            let taken = match watch.look_at_outgoing(piece) {
                Outgoing::Passes(bytes) => bytes,
                Outgoing::Becomes(bytes, reset) => {
                    // A length of 4, RST_STREAM, no flags, the stream, PROTOCOL_ERROR.
                    assert_eq!((&reset[..5], &reset[9..]), (&[0, 0, 4, 3, 0][..], &[0, 0, 0, 1][..]));
                    assert_eq!(reset[5..9], piece[5..9], "another stream was reset");
                    assert!(piece[3] == 1 && (10..=11).contains(&bytes), "no bare refusal");
                    bytes
                }
            };
            assert!(0 < taken && taken <= piece.len(), "{taken} of {} bytes", piece.len());
            watch.follow_outgoing(&piece[..taken]);
            piece = &piece[taken..];
        }
    }
}
