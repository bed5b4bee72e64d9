//! The PROXY protocol, versions 1 and 2 (HAProxy's `proxy-protocol.txt`): a declared proxy says first whose connection it
//! passes on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How a header of version 2 begins.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header of version 1, in bytes.
const LINE_BYTES_MAX: usize = 107;
/// The longest rest of a header of version 2, in bytes: an address and a few TLVs.
const REST_BYTES_MAX: usize = 2048;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// The visitor's address.
    Visitor(SocketAddr),
    /// The proxy speaks for itself (a health check).
    Proxy,
}

/// A header that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PROXY protocol header that can be read")]
pub struct Unreadable;

/// Reads the header and not a byte more.
///
/// # Errors
/// Where there is none, or one that cannot be read: who is behind it cannot be told.
pub async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Announced, Unreadable> {
    let mut start = [0_u8; 12];
    stream.read_exact(&mut start).await.map_err(|_| Unreadable)?;
    if start != SIGNATURE {
        let mut line = start.to_vec();
        while !line.ends_with(b"\r\n") {
            if line.len() >= LINE_BYTES_MAX {
                return Err(Unreadable);
            }
            line.push(stream.read_u8().await.map_err(|_| Unreadable)?);
        }
        return version_1(&line).ok_or(Unreadable);
    }
    let mut head = [0_u8; 4];
    stream.read_exact(&mut head).await.map_err(|_| Unreadable)?;
    let [command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > REST_BYTES_MAX {
        return Err(Unreadable);
    }
    let mut rest = vec![0_u8; length];
    stream.read_exact(&mut rest).await.map_err(|_| Unreadable)?;
    version_2(command, family, &rest).ok_or(Unreadable)
}

/// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`, its CRLF included.
fn version_1(line: &[u8]) -> Option<Announced> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = text.split(' ');
    if words.next() != Some("PROXY") {
        return None;
    }
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(Announced::Proxy);
    }
    let (from, to) = (words.next()?, words.next()?);
    let (from_port, _to_port) = (port(words.next()?)?, port(words.next()?)?);
    let (from, _to): (IpAddr, IpAddr) = match family {
        "TCP4" => (
            from.parse::<Ipv4Addr>().ok()?.into(),
            to.parse::<Ipv4Addr>().ok()?.into(),
        ),
        "TCP6" => (
            from.parse::<Ipv6Addr>().ok()?.into(),
            to.parse::<Ipv6Addr>().ok()?.into(),
        ),
        _ => return None,
    };
    words
        .next()
        .is_none()
        .then_some(Announced::Visitor(SocketAddr::new(from, from_port)))
}

fn port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
    digits.parse().ok().filter(|_| plain)
}

fn version_2(command: u8, family: u8, rest: &[u8]) -> Option<Announced> {
    match (command, family, rest) {
        (0x20, _, _) => Some(Announced::Proxy),
        (0x21, 0x11, [a, b, c, d, _, _, _, _, high, low, _, _, ..]) => {
            let ip = Ipv4Addr::new(*a, *b, *c, *d);
            Some(Announced::Visitor((ip, u16::from_be_bytes([*high, *low])).into()))
        }
        (0x21, 0x21, rest) => {
            let ip: [u8; 16] = rest.get(..16)?.try_into().ok()?;
            let port: [u8; 2] = rest.get(32..34)?.try_into().ok()?;
            let _whole = rest.get(34..36)?;
            Some(Announced::Visitor(
                (Ipv6Addr::from(ip), u16::from_be_bytes(port)).into(),
            ))
        }
        // Unix sockets, UDP and what is unspecified have no address that a rule could be asked about.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn announced(bytes: &[u8]) -> (Result<Announced, Unreadable>, usize) {
        let mut rest = bytes;
        let found = read(&mut rest).await;
        (found, rest.len())
    }

    fn version_2_header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn both_versions_name_the_visitor_and_leave_what_follows() {
        let visitor = |text: &str| Ok(Announced::Visitor(text.parse().unwrap()));
        assert_eq!(
            announced(b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET /").await,
            (visitor("192.0.2.1:56324"), 5)
        );
        assert_eq!(
            announced(b"PROXY TCP6 2001:db8::1 ::1 1 443\r\n").await,
            (visitor("[2001:db8::1]:1"), 0)
        );
        assert_eq!(announced(b"PROXY UNKNOWN\r\nX").await, (Ok(Announced::Proxy), 1));
        let v4 = version_2_header(0x21, 0x11, &[192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 1, 187, 3, 0, 0]);
        assert_eq!(
            announced(&[&v4[..], b"GET"].concat()).await,
            (visitor("192.0.2.1:56324"), 3)
        );
        let mut v6 = [0_u8; 36];
        (v6[15], v6[33]) = (1, 80);
        assert_eq!(
            announced(&version_2_header(0x21, 0x21, &v6)).await,
            (visitor("[::1]:80"), 0)
        );
        assert_eq!(
            announced(&version_2_header(0x20, 0, &[])).await,
            (Ok(Announced::Proxy), 0)
        );
    }

    #[tokio::test]
    async fn a_header_that_cannot_be_told_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(200));
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n",
            b"PROXY TCP4 2001:db8::1 ::1 1 443\r\n",
            b"PROXY TCP4 010.0.0.1 198.51.100.1 1 443\r\n",
            b"PROXY TCP4 192.0.2.1  198.51.100.1 1 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 01 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 70000 443\r\n",
            b"PROXY UDP4 192.0.2.1 198.51.100.1 1 443\r\n",
            b"proxy TCP4 192.0.2.1 198.51.100.1 1 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 1 443\n",
            long.as_bytes(),
            b"PROXY",
        ] {
            assert_eq!(announced(bytes).await.0, Err(Unreadable), "{}", bytes.escape_ascii());
        }
        for (command, family, rest) in [
            (0x11, 0x11, &[0_u8; 12][..]),
            (0x21, 0x11, &[0; 11]),
            (0x21, 0x21, &[0; 35]),
            (0x21, 0x31, &[0; 216]),
            (0x21, 0x00, &[]),
            (0x22, 0x11, &[0; 12]),
        ] {
            let header = version_2_header(command, family, rest);
            assert_eq!(announced(&header).await.0, Err(Unreadable), "{command:x} {family:x}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_it(bytes in prop::collection::vec(any::<u8>(), 0..300), signed in any::<bool>()) {
            let bytes = if signed { [&SIGNATURE[..], &bytes].concat() } else { [b"PROXY ", &bytes[..]].concat() };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _any = runtime.block_on(announced(&bytes));
        }
    }
}
