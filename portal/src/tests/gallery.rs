//! Every page, drawn with sample values into `target/pages`, so that people can look at them, and held to the rules that
//! every page keeps: labels, headings, language, nothing inline.

use std::fs;
use std::path::PathBuf;

use super::samples::pages;
use crate::assets;

/// A browser scrolls to the field it sets the cursor in; what went wrong must be near enough to be seen with it.
const ALERT_TO_FIELD_BYTES_MAX: usize = 1500;

#[test]
fn every_page_keeps_the_rules_of_a_good_page() {
    for (name, page) in pages() {
        keeps_the_rules(name, &page);
    }
}

#[test]
fn every_page_can_be_looked_at_in_target_pages() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/pages");
    let files = folder.join(".stagedoor/assets");
    // Pages of former names would be looked at as if they were still there.
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&files).unwrap();
    for name in [assets::style_name(), assets::mark_name()] {
        fs::copy(
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("assets")
                .join(plain_name(name)),
            files.join(name),
        )
        .unwrap();
    }
    for (name, page) in pages() {
        fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
    assert_eq!(fs::read_dir(&folder).unwrap().filter(is_page).count(), pages().len());
}

/// `portal-0123.css` is made of `portal.css`.
fn plain_name(hashed: &str) -> String {
    let (stem, rest) = hashed.split_once('-').unwrap();
    format!("{stem}.{}", rest.split_once('.').unwrap().1)
}

fn is_page(entry: &std::io::Result<fs::DirEntry>) -> bool {
    entry
        .as_ref()
        .unwrap()
        .path()
        .extension()
        .is_some_and(|extension| extension == "html")
}

fn keeps_the_rules(name: &str, page: &str) {
    assert!(
        page.starts_with("<!doctype html>\n<html lang=\"en\">"),
        "{name}: no language"
    );
    assert!(page.contains("name=\"viewport\""), "{name}: not for phones");
    assert_eq!(page.matches("<h1>").count(), 1, "{name}: one heading of the first rank");
    assert_eq!(page.matches("<title>").count(), 1, "{name}: one title");
    for inline in ["<script", "<style", " style=", " onload", " onclick", "javascript:"] {
        assert!(!page.contains(inline), "{name}: has {inline}");
    }
    let ids = values(page, "id");
    for (place, id) in ids.iter().enumerate() {
        assert!(!ids[place + 1..].contains(id), "{name}: two things are called {id}");
    }
    for reference in ["for", "aria-describedby", "aria-labelledby"] {
        for id in values(page, reference) {
            assert!(ids.contains(&id), "{name}: {reference} names {id}, which is not there");
        }
    }
    for input in page
        .split("<input ")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
    {
        if input.contains("type=\"hidden\"") || input.contains(" hidden") {
            continue;
        }
        let id = values(&format!(" {input}"), "id");
        assert_eq!(id.len(), 1, "{name}: {input} has no id");
        assert!(values(page, "for").contains(&id[0]), "{name}: nothing labels {input}");
        assert!(
            input.contains("autocomplete=\""),
            "{name}: {input} does not say what it is for"
        );
    }
    if let (Some(alert), Some(field)) = (page.find("role=\"alert\""), page.find(" autofocus")) {
        let between = field - alert;
        assert!(
            between < ALERT_TO_FIELD_BYTES_MAX,
            "{name}: {between} bytes from the alert to the field"
        );
    }
    for form in page
        .split("<form ")
        .skip(1)
        .map(|rest| rest.split("</form>").next().unwrap())
    {
        let posts = form.contains("method=\"post\"") && form.contains("name=\"csrf\"");
        // A search changes nothing, and its token would stand in the address.
        let searches = form.contains("method=\"get\"") && form.contains("role=\"search\"") && !form.contains("csrf");
        assert!(posts || searches, "{name}: a form without its token");
    }
    for select in page
        .split("<select ")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
    {
        let id = values(&format!(" {select}"), "id");
        assert!(
            id.len() == 1 && values(page, "for").contains(&id[0]),
            "{name}: nothing labels {select}"
        );
    }
    for image in page.split("<img ").skip(1) {
        assert!(
            image.split('>').next().unwrap().contains(" alt="),
            "{name}: a picture without words"
        );
    }
}

/// The values of an attribute, in order.
fn values(page: &str, attribute: &str) -> Vec<String> {
    let mark = format!(" {attribute}=\"");
    page.replace('\n', " ")
        .split(&mark)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}
