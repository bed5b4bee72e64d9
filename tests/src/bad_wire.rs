//! A wire that can be made bad: in front of a server, for one client. What the test says of it holds for every connection that
//! goes over it, those that are open among them, until it says something else.
//!
//! Nothing that passes is changed, reordered or dropped from the middle: as on a real network, bytes that are lost are sent
//! again, so what a bad wire holds back arrives once it is good again, unless the connection was cut meanwhile.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// Connections at once; the client of one more is hung up on.
const CONNECTIONS_MAX: usize = 256;
/// Pieces of a direction that are held back; after that, whoever sends has to wait.
const PIECES_MAX: usize = 64;
const PIECE_BYTES: usize = 16 * 1024;

/// How good a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes at once.
    Fair,
    /// Everything passes so much later, each way.
    Slow(Duration),
    /// Nothing arrives at the server; what it says arrives.
    NothingThere,
    /// Nothing arrives at the client; what it says arrives.
    NothingBack,
    /// Nothing arrives anywhere. Both believe that the connection is there.
    Parted,
    /// Whoever connects is hung up on at once, by a reset.
    Refusing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Towards {
    Server,
    Client,
}

impl Weather {
    /// How long a piece takes; `None`: it does not arrive.
    fn delay(self, towards: Towards) -> Option<Duration> {
        match (self, towards) {
            (Self::Slow(late), _) => Some(late),
            (Self::Parted, _) | (Self::NothingThere, Towards::Server) | (Self::NothingBack, Towards::Client) => None,
            _ => Some(Duration::ZERO),
        }
    }
}

/// See the module. Dropped, all its connections are cut.
#[derive(Debug)]
pub struct BadWire {
    at: SocketAddr,
    weather: watch::Sender<Weather>,
    cuts: watch::Sender<u64>,
    serving: JoinHandle<()>,
}

impl BadWire {
    /// A good one to that server.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let (weather, weather_seen) = watch::channel(Weather::Fair);
        let (cuts, cuts_seen) = watch::channel(0);
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                if connections.len() >= CONNECTIONS_MAX || *weather_seen.borrow() == Weather::Refusing {
                    reset(&client);
                    continue;
                }
                connections.spawn(carry(client, server, weather_seen.clone(), cuts_seen.clone()));
            }
        });
        Self {
            at,
            weather,
            cuts,
            serving,
        }
    }

    /// Where the client connects to.
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// From now on it is like this.
    pub fn becomes(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Resets every connection; what was held back is lost. New ones may be made.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for BadWire {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn carry(
    client: TcpStream,
    server: SocketAddr,
    weather: watch::Receiver<Weather>,
    mut cuts: watch::Receiver<u64>,
) {
    cuts.mark_unchanged();
    let Ok(server) = TcpStream::connect(server).await else {
        reset(&client);
        return;
    };
    for side in [&client, &server] {
        side.set_nodelay(true).ok();
        // Both directions end by themselves after a farewell; dropped before that, they end by a reset.
        reset(side);
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let there = pass(from_client, to_server, Towards::Server, weather.clone());
    let back = pass(from_server, to_client, Towards::Client, weather);
    tokio::select! {
        _cut = cuts.changed() => {}
        _ended = async { tokio::join!(there, back) } => {}
    }
}

/// Its end, when it is dropped, is a reset.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}

/// One direction, until its end has arrived.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    towards: Towards,
    mut weather: watch::Receiver<Weather>,
) {
    let (near, mut far) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES_MAX);
    let read = async move {
        loop {
            let mut piece = vec![0; PIECE_BYTES];
            let count = from.read(&mut piece).await.unwrap_or(0);
            piece.truncate(count);
            // An empty piece is the end.
            if near.send((Instant::now(), piece)).await.is_err() || count == 0 {
                return;
            }
        }
    };
    let write = async move {
        while let Some((sent, piece)) = far.recv().await {
            arrive(sent, towards, &mut weather).await;
            let over = piece.is_empty() || to.write_all(&piece).await.is_err();
            if over {
                to.shutdown().await.ok();
                return;
            }
        }
    };
    tokio::join!(read, write);
}

/// Waits until what was sent then arrives in this weather.
async fn arrive(sent: Instant, towards: Towards, weather: &mut watch::Receiver<Weather>) {
    loop {
        let delay = weather.borrow_and_update().delay(towards);
        let arrives = async {
            match delay {
                Some(delay) => tokio::time::sleep_until(sent + delay).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = arrives => return,
            changed = weather.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that says everything back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await.ok();
                });
            }
        });
        at
    }

    async fn said_back(stream: &mut TcpStream, within: Duration) -> Option<u8> {
        match tokio::time::timeout(within, stream.read_u8()).await {
            Ok(byte) => byte.ok(),
            Err(_late) => None,
        }
    }

    const SOON: Duration = Duration::from_secs(20);
    const A_WHILE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn what_a_bad_wire_holds_back_arrives_once_it_is_good_again() {
        let wire = BadWire::to(echo().await).await;
        let mut stream = TcpStream::connect(wire.address()).await.expect("connected");
        for (number, weather) in (0..).zip([Weather::Parted, Weather::NothingThere, Weather::NothingBack]) {
            wire.becomes(weather);
            stream.write_u8(number).await.expect("written");
            assert_eq!(said_back(&mut stream, A_WHILE).await, None, "{weather:?}");
            wire.becomes(Weather::Fair);
            assert_eq!(said_back(&mut stream, SOON).await, Some(number), "{weather:?}");
        }
    }

    #[tokio::test]
    async fn a_slow_wire_is_slow_each_way() {
        let wire = BadWire::to(echo().await).await;
        let mut stream = TcpStream::connect(wire.address()).await.expect("connected");
        wire.becomes(Weather::Slow(A_WHILE));
        let began = Instant::now();
        stream.write_u8(7).await.expect("written");
        assert_eq!(said_back(&mut stream, SOON).await, Some(7));
        assert!(began.elapsed() >= 2 * A_WHILE, "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_cut_resets_what_is_open_and_lets_in_what_comes_after() {
        let wire = BadWire::to(echo().await).await;
        let mut stream = TcpStream::connect(wire.address()).await.expect("connected");
        stream.write_u8(1).await.expect("written");
        assert_eq!(said_back(&mut stream, SOON).await, Some(1));
        wire.becomes(Weather::Parted);
        stream.write_u8(2).await.expect("written");
        wire.cut();
        assert!(stream.read_u8().await.is_err(), "it is over");
        wire.becomes(Weather::Fair);
        let mut stream = TcpStream::connect(wire.address()).await.expect("connected");
        stream.write_u8(3).await.expect("written");
        assert_eq!(
            said_back(&mut stream, SOON).await,
            Some(3),
            "what was held back is lost"
        );
        wire.becomes(Weather::Refusing);
        let mut refused = TcpStream::connect(wire.address()).await.expect("the kernel accepts");
        assert!(refused.read_u8().await.is_err());
    }
}
