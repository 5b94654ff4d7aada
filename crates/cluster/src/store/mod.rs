//! The store: every object of the API, kept durably in redb and mirrored in memory.
//!
//! Reads come from memory and never wait for a disk. Writes go to one thread, which takes all that wait at once, commits
//! them to redb in one transaction with one fsync, applies them to the memory, and only then answers. So a write that was
//! acknowledged survives a crash, and nobody reads what a crash could take back.
//!
//! Every write gets the next of one global sequence of revisions: the `resourceVersion` of the API.

mod disk;
mod object;
mod probe;
mod state;
mod window;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use parking_lot::RwLock;
use tokio::sync::{oneshot, watch};

pub use disk::StoreError;
pub use object::{Key, Object};
pub use state::Listing;
pub use window::{Event, EventKind, TooOld};
pub use writer::{Change, Expect, Observer, WriteError};

use disk::Disk;
use state::State;
use writer::{Request, Writer};

/// Handle of the store; cheap to share behind an [`Arc`].
pub struct Store {
    state: Arc<RwLock<State>>,
    writes: parking_lot::Mutex<Option<mpsc::Sender<Request>>>,
    writer: parking_lot::Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Store {
    /// Opens the store at `path`, creating it when the file is absent. `observer` sees each commit before it is answered.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the file is not a sound store: it is then left byte for byte as it was.
    pub fn open(path: &Path, observer: Arc<dyn Observer>) -> Result<Arc<Store>, StoreError> {
        Self::with_disk(Disk::open(path)?, observer)
    }

    /// Opens a store over any redb storage backend: for tests that make the storage fail.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_backend(
        backend: impl redb::StorageBackend,
        observer: Arc<dyn Observer>,
    ) -> Result<Arc<Store>, StoreError> {
        Self::with_disk(Disk::open_backend(backend)?, observer)
    }

    fn with_disk(disk: Disk, observer: Arc<dyn Observer>) -> Result<Arc<Store>, StoreError> {
        let (revision, objects) = disk.load()?;
        let state = Arc::new(RwLock::new(State::new(revision, objects)));
        let (sender, receiver) = mpsc::channel();
        let writer = Writer::new(disk, state.clone(), observer);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| StoreError::Io { what: "start the thread of the store".into(), error })?;
        Ok(Arc::new(Store {
            state,
            writes: parking_lot::Mutex::new(Some(sender)),
            writer: parking_lot::Mutex::new(Some(thread)),
        }))
    }

    /// The revision of the last committed write.
    pub fn revision(&self) -> u64 {
        self.state.read().revision()
    }

    /// The object under `key`.
    pub fn get(&self, key: &Key) -> Option<Arc<Object>> {
        self.state.read().get(key)
    }

    /// All objects of `resource`, in the order of namespace and name; of one namespace when given.
    pub fn list(&self, resource: &str, namespace: Option<&str>) -> Listing {
        self.state.read().list(resource, namespace)
    }

    /// As [`Store::list`], as things stood at `revision`.
    ///
    /// # Errors
    /// [`TooOld`] when the events since then are no longer kept.
    pub fn list_at(&self, resource: &str, namespace: Option<&str>, revision: u64) -> Result<Listing, TooOld> {
        self.state.read().list_at(resource, namespace, revision)
    }

    /// The events of `resource` after `revision`, oldest first, and the revision up to which that is all there is.
    ///
    /// # Errors
    /// [`TooOld`] when some of them are no longer kept.
    pub fn events_since(&self, resource: &str, revision: u64) -> Result<(Vec<Arc<Event>>, u64), TooOld> {
        self.state.read().events_since(resource, revision)
    }

    /// A receiver that changes whenever `resource` does.
    pub fn subscribe(&self, resource: &str) -> watch::Receiver<u64> {
        if let Some(receiver) = self.state.read().subscribe(resource) {
            return receiver;
        }
        self.state.write().subscribe_new(resource)
    }

    /// The resources that have had an object since the start.
    pub fn resources(&self) -> Vec<Arc<str>> {
        self.state.read().resources()
    }

    /// Makes `change` to `key`, and waits until it is durable. Gives the object as it is stored now (for a deletion, as it
    /// was last).
    ///
    /// # Errors
    /// When `change`'s expectation does not hold, or storage fails; nothing has been changed then.
    pub async fn write(&self, key: Key, change: Change) -> Result<Arc<Object>, WriteError> {
        let (reply, answer) = oneshot::channel();
        let sender = self.writes.lock().clone().ok_or(WriteError::Closed)?;
        sender.send(Request { key, change, reply }).map_err(|_| WriteError::Closed)?;
        drop(sender);
        answer.await.map_err(|_| WriteError::Closed)?
    }

    /// Finishes the writes under way and closes the file. Blocks until it is closed.
    pub fn close(&self) {
        self.writes.lock().take();
        let thread = self.writer.lock().take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}
