//! HPACK (RFC 7541), as much as a test needs: fields written out in full, and answers read back. No dynamic table: the
//! greeting forbids the door to use one.

/// Names of the static table, in its order, with the value where the entry has one.
const STATIC: &str = ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|\
    :status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|\
    accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|\
    content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|\
    cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|\
    last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|\
    server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate";

/// The bytes of the Huffman code by the length of their code words (appendix B), as far as answers have them. Within one
/// length the words are in the order of the bytes, so the lengths are the whole code.
const BY_LENGTH: [(u32, &[u8]); 11] = [
    (5, b"012aceiost"),
    (6, b" %-./3456789=A_bdfghlmnpru"),
    (7, b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
    (8, b"&*,;XZ"),
    (10, b"!\"()?"),
    (11, b"'+|"),
    (12, b"#>"),
    (13, b"\0$@[]~"),
    (14, b"^}"),
    (15, b"<`{"),
    (19, b"\\\xc3\xd0"),
];

/// Fields as literals without indexing and without Huffman code; neither name nor value is checked.
pub fn literal(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        string(&mut block, name);
        string(&mut block, value);
    }
    block
}

/// A field by its place in the static table.
pub fn indexed(place: u8) -> Vec<u8> {
    vec![0x80 | place]
}

fn string(block: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text.len();
    if rest < 127 {
        block.push(u8::try_from(rest).unwrap_or(0));
    } else {
        block.push(127);
        rest -= 127;
        while rest >= 128 {
            block.push(u8::try_from(rest % 128).unwrap_or(0) | 128);
            rest /= 128;
        }
        block.push(u8::try_from(rest).unwrap_or(0));
    }
    block.extend_from_slice(text);
}

/// The fields of a block that was made without a dynamic table; fails the test where it was not.
pub(super) fn decode(block: &[u8]) -> Vec<(String, String)> {
    let mut rest = block;
    let mut fields = Vec::new();
    while let Some(first) = rest.first().copied() {
        if first & 0x80 != 0 {
            fields.push(entry(integer(&mut rest, 7)));
        } else if first & 0xe0 == 0x20 {
            integer(&mut rest, 5); // the size of the dynamic table: none
        } else {
            let bits = if first & 0x40 != 0 { 6 } else { 4 };
            let name = match integer(&mut rest, bits) {
                0 => read_string(&mut rest),
                place => entry(place).0,
            };
            fields.push((name, read_string(&mut rest)));
        }
    }
    fields
}

fn entry(place: usize) -> (String, String) {
    let text = STATIC.split('|').nth(place - 1).expect("a place of the static table");
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (name.to_owned(), value.to_owned())
}

fn integer(rest: &mut &[u8], bits: u32) -> usize {
    let most = (1 << bits) - 1;
    let mut number = usize::from(take(rest)) & most;
    if number == most {
        for shift in (0..28).step_by(7) {
            let byte = usize::from(take(rest));
            number += (byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
    }
    number
}

fn read_string(rest: &mut &[u8]) -> String {
    let huffman = rest.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer(rest, 7);
    let (text, after) = rest.split_at_checked(length).expect("a string ends within its block");
    *rest = after;
    let text = if huffman { unhuffman(text) } else { text.to_vec() };
    String::from_utf8_lossy(&text).into_owned()
}

fn take(rest: &mut &[u8]) -> u8 {
    let (first, after) = rest.split_first().expect("a block does not end within a number");
    *rest = after;
    *first
}

fn unhuffman(coded: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let (mut word, mut length) = (0_u32, 0_u32);
    for byte in coded {
        for bit in (0..8).rev() {
            word = word << 1 | u32::from(byte >> bit & 1);
            length += 1;
            if let Some(byte) = byte_of(word, length) {
                text.push(byte);
                (word, length) = (0, 0);
            }
        }
    }
    assert!(length < 8, "a byte that no answer of the door has");
    text
}

fn byte_of(word: u32, length: u32) -> Option<u8> {
    let (mut first, mut before) = (0_u32, 0);
    for (bits, bytes) in BY_LENGTH {
        first <<= bits - before;
        if bits == length {
            return bytes.get(word.checked_sub(first)? as usize).copied();
        }
        if bits > length {
            return None;
        }
        first += u32::try_from(bytes.len()).unwrap_or(0);
        before = bits;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_code_are_those_of_its_examples() {
        // RFC 7541, appendix C.4.1 and C.6.1.
        assert_eq!(
            unhuffman(&[0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff]),
            b"www.example.com"
        );
        assert_eq!(unhuffman(&[0x64, 0x02]), b"302");
        assert_eq!(unhuffman(&[0xae, 0xc3, 0x77, 0x1a, 0x4b]), b"private");
    }

    #[test]
    fn what_is_written_out_in_full_is_read_back() {
        let long = vec![b'x'; 700];
        let block = literal(&[(b":status", b"400"), (b"x-long", &long), (b"x-empty", b"")]);
        let fields = decode(&block);
        assert_eq!(fields[0], (":status".to_owned(), "400".to_owned()));
        assert_eq!(fields[1].1.len(), 700);
        assert_eq!(fields[2], ("x-empty".to_owned(), String::new()));
        assert_eq!(decode(&indexed(12)), [(":status".to_owned(), "400".to_owned())]);
        assert_eq!(STATIC.split('|').count(), 61);
    }
}
