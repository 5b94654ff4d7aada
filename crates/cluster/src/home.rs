//! The home directory: who may read it, and which process has it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Why the home directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Another process has it.
    #[error("another serin has {}: process {pid}. Stop it with `serin down`, or choose another home with SERIN_HOME", home.display())]
    Taken {
        /// The directory.
        home: PathBuf,
        /// The process; "unknown" while it is just starting.
        pid: String,
    },
    /// It cannot be made or written to.
    #[error("cannot write to {}: {error}. Choose another home with SERIN_HOME", path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        error: std::io::Error,
    },
}

/// A home directory that belongs to this process until dropped.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes `path` (mode 0700) if need be, and takes it for this process.
    ///
    /// # Errors
    /// [`HomeError::Taken`] names the process that has it.
    pub(crate) fn take(path: &Path) -> Result<Home, HomeError> {
        private_directory(path)?;
        let lock_path = path.join("lock");
        let failed = |error: std::io::Error| HomeError::NotWritable { path: lock_path.clone(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut lock = options.open(&lock_path).map_err(failed)?;
        match lock_exclusively(&lock) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut pid = String::new();
                let _ = lock.read_to_string(&mut pid);
                let pid = if pid.trim().is_empty() { "unknown".to_owned() } else { pid.trim().to_owned() };
                return Err(HomeError::Taken { home: path.into(), pid });
            }
            Err(error) => return Err(failed(error.into())),
        }
        lock.set_len(0).and_then(|()| lock.rewind()).map_err(failed)?;
        writeln!(lock, "{}", std::process::id()).map_err(failed)?;
        Ok(Home { path: path.into(), _lock: lock })
    }

    /// A path within.
    pub(crate) fn join(&self, relative: &str) -> PathBuf {
        self.path.join(relative)
    }
}

/// Takes the lock. Somebody who only looks whether it is held holds it for a moment too: a few tries see past that.
fn lock_exclusively(lock: &File) -> Result<(), rustix::io::Errno> {
    const TRIES: u32 = 5;
    for _ in 1..TRIES {
        match flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(std::time::Duration::from_millis(20)),
            done => return done,
        }
    }
    flock(lock, FlockOperation::NonBlockingLockExclusive)
}

/// Makes a directory and those above it; only the owner may look into it.
///
/// # Errors
/// [`HomeError::NotWritable`].
pub(crate) fn private_directory(path: &Path) -> Result<(), HomeError> {
    let failed = |error| HomeError::NotWritable { path: path.into(), error };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)
}

/// Writes a file that only the owner may read, replacing it at once and durably.
///
/// # Errors
/// [`HomeError::NotWritable`].
pub(crate) fn private_file(path: &Path, contents: &str) -> Result<(), HomeError> {
    let failed = |error| HomeError::NotWritable { path: path.into(), error };
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(failed)?;
    file.write_all(contents.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&fresh, path).map_err(failed)
}
