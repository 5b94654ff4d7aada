//! Containers' logs: one file for each run, in the format of Kubernetes' container runtimes, limited in size.
//!
//! A line in a file is `<time> <stdout|stderr> <F|P> <text>`; `P` marks a piece of a longer line that goes on in the next.
//! Files lie under `logs/pods/<namespace>_<pod>_<uid>/<container>/<restart>.log`; older pieces of the same run have `.1` and
//! `.2` after the name.

mod reader;
mod writer;

pub(crate) use reader::{Selection, last_bytes, read};
pub(crate) use writer::RunLog;

use std::path::{Path, PathBuf};

/// Largest size of one file; the run's log goes on in a new one.
const MAX_FILE_BYTES: u64 = 10 << 20;
/// How many full files of a run are kept beside the one that is written.
const KEPT_FILES: usize = 2;

/// The file that holds a run's newest lines.
pub(crate) fn run_file(container_directory: &Path, restart: i32) -> PathBuf {
    container_directory.join(format!("{restart}.log"))
}

/// A run's `index`th older file.
fn older_file(file: &Path, index: usize) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{index}"));
    name.into()
}
