//! A fake console that keeps every byte it was sent: what reached the console is a matter of bytes, not of a parser.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

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

/// Every byte of every connection, in the order in which the connections were opened.
type Transcripts = Arc<Mutex<Vec<Vec<u8>>>>;
type Answer = dyn Fn(&Seen) -> Vec<u8> + Send + Sync;

/// Listens on a port of 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct Recorder {
    at: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    transcripts: Transcripts,
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
        let transcripts = Transcripts::default();
        let serving = tokio::spawn(serve(
            listener,
            Arc::new(answer),
            Arc::clone(&seen),
            Arc::clone(&transcripts),
        ));
        Self {
            at,
            seen,
            transcripts,
            serving,
        }
    }

    /// Where it listens, as a site's upstream.
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// Everything that arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("nobody panics while writing").clone()
    }

    /// How many bytes arrived so far, whether or not they make a request.
    pub fn bytes(&self) -> usize {
        self.mark().into_iter().sum()
    }

    /// How many bytes each connection has brought so far: where [`Self::since`] begins.
    pub fn mark(&self) -> Vec<usize> {
        let transcripts = self.transcripts.lock().expect("nobody panics while writing");
        transcripts.iter().map(Vec::len).collect()
    }

    /// What each connection, by its number, has brought since the mark, without those that brought nothing.
    pub fn since(&self, mark: &[usize]) -> Vec<(usize, Vec<u8>)> {
        let transcripts = self.transcripts.lock().expect("nobody panics while writing");
        let new = transcripts
            .iter()
            .enumerate()
            .map(|(connection, all)| (connection, all[mark.get(connection).copied().unwrap_or(0)..].to_vec()));
        new.filter(|(_, bytes)| !bytes.is_empty()).collect()
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

async fn serve(listener: TcpListener, answer: Arc<Answer>, seen: Arc<Mutex<Vec<Seen>>>, transcripts: Transcripts) {
    let mut connections = tokio::task::JoinSet::new();
    let mut count = 0;
    while let Ok((stream, _)) = listener.accept().await {
        transcripts
            .lock()
            .expect("nobody panics while writing")
            .push(Vec::new());
        let stream = Noted {
            stream,
            number: count,
            transcripts: Arc::clone(&transcripts),
            unread: Vec::new(),
        };
        connections.spawn(converse(stream, count, Arc::clone(&answer), Arc::clone(&seen)));
        count += 1;
    }
}

/// A connection, what came by it and was not read yet, and the note of every byte.
struct Noted {
    stream: TcpStream,
    number: usize,
    transcripts: Transcripts,
    unread: Vec<u8>,
}

impl Noted {
    /// Waits for more, and notes it at once, whether or not anybody will read it.
    async fn hear(&mut self) -> Option<()> {
        let mut piece = [0; 16 * 1024];
        let count = self.stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        let new = &piece[..count];
        self.transcripts.lock().expect("nobody panics while writing")[self.number].extend_from_slice(new);
        self.unread.extend_from_slice(new);
        Some(())
    }

    /// Takes so many bytes.
    async fn read(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            self.hear().await?;
        }
        Some(self.unread.drain(..length).collect())
    }

    /// Takes everything up to and with `end`.
    async fn read_until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let mut looked_at = 0_usize;
        loop {
            let from = looked_at.saturating_sub(end.len());
            let found = self.unread[from..].windows(end.len()).position(|window| window == end);
            if let Some(at) = found {
                return self.read(from + at + end.len()).await;
            }
            looked_at = self.unread.len();
            self.hear().await?;
        }
    }
}

async fn converse(mut stream: Noted, connection: usize, answer: Arc<Answer>, seen: Arc<Mutex<Vec<Seen>>>) {
    while let Some(request) = read_request(&mut stream, connection).await {
        let reply = answer(&request);
        seen.lock().expect("nobody panics while writing").push(request);
        if stream.stream.write_all(&reply).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut Noted, connection: usize) -> Option<Seen> {
    let head = stream.read_until(b"\r\n\r\n").await?;
    let mut request = Seen {
        connection,
        head: String::from_utf8_lossy(&head).into_owned(),
        body: Vec::new(),
    };
    let length = request
        .values("content-length")
        .first()
        .and_then(|length| length.parse().ok());
    let codings = request.values("transfer-encoding");
    if let Some(length) = length {
        request.body = stream.read(length).await?;
    } else if codings.iter().any(|coding| coding.eq_ignore_ascii_case("chunked")) {
        request.body = stream.read_until(b"0\r\n\r\n").await?;
    }
    Some(request)
}
