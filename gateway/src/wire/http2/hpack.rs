//! Reads header blocks (RFC 7541) for the sake of one field. All others are only measured, because a visitor's later blocks
//! point into a table of the earlier ones; so the table holds numbers, and of `:path` what it was.
//!
//! What is stricter here than in the library behind it costs a connection; nothing is more lenient.

use std::collections::VecDeque;

use super::huffman;

/// What the library advertises, by saying nothing (RFC 9113, section 6.5.2).
const TABLE_BYTES_MAX: usize = 4096;
/// What a field counts beyond its bytes (RFC 7541, section 4.1).
const FIELD_BYTES: usize = 32;
const PATH: &[u8] = b":path";
/// Length of each name in the static table (RFC 7541, appendix A), in bytes.
const STATIC_NAME_BYTES: [u8; 61] = [
    10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14, 16, 13, 12, 6, 4,
    4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16,
];
/// The values that `:path` has there, by their index.
const STATIC_PATHS: [(usize, &[u8]); 2] = [(4, b"/"), (5, b"/index.html")];

/// A name, as far as it matters here.
#[derive(Debug, Clone, Copy)]
struct Name {
    bytes: usize,
    is_path: bool,
}

#[derive(Debug)]
struct Entry {
    name: Name,
    value_bytes: usize,
    /// Of `:path` only.
    path: Box<[u8]>,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.name.bytes + self.value_bytes + FIELD_BYTES
    }
}

/// What the blocks of one connection have left behind for those to come.
#[derive(Debug)]
pub(super) struct Paths {
    /// The newest first.
    table: VecDeque<Entry>,
    table_bytes: usize,
    table_bytes_max: usize,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            table: VecDeque::new(),
            table_bytes: 0,
            table_bytes_max: TABLE_BYTES_MAX,
            name: Vec::new(),
            value: Vec::new(),
        }
    }
}

impl Paths {
    /// Reads the connection's next block and tells each `:path` in it. `None` where it is not one: then the table is of no use
    /// any more, and neither is the connection.
    pub(super) fn read(&mut self, mut block: &[u8], mut tell: impl FnMut(&[u8])) -> Option<()> {
        let mut may_resize = true;
        while let Some(first) = block.first() {
            match first {
                0x80.. => self.indexed(integer(&mut block, 7)?, &mut tell)?,
                0x40.. => self.literal(&mut block, 6, &mut tell)?,
                0x20.. if may_resize => {
                    self.resize(integer(&mut block, 5)?)?;
                    continue;
                }
                0x20.. => return None,
                _ => self.literal(&mut block, 4, &mut tell)?,
            }
            may_resize = false;
        }
        Some(())
    }

    fn indexed(&self, index: usize, tell: &mut impl FnMut(&[u8])) -> Option<()> {
        if self.name_at(index)?.is_path {
            let of_static = STATIC_PATHS.iter().find(|(static_index, _)| *static_index == index);
            match of_static {
                Some((_, path)) => tell(path),
                None => tell(&self.entry(index)?.path),
            }
        }
        Some(())
    }

    /// A field with its value, which goes into the table where six bits are left for the index of its name.
    fn literal(&mut self, block: &mut &[u8], index_bits: u32, tell: &mut impl FnMut(&[u8])) -> Option<()> {
        let name = match integer(block, index_bits)? {
            0 => {
                let name = string(block, &mut self.name)?;
                Name {
                    bytes: name.len(),
                    is_path: name == PATH,
                }
            }
            index => self.name_at(index)?,
        };
        let value = string(block, &mut self.value)?;
        let path = if name.is_path { value } else { &[] };
        if name.is_path {
            tell(path);
        }
        if index_bits == 6 {
            let (value_bytes, path) = (value.len(), path.into());
            self.insert(Entry {
                name,
                value_bytes,
                path,
            });
        }
        Some(())
    }

    fn name_at(&self, index: usize) -> Option<Name> {
        match STATIC_NAME_BYTES.get(index.checked_sub(1)?) {
            Some(bytes) => Some(Name {
                bytes: usize::from(*bytes),
                is_path: STATIC_PATHS.iter().any(|(path, _)| *path == index),
            }),
            None => Some(self.entry(index)?.name),
        }
    }

    fn entry(&self, index: usize) -> Option<&Entry> {
        self.table.get(index.checked_sub(STATIC_NAME_BYTES.len() + 1)?)
    }

    fn insert(&mut self, entry: Entry) {
        self.table_bytes += entry.bytes();
        self.table.push_front(entry);
        self.evict();
    }

    fn resize(&mut self, bytes: usize) -> Option<()> {
        if bytes > TABLE_BYTES_MAX {
            return None;
        }
        self.table_bytes_max = bytes;
        self.evict();
        Some(())
    }

    fn evict(&mut self) {
        while self.table_bytes > self.table_bytes_max
            && let Some(oldest) = self.table.pop_back()
        {
            self.table_bytes -= oldest.bytes();
        }
    }
}

/// A number of which so many bits are in the first byte (RFC 7541, section 5.1), and at most four bytes follow: it stays far
/// below what would overflow.
fn integer(bytes: &mut &[u8], first_bits: u32) -> Option<usize> {
    let (first, mut rest) = bytes.split_first()?;
    let mask = (1 << first_bits) - 1;
    let mut value = usize::from(*first) & mask;
    let mut is_over = value < mask;
    for shift in [0, 7, 14, 21] {
        if is_over {
            break;
        }
        let (byte, behind) = rest.split_first()?;
        value += usize::from(byte & 0x7f) << shift;
        is_over = byte & 0x80 == 0;
        rest = behind;
    }
    *bytes = rest;
    is_over.then_some(value)
}

/// A string, decoded into `room` where it has to be (RFC 7541, section 5.2).
fn string<'r, 'b: 'r>(bytes: &mut &'b [u8], room: &'r mut Vec<u8>) -> Option<&'r [u8]> {
    let is_coded = bytes.first()? & 0x80 != 0;
    let length = integer(bytes, 7)?;
    let (string, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    if !is_coded {
        return Some(string);
    }
    huffman::decode(string, room)?;
    Some(room)
}

#[cfg(test)]
#[path = "hpack_tests.rs"]
mod tests;
