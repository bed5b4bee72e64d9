//! Follows a chunked body (RFC 9112, section 7.1) as it passes, and refuses every spelling but the plain one: extensions,
//! blanks and signs are where two readers disagree (CVE-2025-55315 is one of many). Trailers may come and go no further:
//! pingora drops them.

use super::head::is_name_byte;
use crate::wire::WireFault;

/// More hexadecimal digits than any real chunk has, and fewer than overflow.
const LENGTH_DIGITS_MAX: u8 = 12;
/// All trailers together, in bytes.
const TRAILER_BYTES_MAX: u16 = 8 * 1024;

/// Where in the body the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Length { digits: u8 },
    LengthLineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
    TrailerOrEnd,
    TrailerName,
    TrailerValue,
    TrailerLineFeed,
    LastLineFeed,
    End,
}

/// One chunked body.
#[derive(Debug)]
pub struct Chunks {
    at: At,
    /// Of the chunk at hand: its length while that is read, then what is left of it.
    bytes_left: u64,
    trailer_bytes: u16,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            at: At::Length { digits: 0 },
            bytes_left: 0,
            trailer_bytes: 0,
        }
    }
}

impl Chunks {
    /// Whether the last chunk has passed.
    pub fn is_over(&self) -> bool {
        self.at == At::End
    }

    /// Follows these bytes; answers how many of them belong to the body.
    ///
    /// # Errors
    /// At the first byte that is not where it should be.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<usize, WireFault> {
        let mut rest = bytes;
        while !self.is_over()
            && let Some((&byte, after)) = rest.split_first()
        {
            rest = if self.at == At::Data {
                self.skip_data(rest)
            } else {
                self.step(byte)?;
                after
            };
        }
        Ok(bytes.len() - rest.len())
    }

    fn skip_data<'b>(&mut self, rest: &'b [u8]) -> &'b [u8] {
        let skipped = usize::try_from(self.bytes_left).map_or(rest.len(), |left| left.min(rest.len()));
        self.bytes_left -= skipped as u64;
        if self.bytes_left == 0 {
            self.at = At::DataCarriageReturn;
        }
        rest.get(skipped..).unwrap_or_default()
    }

    fn step(&mut self, byte: u8) -> Result<(), WireFault> {
        self.at = match (self.at, byte) {
            (At::Length { digits }, b'\r') if digits > 0 => At::LengthLineFeed,
            (At::Length { digits }, _) if digits < LENGTH_DIGITS_MAX => {
                let digit = char::from(byte).to_digit(16).ok_or(WireFault::Chunk)?;
                self.bytes_left = (self.bytes_left << 4) | u64::from(digit);
                At::Length { digits: digits + 1 }
            }
            (At::LengthLineFeed, b'\n') if self.bytes_left == 0 => At::TrailerOrEnd,
            (At::LengthLineFeed, b'\n') => At::Data,
            (At::DataCarriageReturn, b'\r') => At::DataLineFeed,
            (At::DataLineFeed, b'\n') => At::Length { digits: 0 },
            (At::TrailerOrEnd, b'\r') => At::LastLineFeed,
            (At::LastLineFeed, b'\n') => At::End,
            _ => return self.step_in_trailer(byte),
        };
        Ok(())
    }

    fn step_in_trailer(&mut self, byte: u8) -> Result<(), WireFault> {
        self.at = match (self.at, byte) {
            (At::TrailerOrEnd | At::TrailerName, _) if is_name_byte(byte) => At::TrailerName,
            (At::TrailerName, b':') => At::TrailerValue,
            (At::TrailerValue, b'\r') => At::TrailerLineFeed,
            (At::TrailerValue, b'\t' | 0x20..=0x7e | 0x80..) => At::TrailerValue,
            (At::TrailerLineFeed, b'\n') => At::TrailerOrEnd,
            _ => return Err(WireFault::Chunk),
        };
        self.trailer_bytes += 1;
        if self.trailer_bytes > TRAILER_BYTES_MAX {
            return Err(WireFault::HeadTooLarge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn follow(body: &[u8]) -> Result<(usize, bool), WireFault> {
        let mut chunks = Chunks::default();
        chunks.follow(body).map(|used| (used, chunks.is_over()))
    }

    #[test]
    fn a_plain_chunked_body_passes_and_what_follows_it_is_left() {
        assert_eq!(follow(b"3\r\nabc\r\n0\r\n\r\nGET /"), Ok((13, true)));
        assert_eq!(follow(b"0A\r\n0123456789\r\n0\r\n\r\n"), Ok((21, true)));
        assert_eq!(follow(b"3\r\nab"), Ok((5, false)));
        assert_eq!(follow(b"000\r\n\r\n"), Ok((7, true)));
    }

    #[test]
    fn every_other_spelling_of_a_chunk_is_refused() {
        for body in [
            &b"3;\nxx\r\nabc\r\n0\r\n\r\n"[..],
            b"3;x=1\r\nabc\r\n0\r\n\r\n",
            b"3 \r\nabc\r\n0\r\n\r\n",
            b" 3\r\nabc\r\n0\r\n\r\n",
            b"+3\r\nabc\r\n",
            b"-3\r\nabc\r\n",
            b"0x3\r\nabc\r\n",
            b"3\nabc\n0\n\n",
            b"3\rabc",
            b"3\r\nabcd\r\n",
            b"3\r\nabc\n0\r\n",
            b"3\r\nabc0\r\n\r\n",
            b"\r\n",
            b"g\r\n",
            b"0\r\nX-Stagedoor-User : root\r\n\r\n",
            b"0\r\n: root\r\n\r\n",
            b"0\r\nname\r\n\r\n",
            b"0\r\nname: a\n\r\n",
            b"0\r\nname: a\r\n folded\r\n\r\n",
            b"0\r\nname: \0\r\n\r\n",
            b"0\r\n\n",
            b"0\n\r\n",
            b"0000000000003\r\n",
            b"fffffffffffffffff\r\n",
            b"3_\r\n",
            b"\xb3\r\n",
        ] {
            assert_eq!(follow(body), Err(WireFault::Chunk), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn trailers_belong_to_the_body_and_are_bounded() {
        let body = b"0\r\nX-Check: abc\r\nEmpty:\r\n\r\n";
        assert_eq!(follow(body), Ok((body.len(), true)));
        let endless = [&b"0\r\nname:"[..], &b"x".repeat(9 * 1024)].concat();
        assert_eq!(follow(&endless), Err(WireFault::HeadTooLarge));
    }

    proptest! {
        #[test]
        fn however_a_body_is_cut_it_ends_at_the_same_byte(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5),
            behind in prop::collection::vec(any::<u8>(), 0..20),
            cuts in prop::collection::vec(1_usize..9, 1..200),
        ) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend(format!("{:x}\r\n", chunk.len()).bytes());
                body.extend(chunk);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n\r\n");
            let length = body.len();
            body.extend(behind);
            let (mut walker, mut passed, mut cuts) = (Chunks::default(), 0, cuts.into_iter().cycle());
            while !walker.is_over() {
                let end = (passed + cuts.next().unwrap()).min(body.len());
                passed += walker.follow(&body[passed..end]).unwrap();
            }
            prop_assert_eq!(passed, length);
        }

        #[test]
        fn no_bytes_panic_it_or_are_counted_twice(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(used) = Chunks::default().follow(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
