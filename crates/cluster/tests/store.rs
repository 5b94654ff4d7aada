//! The store against a model: under crashes at any point, damage to its file, and `kill -9`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::{Value, json};
use serin_cluster::store::{Change, EventKind, Expect, Key, Store, StoreError};

/// A disk that keeps what was synced, and of what was not, whatever it likes.
#[derive(Debug, Default)]
struct Disk {
    now: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<Write>,
    /// Operations until the power goes.
    left: usize,
}

#[derive(Clone, Debug)]
enum Write {
    Bytes(u64, Vec<u8>),
    Length(u64),
}

fn apply(image: &mut Vec<u8>, write: &Write) {
    match write {
        Write::Length(length) => image.resize(*length as usize, 0),
        Write::Bytes(offset, bytes) => {
            let end = *offset as usize + bytes.len();
            if image.len() < end {
                image.resize(end, 0);
            }
            image[*offset as usize..end].copy_from_slice(bytes);
        }
    }
}

impl Disk {
    fn operate(&mut self) -> io::Result<()> {
        if self.left == 0 {
            return Err(io::Error::other("the power is off"));
        }
        self.left -= 1;
        Ok(())
    }

    fn write(&mut self, write: Write) -> io::Result<()> {
        self.operate()?;
        apply(&mut self.now, &write);
        self.since.push(write);
        Ok(())
    }

    /// What is found after the power comes back: some of the writes since the last sync, some of them only in part.
    fn restart(&mut self, mut luck: u64, operations: usize) {
        let mut image = self.synced.clone();
        for write in self.since.drain(..) {
            luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match (luck >> 60, write) {
                (0..5, _) => {}
                (5..8, Write::Bytes(offset, bytes)) => {
                    let part = (luck >> 32) as usize % (bytes.len() + 1);
                    apply(&mut image, &Write::Bytes(offset, bytes[..part].to_vec()));
                }
                (_, write) => apply(&mut image, &write),
            }
        }
        self.now.clone_from(&image);
        self.synced = image;
        self.left = operations;
    }
}

#[derive(Clone, Debug, Default)]
struct Backend(Arc<Mutex<Disk>>);

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.0.lock();
        let from = disk.now.get(offset as usize..offset as usize + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(from);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().write(Write::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.operate()?;
        disk.synced = disk.now.clone();
        disk.since.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.lock().write(Write::Bytes(offset, data.to_vec()))
    }
}

fn key(name: usize) -> Key {
    Key::new("/configmaps", "default", &format!("object-{name}"))
}

fn object(name: usize, content: usize) -> Value {
    json!({"metadata": {"name": format!("object-{name}")}, "data": {"n": content, "pad": "x".repeat(content * 37 % 3000)}})
}

/// All objects: their content by name.
fn contents(store: &Store) -> BTreeMap<usize, usize> {
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    store
        .list("/configmaps", None)
        .objects
        .iter()
        .map(|o| (o.name.strip_prefix("object-").unwrap().parse().unwrap(), number(&o.value()["data"]["n"])))
        .collect()
}

/// Sets an object to a content, or deletes it.
async fn change(store: &Store, name: usize, content: Option<usize>) -> bool {
    let old = store.get(&key(name));
    let change = match (content, &old) {
        (Some(content), old) => {
            let expect = old.as_ref().map_or(Expect::Absent, |old| Expect::Revision(old.revision));
            Change::Put { value: object(name, content), expect, in_live_namespace: false }
        }
        (None, Some(old)) => Change::Delete { value: old.value(), revision: old.revision },
        (None, None) => return true,
    };
    store.write(key(name), change).await.is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the moment of a crash: what was acknowledged is there, what was not is there wholly or not at all.
    #[test]
    fn what_was_acknowledged_survives_a_crash(
        lives in prop::collection::vec((10..400usize, any::<u64>(), prop::collection::vec(
            prop::collection::vec((0..12usize, prop::option::weighted(0.8, 0..1000usize)), 1..6), 1..30)), 1..5)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let disk = Arc::new(Mutex::new(Disk { left: usize::MAX, ..Disk::default() }));
        let mut model: BTreeMap<usize, usize> = BTreeMap::new();
        let mut revision = 0;
        Store::open_backend(Backend(disk.clone()), Arc::new(())).unwrap().close();
        for (operations, luck, batches) in lives {
            disk.lock().restart(luck, usize::MAX);
            let store = Store::open_backend(Backend(disk.clone()), Arc::new(())).unwrap();
            prop_assert_eq!(&contents(&store), &model);
            prop_assert!(store.revision() >= revision);
            disk.lock().left = operations;
            for batch in batches {
                // One change of an object at a time, those of different objects at once.
                let batch: BTreeMap<usize, Option<usize>> = batch.into_iter().collect();
                let done = runtime.block_on(futures::future::join_all(
                    batch.iter().map(|(name, content)| change(&store, *name, *content))));
                let mut unknown = BTreeMap::new();
                for ((name, content), done) in batch.into_iter().zip(done) {
                    if !done {
                        unknown.insert(name, content);
                    } else if let Some(content) = content {
                        model.insert(name, content);
                    } else {
                        model.remove(&name);
                    }
                }
                prop_assert_eq!(&contents(&store), &model, "memory shows only what is durable");
                revision = store.revision();
                if !unknown.is_empty() {
                    store.close();
                    // The changes that were not acknowledged may have been made all the same.
                    disk.lock().restart(luck.rotate_left(17), usize::MAX);
                    let found = contents(&Store::open_backend(Backend(disk.clone()), Arc::new(())).unwrap());
                    for (name, content) in unknown {
                        let now = found.get(&name).copied();
                        prop_assert!(now == model.get(&name).copied() || now == content);
                        match now {
                            Some(content) => model.insert(name, content),
                            None => model.remove(&name),
                        };
                    }
                    prop_assert_eq!(&found, &model);
                    break;
                }
            }
            store.close();
        }
    }
}

/// A store in a file with a few objects in it.
fn filled(path: &std::path::Path) -> BTreeMap<usize, usize> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Store::open(path, Arc::new(())).unwrap();
    for i in 0..40 {
        assert!(runtime.block_on(change(&store, i, Some(i * 20))));
    }
    let contents = contents(&store);
    store.close();
    contents
}

#[test]
fn a_damaged_file_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    let model = filled(&path);
    let sound = std::fs::read(&path).unwrap();
    let mut damages: Vec<Vec<u8>> = vec![Vec::new(), b"not a store".to_vec(), vec![0; sound.len()]];
    damages.extend([1, 100, sound.len() / 2, sound.len() - 1].map(|length| sound[..length].to_vec()));
    for at in (0..sound.len()).step_by(sound.len() / 60) {
        let mut damaged = sound.clone();
        for byte in damaged.iter_mut().skip(at).take(64) {
            *byte ^= 0x5a;
        }
        damages.push(damaged);
    }
    let mut refused = 0;
    for damaged in damages {
        std::fs::write(&path, &damaged).unwrap();
        match Store::open(&path, Arc::new(())) {
            Ok(store) => {
                assert_eq!(contents(&store), model, "damage that goes unnoticed has to be harmless");
                store.close();
            }
            Err(error @ StoreError::Corrupt { .. }) => {
                assert!(error.to_string().contains("is corrupt"), "{error}");
                assert_eq!(std::fs::read(&path).unwrap(), damaged, "the file was changed");
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused >= 7, "only {refused} damages were noticed");
}

/// Not a test by itself: the process that the next test kills.
#[test]
fn endless_writer() {
    let Some(path) = std::env::var_os("SERIN_TEST_ENDLESS_STORE") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Store::open(path.as_ref(), Arc::new(())).unwrap();
    for i in 0.. {
        assert!(runtime.block_on(change(&store, i, Some(i))));
        println!("\nacknowledged {i}");
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.redb");
    let mut last = None;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "endless_writer", "--nocapture", "--test-threads=1"])
        .env("SERIN_TEST_ENDLESS_STORE", &path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(number) = line.unwrap().strip_prefix("acknowledged ") {
            last = Some(number.parse::<usize>().unwrap());
            if last >= Some(200) {
                // SIGKILL, in the midst of the next write.
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    let store = Store::open(&path, Arc::new(())).unwrap();
    let found = contents(&store);
    store.close();
    let last = last.unwrap();
    assert!(last >= 200);
    for i in 0..=last {
        assert_eq!(found.get(&i), Some(&i));
    }
}

#[test]
fn events_lists_and_their_pasts() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Store::open_backend(redb::backends::InMemoryBackend::new(), Arc::new(())).unwrap();
    for (name, content) in [(1, Some(10)), (2, Some(20)), (1, Some(11)), (2, None)] {
        assert!(runtime.block_on(change(&store, name, content)));
    }
    let (events, revision) = store.events_since("/configmaps", 0).unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Added, EventKind::Added, EventKind::Modified, EventKind::Deleted]);
    assert_eq!(revision, 4);
    let at = |revision| {
        let objects = store.list_at("/configmaps", None, revision).unwrap().objects;
        objects.iter().map(|o| o.value()["data"]["n"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((at(1), at(2), at(3), at(4)), (vec![10], vec![10, 20], vec![11, 20], vec![11]));
    // The window is bounded: the oldest events go, and who asks for them is told.
    for i in 0..3000 {
        assert!(runtime.block_on(change(&store, 3, Some(i))));
    }
    let error = store.events_since("/configmaps", 1).err().unwrap();
    assert!(error.oldest > 1 && error.to_string().starts_with("too old resource version: 1 ("), "{error}");
    store.close();
}
