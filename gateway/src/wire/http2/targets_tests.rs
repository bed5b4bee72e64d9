use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::wire::http2::Http2;

const BOTH_ENDS: u8 = END_HEADERS | 1;
/// `:method: GET`, `:path: /a#b` into the table.
const FAULTY: &[u8] = b"\x82\x44\x04/a#b";

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, stream];
    bytes.extend_from_slice(payload);
    bytes
}

/// What is found in these frames, sent so many bytes at once.
fn found(frames: &[Vec<u8>], bytes_at_once: usize) -> Result<Vec<Box<str>>, WireFault> {
    let now = Instant::now();
    let mut watch = Http2::new(now, 1024);
    let mut found = Vec::new();
    let sent = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frames.concat()].concat();
    for bytes in sent.chunks(bytes_at_once) {
        watch.follow_incoming(bytes, || now).unwrap();
        found.extend(watch.take_cut()?);
    }
    Ok(found)
}

fn cut_of(target: &str) -> Option<Box<str>> {
    cut(target.as_bytes())
}

#[test]
fn a_fragment_is_seen_however_the_block_is_sent() {
    for frames in [
        vec![frame(HEADERS, BOTH_ENDS, 1, FAULTY)],
        vec![
            frame(HEADERS, 0, 1, &FAULTY[..1]),
            frame(CONTINUATION, END_HEADERS, 1, &FAULTY[1..]),
        ],
        vec![
            frame(HEADERS, 1, 1, b""),
            frame(CONTINUATION, 0, 1, &FAULTY[..4]),
            frame(CONTINUATION, 0, 1, &FAULTY[4..]),
            frame(CONTINUATION, END_HEADERS, 1, b""),
        ],
        vec![frame(
            HEADERS,
            BOTH_ENDS | PADDED,
            1,
            &[b"\x03", FAULTY, b"\0\0\0"].concat(),
        )],
        vec![frame(
            HEADERS,
            BOTH_ENDS | PRIORITY,
            1,
            &[b"\x80\0\0\0\xff", FAULTY].concat(),
        )],
        vec![
            frame(
                HEADERS,
                PADDED | PRIORITY,
                1,
                &[b"\x02\0\0\0\x03\xff", &FAULTY[..2], b"##"].concat(),
            ),
            frame(CONTINUATION, END_HEADERS, 1, &FAULTY[2..]),
        ],
        vec![
            frame(4, 0, 0, b""),
            frame(HEADERS, END_HEADERS, 1, FAULTY),
            frame(0, 1, 1, FAULTY),
        ],
    ] {
        for bytes_at_once in [1, 2, 3, 7, 1000] {
            assert_eq!(found(&frames, bytes_at_once), Ok(vec!["/a".into()]), "{frames:02x?}");
        }
    }
}

#[test]
fn a_fragment_is_seen_in_a_path_of_an_earlier_request() {
    let frames = [
        frame(HEADERS, BOTH_ENDS, 1, FAULTY),
        frame(HEADERS, BOTH_ENDS, 3, b"\x82\x84"),
        frame(HEADERS, BOTH_ENDS, 5, b"\x82\xbe"),
    ];
    assert_eq!(found(&frames, 5), Ok(vec!["/a".into(), "/a".into()]));
}

#[test]
fn an_ordinary_path_is_not_remembered() {
    for path in ["/", "/a?b=%23", "/a?b\"", "/caf\u{e9}"] {
        let block = [b"\x82\x44", &[u8::try_from(path.len()).unwrap()][..], path.as_bytes()].concat();
        assert_eq!(
            found(&[frame(HEADERS, BOTH_ENDS, 1, &block)], 9),
            Ok(Vec::new()),
            "{path}"
        );
    }
}

#[test]
fn frames_that_hide_a_block_end_the_connection() {
    let whole = || frame(HEADERS, BOTH_ENDS, 1, FAULTY);
    for frames in [
        vec![frame(CONTINUATION, END_HEADERS, 1, FAULTY)],
        vec![frame(HEADERS, 0, 1, FAULTY), frame(CONTINUATION, END_HEADERS, 3, b"")],
        vec![frame(HEADERS, 0, 1, FAULTY), frame(0, 0, 1, b"x")],
        vec![frame(HEADERS, 0, 1, FAULTY), frame(3, 0, 1, &[0; 4])],
        vec![frame(HEADERS, 0, 1, FAULTY), frame(7, 0, 0, &[0; 9])],
        vec![frame(HEADERS, 0, 1, FAULTY), frame(4, 1, 0, b"")],
        vec![frame(HEADERS, 0, 1, FAULTY), whole()],
        vec![whole(), frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x02\x82")],
        vec![frame(HEADERS, BOTH_ENDS | PADDED, 1, b"")],
        vec![frame(HEADERS, BOTH_ENDS | PADDED, 1, b"\x02\x82")],
        vec![frame(HEADERS, BOTH_ENDS | PRIORITY, 1, b"\0\0\0\x03")],
        vec![frame(
            HEADERS,
            BOTH_ENDS | PRIORITY,
            1,
            &[b"\0\0\0\x01\xff", FAULTY].concat(),
        )],
        vec![frame(HEADERS, BOTH_ENDS, 1, b"\xbe")],
        vec![frame(HEADERS, BOTH_ENDS, 1, &FAULTY[..5])],
    ] {
        for bytes_at_once in [1, 1000] {
            assert_eq!(
                found(&frames, bytes_at_once),
                Err(WireFault::Http2Connection),
                "{frames:02x?}"
            );
        }
        // What is wrong is only known once the library has all of it, too.
        let mut cut_short = frames.concat();
        cut_short.pop();
        assert!(found(&[cut_short], 1000).is_ok(), "{frames:02x?}");
    }
    let endless: Vec<_> = std::iter::once(frame(HEADERS, 0, 1, &[0x82; 100]))
        .chain(std::iter::repeat_n(frame(CONTINUATION, 0, 1, &[0x82; 100]), 40))
        .collect();
    assert_eq!(found(&endless, 100), Err(WireFault::HeadTooLarge));
    assert!(found(&endless[..40], 100).is_ok());
}

#[test]
fn a_cut_target_is_what_the_library_makes_of_it() {
    assert_eq!(cut_of("/a#b").as_deref(), Some("/a"));
    assert_eq!(cut_of("/a?b#c#d").as_deref(), Some("/a?b"));
    assert_eq!(cut_of("#/a").as_deref(), Some("/"));
    assert_eq!(cut_of("?#/a").as_deref(), Some("?"));
    // What it resets needs no remembering, and neither does what it leaves.
    for target in ["", "a#b", "*#", "/a b#", "/\u{1}#", "/a\"", "/a"] {
        assert_eq!(cut_of(target), None, "{target}");
    }
}

#[test]
fn a_cut_target_refuses_one_request_and_few_are_remembered() {
    let turn = CutTargets::default();
    assert!(!turn.take(b"/a"));
    turn.remember(vec!["/a".into(), "/b".into(), "/a".into()]).unwrap();
    assert!(turn.take(b"/a") && turn.take(b"/a") && !turn.take(b"/a"));
    assert!(turn.take(b"/b") && !turn.take(b"/b"));
    turn.remember(vec!["/a".into(); CUT_TARGETS_MAX]).unwrap();
    turn.remember(Vec::new()).unwrap();
    assert_eq!(turn.remember(vec!["/a".into()]), Err(WireFault::Http2Connection));
}

proptest! {
    #[test]
    fn what_needs_no_remembering_the_library_does_not_change(target in "/[ -~\u{e9}\u{0}\t]{0,20}") {
        if let Ok(made) = PathAndQuery::try_from(target.as_bytes()) {
            let sent = made.as_str() == target;
            prop_assert_eq!(cut_of(&target).is_none(), sent);
            prop_assert!(sent || check_target_bytes(target.as_bytes()).is_err());
        }
    }

    #[test]
    fn no_frames_bring_it_down(
        frames in proptest::collection::vec(
            (
                prop_oneof![Just(HEADERS), Just(CONTINUATION), 0..10_u8], any::<u8>(), 0..4_u8,
                proptest::collection::vec(any::<u8>(), 0..40),
            ),
            0..12,
        ),
        bytes_at_once in 1..50_usize,
    ) {
        let frames: Vec<_> = frames.iter()
            .map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload))
            .collect();
        let in_parts = found(&frames, bytes_at_once);
        prop_assert_eq!(in_parts, found(&frames, 4096));
    }
}
