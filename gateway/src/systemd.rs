//! What systemd is told (`Type=notify`): that the door is open, that it closes, and which process is it now. See sd_notify(3).

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Names the socket, where there is somebody to tell.
const VARIABLE: &str = "NOTIFY_SOCKET";

/// Tells it, where it is asked for. That it cannot be told keeps nobody from anything else.
pub fn tell(what: &str) {
    let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else {
        return;
    };
    if let Err(error) = send(name.as_bytes(), what) {
        tracing::warn!(%error, what, "systemd could not be told");
    }
}

/// `@` at its beginning stands for the abstract socket of that name.
fn send(name: &[u8], what: &str) -> io::Result<()> {
    let address = match name.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))?,
    };
    let socket = UnixDatagram::unbound()?;
    // Nobody is waited for who does not listen.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(what.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_told_by_its_path_and_by_its_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let abstract_name = format!("stagedoor-test-{}", std::process::id());
        let by_name = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        for (listener, name) in [
            (UnixDatagram::bind(&path).unwrap(), path.as_os_str().as_bytes().to_vec()),
            (
                UnixDatagram::bind_addr(&by_name).unwrap(),
                format!("@{abstract_name}").into_bytes(),
            ),
        ] {
            send(&name, "READY=1").unwrap();
            let mut heard = [0; 32];
            let length = listener.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"READY=1");
        }
    }
}
