//! Configuration files of peers, kept in `benches/peers/` as their users would write them, with `@NAME@` for what differs
//! from run to run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::Failure;

/// Writes a template with its names filled in.
pub(super) fn fill(template: &str, file: &Path, values: &[(&str, &str)]) -> Result<PathBuf, Failure> {
    let filled = values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("@{name}@"), value)
    });
    if let Some(left) = filled
        .split('@')
        .nth(1)
        .filter(|left| !left.contains(char::is_whitespace))
    {
        return Err(format!("{}: nothing was said for @{left}@", file.display()).into());
    }
    std::fs::write(file, filled)?;
    Ok(file.to_path_buf())
}

/// One line for each of so many prefixes that do not touch, made by `line` from the prefix.
pub(crate) fn prefixes(count: usize, line: impl Fn(&str) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let prefix = format!("10.{}.{}.{}/27", number / 1024, number / 4 % 256, number % 4 * 64);
        // Writing to a string does not fail.
        let _written = text.write_str(&line(&prefix));
        text
    })
}
