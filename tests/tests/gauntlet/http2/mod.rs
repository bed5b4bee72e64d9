//! What only HTTP/2 can express. A malformed request ends its stream or its connection, or is answered 400; none of it
//! reaches a console, which is always asked in HTTP/1.

use stagedoor_tests::http2::Frame;

use crate::case::{Case, Expected, Field, Peer, block};

mod bodies;
mod fields;
mod frames;
mod pseudo;

/// One HEADERS frame that ends the request.
fn lone(block: Vec<u8>) -> Vec<Frame> {
    vec![Frame::headers(1, block, true)]
}

/// A case of fields of our choice.
fn fields(
    name: &str,
    source: &'static str,
    fields: impl Fn(&Peer) -> Vec<Field> + 'static,
    expected: Expected,
) -> Case {
    Case::frames(name, source, move |peer| lone(block(&fields(peer))), expected)
}

/// A case of fields behind those of a request for a page that is open to everybody.
fn more(name: &str, source: &'static str, more: Vec<Field>, expected: Expected) -> Case {
    Case::frames(name, source, move |peer| lone(peer.get("/public/x", &more)), expected)
}
