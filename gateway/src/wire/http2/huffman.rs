//! The Huffman code of HPACK (RFC 7541, appendix B). It is canonical: the lengths of the codes say which they are.

/// Length of each byte's code in bits, and of the end of string behind them.
const CODE_BITS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
    22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
    27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];
const CODE_BITS_MIN: usize = 5;
const CODE_BITS_MAX: usize = 30;
const CODE: Code = Code::new();

/// The codes of one length, as numbers of 32 bits of which they are the first.
#[derive(Clone, Copy)]
struct Group {
    bits: u32,
    first: u32,
    /// Behind the last one.
    end: u64,
    /// Where the bytes that have them begin in `Code::bytes`.
    offset: usize,
}

struct Code {
    groups: [Group; CODE_BITS_MAX - CODE_BITS_MIN + 1],
    /// By their codes. The end of string would be the last one.
    bytes: [u8; 256],
}

impl Code {
    #[expect(
        clippy::indexing_slicing,
        reason = "done while compiling, where an index too large is an error"
    )]
    const fn new() -> Self {
        let none = Group {
            bits: 0,
            first: 0,
            end: 0,
            offset: 0,
        };
        let (mut groups, mut bytes) = ([none; CODE_BITS_MAX - CODE_BITS_MIN + 1], [0; 256]);
        let (mut code, mut count, mut bits) = (0_u64, 0, CODE_BITS_MIN);
        while bits <= CODE_BITS_MAX {
            let (first, offset, mut byte) = (code, count, 0);
            while byte < CODE_BITS.len() {
                if CODE_BITS[byte] as usize == bits {
                    code += 1 << (32 - bits);
                    if byte < bytes.len() {
                        bytes[count] = byte as u8;
                        count += 1;
                    }
                }
                byte += 1;
            }
            groups[bits - CODE_BITS_MIN] = Group {
                bits: bits as u32,
                first: first as u32,
                end: code,
                offset,
            };
            bits += 1;
        }
        Self { groups, bytes }
    }
}

/// Decodes a string; `None` where it is none.
pub(super) fn decode(code: &[u8], to: &mut Vec<u8>) -> Option<()> {
    to.clear();
    let mut rest = code.iter();
    // The bits that are there stand at the left, with ones behind them: so the end of string begins, which fills the last byte.
    let (mut window, mut bits) = (u64::MAX, 0_u32);
    loop {
        while bits <= 56
            && let Some(&byte) = rest.next()
        {
            window ^= u64::from(!byte) << (56 - bits);
            bits += 8;
        }
        if bits < 8 && window == u64::MAX {
            return Some(());
        }
        let next = u32::try_from(window >> 32).ok()?;
        let group = CODE.groups.iter().find(|group| u64::from(next) < group.end)?;
        let index = (next - group.first) >> (32 - group.bits);
        let byte = CODE.bytes.get(group.offset + usize::try_from(index).ok()?)?;
        bits = bits.checked_sub(group.bits)?;
        to.push(*byte);
        window = (window << group.bits) | ((1 << group.bits) - 1);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The code of a byte, counted up from one length to the next.
    pub(in super::super) fn code(byte: u8) -> String {
        let mut code = 0_u64;
        for bits in 1..=30_u8 {
            code <<= 1;
            for (other, _) in CODE_BITS.iter().enumerate().filter(|(_, length)| **length == bits) {
                if other == usize::from(byte) {
                    return format!("{code:0width$b}", width = usize::from(bits));
                }
                code += 1;
            }
        }
        panic!("every byte has a code");
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (byte, standard) in [
            (b'0', "00000"),
            (b'a', "00011"),
            (b'#', "111111111010"),
            (b'/', "011000"),
            (0, "1111111111000"),
            (0xff, "11111111111111111111101110"),
            (22, "111111111111111111111111111110"),
        ] {
            assert_eq!(code(byte), standard, "{byte}");
        }
        let mut decoded = Vec::new();
        // RFC 7541, appendix C.4.1.
        let www = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&www, &mut decoded), Some(()));
        assert_eq!(decoded, b"www.example.com");
    }
}
