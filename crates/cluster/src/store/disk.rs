//! The redb file: one table of objects by key, and the last revision.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

use super::object::{Key, Object};
use super::probe;

const OBJECTS: TableDefinition<&str, &[u8]> = TableDefinition::new("objects");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
const REVISION: &str = "revision";
/// redb's page cache. Everything is in memory anyway, so it only has to hold the inner pages.
const CACHE_BYTES: usize = 1 << 20;

/// Why the store cannot be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is there but is not a sound store. It has not been touched.
    #[error(
        "the store {} is corrupt: {reason}. The file was left as it is: restore a copy of it, or move it away to start with an empty store",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process has the file open.
    #[error("the store {} is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// The answer.
        error: std::io::Error,
    },
    /// redb refused a write.
    #[error("cannot write to the store: {0}")]
    Write(String),
}

/// An open redb database.
pub(super) struct Disk {
    database: Database,
    path: PathBuf,
}

/// One change of a batch: the key, and the new JSON or `None` to delete.
pub(super) type Entry<'a> = (String, Option<&'a [u8]>);

impl Disk {
    pub(super) fn open(path: &Path) -> Result<Disk, StoreError> {
        let io = |what: &str| {
            let what = format!("{what} {}", path.display());
            move |error| StoreError::Io { what, error }
        };
        if path.try_exists().map_err(io("look at"))? {
            probe::check(path)?;
        } else {
            // Made under another name and moved into place, so that a crash here never leaves half a store.
            let fresh = path.with_extension("new");
            let _ = std::fs::remove_file(&fresh);
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&fresh)
                .map_err(io("create"))?;
            let database = builder().create_file(file).map_err(|error| failed(path, &error))?;
            Disk { database, path: path.into() }.commit(0, &[])?;
            std::fs::rename(&fresh, path).map_err(io("create"))?;
            if let Some(directory) = path.parent() {
                std::fs::File::open(directory).and_then(|d| d.sync_all()).map_err(io("create"))?;
            }
        }
        let database = builder().open(path).map_err(|error| failed(path, &error))?;
        Ok(Disk { database, path: path.into() })
    }

    pub(super) fn open_backend(backend: impl StorageBackend) -> Result<Disk, StoreError> {
        let path = PathBuf::from("(memory)");
        let database = builder().create_with_backend(backend).map_err(|error| failed(&path, &error))?;
        Ok(Disk { database, path })
    }

    /// The last revision and all objects.
    pub(super) fn load(&self) -> Result<(u64, Vec<(Key, Object)>), StoreError> {
        self.read().map_err(|reason| StoreError::Corrupt { path: self.path.clone(), reason })
    }

    fn read(&self) -> Result<(u64, Vec<(Key, Object)>), String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let transaction = self.database.begin_read().map_err(|e| text(&e))?;
        let revision = match transaction.open_table(META) {
            Ok(meta) => meta.get(REVISION).map_err(|e| text(&e))?.map_or(0, |revision| revision.value()),
            Err(redb::TableError::TableDoesNotExist(_)) => 0,
            Err(error) => return Err(text(&error)),
        };
        let table = match transaction.open_table(OBJECTS) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok((revision, Vec::new())),
            Err(error) => return Err(text(&error)),
        };
        let mut objects = Vec::new();
        for entry in table.iter().map_err(|e| text(&e))? {
            let (key, json) = entry.map_err(|e| text(&e))?;
            let name = key.value();
            let parsed = Key::from_disk(name).and_then(|key| Object::from_json(&key, json.value()).map(|o| (key, o)));
            objects.push(parsed.ok_or_else(|| format!("the entry {name:?} cannot be read"))?);
        }
        Ok((revision, objects))
    }

    /// Writes a batch and waits until it is on disk.
    pub(super) fn commit(&self, revision: u64, entries: &[Entry<'_>]) -> Result<(), StoreError> {
        // After an I/O error redb's own structures may surprise it.
        match catch_unwind(AssertUnwindSafe(|| self.write(revision, entries))) {
            Ok(outcome) => outcome.map_err(|error| StoreError::Write(error.to_string())),
            Err(_) => Err(StoreError::Write("its structure makes no sense".into())),
        }
    }

    fn write(&self, revision: u64, entries: &[Entry<'_>]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        {
            let mut objects = transaction.open_table(OBJECTS)?;
            for (key, json) in entries {
                match json {
                    Some(json) => objects.insert(key.as_str(), *json)?,
                    None => objects.remove(key.as_str())?,
                };
            }
            transaction.open_table(META)?.insert(REVISION, revision)?;
        }
        Ok(transaction.commit()?)
    }
}

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn failed(path: &Path, error: &redb::DatabaseError) -> StoreError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: path.into() },
        error => StoreError::Corrupt { path: path.into(), reason: error.to_string() },
    }
}
