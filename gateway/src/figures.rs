//! Numbers and addresses as text, written where they are wanted: the general formatting of the standard library costs a request
//! more than judging it.

use std::io::Write as _;
use std::net::IpAddr;

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

/// In decimal.
pub fn push_decimal(to: &mut Vec<u8>, number: impl itoa::Integer) {
    to.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Sixteen hexadecimal digits.
pub fn push_hexadecimal(to: &mut Vec<u8>, number: u64) {
    push_bytes(to, &number.to_be_bytes());
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
            for (place, octet) in address.octets().into_iter().enumerate() {
                if place > 0 {
                    to.push(b'.');
                }
                push_decimal(to, octet);
            }
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
