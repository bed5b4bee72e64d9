//! Where a visitor is sent after signing in: a path of this origin, whatever a link asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;

// The file itself: it is private to the portal, and should stay so.
#[path = "../../portal/src/destination.rs"]
#[cfg_attr(not(test), expect(dead_code, reason = "what the portal asks of it besides"))]
mod of_portal;
use of_portal::Destination;

const PREFIX: &str = "/.stagedoor/";

fuzz_target!(|asked: &str| {
    let destination = Destination::parse(asked, PREFIX);
    let text = destination.as_str();
    assert!(destination.is_home() || text == asked, "changed on the way");
    assert!(text.starts_with('/') && !text.starts_with("//") && !text.contains('\\'));
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!text.starts_with("/.stagedoor/login") && !text.starts_with("/.stagedoor/logout"));
    assert!(http::HeaderValue::try_from(text).is_ok(), "no header could say so");
    assert_eq!(Destination::parse(text, PREFIX), destination);
});
