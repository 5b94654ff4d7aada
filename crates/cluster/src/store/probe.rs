//! Checks a store's file without changing a byte of it.
//!
//! redb repairs a file while it opens it, so looking at a damaged one would already change it. Here the file is opened
//! under an overlay that keeps redb's writes in memory; only a file that passes is then opened for real.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use parking_lot::Mutex;
use redb::StorageBackend;

use super::disk::{StoreError, builder};

const BLOCK: u64 = 4096;

/// Fails with [`StoreError::Corrupt`] unless the file at `path` is a sound redb database.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    let io = |error| StoreError::Io { what: format!("read {}", path.display()), error };
    let corrupt = |reason: String| StoreError::Corrupt { path: path.into(), reason };
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    if len == 0 {
        return Err(corrupt("it is empty".into()));
    }
    let overlay = Overlay { file, state: Mutex::new(Written { len, blocks: BTreeMap::new() }) };
    // Damage that redb does not expect can make it panic instead of answering.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut database = builder().create_with_backend(overlay)?;
        database.check_integrity()
    }));
    match outcome {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(corrupt("its checksums do not match".into())),
        Ok(Err(error)) => Err(corrupt(error.to_string())),
        Err(_) => Err(corrupt("its structure makes no sense".into())),
    }
}

/// A file that can be read, with writes that stay in memory.
#[derive(Debug)]
struct Overlay {
    file: File,
    state: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    len: u64,
    blocks: BTreeMap<u64, Box<[u8]>>,
}

impl Overlay {
    fn block(&self, index: u64) -> io::Result<Box<[u8]>> {
        let mut block = vec![0; BLOCK as usize];
        let mut filled = 0;
        while filled < block.len() {
            match self.file.read_at(&mut block[filled..], index * BLOCK + filled as u64)? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(block.into())
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.lock();
        if offset.saturating_add(out.len() as u64) > state.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        while done < out.len() {
            let at = offset + done as u64;
            let (index, within) = (at / BLOCK, (at % BLOCK) as usize);
            let count = (BLOCK as usize - within).min(out.len() - done);
            let target = &mut out[done..done + count];
            match state.blocks.get(&index) {
                Some(block) => target.copy_from_slice(&block[within..within + count]),
                None => target.copy_from_slice(&self.block(index)?[within..within + count]),
            }
            done += count;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        state.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let (index, within) = (at / BLOCK, (at % BLOCK) as usize);
            let count = (BLOCK as usize - within).min(data.len() - done);
            let block = match state.blocks.entry(index) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(self.block(index)?),
            };
            block[within..within + count].copy_from_slice(&data[done..done + count]);
            done += count;
        }
        Ok(())
    }
}
