//! How pingora comes to its connection with a console: over a kept one, or a new one, read strictly either way.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::connectors::l4::Connect;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::l4::virt::VirtualSocketStream;
use pingora::{Error, ErrorType, Result};

use super::idle::{Console, Idle, NotConnected};
use super::link::{Buffers, Link};
use super::strict::{Asks, StrictStream};

/// The way to one console.
#[derive(Debug)]
pub struct Line {
    /// Where it leads.
    pub to: Console,
    /// Where connections wait for their next exchange.
    pub idle: Arc<Idle>,
    /// How long they may wait.
    pub keepalive: Duration,
    /// How long connecting may take.
    pub connect_within: Duration,
}

#[async_trait]
impl Connect for Line {
    /// The address is the line's own.
    async fn connect(&self, _address: &SocketAddr) -> Result<Stream> {
        match self.idle.take(&self.to, self.keepalive) {
            Some(kept) => Ok(self.read(kept, true, Asks::Answer)),
            None => self.open(Asks::Answer).await,
        }
    }
}

impl Line {
    /// A new connection, for one exchange or for a tunnel.
    ///
    /// # Errors
    /// Where the console cannot be reached in time, or does not prove who it is.
    pub async fn open(&self, asks: Asks) -> Result<Stream> {
        let link = self.to.connect(self.connect_within).await.map_err(not_connected)?;
        Ok(self.read((link, Buffers::default()), false, asks))
    }

    fn read(&self, link: (Link, Buffers), kept_before: bool, asks: Asks) -> Stream {
        let strict = StrictStream::new(link, self.to.clone(), Arc::clone(&self.idle), kept_before, asks);
        VirtualSocketStream::new(Box::new(strict)).into()
    }
}

fn not_connected(fault: NotConnected) -> Box<Error> {
    let etype = match fault {
        NotConnected::TooSlow => ErrorType::ConnectTimedout,
        NotConnected::Unreachable(_) | NotConnected::NotSecured(_) => ErrorType::ConnectError,
    };
    Error::because(etype, "connecting to a console", fault).into_up()
}
