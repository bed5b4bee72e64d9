//! One prefix, as a person writes it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

/// A prefix and whether it allows or, written with `!`, excepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Prefix {
    pub(crate) net: IpNet,
    pub(crate) allow: bool,
}

impl Prefix {
    /// Strict: what two readers could take for different networks is refused with a sentence that says what to write.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (bare, allow) = match text.strip_prefix('!') {
            Some(rest) => (rest, false),
            None => (text, true),
        };
        Ok(Self {
            net: parse_net(bare)?,
            allow,
        })
    }
}

impl fmt::Display for Prefix {
    /// As a person writes it: a single address without its mask.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let except = if self.allow { "" } else { "!" };
        if self.net.prefix_len() == self.net.max_prefix_len() {
            write!(f, "{except}{}", self.net.addr())
        } else {
            write!(f, "{except}{}", self.net)
        }
    }
}

fn parse_net(text: &str) -> Result<IpNet, String> {
    let (address_text, bits_text) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address = parse_address(text, address_text)?;
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits_text {
        Some(digits) => parse_bits(text, digits, bits_max)?,
        None => bits_max,
    };
    let net = IpNet::new(address, bits).map_err(|_| format!("`{text}` is not a network"))?;
    if net != net.trunc() {
        return Err(format!(
            "`{text}` has bits set behind its mask; write `{}` or `{address}`",
            net.trunc()
        ));
    }
    refuse_mapped(text, net)?;
    Ok(net)
}

fn parse_address(text: &str, address: &str) -> Result<IpAddr, String> {
    if let Ok(address) = address.parse() {
        return Ok(address);
    }
    let octets: Vec<&str> = address.split('.').collect();
    let leading_zero =
        |octet: &&str| octet.len() > 1 && octet.starts_with('0') && octet.bytes().all(|byte| byte.is_ascii_digit());
    Err(if octets.len() == 4 && octets.iter().any(leading_zero) {
        format!("`{text}` has a number with a leading zero, which some read as octal")
    } else if address.contains('%') {
        format!("`{text}` has a zone, which means something on one machine only")
    } else {
        format!("`{text}` is neither an address nor a prefix such as `198.51.100.0/24` or `2001:db8::/32`")
    })
}

fn parse_bits(text: &str, digits: &str, bits_max: u8) -> Result<u8, String> {
    let plain = (1..=3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if !plain {
        return Err(format!(
            "`{text}` needs a number of bits from 0 to {bits_max} behind the `/`"
        ));
    }
    match digits.parse() {
        Ok(bits) if bits <= bits_max => Ok(bits),
        _ => Err(format!(
            "`{text}` has a mask longer than the {bits_max} bits of its address"
        )),
    }
}

/// Addresses are judged as IPv4 where they are IPv4-mapped, so a mapped prefix would never hold any.
fn refuse_mapped(text: &str, net: IpNet) -> Result<(), String> {
    const MAPPED_PREFIX_BITS: u8 = 96;
    let IpNet::V6(v6) = net else { return Ok(()) };
    let (Some(address), Some(bits)) = (
        v6.addr().to_ipv4_mapped(),
        v6.prefix_len().checked_sub(MAPPED_PREFIX_BITS),
    ) else {
        return Ok(());
    };
    let meant = Ipv4Net::new(address, bits).unwrap_or_else(|_| Ipv4Net::from(Ipv4Addr::UNSPECIFIED));
    Err(format!("`{text}` is IPv4 in the clothes of IPv6; write `{meant}`"))
}
