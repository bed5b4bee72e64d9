//! A mail server that follows a script: for answers that no real one gives on purpose.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done once a line that begins so has come. `.` stands for the end of a letter.
#[derive(Debug, Clone, Copy)]
pub enum Line {
    /// Answers with these bytes.
    Answer(&'static str, &'static str),
    /// Closes the connection.
    HangUp(&'static str),
    /// Says nothing, ever.
    FallSilent(&'static str),
}

/// Follows one script a connection, the last one for all that come after.
#[derive(Debug)]
pub struct Scripted {
    /// Where it listens.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Starts listening. What a script has no line for is answered with `250 fine`, DATA with 354, a greeting comes first.
    pub async fn start(scripts: &'static [&'static [Line]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let mut number = 0;
            while let Ok((stream, _peer)) = listener.accept().await {
                let script = scripts.get(number).or(scripts.last()).copied().unwrap_or_default();
                number += 1;
                tokio::spawn(follow(stream, script, Arc::clone(&told)));
            }
        });
        Self { address, heard, task }
    }

    /// Every line it has heard, connection by connection, the letters' own among them.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("nobody panicked").clone()
    }

    /// How many lines began so.
    pub fn heard_of(&self, begin: &str) -> usize {
        self.heard().iter().filter(|line| line.starts_with(begin)).count()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(stream: TcpStream, script: &[Line], heard: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    if stream.write_all(b"220 scripted\r\n").await.is_err() {
        return;
    }
    let (mut line, mut in_letter) = (String::new(), false);
    loop {
        line.clear();
        // A TLS handshake is no text: whoever begins one here has believed what he should not.
        if !matches!(stream.read_line(&mut line).await, Ok(read) if read > 0) {
            return;
        }
        let said = line.trim_end().to_owned();
        heard.lock().expect("nobody panicked").push(said.clone());
        if in_letter && said != "." {
            continue;
        }
        in_letter = said == "DATA";
        let step = script.iter().find(|step| {
            let (Line::Answer(begin, _) | Line::HangUp(begin) | Line::FallSilent(begin)) = step;
            said.starts_with(begin)
        });
        let answer = match step {
            Some(Line::Answer(_, answer)) => answer,
            Some(Line::HangUp(_)) => return,
            Some(Line::FallSilent(_)) => std::future::pending().await,
            None if in_letter => "354 go on\r\n",
            None => "250 fine\r\n",
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
