//! TLS, between clients and both and between both and the upstreams, with certificates made on the spot.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, CommonState, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serin_api::proxy::{ClientTls, CredentialSource, ServerTls, TlsVersion};
use serin_api::{Ref, ResourceId, ResourceKind};
use serin_proxy::{Credential, CredentialMap, Pem};
use serin_xds::bootstrap::{NodeIdentity, SERVER_NAME};
use serin_xds::{SecretMap, SecretText, ServerIdentity};

use super::error::DifferentialError;

/// The names that a listener has certificates for, with the versions it speaks under each.
const NAMES: [(&str, TlsVersion, TlsVersion); 3] = [
    ("one.sni.test", TlsVersion::V1_2, TlsVersion::V1_3),
    ("*.two.sni.test", TlsVersion::V1_2, TlsVersion::V1_2),
    ("three.sni.test", TlsVersion::V1_3, TlsVersion::V1_3),
];
/// Names that clients ask for; the last is one that no certificate is for.
pub(crate) const ASKED: [&str; 5] = ["one.sni.test", "x.two.sni.test", "x.y.two.sni.test", "three.sni.test", "z.test"];
/// The name of upstreams that speak TLS.
pub(crate) const UPSTREAM: &str = "upstream.test";

/// A certificate that signs itself, with its key.
struct Identity {
    source: CredentialSource,
    pem: SecretText,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// All certificates of a run, and what trusts them.
pub(crate) struct Identities {
    all: Vec<Identity>,
    roots: Arc<RootCertStore>,
}

impl Identity {
    fn make(number: usize, names: &[&str]) -> Result<Self, rcgen::Error> {
        let pair = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = CertificateParams::new(names)?.self_signed(&pair)?;
        let certificate = made.pem().into_bytes();
        Ok(Self {
            source: source(number),
            // Upstreams are checked against themselves.
            pem: SecretText { authority: certificate.clone(), certificate, key: pair.serialize_pem().into_bytes() },
            certificate: made.der().clone(),
            key: PrivateKeyDer::try_from(pair.serialize_der()).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?,
        })
    }
}

/// Where certificate `number` comes from: one for each of [`NAMES`], and one for the upstreams.
fn source(number: usize) -> CredentialSource {
    CredentialSource::Secret(Ref::new("ns", format!("certificate-{number}")))
}

impl Identities {
    /// Makes them.
    pub(crate) fn make() -> Result<Self, DifferentialError> {
        let address = Ipv4Addr::LOCALHOST.to_string();
        let all_names: Vec<&str> = ASKED.into_iter().chain([UPSTREAM, &address]).collect();
        let all: Vec<Identity> =
            (0..=NAMES.len()).map(|number| Identity::make(number, &all_names)).collect::<Result<_, _>>()?;
        let mut roots = RootCertStore::empty();
        for identity in &all {
            roots.add(identity.certificate.clone())?;
        }
        Ok(Self { all, roots: Arc::new(roots) })
    }

    /// As Serin's data plane gets them.
    pub(crate) fn credentials(&self) -> Result<CredentialMap, DifferentialError> {
        let credential = |identity: &Identity| {
            let SecretText { certificate, key, authority } = &identity.pem;
            let credential = Credential::new(Pem { certificate, key, authority })?;
            Ok((identity.source.clone(), Arc::new(credential)))
        };
        self.all.iter().map(credential).collect()
    }

    /// As Envoy gets them.
    pub(crate) fn secrets(&self) -> SecretMap {
        self.all.iter().map(|identity| (identity.source.clone(), Arc::new(identity.pem.clone()))).collect()
    }

    /// How a client speaks TLS that wants to speak `alpn` inside.
    pub(crate) fn client(&self, alpn: &[u8]) -> io::Result<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let mut config = builder.with_root_certificates(Arc::clone(&self.roots)).with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        Ok(Arc::new(config))
    }

    /// How the upstreams speak TLS.
    pub(crate) fn server(&self, alpn: &[u8]) -> io::Result<Arc<ServerConfig>> {
        let identity = self.all.last().ok_or(io::ErrorKind::NotFound)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let mut config = builder
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key())
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![alpn.to_vec()];
        Ok(Arc::new(config))
    }

    /// The stream with TLS on it, once both have agreed, and what they agreed on. `name`: whom the client asks for.
    pub(crate) fn connect(
        &self,
        mut stream: TcpStream,
        name: &str,
    ) -> io::Result<(StreamOwned<ClientConnection, TcpStream>, String)> {
        let mut connection =
            ClientConnection::new(self.client(b"http/1.1")?, server_name(name)?).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).map_err(refused)?;
        }
        let agreed = self.agreed(&connection);
        Ok((StreamOwned::new(connection, stream), agreed))
    }

    /// What was agreed on: which certificate, the version and what is spoken inside.
    pub(crate) fn agreed(&self, connection: &CommonState) -> String {
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        let which = self.all.iter().position(|identity| Some(&identity.certificate) == shown);
        let inside = connection.alpn_protocol().map(String::from_utf8_lossy);
        format!("certificate {which:?}, {:?}, {inside:?}", connection.protocol_version())
    }
}

/// Whom a client asks for; nobody, where that is empty.
pub(crate) fn server_name(name: &str) -> io::Result<ServerName<'static>> {
    match name {
        "" => Ok(ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST))),
        name => ServerName::try_from(name.to_owned()).map_err(io::Error::other),
    }
}

/// A handshake that came to nothing: in which words is up to whoever refuses it.
pub(crate) fn refused(_: io::Error) -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

/// How the discovery server and its Envoy, called `node`, know one another.
pub(crate) fn of_discovery(node: &str) -> Result<(ServerIdentity, NodeIdentity), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key)?.pem();
    let issuer = Issuer::new(params, key);
    let issue = |name: &str| {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        Ok::<_, rcgen::Error>((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
    };
    let (certificate, key) = issue(SERVER_NAME)?;
    let server = ServerIdentity { certificate, key, authority: authority.clone() };
    let (certificate, key) = issue(node)?;
    Ok((server, NodeIdentity { certificate, key, authority }))
}

/// How a listener speaks TLS.
pub(crate) fn of_listener() -> Vec<Arc<ServerTls>> {
    let one = |(number, (name, minimum, maximum)): (usize, (&str, TlsVersion, TlsVersion))| {
        Arc::new(ServerTls {
            sources: BTreeSet::from([ResourceId::new(ResourceKind::VirtualService, "ns", name)]),
            names: BTreeSet::from([name.to_owned()]),
            default: false,
            credential: source(number),
            minimum,
            maximum,
            alpn: vec!["h2".to_owned(), "http/1.1".to_owned()],
            verify_clients: false,
            client_names: Vec::new(),
            resumption: number != 0,
        })
    };
    NAMES.into_iter().enumerate().map(one).collect()
}

/// How upstreams are spoken to over TLS, of whose certificate `name` is expected.
pub(crate) fn to_upstreams(name: &str) -> ClientTls {
    ClientTls {
        credential: Some(source(NAMES.len())),
        show_certificate: false,
        sni: UPSTREAM.to_owned(),
        host_sni: Default::default(),
        names: vec![name.to_owned()],
        minimum: TlsVersion::V1_2,
        maximum: TlsVersion::V1_3,
        alpn: Vec::new(),
    }
}

/// The stream of an upstream's client with TLS on it, and the name that was asked for.
pub(crate) fn accept(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
) -> io::Result<(StreamOwned<ServerConnection, TcpStream>, String)> {
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    let name = connection.server_name().unwrap_or_default().to_owned();
    Ok((StreamOwned::new(connection, stream), name))
}
