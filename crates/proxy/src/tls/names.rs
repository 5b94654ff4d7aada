//! Whether a certificate has one of certain names, as Envoy compares them.

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// Whether one of the certificate's names (DNS, URI, e-mail, IP) is one of `wanted`: host names as DNS compares them, with
/// a star for one label, the others letter for letter.
pub(super) fn has_name(certificate: &CertificateDer<'_>, wanted: &[String]) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return false };
    let Ok(Some(alternatives)) = parsed.subject_alternative_name() else { return false };
    alternatives.value.general_names.iter().any(|name| match name {
        GeneralName::DNSName(pattern) => wanted.iter().any(|wanted| covers(pattern, wanted)),
        GeneralName::URI(name) | GeneralName::RFC822Name(name) => wanted.iter().any(|wanted| wanted == name),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from));
            address.is_ok_and(|address| wanted.contains(&address.to_string()))
        }
        _ => false,
    })
}

/// Whether a certificate's host name, which may begin with `*.`, is that of `host`.
fn covers(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    let suffix = pattern.strip_prefix("*.");
    let rest = host.split_once('.').filter(|(label, _)| !label.is_empty()).map(|(_, rest)| rest);
    suffix.zip(rest).is_some_and(|(suffix, rest)| suffix.eq_ignore_ascii_case(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        for (pattern, host) in [("a.b", "a.b"), ("A.b", "a.B"), ("*.b.c", "a.b.c"), ("*.b.c", "*.b.c")] {
            assert!(covers(pattern, host), "{pattern} {host}");
        }
        for (pattern, host) in
            [("a.b", "c.b"), ("*.b.c", "b.c"), ("*.b.c", "x.a.b.c"), ("*.b.c", ".b.c"), ("a.b.c", "*.b.c")]
        {
            assert!(!covers(pattern, host), "{pattern} {host}");
        }
    }
}
