//! Secrets from files and literals, for `kubectl create secret`. What is wrong is found before anything is sent.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use serin_proxy::{Credential, Pem};

use crate::failure::{Failure, Outcome, While};

/// What kind of Secret, and what is in it.
#[derive(Subcommand, Debug)]
pub(super) enum Secret {
    /// Create a Secret with a TLS certificate and its key
    #[command(
        after_help = "Example:\n  serin kubectl create secret tls shop-tls --cert cert.pem --key key.pem -n gloo-system"
    )]
    Tls(Tls),
    /// Create a Secret from files and literal values
    #[command(after_help = "Example:\n  serin kubectl create secret generic login --from-literal=user=ann \
                            --from-file=password.txt")]
    Generic(Generic),
}

/// Flags of `create secret tls`.
#[derive(Args, Debug)]
pub(super) struct Tls {
    /// Its name
    name: String,
    /// The file of the certificate, then those of who signed it, in PEM
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// The file of the key, in PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Flags of `create secret generic`.
#[derive(Args, Debug)]
pub(super) struct Generic {
    /// Its name
    name: String,
    /// A value, as `key=value`
    #[arg(long, value_name = "KEY=VALUE")]
    from_literal: Vec<String>,
    /// A file, under its own name or as `key=file`
    #[arg(long, value_name = "[KEY=]FILE")]
    from_file: Vec<String>,
    /// The Secret's type
    #[arg(long = "type", value_name = "TYPE", default_value = "Opaque")]
    kind: String,
}

impl Secret {
    /// The Secret as a manifest without a namespace.
    pub(super) fn manifest(&self) -> Outcome<Value> {
        let (name, kind, data) = match self {
            Secret::Tls(tls) => (&tls.name, "kubernetes.io/tls", tls.data()?),
            Secret::Generic(generic) => (&generic.name, generic.kind.as_str(), generic.data()?),
        };
        let data: BTreeMap<_, _> = data.into_iter().map(|(key, value)| (key, STANDARD.encode(value))).collect();
        Ok(json!({ "apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": { "name": name }, "data": data }))
    }
}

impl Tls {
    fn data(&self) -> Outcome<Data> {
        let (certificate, key) = (read(&self.cert)?, read(&self.key)?);
        Credential::new(Pem { certificate: &certificate, key: &key, authority: &[] })
            .or_fail(|| format!("{} and {} are no certificate and its key", self.cert.display(), self.key.display()))?;
        Ok([("tls.crt".to_owned(), certificate), ("tls.key".to_owned(), key)].into())
    }
}

type Data = BTreeMap<String, Vec<u8>>;

impl Generic {
    fn data(&self) -> Outcome<Data> {
        let mut data = Data::new();
        for literal in &self.from_literal {
            let (key, value) = literal.split_once('=').ok_or_else(|| {
                Failure::new(format!("--from-literal={literal} has no value")).hint("Write --from-literal=KEY=VALUE.")
            })?;
            insert(&mut data, key, value.into())?;
        }
        for source in &self.from_file {
            let (key, file) = match source.split_once('=') {
                Some((key, file)) => (key, Path::new(file)),
                None => {
                    let file = Path::new(source);
                    (file.file_name().and_then(|name| name.to_str()).unwrap_or_default(), file)
                }
            };
            insert(&mut data, key, read(file)?)?;
        }
        Ok(data)
    }
}

fn insert(data: &mut Data, key: &str, value: Vec<u8>) -> Outcome {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if key.is_empty() || !key.chars().all(allowed) {
        return Err(Failure::new(format!("{key:?} cannot be a key of a Secret"))
            .hint("A key has letters, digits, '-', '_' and '.' only."));
    }
    match data.insert(key.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(Failure::new(format!("the key {key} is given twice"))),
    }
}

fn read(file: &Path) -> Outcome<Vec<u8>> {
    fs::read(file).or_fail(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(subcommand)]
        secret: Secret,
    }

    fn make(arguments: &[&str]) -> Outcome<Value> {
        Command::parse_from(["secret"].iter().chain(arguments)).secret.manifest()
    }

    fn refusal(arguments: &[&str]) -> String {
        make(arguments).map(|manifest| panic!("made {manifest}")).unwrap_or_else(|failure| failure.to_string())
    }

    #[test]
    fn literals_and_files_become_data() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password.txt");
        fs::write(&file, [0xff, 0]).unwrap();
        let (plain, named) = (format!("--from-file={}", file.display()), format!("--from-file=pw={}", file.display()));
        let secret = make(&["generic", "login", "--from-literal=user=a=b", &plain, &named]).unwrap();
        assert_eq!(secret["type"], "Opaque");
        assert_eq!(secret["metadata"], json!({ "name": "login" }));
        assert_eq!(secret["data"], json!({ "user": "YT1i", "password.txt": "/wA=", "pw": "/wA=" }));
    }

    #[test]
    fn a_certificate_goes_with_its_own_key_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        for name in ["one", "other"] {
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate =
                rcgen::CertificateParams::new(["shop.test".to_owned()]).unwrap().self_signed(&key).unwrap();
            fs::write(path(&format!("{name}.crt")), certificate.pem()).unwrap();
            fs::write(path(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        let made =
            |certificate: &str, key: &str| make(&["tls", "t", "--cert", &path(certificate), "--key", &path(key)]);
        let secret = made("one.crt", "one.key").unwrap();
        assert_eq!(secret["type"], "kubernetes.io/tls");
        assert_eq!(secret["data"]["tls.crt"], STANDARD.encode(fs::read(path("one.crt")).unwrap()));
        for (certificate, key) in [("one.crt", "other.key"), ("one.key", "one.crt"), ("one.crt", "one.crt")] {
            let said = made(certificate, key).unwrap_err().to_string();
            assert!(said.contains(certificate) && said.contains("no certificate and its key: "), "{said}");
        }
        assert!(made("none.crt", "one.key").unwrap_err().to_string().contains("cannot read"), "the file is named");
    }

    #[test]
    fn what_cannot_be_a_secret_is_explained() {
        assert!(refusal(&["generic", "g", "--from-literal=ab"]).contains("KEY=VALUE"));
        assert!(refusal(&["generic", "g", "--from-literal=a b=c"]).contains("\"a b\" cannot be a key"));
        assert!(
            refusal(&["generic", "g", "--from-literal=a=1", "--from-literal=a=2"]).contains("the key a is given twice")
        );
        assert!(refusal(&["generic", "g", "--from-file=/no/such"]).contains("/no/such"));
    }
}
