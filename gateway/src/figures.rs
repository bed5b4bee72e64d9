//! Numbers and addresses as text, written where they are wanted: the general formatting of the standard library costs a request
//! more than judging it.

use std::io::Write as _;
use std::net::IpAddr;

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";
/// `255.255.255.255`, and a dot behind it that is not written.
const ADDRESS_BYTES_MAX: usize = 16;

/// In decimal.
pub fn push_decimal(to: &mut Vec<u8>, number: impl itoa::Integer) {
    to.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Sixteen hexadecimal digits.
pub fn push_hexadecimal(to: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 16];
    let (high, low) = digits.split_at_mut(8);
    high.copy_from_slice(&eight_digits((number >> 32) as u32));
    low.copy_from_slice(&eight_digits(number as u32));
    to.extend_from_slice(&digits);
}

/// All at once: the halves of each byte are drawn apart, so that each has a byte of its own, and those above nine are moved on
/// to the letters.
fn eight_digits(number: u32) -> [u8; 8] {
    let mut halves = u64::from(number);
    halves = (halves | (halves << 16)) & 0x0000_ffff_0000_ffff;
    halves = (halves | (halves << 8)) & 0x00ff_00ff_00ff_00ff;
    halves = (halves | (halves << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = ((halves + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let from_nine_to_a = u64::from(b'a' - b'9' - 1);
    (halves + 0x3030_3030_3030_3030 + letters * from_nine_to_a).to_be_bytes()
}

/// Two hexadecimal digits a byte.
pub fn push_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        let [high, low] = [byte >> 4, byte & 15].map(|half| HEXADECIMAL.get(usize::from(half)).copied());
        to.extend_from_slice(&[high.unwrap_or_default(), low.unwrap_or_default()]);
    }
}

/// As addresses are written.
pub fn push_address(to: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let mut text = [b'.'; ADDRESS_BYTES_MAX];
            let mut rest = text.iter_mut();
            let mut used = 0;
            for octet in address.octets() {
                for (unit, least) in [(100, 100), (10, 10), (1, 0)] {
                    if octet >= least
                        && let Some(place) = rest.next()
                    {
                        *place = b'0' + octet / unit % 10;
                        used += 1;
                    }
                }
                // The dot stands there already.
                rest.next();
                used += 1;
            }
            to.extend_from_slice(text.get(..used - 1).unwrap_or_default());
        }
        IpAddr::V6(address) => {
            // Nothing can fail that writes to memory.
            let _written = write!(to, "{address}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = b"so: ".to_vec();
        write(&mut text);
        String::from_utf8(text).unwrap()
    }

    proptest! {
        #[test]
        fn whatever_the_number_it_is_written_as_the_standard_library_does(number: u64, small: u8) {
            for number in [number, u64::from(small), u64::MAX, 0] {
                prop_assert_eq!(written(|to| push_hexadecimal(to, number)), format!("so: {number:016x}"));
            }
        }

        #[test]
        fn whatever_the_address_it_is_written_as_the_standard_library_does(v4: u32, v6: u128) {
            for address in [IpAddr::from(std::net::Ipv4Addr::from(v4)), IpAddr::from(std::net::Ipv6Addr::from(v6))] {
                prop_assert_eq!(written(|to| push_address(to, address)), format!("so: {address}"));
            }
        }
    }
}
