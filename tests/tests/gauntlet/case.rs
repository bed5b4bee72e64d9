//! A case: who sends what, and what has to come of it.

use std::fmt;

use stagedoor_tests::http2::{Frame, literal};
use stagedoor_tests::strict::Strict;
use stagedoor_tests::{Way, raw};

/// Who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody without a session.
    Nobody,
    /// May use `/app/**`.
    Bob,
    /// May use everything, from 127.0.0.0/24.
    Alice,
}

/// One request to send, and its safe outcome.
pub(crate) struct Case {
    /// What is odd about it.
    pub(crate) name: String,
    /// A public identifier, or the line of the list that it is or varies.
    pub(crate) source: &'static str,
    /// Who sends it.
    pub(crate) who: Who,
    /// From which address; else from one that no other case has, so that the audit can be asked for it.
    pub(crate) from: Option<&'static str>,
    /// What is sent.
    pub(crate) sent: Sent,
    /// What has to come of it.
    pub(crate) expected: Expected,
    /// Whether the visitor's side is ended behind what is sent, so that nobody waits for more.
    pub(crate) then_end: bool,
    /// In pieces of how many bytes it is sent, by HTTP/1; at once where there is no number.
    pub(crate) pieces: Option<usize>,
    /// What a proxy in front of the sender says first, by every way.
    pub(crate) ahead: Vec<u8>,
    /// Whether a clean request is sent and answered before it on the same connection, by HTTP/1.
    pub(crate) used_connection: bool,
}

/// What is sent.
pub(crate) enum Sent {
    /// A request that every version of HTTP can express.
    Ask(Ask),
    /// Bytes of HTTP/1. `<HOST>` stands for the lines that make it a request of the sender's to site `a`, on a connection of
    /// its own; `<COOKIE>` for the cookie's line alone.
    Bytes(Vec<u8>),
    /// Frames of HTTP/2; the answer is awaited on stream 1.
    Frames(Frames),
}

/// Frames of HTTP/2, by who sends them.
pub(crate) type Frames = Box<dyn Fn(&Peer) -> Vec<Frame>>;

/// A request in parts. Nothing in it is checked.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Its method.
    pub(crate) method: Vec<u8>,
    /// Its target.
    pub(crate) target: Vec<u8>,
    /// Its headers, without host and cookie.
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

/// What a sender of frames has.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// `https` or `http`.
    pub(crate) scheme: &'static str,
    /// Its cookie, where it has one.
    pub(crate) cookie: Option<String>,
}

/// What a request that arrives has to pass.
pub(crate) type Check = Box<dyn Fn(&Strict) -> Result<(), String>>;

/// The safe outcome.
pub(crate) enum Expected {
    /// Answered by the door with one of these statuses, or, on HTTP/2, its stream or connection ended. Nothing arrives.
    Refused(&'static [u16]),
    /// As [`Self::Refused`], or what arrives is one well-formed request that passes.
    RefusedOr(&'static [u16], Check),
    /// Refused once a part of it was on its way: at most the beginning of one request arrives, never a whole one.
    CutOff(&'static [u16]),
    /// One well-formed request arrives, and passes.
    Arrives(Check),
    /// This many well-formed requests arrive, or fewer, each of which passes, and at most the beginning of one more.
    AtMost(usize, Check),
    /// The door ends the connection, with or without an answer, and nothing arrives.
    Ended,
}

/// Malformed, and nothing else.
pub(crate) const BAD_REQUEST: Expected = Expected::Refused(&[400]);
/// Understood and not allowed: to sign in first, or not at all.
pub(crate) const DENIED: Expected = Expected::Refused(&[401, 403]);

impl Case {
    /// From nobody, by every way.
    pub(crate) fn ask(name: impl fmt::Display, source: &'static str, ask: Ask, expected: Expected) -> Self {
        Self::new(name, source, Sent::Ask(ask), expected)
    }

    /// From nobody, by bytes.
    pub(crate) fn bytes(
        name: impl fmt::Display,
        source: &'static str,
        bytes: impl AsRef<[u8]>,
        expected: Expected,
    ) -> Self {
        Self::new(name, source, Sent::Bytes(bytes.as_ref().to_vec()), expected)
    }

    /// From nobody, by frames.
    pub(crate) fn frames(
        name: impl fmt::Display,
        source: &'static str,
        frames: impl Fn(&Peer) -> Vec<Frame> + 'static,
        expected: Expected,
    ) -> Self {
        Self::new(name, source, Sent::Frames(Box::new(frames)), expected)
    }

    fn new(name: impl fmt::Display, source: &'static str, sent: Sent, expected: Expected) -> Self {
        Self {
            name: name.to_string(),
            source,
            who: Who::Nobody,
            from: None,
            sent,
            expected,
            then_end: false,
            pieces: None,
            ahead: Vec::new(),
            used_connection: false,
        }
    }

    /// From somebody.
    pub(crate) fn by(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    /// From this address of this machine.
    pub(crate) fn from(mut self, address: &'static str) -> Self {
        self.from = Some(address);
        self
    }

    /// Ends the sender's side behind the request.
    pub(crate) fn then_end(mut self) -> Self {
        self.then_end = true;
        self
    }

    /// [`Self::then_end`], unless the request is whole as it is.
    pub(crate) fn then_end_unless(mut self, whole: bool) -> Self {
        self.then_end = !whole;
        self
    }

    /// Sends it behind a proxy that says this first.
    pub(crate) fn behind_proxy(mut self, ahead: impl AsRef<[u8]>) -> Self {
        self.ahead = ahead.as_ref().to_vec();
        self
    }

    /// Sends it in pieces of so many bytes.
    pub(crate) fn in_pieces(mut self, bytes: usize) -> Self {
        self.pieces = Some(bytes);
        self
    }

    /// Sends it behind a clean request that has been answered.
    pub(crate) fn on_a_used_connection(mut self) -> Self {
        self.used_connection = true;
        self
    }

    /// The ways that can carry it.
    pub(crate) fn ways(&self) -> Vec<Way> {
        match self.sent {
            Sent::Ask(_) => Way::BY_HAND.into_iter().chain(Way::BY_FRAMES).collect(),
            Sent::Bytes(_) => Way::BY_HAND.to_vec(),
            Sent::Frames(_) => Way::BY_FRAMES.to_vec(),
        }
    }

    /// What is sent by HTTP/1.
    pub(crate) fn http1(&self, peer: &Peer) -> Vec<u8> {
        let bytes = match &self.sent {
            Sent::Ask(ask) => ask.http1(),
            Sent::Bytes(bytes) => bytes.clone(),
            Sent::Frames(_) => Vec::new(),
        };
        let cookie = peer
            .cookie
            .as_ref()
            .map_or_else(String::new, |cookie| format!("Cookie: {cookie}\r\n"));
        let host = format!("Host: a.localhost\r\nConnection: close\r\n{cookie}");
        let bytes = raw::replaced(&bytes, b"<HOST>", host.as_bytes());
        raw::replaced(&bytes, b"<COOKIE>", cookie.as_bytes())
    }

    /// What is sent by HTTP/2, on stream 1.
    pub(crate) fn http2(&self, peer: &Peer) -> Vec<u8> {
        let frames = match &self.sent {
            Sent::Ask(ask) => ask.frames(peer),
            Sent::Frames(frames) => frames(peer),
            Sent::Bytes(_) => Vec::new(),
        };
        frames.iter().flat_map(Frame::encode).collect()
    }
}

impl Ask {
    /// `GET` of a target.
    pub(crate) fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// Any method.
    pub(crate) fn new(method: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.as_ref().to_vec(),
            target: target.as_ref().to_vec(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With a header.
    pub(crate) fn with(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// With a body and its length.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        let length = self.body.len().to_string();
        self.with("content-length", length)
    }

    fn http1(&self) -> Vec<u8> {
        let mut bytes = [&self.method[..], b" ", &self.target, b" HTTP/1.1\r\n<HOST>"].concat();
        for (name, value) in &self.headers {
            bytes.extend([&name[..], b": ", value, b"\r\n"].concat());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }

    fn frames(&self, peer: &Peer) -> Vec<Frame> {
        let mut fields = peer.pseudo(&self.method, &self.target);
        fields.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.clone())),
        );
        let mut frames = vec![Frame::headers(1, block(&fields), self.body.is_empty())];
        if !self.body.is_empty() {
            frames.push(Frame::data(1, self.body.clone(), true));
        }
        frames
    }
}

/// A field of a header block.
pub(crate) type Field = (Vec<u8>, Vec<u8>);

/// A field.
pub(crate) fn field(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Field {
    (name.as_ref().to_vec(), value.as_ref().to_vec())
}

/// A header block of these fields.
pub(crate) fn block(fields: &[Field]) -> Vec<u8> {
    let fields: Vec<(&[u8], &[u8])> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    literal(&fields)
}

impl Peer {
    /// The pseudo-headers of a request to site `a`, and the cookie.
    pub(crate) fn pseudo(&self, method: &[u8], path: &[u8]) -> Vec<Field> {
        let mut fields = vec![
            field(":method", method),
            field(":scheme", self.scheme),
            field(":authority", "a.localhost"),
            field(":path", path),
        ];
        fields.extend(self.cookie.iter().map(|cookie| field("cookie", cookie)));
        fields
    }

    /// A block that asks for `path`, with further fields.
    pub(crate) fn get(&self, path: &str, more: &[Field]) -> Vec<u8> {
        self.request("GET", path, more)
    }

    /// A block with any method.
    pub(crate) fn request(&self, method: &str, path: &str, more: &[Field]) -> Vec<u8> {
        block(&[&self.pseudo(method.as_bytes(), path.as_bytes()), more].concat())
    }
}

/// The entries of a list that is written in one text, since most of them are short.
pub(crate) fn each(list: &'static str) -> std::str::Split<'static, char> {
    list.split('¦')
}

/// Passes whatever is well-formed.
pub(crate) fn anything() -> Check {
    Box::new(|_| Ok(()))
}

/// Passes what has this target.
pub(crate) fn target(wanted: impl Into<String>) -> Check {
    let wanted = wanted.into();
    Box::new(move |request| {
        let is = &request.target;
        if *is == wanted {
            Ok(())
        } else {
            Err(format!("the target is {is}, not {wanted}"))
        }
    })
}

/// Passes what has this text nowhere in its headers.
pub(crate) fn without(text: &'static str) -> Check {
    Box::new(move |request| {
        let found = request.headers.iter().find(|(name, value)| {
            value.contains(text) || name.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
        });
        found.map_or(Ok(()), |(name, value)| Err(format!("`{name}: {value}` arrived")))
    })
}

/// Passes what has a header just once, with this value.
pub(crate) fn once(name: &'static str, value: &'static str) -> Check {
    Box::new(move |request| {
        let values = request.values(name);
        if values == [value] {
            Ok(())
        } else {
            Err(format!("{name} is {values:?}, not {value:?}"))
        }
    })
}

/// Passes what has this body.
pub(crate) fn body(wanted: &'static str) -> Check {
    Box::new(move |request| {
        let is = String::from_utf8_lossy(&request.body);
        if is == wanted {
            Ok(())
        } else {
            Err(format!("the body is {is:?}, not {wanted:?}"))
        }
    })
}

/// Passes what passes both.
pub(crate) fn both(first: Check, second: Check) -> Check {
    Box::new(move |request| first(request).and_then(|()| second(request)))
}
