//! What stands between an accepted connection and pingora: only what has one reading is handed on.
//!
//! Pingora's parser repairs what it can (blanks in the request line, bare line feeds, a length beside an encoding) and its
//! hooks run after that. So the bytes are read here first, strictly: [`Guarded`] wraps the stream, [`http1`] passes on one
//! well-formed request at a time, [`http2`] counts frames. Whatever is refused here becomes a request of our own making,
//! marked in the connection's [`Turn`], so that it is answered, audited and counted like any other refusal.

mod fault;
mod guarded;
pub mod http1;
pub mod http2;
mod turn;

pub use fault::WireFault;
pub use guarded::{Guarded, Protocol};
pub use http1::HeadLimits;
pub use turn::{Stage, Turn};
