use http::Method;
use proptest::prelude::*;

use super::*;

mod leniencies;

fn parse(raw: &str) -> Result<Target<'_>, TargetFault> {
    Target::parse(&Method::GET, raw.as_bytes())
}

#[test]
fn a_plain_target_is_passed_on_as_it_is() {
    for raw in [
        "/",
        "/a/b.js",
        "/a/",
        "/a?x=1&y=%zz",
        "/a?",
        "/a??b/../c//d",
        "/~ada/$x@y:z,(1)!*'+=&",
        "/...a/b..c/d.",
        "/a..b/.c",
        "/%20/%C3%A4",
    ] {
        let target = parse(raw).unwrap();
        assert_eq!(target.rewritten(), None, "{raw}");
        let forwarded = match target.query() {
            Some(query) => format!("{}?{query}", target.path()),
            None => target.path().to_owned(),
        };
        assert_eq!(forwarded, raw);
    }
}

#[test]
fn a_segment_that_ends_in_two_dots_is_a_step_to_whoever_glues_it_to_a_folder() {
    for raw in [
        "/static../secret",
        "/static..",
        "/static.../x",
        "/a/b../c",
        "/static..%20/secret",
        "/%61..",
    ] {
        assert_eq!(parse(raw), Err(TargetFault::DotSegment), "{raw}");
    }
    for raw in ["/static./secret", "/a..b/c", "/..a", "/b?x=a../b"] {
        assert!(parse(raw).is_ok(), "{raw}");
    }
}

#[test]
fn another_spelling_is_made_canonical() {
    for (raw, forwarded, decoded) in [
        ("/%41dmin", "/Admin", "/Admin"),
        ("/%61dmin?q=%61", "/admin?q=%61", "/admin"),
        ("/%c3%a4", "/%C3%A4", "/ä"),
        ("/a%20b%7e", "/a%20b~", "/a b~"),
        ("/%2a%5b", "/%2A%5B", "/*["),
    ] {
        let target = parse(raw).unwrap();
        assert_eq!(target.rewritten().as_deref(), Some(forwarded), "{raw}");
        assert_eq!(target.decoded_path(), decoded, "{raw}");
    }
}

#[test]
fn methods_outside_the_list_are_refused() {
    for name in ["get", "GETX", "TRACE", "CONNECT", "PROPFIND", "Post", "PURGE"] {
        let method = Method::from_bytes(name.as_bytes()).unwrap();
        assert_eq!(
            Target::parse(&method, b"/"),
            Err(TargetFault::MethodNotAllowed),
            "{name}"
        );
    }
    for verb in Verb::ALL {
        let method = Method::from_bytes(verb.as_str().as_bytes()).unwrap();
        assert!(Target::parse(&method, b"/").is_ok(), "{verb:?}");
    }
}

#[test]
fn lengths_have_a_limit() {
    let path = format!("/{}", "a".repeat(PATH_BYTES_MAX));
    assert_eq!(parse(&path), Err(TargetFault::PathTooLong));
    let longest = format!("/{}", "a".repeat(PATH_BYTES_MAX - 1));
    assert!(parse(&longest).is_ok());
    let target = format!("/?{}", "a".repeat(TARGET_BYTES_MAX - 2));
    assert!(parse(&target).is_ok());
    assert_eq!(parse(&format!("{target}a")), Err(TargetFault::TargetTooLong));
}

#[test]
fn every_reason_has_its_own_code() {
    let codes: std::collections::BTreeSet<_> = TargetFault::ALL.iter().map(|fault| fault.as_str()).collect();
    assert_eq!(codes.len(), TargetFault::ALL.len());
}

/// Pieces that hostile targets are made of.
fn hostile_target() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("/"),
        Just("."),
        Just(".."),
        Just("admin"),
        Just("public"),
        Just("%2e"),
        Just("%2E"),
        Just("%2f"),
        Just("%5c"),
        Just("\\"),
        Just(";"),
        Just("%3b"),
        Just("%25"),
        Just("%252e"),
        Just("%00"),
        Just("%41"),
        Just("%61"),
        Just("%c3%a4"),
        Just("%C0%AE"),
        Just("%e0%80%af"),
        Just("%zz"),
        Just("%"),
        Just("#"),
        Just("?"),
        Just("%20"),
        Just("%7E"),
        Just("*"),
        Just("\t"),
        Just("%c2%85"),
        Just("%ef%bc%8f"),
        Just("[x]"),
        Just("+"),
        Just("é"),
    ];
    let grammar =
        proptest::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()).into_bytes());
    prop_oneof![9 => grammar, 1 => proptest::collection::vec(any::<u8>(), 0..40)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_passes_is_canonical_and_stays_so(raw in hostile_target()) {
        let Ok(target) = Target::parse(&Method::GET, &raw) else { return Ok(()) };
        let forwarded = target.rewritten().unwrap_or_else(|| String::from_utf8(raw.clone()).unwrap());
        let again = Target::parse(&Method::GET, forwarded.as_bytes()).unwrap();
        prop_assert_eq!(again.rewritten(), None);
        prop_assert_eq!(&again, &target);
    }

    #[test]
    fn what_passes_has_one_reading(raw in hostile_target()) {
        let Ok(target) = Target::parse(&Method::GET, &raw) else { return Ok(()) };
        let path = target.path();
        for never in ["//", "%2F", "%5C", "%2E", "%00", "%25", "%3B", "%3F", "%23", ";", "#", "\\", "?", " "] {
            prop_assert!(!path.contains(never), "{path} has {never}");
        }
        prop_assert!(path.is_ascii());
        prop_assert!(target.decoded_path().split('/').all(|segment| segment != "." && segment != ".."));
        prop_assert!(!target.decoded_path().contains(['\\', ';', '%', '?', '#']));
        prop_assert!(!target.decoded_path().chars().any(char::is_control));
        prop_assert_eq!(path.split('/').count(), target.decoded_path().split('/').count());
    }
}
