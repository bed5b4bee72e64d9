//! Membership among many IPv4 networks, in three steps at most, each of which reads one cache line.
//!
//! A first table has one entry for each block of 2^16 addresses: all in, all out, or where to look. A block with few
//! flips lists them. One with many is divided into 256 lines of 256 addresses, each all in, all out or a picture of 256
//! bits.

use super::flips::is_odd;

/// Up to so many flips a block lists them: 64 bytes.
const LISTED_MAX: usize = 31;
const BLOCK_BITS: u32 = 16;
const BLOCKS: u32 = 1 << BLOCK_BITS;

// An entry: two bits that say which it is, and what belongs to that.
const KIND: u32 = 0b11 << 30;
const OUT: u32 = 0;
const IN: u32 = 0b01 << 30;
/// One bit for whether it begins inside, 5 for how many, 24 for where: 2^16 blocks of 31 need 21.
const LISTED: u32 = 0b10 << 30;
const BEGINS_INSIDE: u32 = 1 << 29;
const COUNT_SHIFT: u32 = 24;
const COUNT: u32 = 0b1_1111;
const PLACE_OF_LIST: u32 = (1 << COUNT_SHIFT) - 1;
/// 30 bits for where: 2^16 blocks of at most 9 + 256 * 4 words need 27.
const DIVIDED: u32 = 0b11 << 30;

/// Words of a divided block before its pictures: which lines have one (4), which of the others are in (4), and how many
/// pictures there are before each of the first four (a byte each).
const HEAD_WORDS: usize = 9;
const WORDS_PER_PICTURE: usize = 4;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    entries: Box<[u32]>,
    listed: Box<[u16]>,
    divided: Box<[u64]>,
}

impl Blocks {
    /// `flips` rise.
    pub(super) fn of(flips: &[u32]) -> Self {
        let mut made = Draft::default();
        let (mut left, mut inside) = (flips, false);
        let entries = (0..BLOCKS).map(|block| {
            let here = left.iter().take_while(|flip| *flip >> BLOCK_BITS == block).count();
            let (own, after) = left.split_at(here);
            let own: Vec<u16> = own.iter().map(|flip| low_half(*flip)).collect();
            let entry = made.entry(inside, &own);
            inside ^= is_odd(own.len());
            left = after;
            entry
        });
        let entries = entries.collect();
        Self {
            entries,
            listed: made.listed.into(),
            divided: made.divided.into(),
        }
    }

    pub(super) fn holds(&self, number: u32) -> bool {
        let entry = self.entries.get(index(number >> BLOCK_BITS)).copied();
        let entry = entry.unwrap_or(OUT);
        match entry & KIND {
            IN => true,
            LISTED => self.listed_holds(entry, low_half(number)),
            DIVIDED => self
                .divided_holds(index(entry & !KIND), low_half(number))
                .unwrap_or(false),
            _ => false,
        }
    }

    fn listed_holds(&self, entry: u32, low: u16) -> bool {
        let from = index(entry & PLACE_OF_LIST);
        let count = index((entry >> COUNT_SHIFT) & COUNT);
        let flips = self.listed.get(from..from + count).unwrap_or_default();
        let passed = flips.partition_point(|flip| *flip <= low);
        is_odd(passed) ^ (entry & BEGINS_INSIDE != 0)
    }

    fn divided_holds(&self, from: usize, low: u16) -> Option<bool> {
        let (line, within) = (low >> 8, low & 0xff);
        let (word, bit) = (usize::from(line >> 6), line & 63);
        let pictured = *self.divided.get(from + word)?;
        if pictured >> bit & 1 == 0 {
            return Some(self.divided.get(from + 4 + word)? >> bit & 1 == 1);
        }
        let before = (self.divided.get(from + 8)? >> (8 * word)) & 0xff;
        let before = usize::try_from(before).ok()? + ones(pictured & ((1 << bit) - 1));
        let picture = from + HEAD_WORDS + before * WORDS_PER_PICTURE;
        Some(self.divided.get(picture + usize::from(within >> 6))? >> (within & 63) & 1 == 1)
    }
}

#[derive(Default)]
struct Draft {
    listed: Vec<u16>,
    divided: Vec<u64>,
}

impl Draft {
    fn entry(&mut self, mut inside: bool, mut flips: &[u16]) -> u32 {
        if let Some((0, others)) = flips.split_first() {
            (inside, flips) = (!inside, others);
        }
        match flips.len() {
            0 if inside => IN,
            0 => OUT,
            count @ 1..=LISTED_MAX => {
                let place = place(self.listed.len());
                self.listed.extend(flips);
                let begins = if inside { BEGINS_INSIDE } else { 0 };
                LISTED | begins | place_of_count(count) | place
            }
            _ => {
                let place = place(self.divided.len());
                self.divide(inside, flips);
                DIVIDED | place
            }
        }
    }

    fn divide(&mut self, mut inside: bool, mut flips: &[u16]) {
        let (mut pictured, mut full, mut before) = ([0_u64; 4], [0_u64; 4], 0_u64);
        let mut pictures = Vec::new();
        for ((pictured, full), word) in pictured.iter_mut().zip(&mut full).zip(0_u16..) {
            // 192 at most before the last word.
            before |= u64::try_from(pictures.len()).unwrap_or(0) << (8 * word);
            for bit in 0..64 {
                let line = word << 6 | bit;
                let (own, after) = flips.split_at(flips.iter().take_while(|flip| *flip >> 8 == line).count());
                flips = after;
                if own.is_empty() {
                    *full |= u64::from(inside) << bit;
                } else {
                    *pictured |= 1 << bit;
                    pictures.push(picture(inside, own));
                    inside ^= is_odd(own.len());
                }
            }
        }
        self.divided.extend(pictured.into_iter().chain(full).chain([before]));
        self.divided.extend(pictures.into_iter().flatten());
    }
}

/// A bit for each of 256 addresses.
fn picture(mut inside: bool, flips: &[u16]) -> [u64; WORDS_PER_PICTURE] {
    let mut words = [0; WORDS_PER_PICTURE];
    let mut flips = flips.iter().map(|flip| flip & 0xff).peekable();
    for (word, first) in words.iter_mut().zip((0_u16..).step_by(64)) {
        for bit in 0..64 {
            inside ^= flips.next_if_eq(&(first | bit)).is_some();
            *word |= u64::from(inside) << bit;
        }
    }
    words
}

/// A place in an entry's bits. See [`LISTED`] and [`DIVIDED`] for why none is too far.
fn place(words: usize) -> u32 {
    u32::try_from(words).unwrap_or(0)
}

fn place_of_count(count: usize) -> u32 {
    (u32::try_from(count).unwrap_or(0) & COUNT) << COUNT_SHIFT
}

fn low_half(number: u32) -> u16 {
    let [_, _, high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn ones(word: u64) -> usize {
    index(word.count_ones())
}
