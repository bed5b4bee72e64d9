use loona_hpack::{Decoder, Encoder};
use proptest::prelude::*;

use super::*;

/// Every `:path` in these blocks of one connection, up to the first that is none.
fn ours(blocks: &[Vec<u8>]) -> Vec<Option<Vec<Vec<u8>>>> {
    let mut paths = Paths::default();
    let mut read = Vec::new();
    for block in blocks {
        let mut found = Vec::new();
        let whole = paths.read(block, |path| found.push(path.to_vec()));
        assert!(paths.table_bytes <= TABLE_BYTES_MAX && paths.table.len() <= TABLE_BYTES_MAX / FIELD_BYTES);
        assert_eq!(paths.table_bytes, paths.table.iter().map(Entry::bytes).sum::<usize>());
        read.push(whole.map(|()| found));
        if whole.is_none() {
            break;
        }
    }
    read
}

/// The same, read by another implementation.
fn theirs(blocks: &[Vec<u8>]) -> Vec<Option<Vec<Vec<u8>>>> {
    let mut decoder = Decoder::new();
    decoder.set_max_allowed_table_size(TABLE_BYTES_MAX);
    let mut read = Vec::new();
    for block in blocks {
        let fields = decoder.decode(block).ok();
        let paths = |fields: Vec<(Vec<u8>, Vec<u8>)>| {
            let paths = fields.into_iter().filter(|(name, _)| name == PATH);
            paths.map(|(_, value)| value).collect()
        };
        let is_over = fields.is_none();
        read.push(fields.map(paths));
        if is_over {
            break;
        }
    }
    read
}

/// A string as it stands in a block, coded or not. The code is made from the lengths alone, bit by bit.
fn written(bytes: &[u8], coded: bool) -> Vec<u8> {
    let mut string = bytes.to_vec();
    if coded {
        let mut bits: String = bytes.iter().map(|byte| huffman::tests::code(*byte)).collect();
        bits.extend(std::iter::repeat_n('1', bits.len().next_multiple_of(8) - bits.len()));
        let octets = bits.as_bytes().chunks(8);
        string = octets
            .map(|octet| u8::from_str_radix(std::str::from_utf8(octet).unwrap(), 2).unwrap())
            .collect();
    }
    let mut whole = number(string.len(), 7, if coded { 0x80 } else { 0 });
    whole.extend(string);
    whole
}

fn number(value: usize, first_bits: u32, flags: u8) -> Vec<u8> {
    let mask = (1_usize << first_bits) - 1;
    if value < mask {
        return vec![flags | u8::try_from(value).unwrap()];
    }
    let (mut bytes, mut rest) = (vec![flags | u8::try_from(mask).unwrap()], value - mask);
    while rest >= 0x80 {
        bytes.push(u8::try_from(rest % 0x80).unwrap() | 0x80);
        rest /= 0x80;
    }
    bytes.push(u8::try_from(rest).unwrap());
    bytes
}

/// A block: each field in any of its representations, with names and values that come again.
fn block() -> impl Strategy<Value = Vec<u8>> {
    let text = || {
        prop_oneof![
            3 => Just(b":path".to_vec()),
            2 => "/[a-z#?%]{0,12}".prop_map(String::into_bytes),
            1 => proptest::collection::vec(any::<u8>(), 0..40),
            1 => "[a-z-]{200,900}".prop_map(String::into_bytes),
        ]
    };
    let index = || prop_oneof![1..8_usize, 1..62_usize, 62..66_usize, 62..90_usize];
    let representation = prop_oneof![Just((6_u32, 0x40_u8)), Just((4, 0)), Just((4, 0x10))];
    let field = prop_oneof![
        3 => index().prop_map(|index| number(index, 7, 0x80)),
        3 => (representation.clone(), index(), text(), any::<bool>()).prop_map(|((bits, flags), index, value, coded)| {
            [number(index, bits, flags), written(&value, coded)].concat()
        }),
        3 => (representation, text(), any::<bool>(), text(), any::<bool>()).prop_map(
            |((bits, flags), name, name_coded, value, coded)| {
                [number(0, bits, flags), written(&name, name_coded), written(&value, coded)].concat()
            }
        ),
    ];
    let resizes = proptest::collection::vec((0..4200_usize).prop_map(|bytes| number(bytes, 5, 0x20)), 0..2);
    let fields = proptest::collection::vec(field, 1..8);
    (prop_oneof![9 => Just(Vec::new()), 1 => resizes], fields)
        .prop_map(|(resizes, fields)| [resizes.concat(), fields.concat()].concat())
}

#[test]
fn a_path_is_found_in_every_representation() {
    let path = b"/public/x#y";
    let name = |coded| written(PATH, coded);
    let value = |coded| written(path, coded);
    for coded in [false, true] {
        for block in [
            [&[0x44][..], &value(coded)].concat(),
            [&[0x05][..], &value(coded)].concat(),
            [&[0x14][..], &value(coded)].concat(),
            [&[0x40][..], &name(coded), &value(!coded)].concat(),
            [&[0x00][..], &name(coded), &value(coded)].concat(),
            [&[0x82, 0x10][..], &name(coded), &value(coded), &[0x87]].concat(),
        ] {
            assert_eq!(
                ours(std::slice::from_ref(&block)),
                [Some(vec![path.to_vec()])],
                "{block:02x?}"
            );
        }
    }
    assert_eq!(
        ours(&[vec![0x84, 0x85]]),
        [Some(vec![b"/".to_vec(), b"/index.html".to_vec()])]
    );
}

#[test]
fn a_path_of_an_earlier_block_is_known_until_it_is_pushed_out() {
    let first = [&[0x82, 0x44][..], &written(b"/a#b", true)].concat();
    let other = [&[0x40][..], &written(b"x", false), &written(&[b'y'; 4060], false)].concat();
    let read = ours(&[first, vec![0x82, 0xbe], other, vec![0xbf]]);
    let found = Some(vec![b"/a#b".to_vec()]);
    assert_eq!(read, [found.clone(), found, Some(Vec::new()), None]);
}

#[test]
fn what_is_no_block_is_known_to_be_none() {
    for block in [
        &[0x80][..],                           // no such index
        &[0xbe],                               // nothing is there yet
        &[0xff],                               // half a number
        &[0xff, 0x80, 0x80, 0x80, 0x80, 0],    // a number that is too long
        &[0x44],                               // no value
        &[0x44, 0x02, b'/'],                   // half a value
        &[0x44, 0x81, 0x60],                   // padded with zeros
        &[0x44, 0x82, 0x63, 0xff],             // padded with more than a byte
        &[0x44, 0x84, 0xff, 0xff, 0xff, 0xff], // the end of string
        &[0x3f, 0xe2, 0x1f],                   // a table of 4097 bytes
        &[0x82, 0x20],                         // a table resized in the middle
    ] {
        assert_eq!(ours(&[block.to_vec()]), [None], "{block:02x?}");
    }
    assert_eq!(ours(&[vec![0x3f, 0xe1, 0x1f, 0x82]]), [Some(Vec::new())]);
}

proptest! {
    #[test]
    fn blocks_are_read_as_another_implementation_reads_them(
        blocks in proptest::collection::vec(block(), 1..6),
    ) {
        prop_assert_eq!(ours(&blocks), theirs(&blocks));
    }

    #[test]
    fn blocks_of_another_implementation_are_read(
        values in proptest::collection::vec("/[ -~]{0,80}", 1..6),
    ) {
        let mut encoder = Encoder::new();
        let blocks: Vec<_> = values.iter()
            .map(|value| encoder.encode([(b":method".as_slice(), b"GET".as_slice()), (PATH, value.as_bytes())]))
            .collect();
        let paths: Vec<_> = values.into_iter().map(|value| Some(vec![value.into_bytes()])).collect();
        prop_assert_eq!(ours(&blocks), paths);
    }

    #[test]
    fn no_bytes_are_read_otherwise_than_by_another_implementation(
        blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..4),
    ) {
        // A table may be resized first of all only; the other implementation takes it anywhere but last.
        for (ours, theirs) in ours(&blocks).into_iter().zip(theirs(&blocks)) {
            match (ours, theirs) {
                (Some(ours), Some(theirs)) => prop_assert_eq!(ours, theirs),
                (Some(paths), None) => prop_assert!(paths.is_empty()),
                _ => break,
            }
        }
    }

    #[test]
    fn a_byte_changed_anywhere_is_read_alike_or_refused(
        mut block in block(), place in any::<prop::sample::Index>(), byte: u8,
    ) {
        *place.get_mut(&mut block) = byte;
        let (ours, theirs) = (ours(std::slice::from_ref(&block)), theirs(&[block]));
        if let ([Some(ours)], [Some(theirs)]) = (&ours[..], &theirs[..]) {
            prop_assert_eq!(ours, theirs);
        }
    }
}
