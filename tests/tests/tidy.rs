//! What a reader of the repository may rely on: files of a size that can be read, nothing left half done, and documents
//! that name what is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use stagedoor_tests::repository;

const LINES_MAX: usize = 600;

/// What must not be left behind. Put together here, so that this file does not find itself.
const LEFT_BEHIND: [&str; 4] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("FIX", "ME"),
];

/// The tracked files whose path matches one of git's patterns.
fn tracked(patterns: &[&str]) -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--"])
        .args(patterns)
        .current_dir(repository())
        .output()
        .expect("git can be started");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let text = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let files: Vec<PathBuf> = text
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect();
    assert!(!files.is_empty(), "nothing tracked matches {patterns:?}");
    files
}

/// The text of a tracked file; `None` where it is about to be removed.
fn text_of(file: &Path) -> Option<String> {
    let path = repository().join(file);
    path.exists()
        .then(|| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("`{}`: {error}", file.display())))
}

#[test]
fn no_source_file_is_longer_than_one_can_read_at_a_sitting() {
    let mut lengths: Vec<(usize, PathBuf)> = tracked(&["*.rs"])
        .into_iter()
        .filter_map(|file| Some((text_of(&file)?.lines().count(), file)))
        .collect();
    lengths.sort();
    let (lines, longest) = lengths.last().expect("there is source");
    println!(
        "{} source files, the longest is `{}` with {lines} lines",
        lengths.len(),
        longest.display()
    );
    let too_long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > LINES_MAX).collect();
    assert!(too_long.is_empty(), "more than {LINES_MAX} lines: {too_long:?}");
}

#[test]
fn nothing_is_left_half_done() {
    let mut found = Vec::new();
    for file in tracked(&["*.rs"]) {
        for (number, line) in text_of(&file).unwrap_or_default().lines().enumerate() {
            if LEFT_BEHIND.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", file.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_stage_of_a_request_is_named_in_the_architecture() {
    let architecture = text_of(Path::new("ARCHITECTURE.md")).expect("it is there");
    for file in tracked(&["gateway/src/stage/*.rs"]) {
        let name = file
            .strip_prefix("gateway/src/stage")
            .expect("a stage")
            .to_str()
            .expect("UTF-8");
        if name != "mod.rs" && text_of(&file).is_some() {
            assert!(
                architecture.contains(&format!("stage/{name}")),
                "ARCHITECTURE.md does not name `stage/{name}`"
            );
        }
    }
}

#[test]
fn every_link_between_documents_leads_to_a_file() {
    let mut links = 0;
    let mut broken = Vec::new();
    for document in tracked(&["README.md", "ARCHITECTURE.md", "docs/*.md"]) {
        let folder = repository().join(document.parent().expect("a file lies in a folder"));
        for target in relative_links(&text_of(&document).unwrap_or_default()) {
            links += 1;
            if !folder.join(&target).exists() {
                broken.push(format!("{}: `{target}`", document.display()));
            }
        }
    }
    assert!(links > 0, "no link was found: the search for them is broken");
    assert!(broken.is_empty(), "links that lead nowhere: {}", broken.join(", "));
}

/// Where the Markdown links `[text](target)` and images of a document lead, without those that leave the repository or stay
/// in the document.
fn relative_links(document: &str) -> Vec<String> {
    let targets = document
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets
        .map(|target| target.split([' ', '#']).next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn links_are_found_as_markdown_writes_them() {
    let document =
        "See [a](docs/a.md), ![b](b.png \"title\"), [c](https://example.com/c), [d](#here), [e](../e.md#part).";
    assert_eq!(relative_links(document), ["docs/a.md", "b.png", "../e.md"]);
}
