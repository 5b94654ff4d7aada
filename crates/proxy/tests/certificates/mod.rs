//! Certificates made on the spot, and clients that believe in them.
#![allow(dead_code, unreachable_pub)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serin_api::Ref;
use serin_api::proxy::CredentialSource;
use serin_proxy::{Credential, CredentialMap, Pem};

/// A root and what it signs. Its files go when it does.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    directory: tempfile::TempDir,
}

/// A certificate, its key, and roots for the other side's.
pub struct Identity {
    pub certificate: String,
    pub key: String,
    pub authority: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "a root");
        let pem = params.self_signed(&key).expect("a root").pem();
        let authority =
            Self { pem, issuer: Issuer::new(params, key), directory: tempfile::tempdir().expect("a place") };
        authority.file("ca.crt", authority.pem.as_bytes());
        authority
    }

    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// The root's file.
    pub fn path(&self) -> String {
        self.directory.path().join("ca.crt").display().to_string()
    }

    /// A file that lives as long as the authority; its path.
    pub fn file(&self, name: &str, contents: &[u8]) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, contents).expect("written");
        path.display().to_string()
    }

    /// A server's certificate for `names`.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.sign(names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client's certificate.
    pub fn issue_client(&self, name: &str) -> Identity {
        self.sign(&[name], ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A certificate for either side, as `params` say.
    pub fn issue_as(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed").pem();
        Identity { certificate, key: key.serialize_pem(), authority: String::new() }
    }

    fn sign(&self, names: &[&str], usage: ExtendedKeyUsagePurpose) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.extended_key_usages = vec![usage];
        self.issue_as(params)
    }

    /// How a client that believes in this root speaks TLS, without resuming sessions.
    pub fn client(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("a root")).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = builder.expect("versions").with_root_certificates(roots).with_no_client_auth();
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    }
}

impl Identity {
    pub fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).expect("a certificate").to_vec()
    }

    pub fn credential(&self) -> Credential {
        let (certificate, key) = (self.certificate.as_bytes(), self.key.as_bytes());
        Credential::new(Pem { certificate, key, authority: self.authority.as_bytes() }).expect("a credential")
    }

    /// The certificate's file and the key's.
    pub fn files(&self, authority: &Authority, name: &str) -> (String, String) {
        let certificate = authority.file(&format!("{name}.crt"), self.certificate.as_bytes());
        (certificate, authority.file(&format!("{name}.key"), self.key.as_bytes()))
    }
}

/// Credentials by the names of their Secrets.
pub fn map(identities: &[(&str, &Identity)]) -> CredentialMap {
    let source = |name: &str| CredentialSource::Secret(Ref::new("test", name));
    identities.iter().map(|(name, identity)| (source(name), Arc::new(identity.credential()))).collect()
}

/// A TLS connection that has shaken hands.
pub fn connect(address: SocketAddr, name: &str, config: Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
    let stream = super::stage::connect(address);
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let mut stream = StreamOwned::new(ClientConnection::new(config, name).expect("a client"), stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).expect("a handshake");
    }
    stream
}

/// One request on a connection that stays open; the body of its answer, which has a length.
pub fn exchange(stream: &mut StreamOwned<ClientConnection, TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n").expect("written");
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).expect("an answer");
        assert!(n > 0, "the connection was closed");
        answer.extend_from_slice(&piece[..n]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((_, body)) = text.split_once("\r\n\r\n") {
            let length = super::stage::header(&text, "content-length").and_then(|length| length.parse().ok());
            if Some(body.len()) == length {
                return body.to_owned();
            }
        }
    }
}
