//! Somebody on the line: lets everything pass, and adds words of their own to the server's answer to STARTTLS.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Stands before a server until it is dropped.
#[derive(Debug)]
pub struct Slipping {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Slipping {
    /// In front of the server on that port of 127.0.0.1; `forged` follows the answer to STARTTLS in the same packet.
    pub async fn before(port: u16, forged: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            while let Ok((visitor, _peer)) = listener.accept().await {
                tokio::spawn(relay(visitor, port, forged));
            }
        });
        Self { address, task }
    }
}

impl Drop for Slipping {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(visitor: TcpStream, port: u16, forged: &str) -> Option<()> {
    let server = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let (mut visitor, mut server) = (BufReader::new(visitor), BufReader::new(server));
    let mut said = String::new();
    loop {
        let mut answer = String::new();
        // An answer's last line has a blank behind its code.
        while answer
            .lines()
            .last()
            .is_none_or(|line| line.as_bytes().get(3) != Some(&b' '))
        {
            (server.read_line(&mut answer).await.ok()? > 0).then_some(())?;
        }
        let begins_tls = said.starts_with("STARTTLS");
        if begins_tls {
            answer.push_str(forged);
        }
        visitor.write_all(answer.as_bytes()).await.ok()?;
        if begins_tls {
            copy_bidirectional(&mut visitor, &mut server).await.ok()?;
            return None;
        }
        said.clear();
        (visitor.read_line(&mut said).await.ok()? > 0).then_some(())?;
        server.write_all(said.as_bytes()).await.ok()?;
    }
}
