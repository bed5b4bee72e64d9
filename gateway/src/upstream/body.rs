//! Follows an answer's body to its last byte, so that what stands behind it is told apart.

use super::fault::AnswerFault;
use super::head::Framing;

/// Bytes of one line between chunks: a size with extensions, or a trailer.
const LINE_BYTES_MAX: usize = 4096;
/// Trailer fields; they are read to be dropped.
const TRAILERS_MAX: u32 = 64;
/// Digits of a chunk's size, in hexadecimal: 60 bits.
const SIZE_DIGITS_MAX: usize = 15;

/// Where in a body we are.
#[derive(Debug)]
pub(super) enum Body {
    /// As many bytes are still to come.
    Length(u64),
    /// In chunks.
    Chunks(Chunks),
    /// It ends with the connection.
    Close,
}

impl Body {
    /// At the beginning.
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(bytes) => Self::Length(bytes),
            Framing::Chunks => Self::Chunks(Chunks::default()),
            Framing::Close => Self::Close,
        }
    }

    /// Whether its last byte has passed.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunks(chunks) => matches!(chunks.at, At::End),
            Self::Close => false,
        }
    }

    /// Takes note of bytes; answers how many of them belong to the body.
    ///
    /// # Errors
    /// Where chunks are not what they have to be.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<usize, AnswerFault> {
        match self {
            Self::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= here as u64;
                Ok(here)
            }
            Self::Chunks(chunks) => chunks.follow(bytes),
            Self::Close => Ok(bytes.len()),
        }
    }
}

/// A body in chunks (RFC 9112, section 7.1).
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    /// The line that is being read, without its end.
    line: Vec<u8>,
    trailers: u32,
}

#[derive(Debug, Default)]
enum At {
    #[default]
    Size,
    Data(u64),
    /// The line end behind a chunk.
    DataEnd,
    Trailer,
    End,
}

impl Chunks {
    fn follow(&mut self, bytes: &[u8]) -> Result<usize, AnswerFault> {
        let mut rest = bytes;
        while !matches!(self.at, At::End) {
            if let At::Data(left) = &mut self.at {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                *left -= here as u64;
                rest = rest.get(here..).unwrap_or_default();
                if *left > 0 {
                    break;
                }
                self.at = At::DataEnd;
            }
            let Some((byte, after)) = rest.split_first() else { break };
            rest = after;
            self.step(*byte)?;
        }
        Ok(bytes.len() - rest.len())
    }

    fn step(&mut self, byte: u8) -> Result<(), AnswerFault> {
        if byte != b'\n' {
            // A return is the last byte of a line or none.
            if self.line.last() == Some(&b'\r') || self.line.len() >= LINE_BYTES_MAX {
                return Err(AnswerFault::ChunkMalformed);
            }
            self.line.push(byte);
            return Ok(());
        }
        let line = self.line.strip_suffix(b"\r").ok_or(AnswerFault::ChunkMalformed)?;
        self.at = match (&self.at, line) {
            (At::Size, line) => match size(line)? {
                0 => At::Trailer,
                bytes => At::Data(bytes),
            },
            (At::DataEnd, []) => At::Size,
            (At::Trailer, []) => At::End,
            (At::Trailer, _) if self.trailers < TRAILERS_MAX => {
                self.trailers += 1;
                At::Trailer
            }
            _ => return Err(AnswerFault::ChunkMalformed),
        };
        self.line.clear();
        Ok(())
    }
}

fn size(line: &[u8]) -> Result<u64, AnswerFault> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let mut size = 0_u64;
    if !matches!(digits.len(), 1..=SIZE_DIGITS_MAX) {
        return Err(AnswerFault::ChunkMalformed);
    }
    for digit in digits {
        let value = char::from(*digit).to_digit(16).ok_or(AnswerFault::ChunkMalformed)?;
        size = size * 16 + u64::from(value);
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_body_is_found_however_it_is_cut() {
        for (framing, body) in [
            (Framing::Length(11), "hello world"),
            (Framing::Length(0), ""),
            (Framing::Chunks, "5\r\nhello\r\n6;x=\"y\"\r\n\n\r0\r\n\r\r\n0\r\n\r\n"),
            (Framing::Chunks, "0\r\nX: y\r\nZ: \r\n\r\n"),
            (Framing::Chunks, "00A\r\n0123456789\r\n000\r\n\r\n"),
        ] {
            let with_more = [body.as_bytes(), b"HTTP/1.1 200 OK\r\n\r\n"].concat();
            for step in [1, 2, 3, 7, 1000] {
                let (mut follower, mut belongs) = (Body::new(framing), 0);
                for piece in with_more.chunks(step) {
                    let here = follower.follow(piece).unwrap();
                    belongs += here;
                    assert!(here == piece.len() || follower.is_over(), "{body:?} by {step}");
                }
                assert_eq!(belongs, body.len(), "{body:?} by {step}");
                assert!(follower.is_over(), "{body:?} by {step}");
            }
        }
    }

    #[test]
    fn chunks_with_two_readings_are_none() {
        for chunks in [
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "-1\r\n",
            "\r\n",
            ";x\r\n",
            "5\r\r\nhello",
            "ffffffffffffffff\r\n",
            "0\r\n\rX\r\n\r\n",
        ] {
            assert_eq!(
                Body::new(Framing::Chunks).follow(chunks.as_bytes()),
                Err(AnswerFault::ChunkMalformed),
                "{chunks:?}"
            );
        }
        let endless = ["5;", &"x".repeat(LINE_BYTES_MAX)].concat();
        assert!(Body::new(Framing::Chunks).follow(endless.as_bytes()).is_err());
        let trailers = ["0\r\n", &"a: b\r\n".repeat(65)].concat();
        assert!(Body::new(Framing::Chunks).follow(trailers.as_bytes()).is_err());
    }
}
