//! A wire from one loopback address to another. Chromium always comes from 127.0.0.1; through a relay it comes from
//! wherever the story needs it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Forwards every connection until it is dropped.
#[derive(Debug)]
pub struct Relay {
    at: SocketAddr,
    serving: JoinHandle<()>,
}

impl Relay {
    /// Forwards to `to` with `from` as the sender's address.
    pub async fn start(from: IpAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            let mut wires = tokio::task::JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                wires.spawn(forward(near, from, to));
            }
        });
        Self { at, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.at
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn forward(mut near: TcpStream, from: IpAddr, to: SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::new(from, 0))
        .expect("the address is one of this machine");
    if let Ok(mut far) = socket.connect(to).await {
        // Either side may hang up at any time; that is the end of the wire, not of the test.
        tokio::io::copy_bidirectional(&mut near, &mut far).await.ok();
    }
}
