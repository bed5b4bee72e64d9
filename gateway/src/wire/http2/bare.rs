//! Pingora answers some malformed HTTP/2 requests itself, with a status and nothing else: none of our headers, no support code.
//! To a malformed request a reset of its stream is as good an answer (RFC 9113, section 8.1.1), so that is what becomes of it.

use super::{END_HEADERS, Frames, HEAD_BYTES, HEADERS, PROTOCOL_ERROR, RST_STREAM};

const END_STREAM: u8 = 1;
/// `:status: 400`, the static table's entry 12 (RFC 7541, appendix A).
const STATUS_400: u8 = 0x8c;
/// Resizes the dynamic table to nothing, which may stand before it.
const TABLE_EMPTIED: u8 = 0x20;

/// What is to be done with the beginning of what is written.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// So many bytes pass as they are.
    Passes(usize),
    /// So many bytes are a bare refusal; this is written instead.
    Becomes(usize, [u8; HEAD_BYTES + 4]),
}

/// Looks for a bare refusal, from wherever in a frame the last bytes ended.
pub fn look(frames: &Frames, bytes: &[u8]) -> Outgoing {
    let all = Outgoing::Passes(bytes.len());
    let Some(mut place) = frames.next_frame_in() else {
        return all;
    };
    while let Some([l0, l1, l2, kind, flags, id @ ..]) =
        bytes.get(place..).and_then(|rest| rest.first_chunk::<HEAD_BYTES>())
    {
        let length = usize::try_from(u32::from_be_bytes([0, *l0, *l1, *l2])).unwrap_or(usize::MAX);
        let end = place.saturating_add(HEAD_BYTES).saturating_add(length);
        let payload = bytes.get(place + HEAD_BYTES..end);
        let ends = *flags & (END_HEADERS | END_STREAM) == END_HEADERS | END_STREAM;
        if *kind == HEADERS && ends && matches!(payload, Some([STATUS_400] | [TABLE_EMPTIED, STATUS_400])) {
            return if place == 0 {
                Outgoing::Becomes(end, reset(*id))
            } else {
                Outgoing::Passes(place)
            };
        }
        place = end;
    }
    all
}

fn reset([a, b, c, d]: [u8; 4]) -> [u8; HEAD_BYTES + 4] {
    let [e, f, g, h] = PROTOCOL_ERROR.to_be_bytes();
    [0, 0, 4, RST_STREAM, 0, a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &[u8] = &[0, 0, 1, HEADERS, 5, 0, 0, 0, 3, STATUS_400];
    const OURS: &[u8] = &[0, 0, 3, HEADERS, 5, 0, 0, 0, 3, STATUS_400, 0x88, 0x89];

    #[test]
    fn a_bare_refusal_becomes_a_reset_of_its_stream_and_nothing_else_does() {
        let frames = Frames::default();
        let becomes = Outgoing::Becomes(10, [0, 0, 4, RST_STREAM, 0, 0, 0, 0, 3, 0, 0, 0, 1]);
        assert_eq!(look(&frames, &[BARE, OURS].concat()), becomes);
        let emptied = [&[0, 0, 2][..], &BARE[3..9], &[TABLE_EMPTIED, STATUS_400]].concat();
        assert!(matches!(look(&frames, &emptied), Outgoing::Becomes(11, _)));
        assert_eq!(look(&frames, &[OURS, BARE].concat()), Outgoing::Passes(OURS.len()));
        assert_eq!(look(&frames, OURS), Outgoing::Passes(OURS.len()));
        assert_eq!(look(&frames, &BARE[..9]), Outgoing::Passes(9));
        assert_eq!(look(&frames, b""), Outgoing::Passes(0));
    }

    #[test]
    fn in_the_middle_of_a_frame_nothing_is_taken_for_one() {
        let mut frames = Frames::default();
        frames.follow(&[0, 0, 10, 0, 0, 0, 0, 0, 3], |_| ());
        assert_eq!(look(&frames, BARE), Outgoing::Passes(BARE.len()));
        assert_eq!(look(&frames, &[BARE, BARE].concat()), Outgoing::Passes(BARE.len()));
        frames.follow(&[BARE, &BARE[..4]].concat(), |_| ());
        assert_eq!(look(&frames, BARE), Outgoing::Passes(BARE.len()));
    }
}
