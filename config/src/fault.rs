//! Faults, told so that a person can mend them: which file, which line, what is wrong, what to do.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin as Place, Renderer, Snippet};
use serde::Serialize;
use serde::ser::SerializeSeq;

/// Everything that is wrong with the files, in the order of the files and their lines. Never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    list: Vec<FileFault>,
    left_out: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFault {
    /// The file, the environment variable, or the argument.
    pub file: String,
    /// Counted from 1; absent where there is no line to point at.
    pub line: Option<usize>,
    /// In characters, counted from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    #[serde(skip)]
    excerpt: Option<Box<Excerpt>>,
}

/// The line a fault is in, and which of its bytes to underline.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    text: String,
    marked: Range<usize>,
}

/// More are counted, not kept: a file that is no TOML at all has one for each of its bytes.
const FAULTS_KEPT_MAX: usize = 100;
const EXCERPT_BYTES_MAX: usize = 4096;
const QUOTED_CHARACTERS_MAX: usize = 80;

impl Faults {
    /// The faults that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &FileFault> {
        self.list.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len() + self.left_out
    }

    /// As text: for a terminal with colours, else without.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut rendered: Vec<String> = self.list.iter().map(|fault| fault.render(&renderer)).collect();
        if self.left_out > 0 {
            rendered.push(format!("and {} more", self.left_out));
        }
        rendered.join("\n\n")
    }

    pub(crate) fn push(&mut self, fault: FileFault) {
        self.push_with(|| fault);
    }

    /// Adds a fault that is only made if it is kept: finding its line takes time.
    pub(crate) fn push_with(&mut self, make: impl FnOnce() -> FileFault) {
        if self.list.len() < FAULTS_KEPT_MAX {
            self.list.push(make());
        } else {
            self.left_out += 1;
        }
    }

    /// These faults and then those.
    pub(crate) fn extend(&mut self, other: Self) {
        self.left_out += other.left_out;
        for fault in other.list {
            self.push(fault);
        }
    }

    /// By line and column; what has no line comes last.
    pub(crate) fn sort(&mut self) {
        self.list
            .sort_by_key(|fault| (fault.line.unwrap_or(usize::MAX), fault.column));
    }
}

impl FileFault {
    /// A fault that has no line: of a file as a whole, of the environment, of an argument.
    pub(crate) fn without_line(file: impl Into<String>, message: impl Into<String>, help: Option<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            column: None,
            message: message.into(),
            help,
            excerpt: None,
        }
    }

    /// A fault at these bytes of `text`. A `secret` line is not shown.
    pub(crate) fn at(
        (file, text): (&str, &str),
        span: Range<usize>,
        secret: bool,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Self {
        let start = floor(text, span.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let column_bytes = (start - line_start).min(line.len());
        let end = floor(line, span.end.saturating_sub(line_start).max(column_bytes));
        Self {
            line: Some(before.matches('\n').count() + 1),
            column: Some(line.get(..column_bytes).unwrap_or_default().chars().count() + 1),
            excerpt: (!secret && line.len() <= EXCERPT_BYTES_MAX).then(|| Excerpt::of(line, column_bytes..end)),
            ..Self::without_line(file, message, help)
        }
    }

    fn render(&self, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let mut group = match &self.excerpt {
            Some(excerpt) => title.element(
                Snippet::source(excerpt.text.as_str())
                    .path(self.file.as_str())
                    .line_start(self.line.unwrap_or(1))
                    .annotation(AnnotationKind::Primary.span(excerpt.marked.clone())),
            ),
            None => {
                let place = Place::path(self.file.as_str());
                let place = match (self.line, self.column) {
                    (Some(line), Some(column)) => place.line(line).char_column(column),
                    _ => place,
                };
                Group::with_title(title).element(place)
            }
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

impl Excerpt {
    /// The line as it may be shown on a terminal: no control character is let through.
    fn of(line: &str, marked: Range<usize>) -> Box<Self> {
        let shown = |part: Option<&str>| -> String {
            let show = |letter: char| {
                if letter.is_control() && letter != '\t' {
                    '\u{fffd}'
                } else {
                    letter
                }
            };
            part.unwrap_or_default().chars().map(show).collect()
        };
        let mut text = shown(line.get(..marked.start));
        let start = text.len();
        text += &shown(line.get(marked.clone()));
        let end = text.len();
        text += &shown(line.get(marked.end..));
        Box::new(Self {
            text,
            marked: start..end,
        })
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Faults {}

impl Serialize for Faults {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.list.len()))?;
        for fault in &self.list {
            list.serialize_element(fault)?;
        }
        list.end()
    }
}

/// Input in backticks: control characters escaped, cut where it is long.
pub(crate) fn quoted(input: &str) -> String {
    let mut shown: String = input
        .chars()
        .take(QUOTED_CHARACTERS_MAX)
        .flat_map(char::escape_debug)
        .collect();
    if input.chars().nth(QUOTED_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{}`", shown.replace("\\\"", "\"").replace("\\'", "'"))
}

/// The character boundary at or before `index`.
fn floor(text: &str, index: usize) -> usize {
    text.floor_char_boundary(index)
}
