//! The counter of WebSocket frames. Byte 1: how the rest, the stream, is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor::tunnel::frames::FrameCounter;

fuzz_target!(|input: &[u8]| {
    let Some((cut, stream)) = input.split_first() else {
        return;
    };
    let mut whole = FrameCounter::default();
    whole.count(stream);

    let mut pieces = FrameCounter::default();
    let mut ends = Vec::new();
    let mut passed = 0;
    for piece in stream.chunks(usize::from(*cut).max(1)) {
        pieces.count(piece);
        passed += piece.len();
        ends.push((passed, pieces.at_frame_end()));
    }
    assert_eq!(format!("{whole:?}"), format!("{pieces:?}"), "the cut mattered");
    let starts = frame_starts(stream);
    for (passed, at_end) in ends {
        assert_eq!(at_end, starts.contains(&passed), "after {passed} bytes");
    }
});

/// Read a second time, with the whole stream at hand: where each frame begins, and where the next one would.
fn frame_starts(stream: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut at = 0_u128;
    while let Some([_, second, rest @ ..]) = usize::try_from(at).ok().and_then(|at| stream.get(at..)) {
        let long: &[u8] = match second & 0x7f {
            126 => rest.get(..2).unwrap_or(&[]),
            127 => rest.get(..8).unwrap_or(&[]),
            _ => &[],
        };
        let wanted = [0, 2, 8][usize::from(second & 0x7f).saturating_sub(125)];
        if long.len() < wanted {
            break;
        }
        let payload = match wanted {
            0 => u128::from(second & 0x7f),
            _ => long.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte)),
        };
        at += 2 + wanted as u128 + if second & 0x80 == 0 { 0 } else { 4 } + payload;
        starts.extend(usize::try_from(at));
    }
    starts
}
