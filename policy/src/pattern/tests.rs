use proptest::prelude::*;

use super::*;
use crate::verb::Verb;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

/// The tree with these patterns, numbered as they come, each for every method.
fn trie(patterns: &[&str]) -> Trie {
    let mut trie = Trie::default();
    for (number, text) in (0..).zip(patterns) {
        trie.insert(&pattern(text), &[], number).unwrap();
    }
    trie
}

fn found<'a>(patterns: &[&'a str], path: &str) -> Option<&'a str> {
    let number = Paths::of(&trie(patterns)).find(path, Verb::Get)?;
    Some(patterns[usize::try_from(number).unwrap()])
}

#[test]
fn an_open_end_matches_any_number_of_segments() {
    for path in ["/admin", "/admin/", "/admin/x", "/admin/x/y/"] {
        assert_eq!(found(&["/admin/**"], path), Some("/admin/**"), "{path}");
    }
    for path in ["/", "/adminx", "/Admin", "/x/admin"] {
        assert_eq!(found(&["/admin/**"], path), None, "{path}");
    }
    assert_eq!(found(&["/**"], "/"), Some("/**"));
    assert_eq!(found(&["/**", "/admin/**"], "/admin/"), Some("/admin/**"));
}

#[test]
fn a_trailing_slash_is_a_segment_of_its_own() {
    assert_eq!(found(&["/a"], "/a/"), None);
    assert_eq!(found(&["/a/"], "/a"), None);
    assert_eq!(found(&["/a", "/a/"], "/a/"), Some("/a/"));
    assert_eq!(found(&["/a/*"], "/a/"), None);
    assert_eq!(found(&["/a/*/"], "/a/b/"), Some("/a/*/"));
    assert_eq!(found(&["/"], "/"), Some("/"));
}

#[test]
fn the_most_specific_pattern_wins_from_the_left() {
    let all = [
        "/**", "/*", "/a*", "/ab*", "/abc", "/abc/**", "/*/x", "/a*/**", "/*.php",
    ];
    for (path, winner) in [
        ("/abc", "/abc"),
        ("/abd", "/ab*"),
        ("/ac", "/a*"),
        ("/zzz", "/*"),
        ("/zzz.php", "/*.php"),
        ("/zzz/x", "/*/x"),
        ("/zzz/y", "/**"),
        ("/ac/x", "/a*/**"),
        ("/abc/x", "/abc/**"),
        ("/ab", "/a*"),
        ("/", "/**"),
    ] {
        assert_eq!(found(&all, path), Some(winner), "{path}");
    }
}

#[test]
fn a_dead_end_gives_way_to_the_next_best_pattern() {
    assert_eq!(found(&["/a/b/c", "/a/*/d", "/*/b/e", "/**"], "/a/b/d"), Some("/a/*/d"));
    assert_eq!(found(&["/a/b/c", "/a/*/d", "/*/b/e", "/**"], "/a/b/e"), Some("/*/b/e"));
    assert_eq!(found(&["/a/b/c", "/a/*/d", "/*/b/e", "/**"], "/a/b/f"), Some("/**"));
}

#[test]
fn a_star_stands_for_at_least_one_character() {
    assert_eq!(found(&["/report-*"], "/report-"), None);
    assert_eq!(found(&["/report-*"], "/report-7"), Some("/report-*"));
    assert_eq!(found(&["/a*a"], "/a"), None);
    assert_eq!(found(&["/a*a"], "/aa"), None);
    assert_eq!(found(&["/a*a"], "/aba"), Some("/a*a"));
    assert_eq!(found(&["/*"], "/ä"), Some("/*"));
}

#[test]
fn a_pattern_for_a_method_leaves_the_other_methods_alone() {
    let mut trie = trie(&["/a/**"]);
    trie.insert(&pattern("/a/x"), Verb::Get.covers(), 1).unwrap();
    trie.insert(&pattern("/a/**"), &[Verb::Post], 2).unwrap();
    let paths = Paths::of(&trie);
    assert_eq!(paths.find("/a/x", Verb::Get), Some(1));
    assert_eq!(paths.find("/a/x", Verb::Head), Some(1));
    assert_eq!(paths.find("/a/x", Verb::Put), Some(0));
    assert_eq!(paths.find("/a/x", Verb::Post), Some(2));
    assert_eq!(trie.insert(&pattern("/a/x"), &[Verb::Head], 3), Err(Clash::Same(1)));
    assert_eq!(trie.insert(&pattern("/a/**"), &[], 3), Err(Clash::Same(0)));
}

#[test]
fn equally_specific_globs_that_overlap_are_a_tie() {
    let tie = |one: &str, other: &str| trie(&[one]).insert(&pattern(other), &[], 1);
    assert_eq!(tie("/a*", "/*b"), Err(Clash::Tie(0)));
    assert_eq!(tie("/x/a*/y", "/x/*b"), Err(Clash::Tie(0)));
    assert_eq!(tie("/a*", "/b*"), Ok(()));
    assert_eq!(tie("/a*", "/*bc"), Ok(()));
    assert_eq!(tie("/x/a*", "/y/*b"), Ok(()));
    assert_eq!(tie("/a*/x", "/a*/y"), Ok(()));
}

#[test]
fn globs_at_one_place_have_a_limit() {
    let mut trie = Trie::default();
    let insert = |trie: &mut Trie, number: u32| trie.insert(&pattern(&format!("/{number:03}-*")), &[], number);
    for number in 0..64 {
        insert(&mut trie, number).unwrap();
    }
    assert_eq!(insert(&mut trie, 64), Err(Clash::TooMany));
}

#[test]
fn what_is_no_pattern_says_why() {
    for (text, why) in [
        ("", "does not begin with `/`"),
        ("admin", "does not begin with `/`"),
        ("/a//b", "empty segment"),
        ("/a/**/b", "more than one `*`"),
        ("/a/x**", "more than one `*`"),
        ("/a*b*", "more than one `*`"),
        ("/../a", "dot segment"),
        ("/a/.", "dot segment"),
        ("/a%20b", "the character `%`"),
        ("/a?x=1", "the character `?`"),
        ("/a;b", "the character `;`"),
        ("/a\\b", "the character `\\\\`"),
        ("/a#b", "the character `#`"),
        ("/a\n", "the character `\\n`"),
    ] {
        let (message, help) = Pattern::parse(text).unwrap_err();
        assert!(message.contains(why), "{text}: {message}");
        assert!(help.is_some());
    }
    assert!(Pattern::parse(&"/a".repeat(PATTERN_SEGMENTS_MAX)).is_ok());
    assert!(Pattern::parse(&"/a".repeat(PATTERN_SEGMENTS_MAX + 1)).is_err());
    assert!(Pattern::parse(&format!("/{}", "a".repeat(PATTERN_BYTES_MAX))).is_err());
}

#[test]
fn a_pattern_reads_as_it_was_written() {
    for text in ["/", "/**", "/a", "/a/", "/a/*/b-*.php/**", "/ä b"] {
        assert_eq!(pattern(text).to_string(), text);
    }
}

#[test]
fn an_end_is_more_specific_than_an_open_end() {
    let order = |one: &str, other: &str| pattern(one).compare(&pattern(other));
    assert_eq!(order("/a", "/a/**"), Ordering::Greater);
    assert_eq!(order("/a/", "/a/**"), Ordering::Greater);
    assert_eq!(order("/a/*", "/a/**"), Ordering::Greater);
    assert_eq!(order("/**", "/a/**"), Ordering::Less);
    assert_eq!(order("/a/**", "/a/**"), Ordering::Equal);
}

/// Tells whether a pattern matches, straight from its text.
fn naive_match(pattern: &str, path: &str) -> bool {
    let (fixed, open) = match pattern.strip_suffix("/**") {
        Some(fixed) => (fixed, true),
        None => (pattern, false),
    };
    let ours: Vec<&str> = fixed.split('/').skip(1).collect();
    let theirs: Vec<&str> = path.split('/').skip(1).collect();
    (theirs.len() == ours.len() || open && theirs.len() > ours.len())
        && ours
            .iter()
            .zip(&theirs)
            .all(|(ours, theirs)| match ours.split_once('*') {
                None => ours == theirs,
                Some((a, b)) => theirs.len() > a.len() + b.len() && theirs.starts_with(a) && theirs.ends_with(b),
            })
}

/// One number a segment; compared as lists, the greatest is the most specific.
fn naive_rank(pattern: &str) -> Vec<usize> {
    let ranks = pattern.split('/').skip(1).map(|segment| match segment {
        "**" => 0,
        "*" => 2,
        glob if glob.contains('*') => 2 + glob.len(),
        _ => 1000,
    });
    ranks.chain([1]).collect()
}

fn any_pattern() -> impl Strategy<Value = String> {
    let segment =
        prop_oneof![4 => "[ab]{1,2}", 1 => "[ab]\\*", 1 => "\\*[ab]", 1 => "[ab]\\*[ab]", 2 => Just("*".to_owned())];
    let end = prop_oneof![3 => Just(""), 2 => Just("/**"), 1 => Just("/")];
    (proptest::collection::vec(segment, 0..4), end).prop_map(|(segments, end)| {
        let text: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        let text = text + end;
        if text.is_empty() { "/".to_owned() } else { text }
    })
}

fn any_path() -> impl Strategy<Value = String> {
    (proptest::collection::vec("[ab]{1,3}", 0..5), any::<bool>()).prop_map(|(segments, slash)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        if slash || path.is_empty() { path + "/" } else { path }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn the_tree_finds_what_trying_all_patterns_finds(
        texts in proptest::collection::vec(any_pattern(), 1..12),
        paths in proptest::collection::vec(any_path(), 8),
    ) {
        let mut trie = Trie::default();
        let mut kept: Vec<&str> = Vec::new();
        for text in &texts {
            let number = u32::try_from(kept.len()).unwrap();
            if trie.insert(&pattern(text), &[], number).is_ok() {
                kept.push(text);
            }
        }
        let laid = Paths::of(&trie);
        for path in &paths {
            let best = kept.iter().filter(|text| naive_match(text, path)).max_by_key(|text| naive_rank(text));
            let found = laid.find(path, Verb::Get).map(|number| kept[usize::try_from(number).unwrap()]);
            prop_assert_eq!(found, best.copied(), "{} among {:?}", path, kept);
        }
    }

    /// Texts of any length, since long ones lie apart; the same ones at several places, since all places share a table.
    #[test]
    fn texts_of_any_length_are_told_apart(
        texts in proptest::collection::btree_set("(/a{0,3}[bc]{1,2}|/[ab]{28,33}){1,3}", 1..40),
        others in proptest::collection::vec("(/a{0,3}[bc]{1,2}|/[ab]{28,33}){1,3}", 8),
    ) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let laid = Paths::of(&trie(&texts));
        for path in texts.iter().copied().chain(others.iter().map(String::as_str)) {
            let found = laid.find(path, Verb::Get).map(|number| texts[usize::try_from(number).unwrap()]);
            prop_assert_eq!(found, texts.contains(&path).then_some(path));
        }
    }

    /// Methods of their own, at the end of a path and beyond it.
    #[test]
    fn a_rule_for_a_method_is_found_by_that_method_alone(
        rules in proptest::collection::vec(("(/[ab]){1,2}(/\\*\\*)?", proptest::option::of(0..7_usize)), 1..12),
        paths in proptest::collection::vec("(/[abc]){1,3}", 8),
        asked in 0..7_usize,
    ) {
        let mut trie = Trie::default();
        let mut kept: Vec<(&str, Option<Verb>)> = Vec::new();
        for (text, verb) in &rules {
            let verb = verb.map(|place| Verb::ALL[place]);
            let verbs: Vec<Verb> = verb.into_iter().collect();
            if trie.insert(&pattern(text), &verbs, u32::try_from(kept.len()).unwrap()).is_ok() {
                kept.push((text, verb));
            }
        }
        let (laid, asked) = (Paths::of(&trie), Verb::ALL[asked]);
        for path in &paths {
            let fits = |(text, verb): &&(&str, Option<Verb>)| naive_match(text, path) && verb.is_none_or(|verb| verb == asked);
            let fitting = kept.iter().filter(fits);
            let best = fitting.max_by_key(|(text, verb)| (naive_rank(text), verb.is_some()));
            let found = laid.find(path, asked).map(|number| kept[usize::try_from(number).unwrap()]);
            prop_assert_eq!(found, best.copied(), "{} among {:?}", path, kept);
        }
    }

    #[test]
    fn containment_and_overlap_hold_for_every_path(one in any_pattern(), other in any_pattern(), path in any_path()) {
        let (ours, theirs) = (pattern(&one), pattern(&other));
        let (matches_one, matches_other) = (naive_match(&one, &path), naive_match(&other, &path));
        if ours.contains(&theirs) {
            prop_assert!(matches_one || !matches_other);
        }
        if matches_one && matches_other {
            prop_assert_eq!(trie(&[&one]).overlapping(&theirs), vec![0]);
            let order = ours.compare(&theirs);
            prop_assert_eq!(order.is_gt(), naive_rank(&one) > naive_rank(&other), "{} {}", one, other);
        }
    }
}
