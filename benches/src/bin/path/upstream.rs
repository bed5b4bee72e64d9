//! The console's stand-in: answers every request with the same bytes, at the least cost, on the load's core.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use crate::Failure;

/// Body of an answer.
pub(crate) const BODY_BYTES: usize = 1024;
/// Body of an answer below [`LARGE`].
pub(crate) const LARGE_BODY_BYTES: usize = 64 * 1024;
/// Where answers are large.
pub(crate) const LARGE: &str = "/area-7/large";

/// Serves until the program ends.
pub(crate) fn serve() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answers = Arc::new([answer(BODY_BYTES), answer(LARGE_BODY_BYTES)]);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            std::thread::spawn(move || answer_all(stream, &answers));
        }
    });
    Ok(address)
}

fn answer(bytes: usize) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {bytes}\r\n\r\n");
    let mut answer = head.into_bytes();
    answer.resize(answer.len() + bytes, b'x');
    answer
}

fn answer_all(mut stream: TcpStream, [small, large]: &[Vec<u8>; 2]) {
    let _nodelay = stream.set_nodelay(true);
    let (mut buffer, mut pending) = ([0_u8; 16 * 1024], Vec::new());
    let is_large = format!("GET {LARGE} ");
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        pending.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if pending.ends_with(b"\r\n\r\n") {
            let answer = if pending.starts_with(is_large.as_bytes()) {
                large
            } else {
                small
            };
            pending.clear();
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}
