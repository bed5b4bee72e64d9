//! The door's certificate: read from files, checked before it is used, swapped without a restart.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use pingora::listeners::tls::Acceptor;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use stagedoor_config::TlsFiles;

/// Why a certificate is not taken.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// A file that cannot be read or holds no PEM of its kind.
    #[error("`{path}` cannot be used: {cause}; it must be a PEM file with {wanted}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What went wrong.
        cause: String,
        /// What it should have held.
        wanted: &'static str,
    },
    /// The two do not belong together, or the key is of a kind that cannot be used.
    #[error("certificate `{certificate}` and key `{key}` do not go together: {cause}")]
    Mismatch {
        /// The certificate file.
        certificate: String,
        /// The key file.
        key: String,
        /// What went wrong.
        cause: String,
    },
}

/// Hands the certificate of the moment to each handshake.
#[derive(Debug)]
pub struct Certificate {
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// Where they cannot be used.
    pub fn load(files: &TlsFiles) -> Result<Self, CertificateFault> {
        Ok(Self {
            current: ArcSwap::from_pointee(read(files)?),
        })
    }

    /// Reads the files that are named now, which may be others than before; the former certificate stays where they cannot
    /// be used.
    ///
    /// # Errors
    /// Why they cannot.
    pub fn reload(&self, files: &TlsFiles) -> Result<(), CertificateFault> {
        self.current.store(Arc::new(read(files)?));
        Ok(())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// For listeners with this certificate: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
///
/// # Errors
/// Where the library has no ciphers for them.
pub fn acceptor(certificate: Arc<Certificate>) -> Result<Arc<Acceptor>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut settings = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(Acceptor::from_server_config(Arc::new(settings))))
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, CertificateFault> {
    let unreadable = |path: &Path, wanted| {
        let path = path.display().to_string();
        move |cause: rustls_pki_types::pem::Error| CertificateFault::Unreadable {
            path,
            cause: cause.to_string(),
            wanted,
        }
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(&files.certificate, "a certificate chain"))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key, "a private key"))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|cause| CertificateFault::Mismatch {
        certificate: files.certificate.display().to_string(),
        key: files.key.display().to_string(),
        cause: cause.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, names: &str) -> TlsFiles {
        let made = rcgen::generate_simple_self_signed(vec![names.to_owned()]).unwrap();
        let files = TlsFiles {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        };
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn a_broken_or_foreign_file_leaves_the_former_certificate_in_place() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "first.test");
        let certificate = Certificate::load(&files).unwrap();
        let first = certificate.current.load().cert.clone();
        std::fs::write(&files.certificate, "-----BEGIN CERTIFICATE-----\nhalf").unwrap();
        assert!(matches!(
            certificate.reload(&files),
            Err(CertificateFault::Unreadable { .. })
        ));
        let other = rcgen::generate_simple_self_signed(vec!["other.test".to_owned()]).unwrap();
        std::fs::write(&files.certificate, other.cert.pem()).unwrap();
        assert!(matches!(
            certificate.reload(&files),
            Err(CertificateFault::Mismatch { .. })
        ));
        assert_eq!(certificate.current.load().cert, first);
        write(folder.path(), "second.test");
        certificate.reload(&files).unwrap();
        assert_ne!(certificate.current.load().cert, first);
    }
}
