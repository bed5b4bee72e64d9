//! New connections: TCP, a full TLS 1.3 handshake or a resumed one, one request, close.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, Stream};

use super::cpu_time;
use crate::Failure;
use crate::rig::{Rig, Serving};

const CLIENTS: usize = 8;
const WARM: Duration = Duration::from_millis(500);

/// What handshakes came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handshakes {
    pub(crate) full: u64,
    pub(crate) resumed: u64,
    pub(crate) cpu: Duration,
}

impl Handshakes {
    /// CPU time of the candidate for a connection with one request, in microseconds.
    pub(crate) fn micros_per_connection(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / (self.full + self.resumed).max(1) as f64
    }
}

/// As many as go, by eight clients that each wait for their answer.
pub(crate) fn load(rig: &Rig, serving: &Serving, seconds: u32, resume: bool) -> Result<Handshakes, Failure> {
    let client = rig.certificates.client(&["http/1.1"]);
    let client = match resume {
        true => client,
        false => {
            let mut forgetful = ClientConfig::clone(&client);
            forgetful.resumption = Resumption::disabled();
            Arc::new(forgetful)
        }
    };
    run(serving, &client, WARM)?;
    let before = cpu_time(serving)?;
    let [full, resumed] = run(serving, &client, Duration::from_secs(seconds.into()))?;
    Ok(Handshakes {
        full,
        resumed,
        cpu: cpu_time(serving)?.saturating_sub(before),
    })
}

fn run(serving: &Serving, client: &Arc<ClientConfig>, during: Duration) -> Result<[u64; 2], Failure> {
    let counts = [AtomicU64::new(0), AtomicU64::new(0)];
    let until = Instant::now() + during;
    let outcome: Result<(), String> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let counts = &counts;
                let known_by = serving.known_by.get(number).map_or("Accept: */*", String::as_str);
                scope.spawn(move || {
                    while Instant::now() < until {
                        let kind = connect(serving, client, known_by).map_err(|error| error.to_string())?;
                        let [full, resumed] = counts;
                        let count = if kind == HandshakeKind::Resumed { resumed } else { full };
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<(), String>(())
                })
            })
            .collect();
        clients
            .into_iter()
            .try_for_each(|client| client.join().map_err(|_panic| "a client broke down".to_owned())?)
    });
    outcome?;
    Ok(counts.map(AtomicU64::into_inner))
}

fn connect(serving: &Serving, client: &Arc<ClientConfig>, known_by: &str) -> Result<HandshakeKind, Failure> {
    let mut tcp = TcpStream::connect(serving.listen)?;
    tcp.set_nodelay(true)?;
    let mut tls = ClientConnection::new(Arc::clone(client), "localhost".try_into()?)?;
    let mut stream = Stream::new(&mut tls, &mut tcp);
    let request = format!("GET /area-7/item/1 HTTP/1.1\r\nHost: localhost\r\n{known_by}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // A server that closes without saying so in TLS is none that these figures are about.
    stream.read_to_end(&mut answer)?;
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(String::from_utf8_lossy(&answer).into_owned().into());
    }
    Ok(tls.handshake_kind().unwrap_or(HandshakeKind::Full))
}
