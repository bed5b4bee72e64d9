//! Sends targets as they are, byte for byte, over connections that are kept, and reads which resource answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one answer may take on a machine that does other things besides.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const CONNECTIONS_PER_SERVER: usize = 3;
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What came back for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// 0 where the server closed the connection and said nothing.
    pub(super) status: u16,
    /// The area of the resource that answered, where one did.
    pub(super) area: Option<String>,
    /// Where a redirect leads.
    pub(super) location: Option<String>,
    /// The whole body, for people.
    pub(super) body: String,
}

/// Asks one server for every target; the answers are in the order of the targets.
pub(super) async fn ask_all(at: SocketAddr, targets: Arc<Vec<Vec<u8>>>) -> Vec<Answer> {
    let mut workers = JoinSet::new();
    for first in 0..CONNECTIONS_PER_SERVER {
        let targets = Arc::clone(&targets);
        workers.spawn(async move {
            let mut client = Client { at, stream: None };
            let mut answers = Vec::new();
            for number in (first..targets.len()).step_by(CONNECTIONS_PER_SERVER) {
                answers.push((number, client.ask(&targets[number]).await));
            }
            answers
        });
    }
    let mut all = workers.join_all().await.concat();
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, answer)| answer).collect()
}

/// One connection, opened anew whenever the server has closed it.
struct Client {
    at: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    async fn ask(&mut self, target: &[u8]) -> Answer {
        let kept = self.stream.is_some();
        if let Some(answer) = self.try_to_ask(target).await {
            return answer;
        }
        // A kept connection may have been closed before this was asked: on a fresh one, closing is the answer.
        if kept && let Some(answer) = self.try_to_ask(target).await {
            return answer;
        }
        Answer {
            status: 0,
            area: None,
            location: None,
            body: String::new(),
        }
    }

    async fn try_to_ask(&mut self, target: &[u8]) -> Option<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.at).await.expect("the server listens")),
        };
        let request = [b"GET ", target, b" HTTP/1.1\r\nHost: console.localhost\r\n\r\n"].concat();
        stream.write_all(&request).await.ok()?;
        let text = String::from_utf8_lossy(target).into_owned();
        let answer = timeout(ANSWER_WITHIN, read_answer(&mut stream)).await;
        let (answer, keep) = answer.unwrap_or_else(|_| panic!("{} says nothing to `{text}`", self.at))?;
        if keep {
            self.stream = Some(stream);
        }
        Some(answer)
    }
}

/// The answer, and whether the connection may be used again; `None` where it was closed before there was a head.
async fn read_answer(stream: &mut BufReader<TcpStream>) -> Option<(Answer, bool)> {
    let mut status = None;
    let (mut length, mut chunked, mut keep, mut location) = (None, false, true, None);
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await.ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        if status.is_none() {
            status = Some(line.split(' ').nth(1)?.parse::<u16>().ok()?);
            keep = line.starts_with("HTTP/1.1");
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<usize>().ok(),
            "transfer-encoding" => chunked = value.trim().eq_ignore_ascii_case("chunked"),
            "connection" => keep &= !value.trim().eq_ignore_ascii_case("close"),
            "location" => location = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let body = if chunked {
        read_chunks(stream).await?
    } else {
        match length {
            Some(length) => read_exactly(stream, length).await?,
            None => {
                keep = false;
                let mut all = Vec::new();
                stream.read_to_end(&mut all).await.ok()?;
                all
            }
        }
    };
    let body = String::from_utf8_lossy(&body).into_owned();
    let answer = Answer {
        status: status?,
        area: area_of(&body),
        location,
        body,
    };
    Some((answer, keep))
}

async fn read_chunks(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        body.extend(read_exactly(stream, length).await?);
        stream.read_line(&mut line).await.ok()?;
        if length == 0 {
            return Some(body);
        }
    }
}

async fn read_exactly(stream: &mut BufReader<TcpStream>, length: usize) -> Option<Vec<u8>> {
    assert!(length <= BODY_BYTES_MAX, "a body of {length} bytes");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(body)
}

/// `admin` out of `area=admin resource=…`. A script that is served as a text has it further down.
fn area_of(body: &str) -> Option<String> {
    let (_, rest) = body.split_once("area=")?;
    Some(rest.split_once(' ')?.0.to_owned())
}
