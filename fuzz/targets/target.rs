//! The request target: what passes has one spelling and one reading, and keeps both.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use stagedoor_policy::request::Target;

/// What two servers could read differently, so that it may be left neither in what is matched nor in what is sent on.
const NEVER: [&str; 14] = [
    "//", "%2F", "%5C", "%2E", "%00", "%25", "%3B", "%3F", "%23", ";", "#", "\\", " ", "?",
];

fuzz_target!(|raw: &[u8]| {
    let Ok(target) = Target::parse(&Method::GET, raw) else {
        return;
    };
    let (path, decoded) = (target.path(), target.decoded_path());
    for never in NEVER {
        assert!(!path.contains(never), "{path} has {never}");
    }
    assert!(path.is_ascii() && path.starts_with('/'));
    assert!(!decoded.contains("//") && !decoded.contains(['\\', ';', '%', '?', '#']));
    assert!(!decoded.chars().any(char::is_control));
    assert!(decoded.split('/').all(|segment| segment != "." && segment != ".."));
    assert_eq!(path.split('/').count(), decoded.split('/').count());

    let forwarded = target
        .rewritten()
        .unwrap_or_else(|| String::from_utf8(raw.to_vec()).expect("canonical, so ASCII"));
    let again = Target::parse(&Method::GET, forwarded.as_bytes()).expect("canonical, so accepted");
    assert_eq!(again, target);
    assert_eq!(again.rewritten(), None, "one spelling only");
});
