use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::super::patience::Limits;
use super::*;
use crate::open::{Ran, Slot};
use crate::pace::Pace;

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const LIMITS: Limits = Limits {
    read: Duration::from_secs(60),
    write: Duration::from_secs(5),
};

/// Talks to a console in the slot of a request; after how many seconds that failed because the console was too slow.
async fn given_up_after(talk: impl AsyncFnOnce(StrictStream, TcpStream) -> io::Error) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
    let link = (Link::Clear(near.unwrap()), Buffers::default());
    let to = Console { address, trust: None };
    let stream = StrictStream::new(link, to, Arc::default(), false, Asks::Answer);
    let slot = Arc::new(Slot::default());
    slot.patience().begin(LIMITS);
    slot.lines().begin();
    slot.lines().end();
    let began = Instant::now();
    let Ran::Finished(failed) = slot.run(Pace::default(), talk(stream, far.unwrap().0)).await else {
        panic!("the request was not let run to its end");
    };
    let cause = failed.get_ref().unwrap();
    assert!(cause.is::<TooSlow>(), "{cause}");
    began.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_console_that_says_nothing_is_given_up_when_its_time_is_over() {
    let silent = given_up_after(async |mut stream, _far| {
        stream.write_all(HEAD).await.unwrap();
        stream.read(&mut [0; 100]).await.unwrap_err()
    });
    assert_eq!(silent.await, 60);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_console_counts_anew_from_each_of_its_bytes() {
    let dripping = given_up_after(async |mut stream, mut far| {
        stream.write_all(HEAD).await.unwrap();
        let console = async {
            far.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
                .await
                .unwrap();
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_secs(40)).await;
                far.write_all(b"x").await.unwrap();
            }
            std::future::pending().await
        };
        let reading = async {
            loop {
                if let Err(failed) = stream.read(&mut [0; 100]).await {
                    return failed;
                }
            }
        };
        tokio::select! {
            failed = reading => failed,
            never = console => never,
        }
    });
    assert_eq!(dripping.await, 180);
}

#[tokio::test(start_paused = true)]
async fn a_console_that_takes_nothing_in_is_given_up_when_its_time_is_over() {
    let stuck = given_up_after(async |mut stream, _far| {
        stream.write_all(HEAD).await.unwrap();
        loop {
            if let Err(failed) = stream.write_all(&[0; 64 * 1024]).await {
                return failed;
            }
        }
    });
    assert_eq!(stuck.await, 5);
}
