//! Certificates for one test: made on the spot, trusted by nobody else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio_rustls::TlsAcceptor;

/// A self-signed certificate in files, and what a client needs to trust it.
#[derive(Debug)]
pub struct Certificates {
    /// The file `[tls] certificate`.
    pub certificate: PathBuf,
    /// The file `[tls] key`.
    pub key: PathBuf,
    der: CertificateDer<'static>,
}

impl Certificates {
    /// Writes a certificate for these names into `folder`, over the one that is there.
    pub fn write(folder: &Path, names: &[&str]) -> Self {
        Self::write_until(folder, names, (4096, 1, 1))
    }

    /// The same, good until a day: year, month, day.
    pub fn write_until(folder: &Path, names: &[&str], (year, month, day): (i32, u8, u8)) -> Self {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut wanted = CertificateParams::new(names).expect("names");
        wanted.not_after = date_time_ymd(year, month, day);
        let signing_key = KeyPair::generate().expect("a key");
        let cert = wanted.self_signed(&signing_key).expect("a certificate");
        let (certificate, key) = (folder.join("door.crt"), folder.join("door.key"));
        std::fs::write(&certificate, cert.pem()).expect("the folder can be written");
        std::fs::write(&key, signing_key.serialize_pem()).expect("the folder can be written");
        Self {
            certificate,
            key,
            der: cert.der().clone(),
        }
    }

    /// A server under this certificate.
    pub fn acceptor(&self) -> TlsAcceptor {
        let key = PrivateKeyDer::from_pem_file(&self.key).expect("the key that was written");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let settings = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], key)
            .expect("a certificate and its key");
        TlsAcceptor::from(Arc::new(settings))
    }

    /// A client that trusts this certificate alone and offers these protocols, the best first.
    pub fn client(&self, protocols: &[&str]) -> Arc<rustls::ClientConfig> {
        trusting(self.der.clone(), protocols)
    }
}

/// A client that trusts the authority in that file alone and offers these protocols, the best first.
pub fn client_of_authority(file: &Path, protocols: &[&str]) -> Arc<rustls::ClientConfig> {
    let authority = CertificateDer::from_pem_file(file);
    trusting(authority.expect("the certificate of an authority"), protocols)
}

fn trusting(certificate: CertificateDer<'static>, protocols: &[&str]) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("a certificate to trust");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut settings = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("known versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    settings.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(settings)
}
