//! A reader of HTTP/1.1 that forgives nothing: what a console receives must have one reading only. Beside it the verdict
//! of somebody else's judge.

use http_desync_guardian::request_analyzer::HttpRequestData;
use http_desync_guardian::{ClassificationReason, RequestSafetyTier};

/// One well-formed request.
#[derive(Debug, Clone)]
pub struct Strict {
    /// Its method.
    pub method: String,
    /// Its target as sent.
    pub target: String,
    /// Its headers in their order, names as sent.
    pub headers: Vec<(String, String)>,
    /// Its body without framing.
    pub body: Vec<u8>,
}

impl Strict {
    /// The values of a header, its name compared without regard to case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(each, _)| each.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).collect()
    }
}

/// What some bytes are.
#[derive(Debug)]
pub enum Reading {
    /// A request, and what comes after it.
    Request(Box<Strict>, Vec<u8>),
    /// The beginning of one, in which nothing is wrong so far.
    Unfinished,
    /// Nothing a console should ever see, and why.
    Malformed(String),
}

/// Reads one request from the beginning of `bytes`.
pub fn read(bytes: &[u8]) -> Reading {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return match head(bytes, false) {
            Ok(_) => Reading::Unfinished,
            Err(why) => Reading::Malformed(why),
        };
    };
    let (head_bytes, rest) = bytes.split_at(end + 4);
    let mut request = match head(&head_bytes[..end], true).and_then(|request| judged(request, head_bytes)) {
        Ok(request) => request,
        Err(why) => return Reading::Malformed(why),
    };
    match body(&request, rest) {
        Ok(Some((body, used))) => {
            request.body = body;
            if has_stray_body(&request) && rest.len() > used {
                return Reading::Malformed("a request behind a body that its reader may not have read".to_owned());
            }
            Reading::Request(Box::new(request), rest[used..].to_vec())
        }
        Ok(None) => Reading::Unfinished,
        Err(why) => Reading::Malformed(why),
    }
}

/// Whether there is a body where some servers look for none, and would take it for the next request on the connection.
fn has_stray_body(request: &Strict) -> bool {
    !request.body.is_empty() && matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "DELETE")
}

/// The verdict of the public judge, which looks at heads alone: whether a body that is stray stands last on its connection it
/// cannot see, so that is checked beside it.
fn judged(request: Strict, head: &[u8]) -> Result<Strict, String> {
    let verdict = HttpRequestData::analyze_raw_request(head);
    let harmless = match verdict.reason {
        ClassificationReason::SuspiciousHeader => !looks_like_framing(&request),
        ClassificationReason::UndefinedContentLengthSemantics
        | ClassificationReason::UndefinedTransferEncodingSemantics => true,
        _ => false,
    };
    if !harmless && matches!(verdict.tier, RequestSafetyTier::Ambiguous | RequestSafetyTier::Severe) {
        return Err(format!(
            "http_desync_guardian: {:?} {:?}",
            verdict.tier, verdict.message
        ));
    }
    Ok(request)
}

/// Whether a header has the letters of one that says where a request ends, and is another. The judge suspects also names
/// that differ in a letter; those are other names to every reader.
fn looks_like_framing(request: &Strict) -> bool {
    let letters = |name: &str| {
        name.to_ascii_lowercase()
            .replace(|each: char| !each.is_ascii_alphanumeric(), "")
    };
    let looks = |name: &str| matches!(letters(name).as_str(), "contentlength" | "transferencoding");
    let is = |name: &str| {
        matches!(
            name.to_ascii_lowercase().as_str(),
            "content-length" | "transfer-encoding"
        )
    };
    request.headers.iter().any(|(name, _)| looks(name) && !is(name))
}

/// Request line and header lines, without the empty line. An unfinished head may break off anywhere.
fn head(bytes: &[u8], finished: bool) -> Result<Strict, String> {
    let text =
        std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned);
    let mut lines: Vec<&str> = text.split("\r\n").collect();
    if !finished {
        lines.pop();
    }
    let mut request = Strict {
        method: String::new(),
        target: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    for (number, line) in lines.into_iter().enumerate() {
        if let Some(bad) = line.chars().find(|each| each.is_ascii_control() && *each != '\t') {
            return Err(format!("{bad:?} in the line {line:?}"));
        }
        if number == 0 {
            (request.method, request.target) = request_line(line)?;
        } else {
            request.headers.push(header_line(line)?);
        }
    }
    if finished { check_framing(request) } else { Ok(request) }
}

fn request_line(line: &str) -> Result<(String, String), String> {
    let [method, target, "HTTP/1.1"] = line.split(' ').collect::<Vec<_>>()[..] else {
        return Err(format!("the request line {line:?}"));
    };
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method);
    let plain = target.starts_with('/') && target.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'#');
    if known && plain {
        Ok((method.to_owned(), target.to_owned()))
    } else {
        Err(format!("the request line {line:?}"))
    }
}

fn header_line(line: &str) -> Result<(String, String), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    match line.split_once(':') {
        Some((name, value)) if !name.is_empty() && name.bytes().all(is_token) => {
            Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
        }
        _ => Err(format!("the header line {line:?}")),
    }
}

fn check_framing(request: Strict) -> Result<Strict, String> {
    let (lengths, codings) = (request.values("content-length"), request.values("transfer-encoding"));
    let digits = |text: &&str| !text.is_empty() && text.len() < 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = |text: &&str| digits(text) && (*text == "0" || !text.starts_with('0'));
    let fine = match (&lengths[..], &codings[..]) {
        ([], []) => true,
        ([length], []) => canonical(length),
        ([], ["chunked"]) => true,
        _ => false,
    };
    let hosts = request.values("host").len();
    if fine && hosts == 1 {
        Ok(request)
    } else {
        Err(format!(
            "Host {hosts} times, Content-Length {lengths:?}, Transfer-Encoding {codings:?}"
        ))
    }
}

/// The body and how many bytes it took; `None` where it has not all come.
fn body(request: &Strict, rest: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    if let [length] = request.values("content-length")[..] {
        let length: usize = length.parse().map_err(|_| "a length that is none".to_owned())?;
        return Ok(rest.get(..length).map(|body| (body.to_vec(), length)));
    }
    if request.values("transfer-encoding").is_empty() {
        return Ok(Some((Vec::new(), 0)));
    }
    let (mut body, mut used) = (Vec::new(), 0);
    loop {
        let Some(line) = find(&rest[used..], b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&rest[used..used + line]).unwrap_or("?");
        if size.is_empty() || size.len() > 8 || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("a chunk of {size:?} bytes"));
        }
        let size = usize::from_str_radix(size, 16).map_err(|error| error.to_string())?;
        let from = used + line + 2;
        let Some(chunk) = rest.get(from..from + size) else {
            return Ok(None);
        };
        match rest.get(from + size..from + size + 2) {
            None => return Ok(None),
            Some(b"\r\n") => {}
            Some(other) => return Err(format!("{other:?} behind a chunk")),
        }
        body.extend_from_slice(chunk);
        used = from + size + 2;
        if size == 0 {
            return Ok(Some((body, used)));
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_requests_are_read_one_after_the_other() {
        let Reading::Request(request, rest) = read(
            b"POST /a?b HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: c\r\n\r\n",
        ) else {
            panic!("it is well formed")
        };
        assert_eq!((request.target.as_str(), &request.body[..]), ("/a?b", &b"abc"[..]));
        assert!(matches!(read(&rest), Reading::Request(second, rest) if second.target == "/" && rest.is_empty()));
        assert!(matches!(read(b"GET / HTTP/1.1\r\nHo"), Reading::Unfinished));
        assert!(matches!(
            read(b"PUT / HTTP/1.1\r\nHost: c\r\nContent-Length: 3\r\n\r\nab"),
            Reading::Unfinished
        ));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_malformed() {
        for bytes in [
            "GET  / HTTP/1.1\r\nHost: c\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: c\r\n\r\n",
            "GET http://c/ HTTP/1.1\r\nHost: c\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: c\r\nHost: c\r\n\r\n",
            "GET / HTTP/1.1\nHost: c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: c\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: c\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
            "GET / HTTP/1.1\r\nHost: c\r\nContent-Length: 01\r\n\r\na",
            "GET / HTTP/1.1\r\nHost: c\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n0;x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: c\r\nX: a\rb\r\n\r\n",
        ] {
            assert!(matches!(read(bytes.as_bytes()), Reading::Malformed(_)), "{bytes:?}");
        }
    }
}
