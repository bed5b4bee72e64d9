//! The four ways to a console. What is promised is promised for each of them.

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Certificates, Door, DoorPlan, PASSWORD, Visitor};

/// How a visitor comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// HTTP/1.1.
    Http1,
    /// HTTP/1.1 in TLS.
    Http1InTls,
    /// HTTP/2 in TLS.
    Http2,
    /// HTTP/2 in clear, begun without asking.
    Http2InClear,
}

impl Way {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Http1, Self::Http1InTls, Self::Http2, Self::Http2InClear];
    /// Those that bytes written by hand can go.
    pub const BY_HAND: [Self; 2] = [Self::Http1, Self::Http1InTls];
    /// Those that frames written by hand can go.
    pub const BY_FRAMES: [Self; 2] = [Self::Http2, Self::Http2InClear];

    /// Whether it is in TLS.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Http1InTls | Self::Http2)
    }

    /// The name of the session's cookie on this way.
    pub fn session_cookie(self) -> &'static str {
        if self.is_secure() {
            "__Host-stagedoor"
        } else {
            "stagedoor"
        }
    }
}

/// Both ends of a connection by bytes.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A door that can be reached by every way. Every site is `NAME.localhost` still.
#[derive(Debug)]
pub struct Ways {
    /// The door.
    pub door: Door,
    /// What its visitors trust.
    pub certificates: Certificates,
}

impl Ways {
    /// Opens a door with a certificate for these sites.
    pub async fn open(plan: DoorPlan, sites: &[&str]) -> Self {
        let mut door = plan.with_tls().prepare();
        let names: Vec<String> = sites.iter().map(|site| format!("{site}.localhost")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let certificates = Certificates::write(door.folder(), &names);
        door.start().await;
        Self { door, certificates }
    }

    /// Somebody from 127.0.0.1 with an empty cookie jar.
    pub fn visitor(&self, way: Way, site: &str) -> Visitor {
        let https = self.door.https.expect("this door was opened with TLS");
        let protocols: &[&str] = match way {
            Way::Http1 => return self.door.visitor(site),
            Way::Http2InClear => return self.door.visitor(site).over_http2_in_clear(),
            Way::Http1InTls => &["http/1.1"],
            Way::Http2 => &["h2"],
        };
        Visitor::new(([127, 0, 0, 1], https).into(), format!("{site}.localhost:{https}"))
            .over_tls(self.certificates.client(protocols))
    }

    /// [`Self::visitor`], signed in with [`PASSWORD`].
    pub async fn signed_in(&self, way: Way, site: &str, name: &str) -> Visitor {
        let visitor = self.visitor(way, site);
        visitor.sign_in(name, PASSWORD).await.expect(200);
        visitor
    }

    /// A bare connection of a visitor, for bytes written by hand.
    pub async fn wire(&self, way: Way, visitor: &Visitor) -> Box<dyn Wire> {
        self.try_wire(way, visitor).await.expect("the door takes connections")
    }

    /// [`Self::wire`], where the door may break it off.
    ///
    /// # Errors
    /// Nobody listens, or the handshake fails.
    pub async fn try_wire(&self, way: Way, visitor: &Visitor) -> std::io::Result<Box<dyn Wire>> {
        Ok(match way {
            Way::Http1 | Way::Http2InClear => Box::new(visitor.try_connect().await?),
            Way::Http1InTls | Way::Http2 => Box::new(visitor.try_connect_tls().await?),
        })
    }
}
