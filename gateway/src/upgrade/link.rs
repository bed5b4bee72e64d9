//! The link between the two processes: a pair of sockets without a name, one end of which is the new process's standard input.
//! So nobody else can come between, there is no file whose rights could be wrong, and each end sees at once that the other
//! process is gone. Words are packets; the first carries the sockets that are handed over.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

/// A word and what belongs to it.
const WORD_BYTES_MAX: usize = 16 * 1024;
/// Sockets that are handed over at once; the system takes 253.
pub const SOCKETS_MAX: usize = 200;

/// What the two processes say, in the order of a hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "snake_case")]
pub enum Word {
    /// The former one: who it is. With it come the errands' socket and those that are listened on.
    Hello {
        /// Its process.
        pid: u32,
        /// Its version.
        version: String,
        /// Its store, by name.
        store: String,
    },
    /// The new one: all that does not need the store is ready.
    Prepared,
    /// The former one: it makes no steps any more, the store is the new one's.
    Store,
    /// The new one: it has the store, and could let people in.
    Opened,
    /// The former one: it judges nothing any more without asking the store.
    Go,
    /// The new one: it lets people in.
    Serving,
}

/// One end.
#[derive(Debug)]
pub struct Link(OwnedFd);

impl Link {
    /// Both ends: ours, and what becomes the other process's standard input.
    ///
    /// # Errors
    /// Those of the system.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        Ok((Self(ours), theirs))
    }

    /// The end that is this process's standard input, which is nothing from then on.
    ///
    /// # Errors
    /// Where it is no such end: somebody typed what only a door says to its own process.
    pub fn from_standard_input() -> io::Result<Self> {
        let link = Self(io::stdin().as_fd().try_clone_to_owned()?);
        let nothing = std::fs::File::open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing)?;
        Ok(link)
    }

    /// Says a word, and hands the sockets over.
    ///
    /// # Errors
    /// Where the other process is gone.
    pub fn say(&self, word: &Word, sockets: &[impl std::os::fd::AsFd]) -> io::Result<()> {
        let packet = serde_json::to_vec(word)?;
        let sockets: Vec<_> = sockets.iter().map(std::os::fd::AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut along = SendAncillaryBuffer::new(&mut space);
        if !sockets.is_empty() && !along.push(SendAncillaryMessage::ScmRights(&sockets)) {
            return Err(io::Error::other(format!(
                "more than {SOCKETS_MAX} sockets cannot be handed over"
            )));
        }
        let flags = SendFlags::NOSIGNAL;
        sendmsg(&self.0, &[IoSlice::new(&packet)], &mut along, flags)?;
        Ok(())
    }

    /// Waits for a word; blocks. `None`: the other process is gone.
    ///
    /// # Errors
    /// Where nothing is said in time, or what is no word.
    pub fn hear(&self, within: Option<Duration>) -> io::Result<Option<(Word, Vec<OwnedFd>)>> {
        set_socket_timeout(&self.0, Timeout::Recv, within)?;
        let mut packet = vec![0; WORD_BYTES_MAX];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(SOCKETS_MAX))];
        let mut along = RecvAncillaryBuffer::new(&mut space);
        let heard = loop {
            let flags = RecvFlags::CMSG_CLOEXEC;
            match recvmsg(&self.0, &mut [IoSliceMut::new(&mut packet)], &mut along, flags) {
                Ok(heard) => break heard,
                Err(rustix::io::Errno::INTR) => {}
                // Gone before it had read what was said.
                Err(rustix::io::Errno::CONNRESET) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        };
        if heard.bytes == 0 {
            return Ok(None);
        }
        let mut sockets = Vec::new();
        for message in along.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                sockets.extend(rights);
            }
        }
        let word = serde_json::from_slice(packet.get(..heard.bytes).unwrap_or_default())?;
        Ok(Some((word, sockets)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// No sockets.
    const NONE: &[OwnedFd] = &[];

    #[test]
    fn what_is_said_is_heard_with_the_sockets_that_came_along() {
        let (ours, theirs) = Link::pair().unwrap();
        let theirs = Link(theirs);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let word = Word::Hello {
            pid: 7,
            version: "1".to_owned(),
            store: "a store".to_owned(),
        };
        ours.say(&word, &[listener.as_fd(), listener.as_fd()]).unwrap();
        ours.say(&Word::Store, NONE).unwrap();
        let (heard, sockets) = theirs.hear(None).unwrap().unwrap();
        assert_eq!((heard, sockets.len()), (word, 2));
        let address = TcpListener::from(sockets.into_iter().next().unwrap()).local_addr();
        assert_eq!(address.unwrap(), listener.local_addr().unwrap());
        assert_eq!(theirs.hear(None).unwrap().unwrap().0, Word::Store);
    }

    #[test]
    fn whoever_is_gone_is_noticed_and_whoever_is_silent_is_not_waited_for() {
        let (ours, theirs) = Link::pair().unwrap();
        let silent = ours.hear(Some(Duration::from_millis(1))).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::WouldBlock);
        drop(theirs);
        assert!(ours.hear(None).unwrap().is_none());
        assert!(ours.say(&Word::Go, NONE).is_err());
    }
}
