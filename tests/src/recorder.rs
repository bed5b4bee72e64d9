//! A fake console that keeps every byte it was sent: what reached the console is a matter of bytes, not of a parser.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const HEAD_BYTES_MAX: usize = 1024 * 1024;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which connection it came by, counted from 0.
    pub connection: usize,
    /// Request line and headers, with the empty line.
    pub head: String,
    /// The body as sent, with its chunk framing where it was chunked.
    pub body: Vec<u8>,
}

impl Seen {
    /// The values of a header, its name compared without regard to case.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines
            .filter(|(each, _)| each.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// The second word of the request line.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

type Answer = dyn Fn(&Seen) -> Vec<u8> + Send + Sync;

/// Listens on a port of 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct Recorder {
    at: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    serving: JoinHandle<()>,
}

impl Recorder {
    /// Answers every request with a page that says that it is a fake.
    pub async fn start() -> Self {
        Self::answering(|_| {
            b"HTTP/1.1 200 OK\r\nServer: fake-console\r\nContent-Length: 15\r\n\r\na fake console\n".to_vec()
        })
        .await
    }

    /// Answers with the bytes that `answer` gives.
    pub async fn answering(answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let serving = tokio::spawn(serve(listener, Arc::new(answer), Arc::clone(&seen)));
        Self { at, seen, serving }
    }

    /// Where it listens, as a site's upstream.
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Everything that arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("nobody panics while writing").clone()
    }

    /// The last request; fails the test where none arrived.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("a request reached the console")
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, answer: Arc<Answer>, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut connections = tokio::task::JoinSet::new();
    let mut count = 0;
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, count, Arc::clone(&answer), Arc::clone(&seen)));
        count += 1;
    }
}

async fn converse(mut stream: TcpStream, connection: usize, answer: Arc<Answer>, seen: Arc<Mutex<Vec<Seen>>>) {
    while let Some(request) = read_request(&mut stream, connection).await {
        let reply = answer(&request);
        seen.lock().expect("nobody panics while writing").push(request);
        if stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream, connection: usize) -> Option<Seen> {
    let head = read_until(stream, b"\r\n\r\n").await?;
    let mut request = Seen {
        connection,
        head: String::from_utf8_lossy(&head).into_owned(),
        body: Vec::new(),
    };
    if let Some(length) = request
        .values("content-length")
        .first()
        .and_then(|length| length.parse().ok())
    {
        request.body = vec![0; length];
        stream.read_exact(&mut request.body).await.ok()?;
    } else if request
        .values("transfer-encoding")
        .iter()
        .any(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        request.body = read_until(stream, b"0\r\n\r\n").await?;
    }
    Some(request)
}

async fn read_until(stream: &mut TcpStream, end: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end) && bytes.len() < HEAD_BYTES_MAX {
        bytes.push(stream.read_u8().await.ok()?);
    }
    Some(bytes)
}
