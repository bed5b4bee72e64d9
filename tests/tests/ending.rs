//! How a door ends: at once where nobody is inside, and not before whoever is has been served.

use std::time::Duration;

use rustix::process::Signal;
use stagedoor_tests::{Door, soon};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

const POLICY: &str = "[site.console.areas]\nopen = { paths = [\"/**\"], open_to = \"everyone\" }\n";
/// Longer than anything takes here.
const MOMENT: Duration = Duration::from_secs(60);

/// A door in front of a console that answers each request when it is told to, and what tells it; `true` once it is asked.
async fn door() -> (Door, mpsc::Sender<()>, watch::Receiver<bool>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let upstream = format!("http://{}", listener.local_addr().expect("an address"));
    let ((tell, mut told), (ask, asked)) = (mpsc::channel(4), watch::channel(false));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 16 * 1024];
            if stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                ask.send_replace(true);
                told.recv().await;
                let answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
                stream.write_all(answer).await.ok();
            }
        }
    });
    let door = Door::plan().site("console", &upstream).policy(POLICY).open().await;
    (door, tell, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_with_nobody_inside_ends_at_once_and_one_with_somebody_when_he_is_served() {
    let (mut idle, tell_idle, _asked) = door().await;
    let (mut busy, tell, mut asked) = door().await;
    tell_idle.send(()).await.expect("the console is there");
    idle.visitor("console").get("/page").await.expect(200);
    let visitor = busy.visitor("console");
    let asking = tokio::spawn(async move { visitor.get("/slow").await });
    asked.wait_for(|asked| *asked).await.expect("the console is there");

    busy.process().signal(Signal::TERM);
    let address = busy.address();
    soon("nobody is let in any more", async || {
        tokio::net::TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    idle.process().signal(Signal::TERM);
    // Both were told, and the one with somebody inside first: did both sit out the same time, it would end first.
    assert!(idle.process().end_within(MOMENT).success());
    assert!(busy.process().ended().is_none(), "it ended over a request");

    tell.send(()).await.expect("the console is there");
    let served = asking.await.expect("the request is made").expect(200);
    assert_eq!(served.text(), "whole");
    assert!(busy.process().end_within(MOMENT).success());
}
