//! The request target: what passes has one spelling, keeps it, and leads nowhere else whoever reads it. Each input is taken
//! as it is by a strict site, by one that allows everything, and by one for each leniency alone.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use stagedoor_policy::request::{Leniencies, Leniency, READINGS_MAX, Target};

/// What two servers could read differently, so that a strict site has it neither in what is matched nor in what is sent on.
const NEVER: [&str; 14] = [
    "//", "%2F", "%5C", "%2E", "%00", "%25", "%3B", "%3F", "%23", ";", "#", "\\", " ", "?",
];

fuzz_target!(|raw: &[u8]| {
    let strict = Target::parse(&Method::GET, raw);
    if let Ok(target) = &strict {
        check_strict(target);
    }
    let all: Leniencies = Leniency::ALL.into_iter().collect();
    let alone = Leniency::ALL.map(|leniency| Leniencies::NONE.with(leniency));
    for allowed in [Leniencies::NONE, all].into_iter().chain(alone) {
        let Ok(target) = Target::parse_leniently(&Method::GET, raw, allowed) else {
            let folds = allowed.contains(Leniency::CaseInsensitive);
            assert!(strict.is_err() || folds, "a leniency refused what is strictly right");
            continue;
        };
        check(&target, raw, allowed);
        if let Ok(strict) = &strict {
            let folded = strict.decoded_path().to_ascii_lowercase();
            let expected = if allowed.contains(Leniency::CaseInsensitive) {
                &folded
            } else {
                strict.decoded_path()
            };
            assert_eq!(
                target.decoded_path(),
                expected,
                "a leniency changed what is strictly right"
            );
        }
    }
});

fn check_strict(target: &Target<'_>) {
    let (path, decoded) = (target.path(), target.decoded_path());
    for never in NEVER {
        assert!(!path.contains(never), "{path} has {never}");
    }
    assert_eq!(target.other_readings().count(), 0);
    assert!(!decoded.contains("//") && !decoded.contains(['\\', ';', '%', '?', '#']));
    assert_eq!(path.split('/').count(), decoded.split('/').count());
}

/// What holds whatever a site allows.
fn check(target: &Target<'_>, raw: &[u8], allowed: Leniencies) {
    let path = target.path();
    assert!(path.is_ascii() && path.starts_with('/') && !path.starts_with("//"));
    assert!(!path.contains("//") && !path.contains(['\\', '#', '?', ' ']));
    for reading in target.other_readings().chain([target.decoded_path()]) {
        assert!(!reading.starts_with("//") && !leads_elsewhere(reading), "{reading}");
        assert!(!reading.chars().any(char::is_control), "{reading}");
    }
    assert!(target.other_readings().count() < READINGS_MAX, "{path}");
    // Read by whoever decodes as often as there is something to decode, and takes every separator for one.
    let mut text = path.to_owned();
    for _ in 0..4 {
        text = decoded(&text);
        assert!(!text.contains('\0'), "{path}");
        assert!(
            !leads_elsewhere(&text.replace('\\', "/")),
            "{path} leads elsewhere as {text}"
        );
    }
    let forwarded = target
        .rewritten()
        .unwrap_or_else(|| String::from_utf8(raw.to_vec()).expect("canonical, so ASCII"));
    let again = Target::parse_leniently(&Method::GET, forwarded.as_bytes(), allowed).expect("canonical, so accepted");
    assert_eq!(&again, target);
    assert_eq!(again.rewritten(), None, "one spelling only");
}

/// Whether a segment points elsewhere, as it is or without its parameters, in the whole path or in what stands before a
/// query or a fragment.
fn leads_elsewhere(path: &str) -> bool {
    let points = |name: &str| name == "." || name.ends_with("..");
    let before = path.split(['?', '#']).next().unwrap_or_default();
    [path, before]
        .into_iter()
        .flat_map(|path| path.split('/'))
        .any(|segment| points(segment) || segment.split(';').next().is_some_and(points))
}

/// Decoded once; what is no escape stays.
fn decoded(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut after = bytes.clone();
        let mut digit = || after.next().and_then(|digit| char::from(digit).to_digit(16));
        match (byte, digit(), digit()) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high << 4 | low).expect("two digits"));
                bytes = after;
            }
            _ => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
