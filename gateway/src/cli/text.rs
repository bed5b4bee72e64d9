//! Words, times and tables, fit for a terminal.

use comfy_table::{ContentArrangement, Table, presets};

/// What stands where there is nothing to say.
pub(crate) const NOTHING: &str = "-";

/// Text that others wrote (names, browsers, paths), with everything taken out that could steer a terminal. A line break
/// stays one only where it is the text's own layout, which here it never is.
pub(crate) fn plain(text: &str) -> String {
    let harmless = |letter: char| match letter {
        '\n' | '\t' => ' ',
        letter if letter.is_control() || is_direction_mark(letter) => '\u{fffd}',
        letter => letter,
    };
    text.chars().map(harmless).collect()
}

/// [`plain`], or a dash for what is absent or empty.
pub(crate) fn or_dash(text: Option<&str>) -> String {
    match text {
        Some(text) if !text.is_empty() => plain(text),
        _ => NOTHING.to_owned(),
    }
}

/// A time of the API (RFC 3339) as people read it, in UTC and to the second.
pub(crate) fn time(text: Option<&str>) -> String {
    let Some(text) = text else {
        return NOTHING.to_owned();
    };
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => plain(text),
    }
}

/// Rows under headings, without lines; `width` is the terminal's, `None` where the output is no terminal.
pub(crate) fn list(headings: &[&str], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let text = fill(table, headings, rows, width);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Rows under headings, in a grid: for what is read along both ways.
pub(crate) fn grid(headings: &[String], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    fill(table, &headings, rows, width)
}

/// Names and what they stand for, one a line, aligned.
pub(crate) fn pairs(pairs: &[(&str, String)]) -> String {
    let widest = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines = pairs.iter().map(|(name, value)| format!("{name:<widest$}  {value}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// `1 area`, `2 areas`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

fn fill(mut table: Table, headings: &[&str], rows: Vec<Vec<String>>, width: Option<u16>) -> String {
    table.set_header(headings);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.add_rows(rows);
    table.to_string()
}

/// Marks that turn the reading direction and so can make a name look like another.
fn is_direction_mark(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_bytes_and_direction_marks_are_taken_out() {
        assert_eq!(plain("a\u{1b}[31mb\u{202e}c\nd"), "a\u{fffd}[31mb\u{fffd}c d");
        assert_eq!(plain("Zoë 田中"), "Zoë 田中");
    }

    #[test]
    fn times_are_shown_in_utc_to_the_second() {
        assert_eq!(time(Some("2026-11-22T15:04:05.123456Z")), "2026-11-22 15:04:05");
        assert_eq!(time(Some("2026-11-22T16:04:05+01:00")), "2026-11-22 15:04:05");
        assert_eq!(time(None), "-");
        assert_eq!(time(Some("soon")), "soon");
    }

    #[test]
    fn a_list_aligns_its_columns_and_trails_no_blanks() {
        let rows = vec![vec!["ada".into(), "owner".into()], vec!["b".into(), "viewer".into()]];
        assert_eq!(
            list(&["name", "role"], rows, None),
            " name  role\n ada   owner\n b     viewer"
        );
    }

    #[test]
    fn a_list_stays_within_the_terminal() {
        let rows = vec![vec![
            "ada".to_owned(),
            "many words that do not fit beside each other".to_owned(),
        ]];
        let shown = list(&["name", "user agent"], rows, Some(30));
        assert!(shown.lines().all(|line| line.chars().count() <= 30), "{shown}");
        assert!(shown.contains("many words"), "{shown}");
    }

    #[test]
    fn pairs_line_up() {
        assert_eq!(
            pairs(&[("id", "1".into()), ("name", "ada".into())]),
            "id    1\nname  ada"
        );
    }

    #[test]
    fn counts_speak_english() {
        assert_eq!(
            (count(1, "area"), count(0, "role")),
            ("1 area".to_owned(), "0 roles".to_owned())
        );
    }
}
