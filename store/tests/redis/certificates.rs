//! An authority, and a certificate by it for this machine's loopback: what a Redis, a Sentinel or a node of a Cluster shows.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use stagedoor_store::redis::Trust;

pub(crate) struct Certificates {
    authority: String,
    options: Vec<String>,
}

impl Certificates {
    pub(crate) fn write(folder: &Path) -> Self {
        // As the binary does: more than one provider is compiled in. An error says that one is chosen already.
        let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut wanted = CertificateParams::new(Vec::new()).expect("no names");
        // OpenSSL takes a certificate whose issuer bears its own name for self-signed.
        wanted.distinguished_name.push(DnType::CommonName, "authority");
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(wanted, KeyPair::generate().expect("a key")).expect("an authority");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(names).expect("names");
        let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
        let write = |name: &str, pem: &str| {
            std::fs::write(folder.join(name), pem).expect("written");
            folder.join(name).display().to_string()
        };
        let options = [
            ("tls-cert-file", write("redis.crt", &leaf.pem())),
            ("tls-key-file", write("redis.key", &key.serialize_pem())),
            ("tls-ca-cert-file", write("ca.crt", &authority.pem())),
            ("tls-auth-clients", "no".to_owned()),
            ("tls-replication", "yes".to_owned()),
        ];
        Self {
            authority: authority.pem(),
            options: options
                .into_iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect(),
        }
    }

    /// Lines of a configuration file.
    pub(crate) fn lines(&self) -> String {
        self.options.join("\n")
    }

    /// Arguments of redis-server, TLS on this port.
    pub(crate) fn arguments(&self, port: u16) -> Vec<String> {
        let port = format!("tls-port {port}");
        let both = |line: &String| {
            let (name, value) = line.split_once(' ').expect("a name and a value");
            [format!("--{name}"), value.to_owned()]
        };
        self.options.iter().chain([&port]).flat_map(both).collect()
    }

    /// This authority alone.
    pub(crate) fn trust(&self) -> Trust {
        Trust::Only(self.authority.clone().into_bytes())
    }
}
