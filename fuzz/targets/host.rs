//! The host: one spelling, whatever the case, the port and the final dot.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stagedoor_policy::request::{HOST_BYTES_MAX, Host};

fuzz_target!(|raw: &[u8]| {
    let Ok(host) = Host::parse(raw) else { return };
    let name = host.name();
    assert!(!name.is_empty() && name.len() <= HOST_BYTES_MAX);
    assert!(!name.ends_with('.') && !name.contains(['/', '@', '%', ' ', ',', '#', '?', '\\', '[', ']']));
    assert!(
        name.bytes()
            .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
    );

    let bracketed = if name.contains(':') {
        format!("[{name}]")
    } else {
        name.to_owned()
    };
    let written = match host.port() {
        Some(port) => format!("{bracketed}:{port}"),
        None => bracketed,
    };
    assert_eq!(Host::parse(written.as_bytes()).as_ref(), Ok(&host));
    assert_eq!(Host::parse(&raw.to_ascii_uppercase()).as_ref(), Ok(&host));
});
