//! The host a request is for.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest host name, in bytes (RFC 1035).
pub const HOST_BYTES_MAX: usize = 253;
/// The longest part of a host name between two dots, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// A host name in lower case without its port and without a trailing dot, or an address literal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host<'a> {
    name: Cow<'a, str>,
    port: Option<u16>,
}

/// Why a host was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostFault {
    /// Empty, or a character that no host has.
    Malformed,
}

impl<'a> Host<'a> {
    /// From a `Host` header or `:authority`.
    ///
    /// An IPv6 literal is given back without its brackets and in its shortest form.
    ///
    /// # Errors
    /// Anything but `name[:port]`, `v4[:port]` or `[v6][:port]`. A port is 1 to 65535 without leading zeros.
    pub fn parse(raw: &'a [u8]) -> Result<Self, HostFault> {
        let text = std::str::from_utf8(raw).map_err(|_| HostFault::Malformed)?;
        if let Some(bracketed) = text.strip_prefix('[') {
            let (inside, after) = bracketed.split_once(']').ok_or(HostFault::Malformed)?;
            let address: Ipv6Addr = inside.parse().map_err(|_| HostFault::Malformed)?;
            let port = match after.strip_prefix(':') {
                Some(digits) => Some(parse_port(digits)?),
                None if after.is_empty() => None,
                None => return Err(HostFault::Malformed),
            };
            return Ok(Self {
                name: Cow::Owned(address.to_string()),
                port,
            });
        }
        let (name, port) = match text.bytes().position(|byte| byte == b':') {
            Some(colon) => {
                let (name, digits) = text.split_at_checked(colon).ok_or(HostFault::Malformed)?;
                (name, Some(parse_port(digits.get(1..).unwrap_or_default())?))
            }
            None => (text, None),
        };
        Ok(Self {
            name: parse_name(name)?,
            port,
        })
    }
    /// The name, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The port, where one was given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }
}

fn parse_port(digits: &str) -> Result<u16, HostFault> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain).ok_or(HostFault::Malformed)
}

fn parse_name(name: &str) -> Result<Cow<'_, str>, HostFault> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > HOST_BYTES_MAX {
        return Err(HostFault::Malformed);
    }
    // Byte by byte, once: every request is asked this twice.
    let (mut label, mut has_capitals, mut begins_numeric) = (0, false, false);
    for byte in name.bytes() {
        match byte {
            b'.' if (1..=LABEL_BYTES_MAX).contains(&label) => label = 0,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => {
                if label == 0 {
                    begins_numeric = byte.is_ascii_digit();
                }
                label += 1;
                has_capitals |= byte.is_ascii_uppercase();
            }
            _ => return Err(HostFault::Malformed),
        }
    }
    if !(1..=LABEL_BYTES_MAX).contains(&label) {
        return Err(HostFault::Malformed);
    }
    // `010.0.0.1`, `0x7f.1` and `127.1` are addresses to some and names to others.
    if begins_numeric && name.parse::<Ipv4Addr>().is_err() && looks_numeric(name) {
        return Err(HostFault::Malformed);
    }
    Ok(if has_capitals {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    })
}

/// Whether the last label is a number in any base that some resolver knows.
fn looks_numeric(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_host_is_read_with_and_without_a_port() {
        for (raw, name, port) in [
            ("a.test", "a.test", None),
            ("A.Test:8080", "a.test", Some(8080)),
            ("a.test.", "a.test", None),
            ("a.test.:443", "a.test", Some(443)),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]", "::1", None),
            ("[2001:DB8:0::1]:65535", "2001:db8::1", Some(65535)),
            ("my_console", "my_console", None),
            ("1a.0xyz", "1a.0xyz", None),
        ] {
            let host = Host::parse(raw.as_bytes()).unwrap();
            assert_eq!((host.name(), host.port()), (name, port), "{raw}");
        }
    }

    #[test]
    fn whatever_is_no_host_is_refused() {
        let long = format!("{}.test", "a".repeat(64));
        let longer = format!("{}test", "a.".repeat(125));
        for raw in [
            "",
            ".",
            ":80",
            "a..test",
            ".a",
            "a.test..",
            "a test",
            "a/b",
            "user@a.test",
            "a.test:",
            "a.test:0",
            "a.test:080",
            "a.test:+80",
            "a.test:65536",
            "a.test:80:80",
            "::1",
            "[::1",
            "[::1]80",
            "[::1%eth0]",
            "[v1.x]",
            "[127.0.0.1]",
            "010.0.0.1",
            "0x7f.1",
            "127.1",
            "0x7f000001",
            "2130706433",
            "1.2.3.256",
            "a.0x",
            "a%2etest",
            "ä.test",
            "a,b",
            "a\0",
            "a\\b",
            "a#b",
            "a?b",
            &long,
            &longer,
        ] {
            assert_eq!(Host::parse(raw.as_bytes()), Err(HostFault::Malformed), "{raw}");
        }
        assert_eq!(Host::parse(b"a\xff"), Err(HostFault::Malformed));
    }

    proptest! {
        #[test]
        fn a_host_written_again_is_the_same_host(raw in "(\\[[0-9a-f:.]{2,12}\\]|[0-9A-Za-z_.x-]{1,12})(:[0-9]{1,5})?") {
            let Ok(host) = Host::parse(raw.as_bytes()) else { return Ok(()) };
            let name = host.name();
            prop_assert!(!name.is_empty() && !name.ends_with('.') && name == name.to_ascii_lowercase());
            let bracketed = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
            let written = host.port().map_or(bracketed.clone(), |port| format!("{bracketed}:{port}"));
            prop_assert_eq!(Host::parse(written.as_bytes()), Ok(host.clone()));
            let louder = raw.to_ascii_uppercase();
            prop_assert_eq!(Host::parse(louder.as_bytes()), Ok(host));
        }
    }
}
