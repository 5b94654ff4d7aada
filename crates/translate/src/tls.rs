//! TLS towards clients: which certificate a VirtualService is served with, and what is wrong with it. A fault takes out
//! that certificate alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serin_api::gateway::{ProtocolVersion, SslConfig, SslFiles, SslParameters, VirtualServiceSpec};
use serin_api::proxy::{CredentialSource, ServerTls, TlsVersion};
use serin_api::{Ref, ResourceId};

use crate::certificate::{foreign, out_of_time};
use crate::host::Host;
use crate::report::{Book, Finding};
use crate::snapshot::{CredentialFacts, Resource, Snapshot};

/// What is spoken inside of TLS unless something else is asked for.
const ALPN: [&str; 2] = ["h2", "http/1.1"];
/// What Gloo reads as none at all.
const NO_ALPN: &str = "allow_empty";
/// Where TLS is asked for.
const FIELD: &str = "spec.sslConfig";

/// Where a credential comes from: a Secret, in `namespace` unless it says another, else files.
pub fn credential_source(secret: Option<&Ref>, files: Option<&SslFiles>, namespace: &str) -> Option<CredentialSource> {
    let of_files = |files: &SslFiles| {
        let SslFiles { tls_cert, tls_key, root_ca } = files.clone();
        CredentialSource::Files { certificate: tls_cert, key: tls_key, authority: root_ca }
    };
    let secret = secret.map(|secret| CredentialSource::Secret(secret.or_namespace(namespace)));
    secret.or_else(|| files.map(of_files))
}

/// The field that names a credential.
pub(crate) fn field_of(source: &CredentialSource) -> &'static str {
    match source {
        CredentialSource::Secret(_) => "secretRef",
        CredentialSource::Files { .. } => "sslFiles",
    }
}

/// What is known of a credential, or why it cannot be used.
pub(crate) fn look_up<'s>(snapshot: &'s Snapshot, source: &CredentialSource) -> Result<&'s CredentialFacts, String> {
    match (snapshot.credentials.get(source), source) {
        (Some(facts), _) => Ok(facts),
        (None, CredentialSource::Secret(secret)) if snapshot.secrets.contains(secret) => {
            Err(format!("Secret {secret} holds no certificate; expected tls.crt and tls.key"))
        }
        (None, source) => Err(format!("{source} not found")),
    }
}

/// The oldest and the newest version that parameters ask for. An error names the field.
pub(crate) fn versions(parameters: Option<&SslParameters>) -> Result<(TlsVersion, TlsVersion), (&'static str, String)> {
    let Some(parameters) = parameters else { return Ok((TlsVersion::V1_2, TlsVersion::V1_3)) };
    let minimum = match parameters.minimum_protocol_version.unwrap_or_default() {
        ProtocolVersion::V1_3 => TlsVersion::V1_3,
        ProtocolVersion::Auto | ProtocolVersion::V1_0 | ProtocolVersion::V1_1 | ProtocolVersion::V1_2 => {
            TlsVersion::V1_2
        }
    };
    let field = "parameters.maximumProtocolVersion";
    let maximum = match parameters.maximum_protocol_version.unwrap_or_default() {
        ProtocolVersion::Auto | ProtocolVersion::V1_3 => TlsVersion::V1_3,
        ProtocolVersion::V1_2 => TlsVersion::V1_2,
        ProtocolVersion::V1_0 | ProtocolVersion::V1_1 => {
            return Err((field, "TLS older than 1.2 is not spoken; use TLSv1_2 or TLSv1_3".to_owned()));
        }
    };
    if minimum > maximum {
        return Err((field, "it is older than minimumProtocolVersion".to_owned()));
    }
    Ok((minimum, maximum))
}

/// Advice where parameters ask for a version that is not spoken.
pub(crate) fn too_old(parameters: Option<&SslParameters>) -> Option<(&'static str, &'static str)> {
    let minimum = parameters?.minimum_protocol_version?;
    let message = "TLS older than 1.2 is not spoken: clients need 1.2 at least";
    matches!(minimum, ProtocolVersion::V1_0 | ProtocolVersion::V1_1)
        .then_some(("parameters.minimumProtocolVersion", message))
}

/// How a VirtualService's clients are to be spoken with, for the names it asks for.
pub(crate) fn of(
    snapshot: &Snapshot,
    resource: &Resource<VirtualServiceSpec>,
    domains: &[String],
    findings: &mut Vec<Arc<Finding>>,
) -> Option<ServerTls> {
    let id = &resource.id;
    let config = resource.spec.ssl_config.as_ref()?;
    let path = |field: &str| if field.is_empty() { FIELD.to_owned() } else { format!("{FIELD}.{field}") };
    let fault = |field: &str, reason: String| {
        let path = path(field);
        let message = format!("{path}: {reason}: this certificate is not served");
        Arc::new(Finding::left_out(id, path, message))
    };
    let advice = |field: &str, reason: &str| {
        let path = path(field);
        Arc::new(Finding::advice(id, path.clone(), format!("{path}: {reason}")))
    };
    // What cannot be served stays among the listener's all the same: nobody gets to its hosts by another certificate.
    let defaults = (TlsVersion::V1_2, TlsVersion::V1_3);
    let nothing = CredentialSource::Files { certificate: String::new(), key: String::new(), authority: String::new() };
    let source = credential_source(config.secret_ref.as_ref(), config.ssl_files.as_ref(), &id.namespace);
    let Some(credential) = source else {
        findings.push(fault("", "no certificate found; set secretRef or sslFiles".to_owned()));
        return Some(tls(id, config, nothing, defaults, findings, &fault));
    };
    let field = field_of(&credential);
    let facts = match look_up(snapshot, &credential) {
        Ok(facts) => facts,
        Err(reason) => {
            findings.push(fault(field, reason));
            return Some(tls(id, config, credential, defaults, findings, &fault));
        }
    };
    let verify = !config.one_way_tls.unwrap_or_default();
    match (&facts.fault, &facts.certificate) {
        (Some(reason), None) => findings.push(fault(field, format!("{credential}: {reason}"))),
        (Some(reason), Some(_)) => {
            let path = path(field);
            let message = format!("{path}: {credential}: {reason}: the certificate before it is served meanwhile");
            findings.push(Arc::new(Finding::left_out(id, path, message)));
        }
        (None, None) => findings.push(fault(field, format!("{credential} has no certificate and key"))),
        (None, Some(_)) if verify && !config.verify_subject_alt_name.is_empty() && !facts.authority => {
            let reason = "a root certificate must be provided (ca.crt or rootCa)".to_owned();
            findings.push(fault("verifySubjectAltName", reason));
        }
        (None, Some(_)) => {}
    }
    if let Some(certificate) = &facts.certificate {
        if let Some(reason) = out_of_time(certificate, snapshot.now, "clients refuse it") {
            findings.push(advice(field, &reason));
        }
        if let Some(reason) = foreign(certificate, domains, &config.sni_domains) {
            findings.push(advice(field, &reason));
        }
    }
    if let Some((field, reason)) = too_old(config.parameters.as_ref()) {
        findings.push(advice(field, reason));
    }
    let versions = match versions(config.parameters.as_ref()) {
        Ok(versions) => versions,
        Err((field, reason)) => {
            findings.push(fault(field, reason));
            return Some(tls(id, config, nothing, defaults, findings, &fault));
        }
    };
    Some(tls(id, config, credential, versions, findings, &fault))
}

fn tls(
    id: &ResourceId,
    config: &SslConfig,
    credential: CredentialSource,
    (minimum, maximum): (TlsVersion, TlsVersion),
    findings: &mut Vec<Arc<Finding>>,
    fault: &dyn Fn(&str, String) -> Arc<Finding>,
) -> ServerTls {
    let mut names = BTreeSet::new();
    for (place, name) in config.sni_domains.iter().enumerate() {
        let name = name.to_ascii_lowercase();
        if is_name(&name) {
            names.insert(name);
        } else {
            let reason = format!("{name:?} is no name that clients can ask for; use a host name or *.suffix");
            findings.push(fault(&format!("sniDomains[{place}]"), reason));
        }
    }
    let alpn = match config.alpn_protocols.as_slice() {
        [] => ALPN.map(str::to_owned).to_vec(),
        [one] if one == NO_ALPN => Vec::new(),
        written => written.to_vec(),
    };
    ServerTls {
        sources: BTreeSet::from([id.clone()]),
        names,
        default: config.sni_domains.is_empty(),
        credential,
        minimum,
        maximum,
        alpn,
        verify_clients: !config.one_way_tls.unwrap_or_default(),
        client_names: config.verify_subject_alt_name.clone(),
        resumption: !config.disable_tls_session_resumption.unwrap_or_default(),
    }
}

/// Whether a client can ask for it: a host name, or one with `*.` before it.
pub(crate) fn is_name(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    host.split('.').all(|label| !label.is_empty() && label.bytes().all(allowed))
}

/// Puts the certificates of a listener's hosts together: equal ones are one, and a name that several want is the oldest
/// VirtualService's.
pub(crate) fn gather(hosts: &[&Host<'_>], book: &mut Book) -> Vec<Arc<ServerTls>> {
    let mut by_age: Vec<&&Host<'_>> = hosts.iter().filter(|host| host.tls.is_some()).collect();
    by_age.sort_by_key(|host| (&host.resource.created, &host.resource.id));
    let mut gathered: Vec<ServerTls> = Vec::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    // The empty name is the default.
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for host in by_age {
        let Some(wanted) = &host.tls else { continue };
        let id = &host.resource.id;
        let plain = ServerTls { sources: BTreeSet::new(), names: BTreeSet::new(), default: false, ..wanted.clone() };
        let kind = format!("{plain:?}");
        let place = *kinds.entry(kind).or_insert_with(|| {
            gathered.push(plain);
            gathered.len() - 1
        });
        gathered[place].sources.insert(id.clone());
        for name in wanted.names.iter().cloned().chain(wanted.default.then(String::new)) {
            let owner = *taken.entry(name.clone()).or_insert(place);
            if owner != place {
                let older = gathered[owner].sources.first().map(ToString::to_string).unwrap_or_default();
                let path = format!("{FIELD}.sniDomains");
                let what = if name.is_empty() { "clients that ask for no other name".to_owned() } else { name };
                let message = format!(
                    "{path}: {older} is older and has another certificate for {what}: this certificate is not served \
                     for it; give each its own sniDomains"
                );
                book.add(Finding::left_out(id, path, message));
            } else if name.is_empty() {
                gathered[place].default = true;
            } else {
                gathered[place].names.insert(name);
            }
        }
    }
    gathered.into_iter().map(Arc::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hosts_or_suffixes() {
        for good in ["a", "a.b", "*.a.b", "x_y-z.1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "*", "a.*", "*a.b", "a..b", "a/b", "a:1", "*.", "ä"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
