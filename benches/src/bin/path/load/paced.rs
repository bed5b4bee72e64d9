//! Requests at a rate that does not depend on how fast they are answered: each has its moment, and its time counts from
//! there, so that a candidate that stalls is not spared the requests which it keeps waiting.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::rig::Serving;

const CONNECTIONS: usize = 16;

/// Times of answers, the shortest first, and what was not answered with 200.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    times: Vec<Duration>,
    pub(crate) failed: usize,
}

impl Answered {
    /// The time that this share of all answers did not exceed.
    pub(crate) fn within(&self, share: f64) -> Duration {
        let at = (self.times.len() as f64 * share) as usize;
        let last = self.times.len().saturating_sub(1);
        self.times.get(at.min(last)).copied().unwrap_or_default()
    }

    /// How many there were.
    pub(crate) fn count(&self) -> usize {
        self.times.len()
    }
}

/// So many requests a second of a file of requests, over kept connections, for so long.
pub(crate) fn load(serving: &Serving, requests: &Path, per_second: f64, during: Duration) -> Result<Answered, Failure> {
    let requests = heads(serving, requests)?;
    let began = Instant::now();
    let every = Duration::from_secs_f64(CONNECTIONS as f64 / per_second);
    let mut all = Answered::default();
    std::thread::scope(|scope| {
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let first = began + every.mul_f64(number as f64 / CONNECTIONS as f64);
                let mine: Vec<&[u8]> = requests
                    .iter()
                    .skip(number)
                    .step_by(CONNECTIONS)
                    .map(Vec::as_slice)
                    .collect();
                scope.spawn(move || ask(serving, &mine, first, every, began + during))
            })
            .collect();
        for connection in connections {
            match connection.join() {
                Ok(answered) => {
                    all.times.extend(answered.times);
                    all.failed += answered.failed;
                }
                Err(_panic) => all.failed += 1,
            }
        }
    });
    all.times.sort_unstable();
    match all.times.is_empty() {
        true => Err(format!("nothing was answered:\n{}", serving.process.log()).into()),
        false => Ok(all),
    }
}

fn heads(serving: &Serving, requests: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let text = std::fs::read_to_string(requests)?;
    let heads = text.lines().map(|line| {
        let (path, headers) = line.split_once('\t').unwrap_or((line, ""));
        let headers = headers.replace('\t', "\r\n");
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n\r\n", serving.listen).into_bytes()
    });
    Ok(heads.collect())
}

fn ask(serving: &Serving, requests: &[&[u8]], first: Instant, every: Duration, until: Instant) -> Answered {
    let (mut answered, mut stream, mut due) = (Answered::default(), None, first);
    for request in requests.iter().cycle() {
        if due >= until {
            break;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let open = match stream.take() {
            Some(open) => Ok(open),
            None => TcpStream::connect(serving.listen).and_then(|open| open.set_nodelay(true).map(|()| open)),
        };
        match open.and_then(|open| exchange(open, request)) {
            Ok(open) => {
                answered.times.push(due.elapsed());
                stream = Some(open);
            }
            Err(_) => answered.failed += 1,
        }
        due += every;
    }
    answered
}

fn exchange(mut stream: TcpStream, request: &[u8]) -> std::io::Result<TcpStream> {
    stream.write_all(request)?;
    let (mut answer, mut piece) = (Vec::with_capacity(2048), [0_u8; 4096]);
    loop {
        match stream.read(&mut piece)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => answer.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
        if head.is_some_and(|head| answer.len() >= head + 4 + crate::upstream::BODY_BYTES) {
            break;
        }
    }
    match answer.starts_with(b"HTTP/1.1 200 ") {
        true => Ok(stream),
        false => Err(std::io::ErrorKind::InvalidData.into()),
    }
}
