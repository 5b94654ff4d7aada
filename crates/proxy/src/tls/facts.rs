//! What is told of a TLS connection: its version and cipher, the name that was asked for, and the other side's
//! certificate.

use std::fmt::Write;
use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use rustls::{ProtocolVersion, SupportedCipherSuite};
use serin_api::Certificate;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::subject;

/// What is known of a TLS connection once both sides have shaken hands.
#[derive(Clone, Debug)]
pub(crate) struct TlsFacts {
    version: Option<ProtocolVersion>,
    cipher: Option<SupportedCipherSuite>,
    server_name: Option<Box<str>>,
    peer: Option<CertificateDer<'static>>,
}

impl TlsFacts {
    /// Of a connection from a client.
    pub(crate) fn of_client(connection: &rustls::ServerConnection) -> Self {
        let server_name = connection.server_name().map(Into::into);
        Self { server_name, ..Self::of(connection) }
    }

    /// Of a connection to an endpoint.
    pub(crate) fn of_endpoint(connection: &rustls::ClientConnection) -> Self {
        Self::of(connection)
    }

    fn of<D>(connection: &rustls::ConnectionCommon<D>) -> Self {
        Self {
            version: connection.protocol_version(),
            cipher: connection.negotiated_cipher_suite(),
            server_name: None,
            peer: connection.peer_certificates().and_then(<[_]>::first).map(|peer| peer.clone().into_owned()),
        }
    }

    /// The name that the client asked for.
    pub(crate) fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Such as `TLSv1.3`.
    pub(crate) fn version(&self) -> Option<&'static str> {
        match self.version? {
            ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
            ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
            _ => None,
        }
    }

    /// The cipher suite, by the name that OpenSSL gives it.
    pub(crate) fn cipher(&self) -> Option<String> {
        let name = format!("{:?}", self.cipher?.suite());
        Some(match name.strip_prefix("TLS13_") {
            Some(suite) => format!("TLS_{suite}"),
            None => name
                .trim_start_matches("TLS_")
                .replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305")
                .replace("_WITH_", "_")
                .replace("AES_", "AES")
                .replace('_', "-"),
        })
    }

    /// Something of the other side's certificate, if it showed one.
    pub(crate) fn certificate(&self, what: Certificate) -> Option<String> {
        let peer = self.peer.as_ref()?;
        if what == Certificate::Fingerprint {
            return Some(hexadecimal(&Sha256::digest(peer)));
        }
        let (_, parsed) = X509Certificate::from_der(peer).ok()?;
        let said = match what {
            Certificate::Fingerprint => return None,
            Certificate::Subject => subject::in_one_line(parsed.subject()),
            Certificate::Issuer => subject::in_one_line(parsed.issuer()),
            Certificate::Serial => {
                let serial = parsed.raw_serial();
                hexadecimal(&serial[serial.iter().take_while(|byte| **byte == 0).count()..])
            }
            Certificate::ValidFrom => time(parsed.validity().not_before)?,
            Certificate::ValidUntil => time(parsed.validity().not_after)?,
            Certificate::DnsNames | Certificate::Uris | Certificate::Addresses | Certificate::Emails => {
                names(&parsed, what)
            }
        };
        Some(said).filter(|said| !said.is_empty())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn time(at: ASN1Time) -> Option<String> {
    let at = jiff::Timestamp::from_second(at.timestamp()).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
}

fn names(certificate: &X509Certificate<'_>, what: Certificate) -> String {
    let Ok(Some(alternatives)) = certificate.subject_alternative_name() else { return String::new() };
    let named = alternatives.value.general_names.iter().filter_map(|name| match (name, what) {
        (GeneralName::DNSName(name), Certificate::DnsNames)
        | (GeneralName::URI(name), Certificate::Uris)
        | (GeneralName::RFC822Name(name), Certificate::Emails) => Some((*name).to_owned()),
        (GeneralName::IPAddress(bytes), Certificate::Addresses) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()?;
            Some(address.to_string())
        }
        _ => None,
    });
    named.collect::<Vec<_>>().join(",")
}
