//! A case: one virtual host and one request to it, as it is kept in a file.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serin_api::proxy::{Action, Forward, HashKey, HttpSettings, VirtualHost};

use super::hashing;
use super::listeners::{self, Configuration, Place};
use super::request::Request;

/// Where cases that once differed are kept.
pub(crate) const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");

/// What the domains of kept cases are made of.
pub(crate) const DOMAIN: &str = "case";

/// One virtual host and one request to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    /// The kind of listener that the host is on.
    pub(crate) listener: String,
    /// How that listener speaks HTTP.
    #[serde(default, skip_serializing_if = "HttpSettings::is_default")]
    pub(crate) http: HttpSettings,
    pub(crate) host: VirtualHost,
    pub(crate) request: Request,
    /// How often it is sent, where the shares of what comes of it are compared, and not one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<usize>,
}

impl Case {
    /// Whether it is one that a data plane can be given at all.
    pub(crate) fn is_whole(&self) -> bool {
        let routes_are_whole = self.host.routes.iter().all(|route| {
            let weighs = match &route.action {
                Action::Forward(Forward::Weighted(targets)) => targets.iter().any(|target| target.weight > 0),
                _ => true,
            };
            let has_path = |matcher: &serin_api::gateway::Matcher| {
                [&matcher.prefix, &matcher.exact, &matcher.regex].iter().filter(|path| path.is_some()).count() == 1
            };
            // Without a hash the endpoint would be drawn.
            let hashed = route
                .policy
                .as_ref()
                .is_some_and(|policy| policy.hash.iter().any(|part| part.key == HashKey::SourceIp));
            weighs
                && (hashed || self.times.is_some() || !hashing::is_for(&route.action))
                && !route.matchers.is_empty()
                && route.matchers.iter().all(has_path)
        });
        let request = &self.request;
        let can_be_sent = request.target.starts_with('/') && !request.method.is_empty() && !request.host.is_empty();
        let host_is_whole = [&self.host.name, &self.host.source.name, &self.host.source.namespace]
            .into_iter()
            .chain(&self.host.domains)
            .all(|text| !text.is_empty());
        let host_is_whole = host_is_whole && !self.host.domains.is_empty();
        let named = request.headers.iter().all(|(name, _)| !name.is_empty());
        let secured = request.sni.is_some() == (self.listener == listeners::TLS);
        secured
            && routes_are_whole
            && can_be_sent
            && named
            && host_is_whole
            && listeners::kind(&self.listener).is_some()
    }

    /// Gives it a name and, in the place of `domain`, a domain of its own.
    pub(crate) fn renamed(mut self, domain: &str, name: &str) -> Self {
        for text in self.host.domains.iter_mut().chain([&mut self.request.host]) {
            *text = text.replace(domain, name).replace(&domain.to_ascii_uppercase(), &name.to_ascii_uppercase());
        }
        self
    }

    /// The listener that its host is on; `None` where there is no such kind.
    pub(crate) fn place(&self) -> Option<Place> {
        Some(Place { kind: listeners::kind(&self.listener)?, http: self.http.clone() })
    }

    /// Writes it into `folder` as `name`; where that is.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> io::Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("{name}.json"));
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(&file, text)?;
        Ok(file)
    }
}

/// All cases in `folder`, by the names of their files.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn read_all(folder: &Path) -> io::Result<Vec<(String, Case)>> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let case: Case = serde_json::from_str(&std::fs::read_to_string(&file)?)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.display())))?;
            cases.push((name, case));
        }
    }
    cases.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(cases)
}

/// A configuration of nothing but `case`.
pub(crate) fn alone(case: &Case) -> Configuration {
    let mut configuration = Configuration::default();
    if let Some(place) = case.place() {
        configuration.add(place, case.host.clone());
    }
    configuration
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kept_case_can_be_played() {
        let kept = read_all(Path::new(CASES)).unwrap();
        assert!(!kept.is_empty());
        for (name, case) in kept {
            assert!(case.is_whole(), "{name}");
            assert!(case.host.domains.iter().all(|domain| domain.contains(DOMAIN)), "{name} needs domains of {DOMAIN}");
        }
    }

    #[test]
    fn a_file_that_is_no_case_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("odd.json"), "{}").unwrap();
        assert!(read_all(folder.path()).unwrap_err().to_string().contains("odd.json"));
    }
}
