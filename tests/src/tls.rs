//! Certificates for one test: made on the spot, trusted by nobody else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::CertificateDer;

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
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).expect("a certificate");
        let (certificate, key) = (folder.join("door.crt"), folder.join("door.key"));
        std::fs::write(&certificate, cert.pem()).expect("the folder can be written");
        std::fs::write(&key, signing_key.serialize_pem()).expect("the folder can be written");
        Self {
            certificate,
            key,
            der: cert.der().clone(),
        }
    }

    /// A client that trusts this certificate alone and offers these protocols, the best first.
    pub fn client(&self, protocols: &[&str]) -> Arc<rustls::ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.der.clone()).expect("a certificate to trust");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut settings = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("known versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        settings.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(settings)
    }
}
