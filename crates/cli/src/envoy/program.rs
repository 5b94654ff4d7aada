//! Which program is meant by `--envoy`, and whether it is an Envoy that understands what it is sent.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// The oldest Envoy that is started: older ones get no fixes any more.
const OLDEST: (u32, u32) = (1, 37);
/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Bytes of output that are read; Envoy says its version in less.
const MOST_OUTPUT: u64 = 4096;

/// An Envoy.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) version: String,
}

impl Program {
    /// Finds the program: by its path, or on $PATH when it is named without one. Asks it for its version.
    pub(crate) fn find(named: &Path) -> Outcome<Self> {
        let path = locate(named)?;
        let cannot = |reason: &str| {
            Failure::new(format!("{} cannot be used as an Envoy: it {reason}", path.display()))
                .hint("name another program with `--envoy PATH`")
        };
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => return Err(cannot("is a directory")),
            Ok(_) if rustix::fs::access(&path, rustix::fs::Access::EXEC_OK).is_err() => {
                return Err(cannot("is not executable").hint(format!("`chmod +x {}` makes it so", path.display())));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(cannot("does not exist")),
            Err(error) => return Err(cannot("cannot be looked at").because(error)),
        }
        let said = ask(&path).map_err(|reason| cannot(&reason))?;
        let version = version(&said).ok_or_else(|| cannot("does not say a version of Envoy to `--version`"))?;
        if (version.0, version.1) < OLDEST {
            let reason = format!(
                "is Envoy {}.{}, and the oldest that will do is {}.{}",
                version.0, version.1, OLDEST.0, OLDEST.1
            );
            return Err(cannot(&reason));
        }
        Ok(Self { path, version: format!("{}.{}.{}", version.0, version.1, version.2) })
    }
}

/// The program's path, absolute.
fn locate(named: &Path) -> Outcome<PathBuf> {
    if named.components().count() > 1 || named.is_absolute() {
        return Ok(std::path::absolute(named).unwrap_or_else(|_| named.to_owned()));
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&places).map(|place| place.join(named)).find(|file| file.is_file());
    found.ok_or_else(|| {
        Failure::new(format!("there is no {} on the PATH", named.display()))
            .hint("name the program with `--envoy PATH`, such as `--envoy ./envoy`")
    })
}

/// What the program says to `--version`.
fn ask(path: &Path) -> Result<String, String> {
    let mut command = Command::new(path);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("cannot be started ({error})"))?;
    let end = Instant::now() + PATIENCE;
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < end => std::thread::sleep(LOOK_AGAIN),
            Ok(Some(_)) => break,
            Ok(None) | Err(_) => {
                // It is of no use any more; an error means that it is gone already.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not say its version within {} s", PATIENCE.as_secs()));
            }
        }
    }
    let mut said = String::new();
    if let Some(stdout) = child.stdout.take() {
        // What is no text is no version either.
        let _ = stdout.take(MOST_OUTPUT).read_to_string(&mut said);
    }
    Ok(said)
}

/// The version in `…/envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`.
fn version(said: &str) -> Option<(u32, u32, u32)> {
    let (_, rest) = said.split_once("envoy")?;
    let (_, build) = rest.split_once("version: ")?;
    let number = build.split('/').nth(1)?.split('-').next()?;
    let mut parts = number.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(directory: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_version_is_read() {
        let said = "\n/usr/bin/envoy  version: 9e55809/1.40.0/Clean/RELEASE/BoringSSL\n\n";
        assert_eq!(version(said), Some((1, 40, 0)));
        assert_eq!(version("envoy  version: a/1.41.0-dev/Modified/DEBUG/BoringSSL"), Some((1, 41, 0)));
        for other in ["", "bash, version 5.2", "envoy", "envoy version: 1.40.0", "envoy  version: a/b/c"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_envoy_is_told_with_its_path() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path();
        let old = "#!/bin/sh\necho \"envoy  version: abc/1.20.1/Clean/RELEASE/BoringSSL\"\n";
        for (path, expected) in [
            (place.join("none"), "does not exist"),
            (place.to_owned(), "is a directory"),
            (script(place, "plain", "x", 0o600), "is not executable"),
            (script(place, "other", "#!/bin/sh\necho hello\n", 0o700), "does not say a version of Envoy"),
            (script(place, "old", old, 0o700), "is Envoy 1.20, and the oldest that will do is 1.37"),
            (script(place, "broken", "#!/no/such/shell\n", 0o700), "cannot be started"),
        ] {
            let said = Program::find(&path).unwrap_err().to_string();
            assert!(said.contains(expected) && said.contains(path.to_str().unwrap()), "{said}");
        }
        let said = Program::find(Path::new("no-such-envoy")).unwrap_err().to_string();
        assert!(said.contains("no no-such-envoy on the PATH") && said.contains("--envoy PATH"), "{said}");
    }
}
