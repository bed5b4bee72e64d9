//! A conversation with the mail server, step by step, so that whatever fails is known by its step: what is known of the
//! letter then decides whether it is tried again.

use std::future::Future;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use stagedoor_config::{Mail, MailScheme};
use tokio::net::TcpStream;

use super::envelope::Envelope;
use super::narrow::Narrow;
use super::trouble::{Step, Trouble};

/// For the answer to a whole letter: RFC 5321, 4.5.3.2.6. Shorter, and a slow server would get letters twice.
pub(crate) const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(600);
/// Waits before the letter itself is handed over: each step has at most three of [`Mail::timeout`], the sign-in ten.
pub(crate) const WAITS_BEFORE_MAX: u32 = 20;
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// An open connection, signed in where that is asked for.
pub(crate) struct Connection {
    smtp: AsyncSmtpConnection,
    timeout: Duration,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    /// Connects, makes the connection a private one, signs in. `told` hears of each step that went well.
    pub(crate) async fn open(mail: &Mail, mut told: impl FnMut(Step)) -> Result<Self, Trouble> {
        let credentials = credentials(mail)?;
        let mut smtp = match mail.scheme {
            MailScheme::Tls => over_tls(mail).await?,
            MailScheme::StartTls | MailScheme::Clear => in_the_clear(mail).await?,
        };
        told(Step::Connect);
        if mail.scheme == MailScheme::StartTls {
            let (tls, hello) = (tls_parameters(mail)?, hello(mail));
            let upgrade = smtp.starttls(tls, &hello);
            within(mail.timeout * 3, Step::StartTls, upgrade).await?;
        }
        if mail.scheme != MailScheme::Clear {
            if !smtp.is_encrypted() {
                return Err(Trouble::server(Step::StartTls, "the connection is not encrypted"));
            }
            told(Step::StartTls);
        }
        if let Some(credentials) = credentials {
            let sign_in = smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            within(mail.timeout * 10, Step::SignIn, sign_in).await?;
            told(Step::SignIn);
        }
        let timeout = mail.timeout;
        Ok(Self { smtp, timeout })
    }

    /// Says who a letter is from and for. Nothing of it is with the server afterwards.
    pub(crate) async fn announce(&mut self, envelope: &Envelope, mut told: impl FnMut(Step)) -> Result<(), Trouble> {
        let options = self.options(envelope)?;
        let from = MailFrom::new(Some(envelope.from.clone()), options);
        within(self.timeout, Step::Sender, self.smtp.command(from)).await?;
        told(Step::Sender);
        let to = Rcpt::new(envelope.to.clone(), Vec::new());
        within(self.timeout, Step::Recipient, self.smtp.command(to)).await?;
        told(Step::Recipient);
        within(self.timeout, Step::Recipient, self.smtp.command(Data)).await?;
        Ok(())
    }

    /// Hands the letter over; what the server said when it took it.
    pub(crate) async fn hand_over(&mut self, envelope: &Envelope) -> Result<String, Trouble> {
        let answer = within(TAKEN_OVER_WITHIN, Step::HandOver, self.smtp.message(&envelope.bytes)).await?;
        Ok(format!("{} {}", answer.code(), answer.first_line().unwrap_or_default()))
    }

    /// Takes leave.
    pub(crate) async fn close(mut self) {
        // Whether the server takes leave too changes nothing.
        let _answer = tokio::time::timeout(Duration::from_secs(2), self.smtp.quit()).await;
    }

    /// What has to be said where an address or a letter is not ASCII.
    fn options(&self, envelope: &Envelope) -> Result<Vec<MailParameter>, Trouble> {
        let (server, mut options) = (self.smtp.server_info(), Vec::new());
        let to: &str = envelope.to.as_ref();
        if !to.is_ascii() {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                let why = "the address is not ASCII, and the mail server takes no others (no SMTPUTF8)";
                return Err(Trouble::letter_refused(Step::Recipient, why));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if !envelope.bytes.is_ascii() {
            if !server.supports_feature(Extension::EightBitMime) {
                let why = "the letter is not ASCII, and the mail server takes no others (no 8BITMIME)";
                return Err(Trouble::letter_refused(Step::Recipient, why));
            }
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(options)
    }
}

async fn over_tls(mail: &Mail) -> Result<AsyncSmtpConnection, Trouble> {
    let tls = tls_parameters(mail)?;
    let (server, hello) = ((mail.host.as_str(), mail.port), hello(mail));
    let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(mail.timeout), &hello, Some(tls), None);
    match tokio::time::timeout(mail.timeout * 3, connecting).await {
        Ok(Err(error)) if error.is_tls() => Err(Trouble::of(Step::StartTls, &error)),
        Ok(connected) => connected.map_err(|error| Trouble::of(Step::Connect, &error)),
        Err(_elapsed) => Err(Trouble::too_slow(Step::Connect, mail.timeout * 3)),
    }
}

async fn in_the_clear(mail: &Mail) -> Result<AsyncSmtpConnection, Trouble> {
    let connecting = TcpStream::connect((mail.host.as_str(), mail.port));
    let stream = match tokio::time::timeout(mail.timeout, connecting).await {
        Ok(connected) => connected.map_err(|error| Trouble::server(Step::Connect, &error.to_string()))?,
        Err(_elapsed) => return Err(Trouble::too_slow(Step::Connect, mail.timeout)),
    };
    let hello = hello(mail);
    let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(Narrow(stream)), &hello);
    within(mail.timeout * 2, Step::Connect, greeting).await
}

/// The certificate must be valid, for this host, and signed by whom the settings trust.
fn tls_parameters(mail: &Mail) -> Result<TlsParameters, Trouble> {
    let mut builder = TlsParameters::builder(mail.host.clone());
    if let Some(path) = &mail.ca_file {
        let pem = read(path)?;
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|error| Trouble::of(Step::Files, &error))?;
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build().map_err(|error| Trouble::of(Step::Files, &error))
}

fn credentials(mail: &Mail) -> Result<Option<Credentials>, Trouble> {
    let (Some(user), Some(path)) = (&mail.user, &mail.password_file) else {
        return Ok(None);
    };
    let text = read(path)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        let why = format!("`{}` holds no password", path.display());
        return Err(Trouble::server(Step::Files, &why));
    }
    Ok(Some(Credentials::new(user.clone(), password.to_owned())))
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<String>, Trouble> {
    let trouble = |why: &str| Trouble::server(Step::Files, &format!("cannot read `{}`: {why}", path.display()));
    let metadata = std::fs::metadata(path).map_err(|error| trouble(&error.to_string()))?;
    if !metadata.is_file() || metadata.len() > SECRET_BYTES_MAX {
        return Err(trouble("it is not a plain file of at most 64 KiB"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| trouble(&error.to_string()))?;
    Ok(zeroize::Zeroizing::new(text))
}

/// What the door calls itself: the host visitors know it by.
fn hello(mail: &Mail) -> ClientId {
    let authority = mail.public_url.split_once("://").map_or("", |(_, rest)| rest);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    match host.parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

async fn within<T>(limit: Duration, step: Step, work: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(|error| Trouble::of(step, &error)),
        Err(_elapsed) => Err(Trouble::too_slow(step, limit)),
    }
}
