//! What a site may let pass, and in which spelling it is sent on.

use http::Method;
use proptest::prelude::*;

use super::super::*;
use crate::request::{Leniencies, Leniency};
use crate::test_support::targets::{any_leniencies, doubtful_path, lenient_target};

fn parse<'a>(raw: &'a str, allowed: &[Leniency]) -> Result<Target<'a>, TargetFault> {
    Target::parse_leniently(&Method::GET, raw.as_bytes(), allowed.iter().copied().collect())
}

fn forwarded(target: &Target<'_>) -> String {
    match target.query() {
        Some(query) => format!("{}?{query}", target.path()),
        None => target.path().to_owned(),
    }
}

/// The leniency, what is sent, what is forwarded, what is matched, and what else is.
const LET_PASS: &[(Leniency, &str, &str, &str, &[&str])] = &[
    (Leniency::EncodedSlash, "/p/a%2fb", "/p/a%2Fb", "/p/a%2Fb", &["/p/a/b"]),
    (Leniency::EncodedSlash, "/p/a%2F", "/p/a%2F", "/p/a%2F", &["/p/a/"]),
    (
        Leniency::EncodedSlash,
        "/q/%2f/x",
        "/q/%2F/x",
        "/q/%2F/x",
        &["/q///x", "/q/x"],
    ),
    (
        Leniency::EncodedBackslash,
        "/u/OFFICE%5cbob",
        "/u/OFFICE%5Cbob",
        "/u/OFFICE%5Cbob",
        &["/u/OFFICE/bob"],
    ),
    (Leniency::EncodedPercent, "/p/100%25", "/p/100%25", "/p/100%", &[]),
    (
        Leniency::EncodedPercent,
        "/p/50%25-off",
        "/p/50%25-off",
        "/p/50%-off",
        &[],
    ),
    (Leniency::EncodedDot, "/p/a%2Ejs", "/p/a.js", "/p/a.js", &[]),
    (Leniency::EncodedDot, "/p/%2ehidden", "/p/.hidden", "/p/.hidden", &[]),
    (
        Leniency::EncodedSemicolon,
        "/p/a%3bb/c",
        "/p/a%3Bb/c",
        "/p/a%3Bb/c",
        &["/p/a/c"],
    ),
    (
        Leniency::EncodedQuestionMark,
        "/p/why%3f/c",
        "/p/why%3F/c",
        "/p/why%3F/c",
        &["/p/why"],
    ),
    (Leniency::EncodedHash, "/p/C%23/c", "/p/C%23/c", "/p/C%23/c", &["/p/C"]),
    (
        Leniency::Semicolon,
        "/a.do;jsessionid=0A!b.n1",
        "/a.do;jsessionid=0A!b.n1",
        "/a.do",
        &["/a.do;jsessionid=0A!b.n1"],
    ),
    (
        Leniency::Semicolon,
        "/;JSESSIONID=1?x=1",
        "/;JSESSIONID=1?x=1",
        "/",
        &["/;JSESSIONID=1"],
    ),
    (
        Leniency::Semicolon,
        "/%61.do;jsessionid=A",
        "/a.do;jsessionid=A",
        "/a.do",
        &["/a.do;jsessionid=A"],
    ),
    (Leniency::EmptySegment, "//a///b//", "/a/b/", "/a/b/", &[]),
    (
        Leniency::CaseInsensitive,
        "/Admin/%41?Q=A",
        "/admin/a?Q=A",
        "/admin/a",
        &[],
    ),
    (Leniency::CaseSensitive, "/Admin/x", "/Admin/x", "/Admin/x", &[]),
    (
        Leniency::RawDelimiters,
        "/p/{id}|^",
        "/p/%7Bid%7D%7C%5E",
        "/p/{id}|^",
        &[],
    ),
    (Leniency::RawNonAscii, "/p/ä?q=ü", "/p/%C3%A4?q=%C3%BC", "/p/ä", &[]),
    (
        Leniency::LookAlikes,
        "/p/%E2%80%A6x",
        "/p/%E2%80%A6x",
        "/p/…x",
        &["/p/...x"],
    ),
    (
        Leniency::LookAlikes,
        "/p/a%EF%BC%8Fb",
        "/p/a%EF%BC%8Fb",
        "/p/a／b",
        &["/p/a/b"],
    ),
];

#[test]
fn what_is_allowed_passes_in_one_spelling_and_with_every_reading() {
    for (leniency, raw, sent, matched, others) in LET_PASS {
        let target = parse(raw, &[*leniency]).unwrap();
        assert_eq!(forwarded(&target), *sent, "{raw}");
        assert_eq!(target.decoded_path(), *matched, "{raw}");
        assert_eq!(target.other_readings().collect::<Vec<_>>(), *others, "{raw}");
        assert_eq!(target.rewritten().is_some(), sent != raw, "{raw}");
    }
    let shown: Vec<_> = LET_PASS.iter().map(|(leniency, ..)| *leniency).collect();
    assert!(
        Leniency::ALL.iter().all(|leniency| shown.contains(leniency)),
        "one without a case"
    );
}

#[test]
fn what_one_name_allows_no_other_name_does() {
    for (leniency, raw, ..) in LET_PASS {
        let others: Vec<Leniency> = Leniency::ALL.into_iter().filter(|other| other != leniency).collect();
        match parse(raw, &others) {
            // What these are about passes here and is judged later.
            Ok(_) => assert!(
                matches!(leniency, Leniency::CaseInsensitive | Leniency::CaseSensitive),
                "{raw}"
            ),
            Err(fault) => assert_eq!(fault.leniency(), Some(*leniency), "{raw}"),
        }
    }
}

/// What no name allows.
const NEVER: &[&str] = &[
    "/p/%00",
    "/p/%0a",
    "/p/\t",
    "/p/a b",
    "/p#x",
    "/p/<",
    "/p/\"",
    "/p/>",
    "/p/`",
    "/p?<",
    "/p\\..\\x",
    "/p/../x",
    "/p/..",
    "/p/%2e%2e/x",
    "/p/.%2E",
    "/p/%2e",
    "/p/...",
    "/p/..%20",
    "/p/%c0%ae",
    "/p/%zz",
    "/p/%",
    "/p?#x",
    "/p? x",
    "/p/%C2%85",
    // a folder's name, and what leads out of it, by every spelling and in every reading
    "/static../secret",
    "/static..%2fsecret",
    "/static.%2e/secret",
    "/STATIC../secret",
    "/static..%5csecret",
    "/static..%3bx/secret",
    "/static..;jsessionid=1",
    "/static..%3f",
    "/static..%23",
    "/static%E2%80%A5/secret",
    "/static.%EF%BC%8E/secret",
    "/a%2fstatic..%2fsecret",
    "//static..//secret",
    // path parameters other than a session at the end
    "/p/..;/x",
    "/p/..;jsessionid=1",
    "/p/.;jsessionid=1",
    "/;/x",
    "/p;jsessionid=1/x",
    "/p;x=y",
    "/p;jsessionid=",
    "/p;jsessionid=a;x=y",
    "/p;jsessionid=a/../x",
    "/p;jsessionid=a%2f..",
    "/p;jsessionid",
    "/p;jsessionid=ä",
    // what leads elsewhere once it is decoded again, or read by somebody else
    "/p/..%2fx",
    "/p%2f..%2fx",
    "/%2Fx",
    "/p/..%5cx",
    "/p%5c..",
    "/p/..%3bx/y",
    "/p/.%3Fx",
    "/p/..%23",
    "/p/%252e",
    "/p/%252f",
    "/p/%25%32%66",
    "/p/%25u002f",
    "/p/%2541",
    "/p/%25%C3%A4",
    "/p/%EF%BC%8E%EF%BC%8E/x",
    "/p/%E2%80%A5",
    "/p/%E2%80%A6",
    "/p/..%EF%BC%8Fx",
    "/p/%EF%BC%852e",
    "/p/%25%EF%BC%92",
];

#[test]
fn some_things_no_name_allows() {
    for raw in NEVER {
        assert!(parse(raw, &Leniency::ALL).is_err(), "{raw}");
    }
    for encoded in [b"/\xe4".as_slice(), b"/\xed\xa0\x80", b"/\xc2\x85"] {
        let all = Leniency::ALL.into_iter().collect();
        assert!(
            Target::parse_leniently(&Method::GET, encoded, all).is_err(),
            "{encoded:?}"
        );
    }
}

#[test]
fn a_site_that_folds_case_knows_a_file_by_one_name() {
    for raw in [
        "/admin.",
        "/admin%20/x",
        "/admin./x",
        "/ADMINI~1",
        "/a::$DATA",
        "/a:$i30:$INDEX_ALLOCATION/x",
    ] {
        assert_eq!(
            parse(raw, &[Leniency::CaseInsensitive]),
            Err(TargetFault::WindowsName),
            "{raw}"
        );
        assert!(parse(raw, &[]).is_ok(), "{raw}");
    }
    // The Kelvin sign, long s and the Turkish letters.
    for raw in ["/tas%E2%84%AA", "/u%C5%BFers", "/adm%C4%B0n", "/adm%C4%B1n"] {
        assert_eq!(
            parse(raw, &[Leniency::CaseInsensitive]),
            Err(TargetFault::LookAlike),
            "{raw}"
        );
    }
    for fine in ["/~ada/a~b", "/a:b", "/v1.2/x.y"] {
        assert!(parse(fine, &[Leniency::CaseInsensitive]).is_ok(), "{fine}");
    }
}

#[test]
fn what_grows_by_being_encoded_still_has_to_fit() {
    let path = format!("/{}", "{".repeat(PATH_BYTES_MAX / 2));
    assert_eq!(parse(&path, &[Leniency::RawDelimiters]), Err(TargetFault::PathTooLong));
    let query = format!("/?{}", "ä".repeat(TARGET_BYTES_MAX / 4));
    assert_eq!(parse(&query, &[Leniency::RawNonAscii]), Err(TargetFault::TargetTooLong));
}

#[test]
fn a_query_in_an_old_code_page_never_passes() {
    let raw = b"/p?name=M\xfcller";
    let all = Leniency::ALL.into_iter().collect();
    assert_eq!(
        Target::parse_leniently(&Method::GET, raw, all),
        Err(TargetFault::QueryNonAscii)
    );
}

#[test]
fn as_many_readings_as_there_are_mixtures_are_known() {
    let all = [
        Leniency::EncodedSlash,
        Leniency::EncodedSemicolon,
        Leniency::EncodedHash,
    ];
    let target = parse("/a%2Fb%3Bc%2Fd%23e", &all).unwrap();
    assert_eq!(
        target.other_readings().collect::<Vec<_>>(),
        [
            "/a%2Fb",
            "/a%2Fb%3Bc%2Fd",
            "/a/b%3Bc/d",
            "/a/b%3Bc/d%23e",
            "/a/b/d",
            "/a/b/d%23e",
        ]
    );
}

#[test]
fn what_a_look_alike_becomes_is_no_escape_that_is_left_alone() {
    let all = [Leniency::EncodedBackslash, Leniency::LookAlikes];
    let target = parse("/a%5cb%c2%a5c", &all).unwrap();
    assert_eq!(
        target.other_readings().collect::<Vec<_>>(),
        ["/a%5Cb%5Cc", "/a%5Cb/c", "/a/b/c", "/a/b¥c"]
    );
}

#[test]
fn a_session_is_part_of_a_name_or_none_in_every_mixture() {
    let all = [Leniency::Semicolon, Leniency::EncodedSlash, Leniency::EncodedHash];
    let target = parse("/a%2fb%23c;jsessionid=X", &all).unwrap();
    assert_eq!(target.decoded_path(), "/a%2Fb%23c");
    assert_eq!(
        target.other_readings().collect::<Vec<_>>(),
        [
            "/a%2Fb%23c;jsessionid=X",
            "/a%2Fb",
            "/a/b",
            "/a/b%23c",
            "/a/b%23c;jsessionid=X",
        ]
    );
    let folding = [Leniency::Semicolon, Leniency::CaseInsensitive];
    for raw in ["/a;jsessionid=X", "/A;jsessionid=X"] {
        let target = parse(raw, &folding).unwrap();
        assert_eq!(target.path(), "/a;jsessionid=X");
        assert_eq!(target.other_readings().collect::<Vec<_>>(), ["/a;jsessionid=x"]);
    }
}

#[test]
fn a_path_of_more_readings_than_are_judged_is_refused() {
    let most = [
        "/a%2Fb%5Cc%3Bd%23e",
        "/a%2Fb%5Cc%3Fd;jsessionid=X",
        "/a%C2%A5b%EF%BC%9Bc%EF%BC%9Fd",
    ];
    for raw in most {
        let target = parse(raw, &Leniency::ALL).unwrap();
        assert!(target.other_readings().count() < READINGS_MAX, "{raw}");
    }
    let too_many = [
        "/a%2Fb%5Cc%3Bd%23e%3F",
        "/a%2Fb%5Cc%3Bd%23e;jsessionid=X",
        "/a%2Fb%5Cc%EF%BC%9Bd;jsessionid=X",
        "/a%2F%2Fb%5Cc%3Bd%23e",
        // the same doubts in one segment and in many
        &"/%2F%5C%3B%3F%23".repeat(200),
    ];
    for raw in too_many {
        assert_eq!(
            parse(raw, &Leniency::ALL),
            Err(TargetFault::TooManyReadings),
            "{raw:.40}"
        );
    }
    // How often something is doubtful is no matter, only how many kinds of it there are.
    let often = "/a%2Fb".repeat(500);
    assert_eq!(
        parse(&often, &Leniency::ALL).unwrap().other_readings().count(),
        1,
        "one kind, one more reading"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn what_is_let_pass_is_canonical_and_stays_so(raw in lenient_target(), allowed in any_leniencies()) {
        let Ok(target) = Target::parse_leniently(&Method::GET, &raw, allowed) else { return Ok(()) };
        let sent = forwarded(&target);
        prop_assert!(sent.parse::<http::Uri>().is_ok(), "{sent}");
        prop_assert!(sent.is_ascii() && !sent.contains(['#', ' ']), "{sent}");
        prop_assert!(!target.path().contains(['"', '<', '>', '^', '`', '{', '|', '}', '\\']), "{sent}");
        let again = Target::parse_leniently(&Method::GET, sent.as_bytes(), allowed).unwrap();
        prop_assert_eq!(again.rewritten(), None);
        prop_assert_eq!(&again, &target);
    }

    #[test]
    fn what_is_strictly_right_is_not_changed_by_a_leniency(raw in lenient_target(), allowed in any_leniencies()) {
        let Ok(strict) = Target::parse(&Method::GET, &raw) else { return Ok(()) };
        match Target::parse_leniently(&Method::GET, &raw, allowed) {
            Ok(lenient) if allowed.contains(Leniency::CaseInsensitive) => {
                prop_assert!(lenient.decoded_path() == strict.decoded_path().to_ascii_lowercase());
                prop_assert!(lenient.path().eq_ignore_ascii_case(strict.path()));
            }
            Ok(lenient) => prop_assert_eq!(lenient, strict),
            Err(fault) => {
                prop_assert!(allowed.contains(Leniency::CaseInsensitive));
                prop_assert!(matches!(fault, TargetFault::WindowsName | TargetFault::LookAlike));
            }
        }
    }

    #[test]
    fn a_leniency_more_refuses_nothing_that_passed(raw in lenient_target(), allowed in any_leniencies()) {
        let folds = |set: Leniencies| set.contains(Leniency::CaseInsensitive);
        if Target::parse_leniently(&Method::GET, &raw, allowed).is_err() { return Ok(()) }
        for more in Leniency::ALL {
            let wider = allowed.with(more);
            let parsed = Target::parse_leniently(&Method::GET, &raw, wider);
            prop_assert!(parsed.is_ok() || folds(wider) != folds(allowed), "{more:?}: {parsed:?}");
        }
    }

    #[test]
    fn no_path_has_more_readings_than_are_judged(raw in doubtful_path(), allowed in any_leniencies()) {
        for allowed in [allowed, Leniencies::from_iter(Leniency::ALL)] {
            let Ok(target) = Target::parse_leniently(&Method::GET, &raw, allowed) else { continue };
            prop_assert!(target.other_readings().count() < READINGS_MAX, "{target:?}");
        }
    }

    #[test]
    fn no_reading_has_a_segment_that_leads_elsewhere(raw in lenient_target(), allowed in any_leniencies()) {
        let Ok(target) = Target::parse_leniently(&Method::GET, &raw, allowed) else { return Ok(()) };
        for reading in target.other_readings().chain([target.decoded_path()]) {
            prop_assert!(reading.starts_with('/') && !reading.starts_with("//"), "{reading}");
            let dots = |segment: &str| segment.contains('.') && segment.trim_matches(['.', ' ']).is_empty();
            prop_assert!(!reading.split('/').any(|segment| dots(segment) || segment.ends_with("..")), "{reading}");
            prop_assert!(!reading.contains(['\\', '?', '#']), "{reading}");
            let session = reading.split_once(';').map(|(_, session)| session.to_ascii_lowercase());
            prop_assert!(session.is_none_or(|session| session.starts_with("jsessionid=") && !session.contains([';', '/'])));
        }
    }
}
