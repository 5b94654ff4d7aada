//! The certificate that a client has shown, as upstreams are told of it.

use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use rustls::pki_types::CertificateDer;
use serin_api::proxy::ClientCertificateDetails;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use super::{Chain, subject};

/// Letters of base64 on a line of PEM.
const PEM_LINE: usize = 64;

/// A client's certificate, which was verified.
pub(crate) struct PeerCertificate {
    /// It, and those that were sent with it.
    certificates: Vec<CertificateDer<'static>>,
    /// How the connection speaks TLS.
    chain: Arc<Chain>,
    /// What was told last, and what of it: a connection's requests all tell the same.
    told: RefCell<Option<(ClientCertificateDetails, Option<HeaderValue>)>>,
}

impl PeerCertificate {
    /// `None` when there is none.
    pub(crate) fn new(certificates: &[CertificateDer<'static>], chain: &Arc<Chain>) -> Option<Self> {
        let certificates = certificates.to_vec();
        let chain = Arc::clone(chain);
        (!certificates.is_empty()).then(|| Self { certificates, chain, told: RefCell::default() })
    }

    /// An element of `x-forwarded-client-cert`; `None` where a name in the certificate has what no header may have.
    pub(crate) fn told(&self, details: ClientCertificateDetails) -> Option<HeaderValue> {
        let mut told = self.told.borrow_mut();
        match &*told {
            Some((of, value)) if *of == details => value.clone(),
            _ => {
                let value = HeaderValue::try_from(self.element(details)).ok();
                told.insert((details, value)).1.clone()
            }
        }
    }

    /// Key and value pairs, in Envoy's order and with its quotes.
    fn element(&self, details: ClientCertificateDetails) -> String {
        let Some(leaf) = self.certificates.first() else { return String::new() };
        let mut element = String::new();
        for uri in self.chain.uris() {
            pair(&mut element, "By", uri);
        }
        pair(&mut element, "Hash", &hash(leaf));
        if details.certificate {
            pair(&mut element, "Cert", &format!("\"{}\"", pem(leaf)));
        }
        if details.chain {
            let all: String = self.certificates.iter().map(pem).collect();
            pair(&mut element, "Chain", &format!("\"{all}\""));
        }
        if let Ok((_, parsed)) = X509Certificate::from_der(leaf) {
            tell_names(&mut element, &parsed, details);
        }
        element
    }
}

fn tell_names(element: &mut String, certificate: &X509Certificate<'_>, details: ClientCertificateDetails) {
    if details.subject {
        pair(element, "Subject", &format!("\"{}\"", subject::in_one_line(certificate.subject())));
    }
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = || alternatives.iter().flat_map(|extension| &extension.value.general_names);
    if details.uri {
        let mut none = true;
        for name in names() {
            if let GeneralName::URI(uri) = name {
                pair(element, "URI", uri);
                none = false;
            }
        }
        if none {
            pair(element, "URI", "");
        }
    }
    if details.dns {
        for name in names() {
            if let GeneralName::DNSName(name) = name {
                pair(element, "DNS", name);
            }
        }
    }
}

fn pair(element: &mut String, key: &str, value: &str) {
    let separator = if element.is_empty() { "" } else { ";" };
    let _ = write!(element, "{separator}{key}={value}");
}

/// The hash of a certificate in small hexadecimal digits.
fn hash(certificate: &CertificateDer<'_>) -> String {
    Sha256::digest(certificate).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// A certificate as PEM, with percent signs for what is no letter or digit of it.
fn pem(certificate: &CertificateDer<'static>) -> String {
    let mut text = "-----BEGIN%20CERTIFICATE-----%0A".to_owned();
    for (at, letter) in STANDARD.encode(certificate).chars().enumerate() {
        if at > 0 && at % PEM_LINE == 0 {
            text.push_str("%0A");
        }
        match letter {
            '+' => text.push_str("%2B"),
            '/' => text.push_str("%2F"),
            '=' => text.push_str("%3D"),
            letter => text.push(letter),
        }
    }
    text.push_str("%0A-----END%20CERTIFICATE-----%0A");
    text
}
