//! A fake console that keeps every byte it was sent: what reached the console is a matter of bytes, not of a parser.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::Certificates;

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
    /// Where its certificate lies, where it speaks TLS.
    secured: Option<(TempDir, Certificates)>,
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
        Self::listen(Arc::new(answer), None).await
    }

    /// The same inside TLS, under a certificate that [`Self::settings`] names.
    pub async fn answering_in_tls(answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let certificates = Certificates::write(folder.path(), &["console.test"]);
        Self::answering_under(folder, certificates, answer).await
    }

    /// The same under any certificate.
    pub async fn answering_under(
        folder: TempDir,
        certificates: Certificates,
        answer: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Arc::new(answer), Some((folder, certificates))).await
    }

    async fn listen(answer: Arc<Answer>, secured: Option<(TempDir, Certificates)>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let transcripts = Transcripts::default();
        let acceptor = secured.as_ref().map(|(_, certificates)| certificates.acceptor());
        let serving = tokio::spawn(serve(
            listener,
            acceptor,
            answer,
            Arc::clone(&seen),
            Arc::clone(&transcripts),
        ));
        Self {
            at,
            seen,
            transcripts,
            serving,
            secured,
        }
    }

    /// What a site needs to know besides the URL.
    pub fn settings(&self) -> String {
        let ca_file = |(_, certificates): &(TempDir, Certificates)| {
            format!(
                "tls_server_name = \"console.test\"\nca_file = {:?}\n",
                certificates.certificate
            )
        };
        self.secured.as_ref().map(ca_file).unwrap_or_default()
    }

    /// Where it listens, as a site's upstream.
    pub fn url(&self) -> String {
        let scheme = if self.secured.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.at)
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

async fn serve(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    answer: Arc<Answer>,
    seen: Arc<Mutex<Vec<Seen>>>,
    transcripts: Transcripts,
) {
    let mut connections = tokio::task::JoinSet::new();
    let mut count = 0;
    while let Ok((stream, _)) = listener.accept().await {
        transcripts
            .lock()
            .expect("nobody panics while writing")
            .push(Vec::new());
        let (acceptor, transcripts) = (acceptor.clone(), Arc::clone(&transcripts));
        let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
        connections.spawn(async move {
            let Some(stream) = opened(stream, acceptor).await else {
                return;
            };
            let stream = Noted {
                stream,
                number: count,
                transcripts,
                unread: Vec::new(),
            };
            converse(stream, count, answer, seen).await;
        });
        count += 1;
    }
}

/// What is said inside TLS, where that is spoken; nothing where the other side does not agree to it.
async fn opened(stream: TcpStream, acceptor: Option<TlsAcceptor>) -> Option<Box<dyn Spoken>> {
    match acceptor {
        None => Some(Box::new(stream)),
        Some(acceptor) => Some(Box::new(acceptor.accept(stream).await.ok()?)),
    }
}

/// Bytes in clear.
trait Spoken: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Spoken for T {}

/// A connection, what came by it and was not read yet, and the note of every byte.
struct Noted {
    stream: Box<dyn Spoken>,
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
