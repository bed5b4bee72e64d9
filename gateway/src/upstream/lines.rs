//! The header lines that the door adds to a request for a console, from the stage that says them (`stage/forward.rs`) to the
//! stream that writes them (`strict.rs`); and those it adds to a console's answer, from `stage/reply.rs` to
//! `wire/guarded.rs`.
//!
//! They go there as bytes and not through Pingora's header maps, which would hash, copy and store each of them twice. The
//! stream sends no request without them: no permit, no lines, no way upstream.

use std::fmt;

use bytes::BytesMut;
use http::{HeaderName, HeaderValue};
use pingora::{Error, ErrorType, Result};

use crate::figures;
use crate::request_id::RequestId;

const HEAD_END: &[u8] = b"\r\n\r\n";
const LINE_END: &[u8] = b"\r\n";
const COLON: &[u8] = b": ";

/// What the door says in one request. Not shown: an assertion is among it.
#[derive(Default)]
pub struct Lines {
    text: Vec<u8>,
    /// Whether all of it was said. A request for which something could not be is not sent.
    whole: bool,
}

/// A request, or an answer, was about to leave without what the door has to say.
#[derive(Debug, thiserror::Error)]
#[error("no permit, no way upstream")]
pub struct Unaccompanied;

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("whole", &self.whole)
            .finish_non_exhaustive()
    }
}

impl Lines {
    /// For a new request: of the one before nothing is left.
    pub fn begin(&mut self) {
        self.text.clear();
        self.whole = false;
    }

    /// One more line. The name is one that is taken out of what visitors send, in every spelling.
    ///
    /// # Errors
    /// Where the value cannot be a header's: the request fails rather than go out incomplete.
    pub fn say(&mut self, name: &str, value: &[u8]) -> Result<()> {
        let unfit = |found: bool, byte: &u8| found | ((*byte < 0x20) & (*byte != b'\t')) | (*byte == 0x7f);
        if value.iter().fold(false, unfit) {
            return Error::e_explain(ErrorType::InvalidHTTPHeader, "a header's value cannot be written");
        }
        self.put(name, value);
        Ok(())
    }

    /// [`Lines::say`], of what is known to be a header's value.
    pub fn say_value(&mut self, name: &str, value: &HeaderValue) {
        self.put(name, value.as_bytes());
    }

    /// [`Lines::say_value`], with the name as HTTP/1 mostly spells it: `Content-Type`.
    pub fn say_titled(&mut self, name: &HeaderName, value: &HeaderValue) {
        let mut begins_word = true;
        self.text.extend(name.as_str().bytes().map(|byte| {
            let begins_word = std::mem::replace(&mut begins_word, byte == b'-');
            if begins_word { byte.to_ascii_uppercase() } else { byte }
        }));
        self.text.extend_from_slice(COLON);
        self.text.extend_from_slice(value.as_bytes());
        self.text.extend_from_slice(LINE_END);
    }

    /// [`Lines::say`], of an address.
    pub fn say_address(&mut self, name: &str, address: std::net::IpAddr) {
        self.begin_line(name);
        figures::push_address(&mut self.text, address);
        self.text.extend_from_slice(LINE_END);
    }

    /// [`Lines::say`], of a request's name.
    pub fn say_id(&mut self, name: &str, id: RequestId) {
        self.begin_line(name);
        id.push_to(&mut self.text);
        self.text.extend_from_slice(LINE_END);
    }

    /// That was all.
    pub fn end(&mut self) {
        self.whole = true;
    }

    /// Writes a head with these lines behind its own, once: the next request needs lines of its own.
    ///
    /// # Errors
    /// Where they are not whole, or what was to be sent is no whole head.
    pub(super) fn accompany(&mut self, head: &[u8], to: &mut BytesMut) -> Result<(), Unaccompanied> {
        let whole = std::mem::take(&mut self.whole);
        let own = head.strip_suffix(HEAD_END).filter(|_| whole).ok_or(Unaccompanied)?;
        to.reserve(head.len() + self.text.len());
        to.extend_from_slice(own);
        to.extend_from_slice(LINE_END);
        to.extend_from_slice(&self.text);
        to.extend_from_slice(LINE_END);
        Ok(())
    }

    /// Whether all was said, and is still to be written.
    pub fn are_whole(&self) -> bool {
        self.whole
    }

    /// Writes the head of an answer with these lines behind its own, where there are any: once, and not behind an interim one.
    /// Answers whether it has; else the bytes are to be written as they are.
    ///
    /// # Errors
    /// Where there are lines, and what was to be sent is no whole head: no answer goes out without what was said of it.
    pub fn complete(&mut self, head: &[u8], to: &mut BytesMut) -> Result<bool, Unaccompanied> {
        if !self.whole || is_interim(head) {
            return Ok(false);
        }
        self.accompany(head, to).map(|()| true)
    }

    fn put(&mut self, name: &str, value: &[u8]) {
        self.begin_line(name);
        self.text.extend_from_slice(value);
        self.text.extend_from_slice(LINE_END);
    }

    fn begin_line(&mut self, name: &str) {
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(COLON);
    }
}

/// Whether it is the head of an answer before the answer: a version, a blank, and a status that begins with 1.
fn is_interim(head: &[u8]) -> bool {
    head.starts_with(b"HTTP/1.") && head.get(9) == Some(&b'1')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    fn sent(lines: &mut Lines, head: &[u8]) -> Option<String> {
        let mut sent = BytesMut::new();
        lines.accompany(head, &mut sent).ok()?;
        Some(String::from_utf8(sent.to_vec()).unwrap())
    }

    #[test]
    fn what_the_door_says_stands_behind_what_the_visitor_said_and_before_the_end_of_the_head() {
        let mut lines = Lines::default();
        lines.begin();
        lines.say("X-Stagedoor-User", "j\u{e4}ger\t1".as_bytes()).unwrap();
        lines.say_address("X-Forwarded-For", [192, 0, 2, 1].into());
        lines.end();
        assert_eq!(
            sent(&mut lines, HEAD).unwrap(),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Stagedoor-User: j\u{e4}ger\t1\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
        );
    }

    #[test]
    fn a_request_that_the_door_has_said_nothing_to_or_not_all_is_not_sent() {
        let mut lines = Lines::default();
        assert_eq!(sent(&mut lines, HEAD), None, "nothing");
        lines.begin();
        assert_eq!(sent(&mut lines, HEAD), None, "begun");
        lines.end();
        assert_eq!(sent(&mut lines, b"GET / HTTP/1.1\r\nHost: a\r\n"), None, "half a head");
        lines.begin();
        lines.end();
        assert!(sent(&mut lines, HEAD).is_some());
        assert_eq!(sent(&mut lines, HEAD), None, "the next");
    }

    #[test]
    fn what_the_door_says_of_an_answer_stands_behind_the_answers_own_head_and_nowhere_else() {
        let (mut lines, mut sent) = (Lines::default(), BytesMut::new());
        let answer = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
        assert!(!lines.complete(answer, &mut sent).unwrap(), "nothing is said");
        lines.begin();
        lines.say("Cache-Control", b"no-store").unwrap();
        assert!(!lines.complete(answer, &mut sent).unwrap(), "not all is said");
        lines.end();
        for interim in ["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.0 100 Continue\r\n\r\n"] {
            assert!(!lines.complete(interim.as_bytes(), &mut sent).unwrap(), "{interim:?}");
        }
        assert!(lines.complete(answer, &mut sent).unwrap());
        assert_eq!(sent, &b"HTTP/1.1 200 OK\r\nA: b\r\nCache-Control: no-store\r\n\r\n"[..]);
        assert!(!lines.complete(b"the body", &mut sent).unwrap(), "once");
        lines.begin();
        lines.end();
        assert!(lines.complete(b"no head", &mut sent).is_err());
    }

    #[test]
    fn a_name_is_spelt_as_http_1_mostly_spells_it() {
        let mut lines = Lines::default();
        lines.begin();
        lines.say_titled(&http::header::CONTENT_TYPE, &HeaderValue::from_static("text/html"));
        lines.say_titled(&HeaderName::from_static("x"), &HeaderValue::from_static(""));
        lines.end();
        let expected = "GET / HTTP/1.1\r\nHost: a\r\nContent-Type: text/html\r\nX: \r\n\r\n";
        assert_eq!(sent(&mut lines, HEAD).unwrap(), expected);
    }

    #[test]
    fn no_value_ends_its_line() {
        let mut lines = Lines::default();
        for value in ["a\r\nX: y", "a\n", "\r", "a\0", "\u{7f}", "\u{1b}"] {
            assert!(lines.say("X-Stagedoor-User", value.as_bytes()).is_err(), "{value:?}");
        }
        lines.begin();
        lines.end();
        assert_eq!(sent(&mut lines, HEAD).unwrap().as_bytes(), HEAD);
    }
}
