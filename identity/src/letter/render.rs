//! From words to plain text and HTML. What others typed (names, titles) is put on one line, cut, and escaped.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::words::{self, Words};
use super::{Letter, Letterhead};

/// Columns of the plain text: what every reader shows without folding.
const TEXT_COLUMNS: usize = 76;
/// Characters of a name or title that are shown: what an account may be called has no more.
const NAME_CHARS_MAX: usize = 100;

/// A letter in words, as it is sent. Its link is in it: it is never printed.
#[derive(Clone)]
pub struct Rendered {
    /// One line without control characters, any script.
    pub subject: String,
    /// Plain text, lines ended by `\n`.
    pub text: Zeroizing<String>,
    /// HTML that loads nothing.
    pub html: Zeroizing<String>,
}

impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl Letter {
    /// The letter in words.
    pub fn render(&self, head: &Letterhead) -> Rendered {
        let title = one_line(&head.title);
        let name = one_line(&self.display_name);
        let greeting = if name.is_empty() {
            "Hello,".to_owned()
        } else {
            format!("Hello {name},")
        };
        let words = words::of(&self.says, &title, head);
        Rendered {
            subject: words.subject.clone(),
            text: Zeroizing::new(plain(&greeting, &words, &title)),
            html: Zeroizing::new(html(&greeting, &words, &title)),
        }
    }
}

fn plain(greeting: &str, words: &Words<'_>, title: &str) -> String {
    let mut text = String::new();
    let mut paragraph = |sentence: &str| {
        wrap(sentence, &mut text);
        text.push('\n');
    };
    paragraph(greeting);
    words.before.iter().for_each(|sentence| paragraph(sentence));
    if let Some((label, link)) = &words.link {
        // Never wrapped: a link in two lines is none.
        paragraph(&format!("{label}:\n{}", link.expose()));
    }
    words.after.iter().for_each(|sentence| paragraph(sentence));
    wrap(title, &mut text);
    text
}

/// Breaks lines between words only; line breaks that are there already stay.
fn wrap(paragraph: &str, text: &mut String) {
    for line in paragraph.lines() {
        let mut column = 0;
        for word in line.split(' ') {
            let width = word.chars().count();
            if column > 0 && column + 1 + width > TEXT_COLUMNS {
                text.push('\n');
                column = 0;
            } else if column > 0 {
                text.push(' ');
                column += 1;
            }
            text.push_str(word);
            column += width;
        }
        text.push('\n');
    }
}

fn html(greeting: &str, words: &Words<'_>, title: &str) -> String {
    let mut body = String::new();
    let mut line = |tag: &str, sentence: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(body, "<{tag}>{}</{tag}>", escape(sentence));
    };
    line("p", greeting);
    words.before.iter().for_each(|sentence| line("p", sentence));
    if let Some((label, link)) = &words.link {
        let (label, link) = (escape(label), escape(link.expose()));
        let _ = writeln!(body, "<p><a href=\"{link}\">{label}</a></p>\n<p>{link}</p>");
    }
    for sentence in &words.after {
        let _ = writeln!(body, "<p>{}</p>", escape(sentence));
    }
    let (subject, title) = (escape(&words.subject), escape(title));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{subject}</title></head>\n<body>\n\
         {body}<p>{title}</p>\n</body>\n</html>\n"
    )
}

/// On one line, cut to what a name may have: neither a header nor a paragraph can be forged with it, nor can the order in
/// which it reads be turned round.
pub(super) fn one_line(typed: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let spaced: String = typed
        .chars()
        .map(|c| if c.is_control() || turns(c) { ' ' } else { c })
        .collect();
    let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(NAME_CHARS_MAX).collect()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}
