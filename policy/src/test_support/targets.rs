//! Targets as hostile visitors and sloppy consoles make them.

use proptest::prelude::*;

use crate::request::{Leniencies, Leniency};

/// Pieces of lenient and hostile targets alike.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "/",
        "/",
        "//",
        ".",
        "..",
        "...",
        "a",
        "b",
        "Admin",
        "ADMIN",
        "public",
        "%2e",
        "%2E%2e",
        "%2f",
        "%2F",
        "%5c",
        "\\",
        ";",
        ";jsessionid=A1",
        ";JSESSIONID=x!1",
        "..;",
        "%3b",
        "%3B",
        "%3f",
        "%23",
        "%25",
        "%2525",
        "%252f",
        "%25%32%65",
        "%00",
        "%41",
        "%61",
        "%c3%a4",
        "%C0%AE",
        "%zz",
        "%",
        "#",
        "?",
        "%20",
        "%7E",
        "~1",
        "::$DATA",
        "\t",
        "%c2%85",
        "%ef%bc%8f",
        "%ef%bc%8e",
        "%e2%80%a5",
        "%e2%80%a6",
        "%e2%84%80",
        "%ef%bc%85",
        "%ef%bc%9b",
        "%c2%a5",
        "%e2%84%aa",
        "[x]",
        "+",
        "é",
        "{x}",
        "|",
        "\"",
        "x=1",
    ])
}

/// A path of nothing but names and what has more than one reading.
pub(crate) fn doubtful_path() -> impl Strategy<Value = Vec<u8>> {
    let doubts = prop::sample::select(vec![
        "/",
        "a",
        "b/",
        "%2F",
        "%5C",
        "%3B",
        "%3F",
        "%23",
        "%25",
        "%C2%A5",
        "%EF%BC%8F",
        "%EF%BC%9B",
        "%EF%BC%9F",
        "%EF%BC%83",
        "%E2%81%89",
    ]);
    let session = prop::sample::select(vec!["", ";jsessionid=A"]);
    let pieces = prop::collection::vec(doubts, 0..9);
    (pieces, session).prop_map(|(pieces, session)| format!("/a{}{session}", pieces.concat()).into_bytes())
}

/// A target that one site or another may let pass, and many that none does.
pub(crate) fn lenient_target() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(piece(), 0..9);
    prop_oneof![
        12 => pieces.prop_map(|pieces| format!("/{}", pieces.concat()).into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// What a site may allow; everything, often.
pub(crate) fn any_leniencies() -> impl Strategy<Value = Leniencies> {
    let some = prop::sample::subsequence(Leniency::ALL.to_vec(), 0..=Leniency::ALL.len());
    let both = |one: &Leniency, folds: bool| *one != Leniency::CaseSensitive || !folds;
    prop_oneof![2 => some, 1 => Just(Leniency::ALL.to_vec())].prop_map(move |some| {
        // A site cannot say both of its console.
        let folds = some.contains(&Leniency::CaseInsensitive);
        some.into_iter().filter(|one| both(one, folds)).collect()
    })
}
