//! WebSockets, one and three hundred.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_says_back_text_bytes_and_long_messages() {
    let stage = Stage::open().await;
    let ada = stage.ada(Way::Http1).await;
    let mut socket = ada.websocket("/socket?room=1").await.expect("a WebSocket opens");
    for message in [
        Message::text("hello"),
        Message::binary(vec![0_u8, 255, 10, 13]),
        Message::binary(FakeConsole::file(1024 * 1024)),
        Message::text(""),
    ] {
        socket.send(message.clone()).await.expect("it is open");
        assert_eq!(next(&mut socket).await, message);
    }
    socket.close(None).await.expect("it can be closed");
}

async fn next<S>(socket: &mut tokio_tungstenite::WebSocketStream<S>) -> Message
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let message = tokio::time::timeout(SOON, socket.next()).await.expect("the echo comes");
    message.expect("it is open").expect("no fault")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_opens_in_tls_as_well() {
    let stage = Stage::open().await;
    let ada = stage.ada(Way::Http1InTls).await;
    let https = stage.ways.door.https.expect("TLS");
    let request = format!("wss://console.localhost:{https}/socket").into_client_request();
    let mut request = request.expect("a request");
    let cookies = ada.cookie_header().expect("ada is signed in");
    request
        .headers_mut()
        .insert(header::COOKIE, cookies.parse().expect("a header"));
    let wire = ada.connect_tls().await;
    let (mut socket, _) = tokio_tungstenite::client_async(request, wire)
        .await
        .expect("a WebSocket opens");
    socket.send(Message::text("sealed")).await.expect("it is open");
    assert_eq!(next(&mut socket).await, Message::text("sealed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn none_of_three_hundred_handshakes_at_once_is_lost() {
    let stage = Stage::open().await;
    let ada = Arc::new(stage.ada(Way::Http1).await);
    let mut sockets = tokio::task::JoinSet::new();
    for number in 0..HANDSHAKES {
        let ada = Arc::clone(&ada);
        sockets.spawn(async move {
            let opened = tokio::time::timeout(SOON, ada.websocket("/socket")).await;
            let mut socket = opened.expect("the handshake ends").expect("a WebSocket opens");
            let message = Message::text(format!("number {number}"));
            socket.send(message.clone()).await.expect("it is open");
            assert_eq!(next(&mut socket).await, message);
            socket
        });
    }
    assert_eq!(sockets.join_all().await.len(), HANDSHAKES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_declines_a_websocket_is_heard() {
    let (url, listener) = played_console().await;
    let stage = Stage::before(&url).await;
    let ada = stage.ada(Way::Http1).await;
    let opening = tokio::spawn(async move { ada.websocket("/socket").await.map(drop) });
    let (mut console, _) = listener.accept().await.expect("the door comes");
    raw::read_head(&mut console).await;
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Why: closed\r\n\r\nno\n";
    console.write_all(answer).await.expect("it is open");
    let fault = opening.await.expect("no panic").expect_err("no WebSocket came to be");
    let tokio_tungstenite::tungstenite::Error::Http(answer) = fault else {
        panic!("no answer was passed on: {fault}");
    };
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.headers()["x-why"], "closed");
}
