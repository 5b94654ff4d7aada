//! Certificates for a discovery server and a node.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serin_xds::ServerIdentity;
use serin_xds::bootstrap::{NodeIdentity, SERVER_NAME};

/// Those of one authority.
#[derive(Clone)]
pub struct Identities {
    pub server: ServerIdentity,
    pub node: NodeIdentity,
}

impl Identities {
    /// A new authority, and what it issues to its server and to `node`.
    pub fn new(node: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let issue = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
        };
        let (certificate, key) = issue(SERVER_NAME);
        let server = ServerIdentity { certificate, key, authority: authority.clone() };
        let (certificate, key) = issue(node);
        Self { server, node: NodeIdentity { certificate, key, authority } }
    }
}
