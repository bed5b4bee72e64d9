//! Follows WebSocket frames by their lengths alone (RFC 6455, section 5.2), to know where one ends.

/// Where in the stream of frames we are.
#[derive(Debug, Default)]
pub struct FrameCounter {
    /// The header read so far; at most 14 bytes.
    header: Vec<u8>,
    /// Payload bytes still to come.
    payload_left: u64,
}

impl FrameCounter {
    /// Takes note of bytes that passed.
    pub fn count(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.payload_left > 0 {
                let here = usize::try_from(self.payload_left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                self.payload_left -= here as u64;
                bytes = bytes.get(here..).unwrap_or_default();
                continue;
            }
            self.header.push(*first);
            bytes = rest;
            if let Some(payload) = self.payload_of_complete_header() {
                self.header.clear();
                self.payload_left = payload;
            }
        }
    }

    /// Whether the last byte ended a frame, or none has begun.
    pub fn at_frame_end(&self) -> bool {
        self.header.is_empty() && self.payload_left == 0
    }

    fn payload_of_complete_header(&self) -> Option<u64> {
        let second = *self.header.get(1)?;
        let mask_bytes = if second & 0x80 == 0 { 0 } else { 4 };
        let length_bytes = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if self.header.len() < 2 + length_bytes + mask_bytes {
            return None;
        }
        let extended = self.header.get(2..2 + length_bytes)?;
        let long = extended.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        Some(if length_bytes == 0 {
            u64::from(second & 0x7f)
        } else {
            long
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(payload: usize) -> Vec<u8> {
        let mut frame = match payload {
            0..=125 => vec![0x81, payload as u8],
            126..=65535 => [vec![0x81, 126], (payload as u16).to_be_bytes().to_vec()].concat(),
            _ => [vec![0x81, 127], (payload as u64).to_be_bytes().to_vec()].concat(),
        };
        frame.extend(std::iter::repeat_n(b'x', payload));
        frame
    }

    #[test]
    fn the_end_of_each_frame_is_found_however_the_bytes_are_cut() {
        for payload in [0, 1, 125, 126, 70_000] {
            for step in [1, 2, 3, 1000] {
                let (mut counter, frame) = (FrameCounter::default(), frame(payload));
                for (position, chunk) in frame.chunks(step).enumerate() {
                    counter.count(chunk);
                    assert_eq!(
                        counter.at_frame_end(),
                        (position + 1) * step >= frame.len(),
                        "{payload} by {step}"
                    );
                }
            }
        }
    }

    #[test]
    fn several_frames_in_one_read_are_told_apart() {
        let mut counter = FrameCounter::default();
        counter.count(&[frame(3), frame(200), vec![0x81]].concat());
        assert!(!counter.at_frame_end());
        counter.count(&[0]);
        assert!(counter.at_frame_end());
    }

    proptest! {
        #[test]
        fn however_a_stream_is_cut_the_count_is_the_same(
            stream in proptest::collection::vec(prop_oneof![4 => 0..8_u8, 1 => 124..=130_u8, 1 => any::<u8>()], 0..64),
            step in 1..8_usize,
        ) {
            let (mut whole, mut pieces) = (FrameCounter::default(), FrameCounter::default());
            whole.count(&stream);
            stream.chunks(step).for_each(|piece| pieces.count(piece));
            prop_assert_eq!(format!("{whole:?}"), format!("{pieces:?}"));
        }
    }
}
