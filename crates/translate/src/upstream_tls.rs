//! TLS towards an Upstream's endpoints, and what is wrong with it. An Upstream that asks for TLS is never spoken to in
//! plain text: while something is wrong, its routes answer 503.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serin_api::ResourceId;
use serin_api::gloo::{StaticUpstream, UpstreamSpec, UpstreamSslConfig};
use serin_api::proxy::{ClientTls, CredentialSource, TlsVersion, host_and_port};

use crate::certificate::out_of_time;
use crate::report::Finding;
use crate::snapshot::Snapshot;
use crate::tls::{credential_source, field_of, is_name, look_up, too_old, versions};

/// Where TLS is asked for.
const FIELD: &str = "spec.sslConfig";
/// The port of HTTPS, which says by itself that TLS is spoken there.
const HTTPS: u32 = 443;

/// What is looked at.
struct Look<'a> {
    id: &'a ResourceId,
    findings: &'a mut Vec<Finding>,
    /// The first fault, for everyone who routes to the Upstream.
    fault: Option<String>,
}

impl Look<'_> {
    fn fault(&mut self, path: &str, reason: &str) {
        let sentence = format!("{path}: {reason}; its routes answer 503");
        self.findings.push(Finding::left_out(self.id, path, sentence.clone()));
        self.fault.get_or_insert(sentence);
    }

    fn advice(&mut self, path: &str, reason: &str) {
        self.findings.push(Finding::advice(self.id, path, format!("{path}: {reason}")));
    }
}

/// How TLS is to be spoken with an Upstream's endpoints, if at all; and why that cannot be done, for everyone who routes
/// to it.
pub(crate) fn of(
    snapshot: &Snapshot,
    id: &ResourceId,
    spec: &UpstreamSpec,
    findings: &mut Vec<Finding>,
) -> (Option<ClientTls>, Option<String>) {
    let mut look = Look { id, findings, fault: None };
    let mut tls = match (&spec.ssl_config, &spec.fixed) {
        (Some(config), _) => look.configured(snapshot, config),
        (None, Some(fixed)) if uses_tls(fixed) => {
            look.advice(
                "spec.static",
                "the hosts' certificates are not checked; set sslConfig with a root certificate",
            );
            let named = fixed.hosts.iter().map(|host| &host.addr).find(|addr| addr.parse::<IpAddr>().is_err());
            ClientTls { sni: named.cloned().unwrap_or_default(), ..unchecked() }
        }
        _ => return (None, None),
    };
    if let Some(fixed) = &spec.fixed {
        look.names_of_hosts(fixed, &mut tls);
    }
    if look.fault.is_some() {
        tls.credential = Some(nothing());
    }
    (Some(tls), look.fault)
}

fn uses_tls(fixed: &StaticUpstream) -> bool {
    fixed.use_tls.unwrap_or_else(|| fixed.hosts.iter().any(|host| host.port == HTTPS))
}

/// Whether it is a name that an endpoint can be asked for.
fn is_host(name: &str) -> bool {
    is_name(name) && !name.starts_with('*')
}

/// TLS that trusts whoever answers.
fn unchecked() -> ClientTls {
    ClientTls {
        credential: None,
        show_certificate: false,
        sni: String::new(),
        host_sni: BTreeMap::new(),
        names: Vec::new(),
        minimum: TlsVersion::V1_2,
        maximum: TlsVersion::V1_3,
        alpn: Vec::new(),
    }
}

/// A credential that does not exist: no connection is made with it.
fn nothing() -> CredentialSource {
    CredentialSource::Files { certificate: String::new(), key: String::new(), authority: String::new() }
}

impl Look<'_> {
    fn configured(&mut self, snapshot: &Snapshot, config: &UpstreamSslConfig) -> ClientTls {
        let UpstreamSslConfig {
            secret_ref,
            ssl_files,
            sni,
            verify_subject_alt_name,
            parameters,
            alpn_protocols,
            one_way_tls,
        } = config;
        let credential = credential_source(secret_ref.as_ref(), ssl_files.as_ref(), &self.id.namespace);
        let checks = credential.as_ref().is_some_and(|source| self.checks(snapshot, source));
        let san_field = format!("{FIELD}.verifySubjectAltName");
        if !checks && !verify_subject_alt_name.is_empty() {
            self.fault(&san_field, "a root certificate must be provided (ca.crt or rootCa)");
        } else if !checks && self.fault.is_none() {
            let reason = "the endpoints' certificates are not checked; give a root certificate (ca.crt or rootCa)";
            self.advice(FIELD, reason);
        }
        if !sni.is_empty() && !is_host(sni) {
            self.fault(&format!("{FIELD}.sni"), &format!("{sni:?} is no host name"));
        }
        if let Some((field, _)) = too_old(parameters.as_ref()) {
            self.advice(&format!("{FIELD}.{field}"), "TLS older than 1.2 is not spoken: endpoints need 1.2 at least");
        }
        let (minimum, maximum) = match versions(parameters.as_ref()) {
            Ok(versions) => versions,
            Err((field, reason)) => {
                self.fault(&format!("{FIELD}.{field}"), &reason);
                (TlsVersion::V1_2, TlsVersion::V1_3)
            }
        };
        ClientTls {
            credential,
            show_certificate: !one_way_tls.unwrap_or_default(),
            sni: sni.to_ascii_lowercase(),
            names: verify_subject_alt_name.clone(),
            minimum,
            maximum,
            alpn: alpn_protocols.clone(),
            ..unchecked()
        }
    }

    /// Whether a credential has roots to check endpoints against.
    fn checks(&mut self, snapshot: &Snapshot, source: &CredentialSource) -> bool {
        let path = format!("{FIELD}.{}", field_of(source));
        let facts = match look_up(snapshot, source) {
            Ok(facts) => facts,
            Err(reason) => {
                self.fault(&path, &reason);
                return true;
            }
        };
        match (&facts.fault, &facts.certificate) {
            (Some(reason), None) => self.fault(&path, &format!("{source}: {reason}")),
            (Some(reason), Some(_)) => {
                let message = format!("{path}: {source}: {reason}: what was there before is used meanwhile");
                self.findings.push(Finding::left_out(self.id, &path, message));
            }
            (None, Some(certificate)) => {
                if let Some(reason) = out_of_time(certificate, snapshot.now, "endpoints refuse it") {
                    self.advice(&path, &reason);
                }
            }
            (None, None) => {}
        }
        facts.authority || facts.fault.is_some()
    }

    /// Which name each host of a fixed list is asked for.
    fn names_of_hosts(&mut self, fixed: &StaticUpstream, tls: &mut ClientTls) {
        let auto = fixed.auto_sni_rewrite.unwrap_or(true);
        for (at, host) in fixed.hosts.iter().enumerate() {
            let own = match host.sni_addr.as_str() {
                // An address cannot be asked for (RFC 6066, 3).
                "" if !auto || host.addr.parse::<IpAddr>().is_ok() => continue,
                "" => &host.addr,
                written if !is_host(written) => {
                    let path = format!("spec.static.hosts[{at}].sniAddr");
                    self.fault(&path, &format!("{written:?} is no host name"));
                    continue;
                }
                written => written,
            };
            if let Ok(port) = u16::try_from(host.port)
                && *own != tls.sni
            {
                tls.host_sni.entry(host_and_port(&host.addr, port)).or_insert_with(|| own.to_ascii_lowercase());
            }
        }
    }
}
