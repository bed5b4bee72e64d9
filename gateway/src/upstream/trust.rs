//! Whom a console inside TLS must prove to be, and who may vouch for it. There is no way to connect without both.

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use stagedoor_config::Upstream;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::link::Link;

/// All that a console is offered: its other protocols have other rules of framing.
const PROTOCOL: &[u8] = b"http/1.1";

/// How often a console's failure is in the log at most.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// A console's name and the certificates that may vouch for it.
pub struct Trust {
    name: ServerName<'static>,
    /// The site's own; `None`: the system's.
    authorities: Option<Vec<CertificateDer<'static>>>,
    /// Remembers sessions, so that a console that resumes them does not prove itself from the start each time.
    settings: Arc<ClientConfig>,
    /// When it was last said that the console failed to prove itself.
    told: Mutex<Option<Instant>>,
}

/// The name alone: certificates are long and say nothing to people.
impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why nobody can be trusted; each says which setting to look at.
#[derive(Debug, thiserror::Error)]
pub enum NoTrust {
    /// Without a name nothing could be verified.
    #[error("the console's name, `{0}`, is none that a certificate can be for; set `tls_server_name`")]
    Name(String),
    /// The file that the site names.
    #[error("`ca_file` cannot be used: {0}")]
    OwnAuthorities(String),
    /// The machine's store.
    #[error("this system has no certificate authorities (package ca-certificates); install them, or set `ca_file`")]
    NoAuthorities,
    /// The library speaks no version of TLS.
    #[error("TLS cannot be spoken: {0}")]
    Tls(String),
}

impl Trust {
    /// For a console inside TLS. `last` is used on where nothing has changed, with the sessions it remembers.
    ///
    /// # Errors
    /// Where there would be nothing to verify its certificate by.
    pub fn of(upstream: &Upstream, last: Option<&Arc<Self>>) -> Result<Arc<Self>, NoTrust> {
        let name = upstream.tls_server_name.as_deref().unwrap_or(&upstream.host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| NoTrust::Name(name.to_owned()))?;
        let authorities = upstream.ca_file.as_deref().map(own_authorities).transpose()?;
        if let Some(last) = last.filter(|last| last.name == name && last.authorities == authorities) {
            return Ok(Arc::clone(last));
        }
        let roots = match &authorities {
            Some(own) => store_of(own)?,
            None => public_authorities()?,
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut settings = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|fault| NoTrust::Tls(fault.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        settings.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Arc::new(Self {
            name,
            authorities,
            settings: Arc::new(settings),
            told: Mutex::default(),
        }))
    }

    /// Shakes hands with a console. Not a byte of a request has been sent before it has proved who it is.
    ///
    /// # Errors
    /// Where it could not.
    pub async fn secure(&self, socket: TcpStream) -> std::io::Result<Link> {
        let connector = TlsConnector::from(Arc::clone(&self.settings));
        let shaken = connector.connect(self.name.clone(), socket).await;
        let stream = shaken.inspect_err(|fault| self.tell(fault))?;
        Ok(Link::Secured(Box::new(stream)))
    }

    /// Says why in the log; not with every visitor, who could fill it.
    fn tell(&self, fault: &std::io::Error) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            *told = Some(Instant::now());
            let name = self.name.to_str();
            tracing::error!(
                %name, %fault,
                "a console did not prove who it is, and got nothing of the request; look at its certificate, and at the \
                 site's `tls_server_name` and `ca_file`"
            );
        }
    }
}

fn own_authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, NoTrust> {
    let unusable = |why: String| NoTrust::OwnAuthorities(format!("{}: {why}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|fault| unusable(fault.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(certificates)
}

fn store_of(certificates: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>, NoTrust> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let added = roots.add(certificate.clone());
        added.map_err(|fault| NoTrust::OwnAuthorities(fault.to_string()))?;
    }
    Ok(Arc::new(roots))
}

/// The system's, read once: who changes them restarts what uses them.
fn public_authorities() -> Result<Arc<RootCertStore>, NoTrust> {
    static FOUND: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = FOUND.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        // Some systems keep certificates that are not valid any more: those vouch for nobody.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() {
        return Err(NoTrust::NoAuthorities);
    }
    Ok(Arc::clone(roots))
}

#[cfg(test)]
mod tests {
    use stagedoor_config::Scheme;

    use super::*;

    fn upstream(name: Option<&str>, ca_file: Option<&Path>) -> Upstream {
        Upstream {
            scheme: Scheme::Https,
            host: "console.test".to_owned(),
            port: 443,
            tls_server_name: name.map(str::to_owned),
            ca_file: ca_file.map(Path::to_owned),
        }
    }

    fn written(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(vec!["console.test".to_owned()])
            .unwrap()
            .cert
            .pem()
    }

    #[test]
    fn without_a_name_or_an_authority_there_is_no_trust() {
        let good = written(&certificate());
        for name in ["", " ", "a b", "-", "console..test"] {
            let refused = Trust::of(&upstream(Some(name), Some(good.path())), None);
            assert!(matches!(refused, Err(NoTrust::Name(_))), "{name:?}");
        }
        let cut = certificate().replace("END", "");
        for text in [
            "",
            "not a certificate",
            &cut,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let file = written(text);
            let refused = Trust::of(&upstream(None, Some(file.path())), None);
            assert!(matches!(refused, Err(NoTrust::OwnAuthorities(_))), "{text:?}");
        }
        let gone = Trust::of(&upstream(None, Some(Path::new("/nowhere/ca.pem"))), None);
        assert!(gone.unwrap_err().to_string().contains("/nowhere/ca.pem"));
    }

    #[test]
    fn sessions_are_remembered_until_the_name_or_the_authorities_change() {
        let file = written(&certificate());
        let first = Trust::of(&upstream(None, Some(file.path())), None).unwrap();
        let same = Trust::of(&upstream(None, Some(file.path())), Some(&first)).unwrap();
        assert!(Arc::ptr_eq(&first, &same));
        let renamed = Trust::of(&upstream(Some("other.test"), Some(file.path())), Some(&first)).unwrap();
        assert!(!Arc::ptr_eq(&first, &renamed));
        std::fs::write(file.path(), certificate()).unwrap();
        let renewed = Trust::of(&upstream(None, Some(file.path())), Some(&first)).unwrap();
        assert!(!Arc::ptr_eq(&first, &renewed));
    }
}
