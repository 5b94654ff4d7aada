//! Certificates and keys from Secrets and files: what is known of them goes into the snapshot, they themselves go to the
//! data plane and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serin_api::proxy::CredentialSource;
use serin_proxy::{Credential, CredentialError, CredentialMap, Pem};
use serin_translate::{CertificateFacts, CredentialFacts, Snapshot};

/// A file is not read beyond this many bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// A credential as it was found, or why it is none.
pub(crate) type Found = Result<Arc<Credential>, CredentialError>;

/// Reads a Secret; `None` when it holds no credential.
pub(crate) fn read_secret(secret: &Value) -> Option<Found> {
    let kind = secret.get("type").and_then(Value::as_str).unwrap_or("Opaque");
    if !matches!(kind, "kubernetes.io/tls" | "Opaque") {
        return None;
    }
    let data = secret.get("data")?;
    let part = |name: &str| {
        let text = data.get(name).and_then(Value::as_str).unwrap_or_default();
        STANDARD.decode(text).unwrap_or_default()
    };
    let (certificate, key, authority) = (part("tls.crt"), part("tls.key"), part("ca.crt"));
    if certificate.is_empty() && key.is_empty() && authority.is_empty() {
        return None;
    }
    let pem = Pem { certificate: &certificate, key: &key, authority: &authority };
    Some(Credential::new(pem).map(Arc::new))
}

/// Which state of its files a credential was read from.
type Stamp = Vec<Option<(SystemTime, u64)>>;

/// All credentials.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    usable: CredentialMap,
    stamps: BTreeMap<CredentialSource, Stamp>,
}

impl Credentials {
    /// The credentials for the data plane.
    pub(crate) fn usable(&self) -> CredentialMap {
        self.usable.clone()
    }

    /// Whether some come from files.
    pub(crate) fn follows_files(&self) -> bool {
        !self.stamps.is_empty()
    }

    /// Takes over what was found at `source`; `None`: it is gone. A certificate that cannot be used any more goes on
    /// being served until there is one that can; roots that cannot be read are not ignored. Returns whether there was or
    /// is anything.
    pub(crate) fn put(&mut self, snapshot: &mut Snapshot, source: CredentialSource, found: Option<Found>) -> bool {
        let facts = match found {
            None => {
                self.usable.remove(&source);
                return snapshot.credentials.remove(&source).is_some();
            }
            Some(Ok(credential)) => {
                let facts = facts(&credential, None);
                self.usable.insert(source.clone(), credential);
                facts
            }
            Some(Err(error @ CredentialError::Authority(_))) => {
                self.usable.remove(&source);
                CredentialFacts { fault: Some(error.to_string()), ..CredentialFacts::default() }
            }
            Some(Err(error)) => self.faulty(&source, error.to_string()),
        };
        snapshot.credentials.insert(source, Arc::new(facts));
        true
    }

    /// What is known of a credential that was not replaced because what replaces it is faulty.
    fn faulty(&self, source: &CredentialSource, fault: String) -> CredentialFacts {
        match self.usable.get(source) {
            Some(before) => facts(before, Some(fault)),
            None => CredentialFacts { fault: Some(fault), ..CredentialFacts::default() },
        }
    }

    /// Reads the files that resources name, where they changed. Returns whether any did.
    pub(crate) fn refresh_files(&mut self, snapshot: &mut Snapshot, wanted: BTreeSet<CredentialSource>) -> bool {
        let gone: Vec<_> = self.stamps.keys().filter(|source| !wanted.contains(source)).cloned().collect();
        let mut changed = !gone.is_empty();
        for source in gone {
            self.stamps.remove(&source);
            self.put(snapshot, source, None);
        }
        for source in wanted {
            let CredentialSource::Files { certificate, key, authority } = &source else { continue };
            let paths = [certificate, key, authority];
            let stamp: Stamp = paths.into_iter().map(|path| stamp(Path::new(path))).collect();
            if self.stamps.get(&source) == Some(&stamp) {
                continue;
            }
            changed = true;
            let parts: Result<Vec<_>, _> = paths.into_iter().map(|path| read(path)).collect();
            self.stamps.insert(source.clone(), stamp);
            match parts.as_deref() {
                Ok([certificate, key, authority]) => {
                    let found = Credential::new(Pem { certificate, key, authority }).map(Arc::new);
                    self.put(snapshot, source, Some(found));
                }
                Ok(_) => {}
                Err(reason) => {
                    let facts = self.faulty(&source, reason.clone());
                    snapshot.credentials.insert(source, Arc::new(facts));
                }
            }
        }
        changed
    }
}

fn facts(credential: &Credential, fault: Option<String>) -> CredentialFacts {
    let certificate = credential.validity().map(|(not_before, not_after)| CertificateFacts {
        names: credential.names().to_vec(),
        not_before,
        not_after,
    });
    CredentialFacts { certificate, authority: credential.has_authority(), fault }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// A file's bytes; no path, no bytes.
fn read(path: &str) -> Result<Vec<u8>, String> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let size = std::fs::metadata(path).map_err(|error| format!("{path}: {error}"))?;
    if size.len() > LARGEST_FILE || !size.is_file() {
        return Err(format!("{path}: not a file of {LARGEST_FILE} bytes at most"));
    }
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

/// Whether the time from `before` to `now` changed what is to be said of a certificate.
pub(crate) fn aged(snapshot: &Snapshot, before: i64, now: i64) -> bool {
    let mut certificates = snapshot.credentials.values().filter_map(|facts| facts.certificate.as_ref());
    certificates.any(|certificate| certificate.age(before) != certificate.age(now))
}
