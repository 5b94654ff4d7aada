//! Reads a run's log as somebody asked for it: from a time on, the last lines only, following.

use super::writer::Progress;
use super::{KEPT_FILES, older_file};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tokio::sync::{mpsc, watch};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 32 << 10;

/// Which part of a log is wanted, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Go on with what is still to be written, until the run ends.
    pub(crate) follow: bool,
    /// Each line begins with its time.
    pub(crate) timestamps: bool,
    /// Only lines from this time on.
    pub(crate) since: Option<Timestamp>,
    /// Only the last so many lines.
    pub(crate) tail: Option<usize>,
    /// At most so many bytes.
    pub(crate) limit: Option<usize>,
}

/// The text of a log, in pieces.
pub(crate) type LogStream = BoxStream<'static, io::Result<Bytes>>;

/// Opens the log in `path`; `progress` is there when its run is under way.
pub(crate) fn read(path: PathBuf, selection: &Selection, progress: Option<watch::Receiver<Progress>>) -> LogStream {
    let output = Output {
        since: selection.since,
        timestamps: selection.timestamps,
        left: selection.limit,
        within_line: false,
        text: Vec::new(),
    };
    let tail = selection.tail;
    let progress = progress.filter(|_| selection.follow);
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        if let Err(error) = send(&path, output, tail, progress, &sender).await {
            let _ = sender.send(Err(error)).await;
        }
    });
    futures::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|piece| (piece, receiver)) })
        .boxed()
}

type Sender = mpsc::Sender<io::Result<Bytes>>;

async fn send(
    path: &Path,
    mut output: Output,
    tail: Option<usize>,
    mut progress: Option<watch::Receiver<Progress>>,
    sender: &Sender,
) -> io::Result<()> {
    // What was written before this moment is in the files; whatever comes later wakes us up.
    let mut known = progress.as_mut().map(|progress| *progress.borrow_and_update());
    let mut last: VecDeque<Vec<u8>> = VecDeque::new();
    let older = (1..=KEPT_FILES).rev().map(|index| older_file(path, index));
    let mut lines = Lines::default();
    for file in older.chain([path.to_owned()]) {
        match File::open(&file) {
            Ok(file) => lines = Lines { file: Some(BufReader::new(file)), partial: Vec::new() },
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        }
        while let Some(line) = lines.next()? {
            match tail {
                Some(limit) => {
                    last.push_back(line);
                    if last.len() > limit {
                        last.pop_front();
                    }
                }
                None if output.add(&line, sender).await.is_break() => return Ok(()),
                None => {}
            }
        }
    }
    for line in last {
        if output.add(&line, sender).await.is_break() {
            return Ok(());
        }
    }
    if output.flush(sender).await.is_break() {
        return Ok(());
    }
    while let (Some(progress), Some(before)) = (&mut progress, known) {
        if before.ended {
            return Ok(());
        }
        let changed = tokio::select! {
            changed = progress.wait_for(|now| *now != before) => changed.map(|now| *now),
            () = sender.closed() => return Ok(()),
        };
        let now = changed.unwrap_or(Progress { ended: true, ..before });
        if output.add_all(&mut lines, sender).await?.is_break() {
            return Ok(());
        }
        if now.rotations != before.rotations {
            lines = Lines { file: Some(BufReader::new(File::open(path)?)), partial: Vec::new() };
            if output.add_all(&mut lines, sender).await?.is_break() {
                return Ok(());
            }
        }
        if output.flush(sender).await.is_break() {
            return Ok(());
        }
        known = Some(now);
    }
    Ok(())
}

/// The end of a file.
pub(crate) fn last_bytes(path: &Path, count: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(count)))?;
    let mut bytes = Vec::new();
    file.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whole lines of a file that may still grow.
#[derive(Default)]
struct Lines {
    file: Option<BufReader<File>>,
    partial: Vec<u8>,
}

impl Lines {
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        file.read_until(b'\n', &mut self.partial)?;
        if self.partial.pop_if(|byte| *byte == b'\n').is_none() {
            return Ok(None);
        }
        Ok(Some(std::mem::take(&mut self.partial)))
    }
}

/// What is asked of each line, and the text that is ready to go.
struct Output {
    since: Option<Timestamp>,
    timestamps: bool,
    /// How many bytes may still be sent.
    left: Option<usize>,
    /// The last piece was not the end of its line.
    within_line: bool,
    text: Vec<u8>,
}

type Flow = std::ops::ControlFlow<()>;

impl Output {
    async fn add(&mut self, line: &[u8], sender: &Sender) -> Flow {
        self.render(line);
        if self.text.len() >= PIECE { self.flush(sender).await } else { Flow::Continue(()) }
    }

    async fn add_all(&mut self, lines: &mut Lines, sender: &Sender) -> io::Result<Flow> {
        while let Some(line) = lines.next()? {
            if self.add(&line, sender).await.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }

    fn render(&mut self, line: &[u8]) {
        let Some(parsed) = parse(line) else { return };
        if self.since.is_some_and(|since| parsed.time.parse::<Timestamp>().is_ok_and(|time| time < since)) {
            return;
        }
        if self.timestamps && !self.within_line {
            self.text.extend_from_slice(parsed.time.as_bytes());
            self.text.push(b' ');
        }
        self.text.extend_from_slice(parsed.text);
        if parsed.complete {
            self.text.push(b'\n');
        }
        self.within_line = !parsed.complete;
    }

    async fn flush(&mut self, sender: &Sender) -> Flow {
        if let Some(left) = &mut self.left {
            self.text.truncate(*left);
            *left -= self.text.len();
        }
        if !self.text.is_empty() && sender.send(Ok(Bytes::from(std::mem::take(&mut self.text)))).await.is_err() {
            return Flow::Break(());
        }
        if self.left == Some(0) { Flow::Break(()) } else { Flow::Continue(()) }
    }
}

struct Line<'a> {
    time: &'a str,
    complete: bool,
    text: &'a [u8],
}

fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut fields = line.splitn(4, |&byte| byte == b' ');
    let time = std::str::from_utf8(fields.next()?).ok()?;
    let _stream = fields.next()?;
    let complete = fields.next()? == b"F";
    Some(Line { time, complete, text: fields.next()? })
}

#[cfg(test)]
mod tests {
    use super::super::writer::RunLog;
    use super::*;

    async fn text(stream: LogStream) -> String {
        let pieces: Vec<_> = stream.map(|piece| piece.unwrap()).collect().await;
        String::from_utf8(pieces.concat()).unwrap()
    }

    fn log(directory: &Path, lines: usize) -> RunLog {
        let log = RunLog::create(directory, 0).unwrap();
        for n in 0..lines {
            log.write("stdout", format!("line {n}").as_bytes(), true);
        }
        log
    }

    #[tokio::test]
    async fn tail_limit_and_timestamps() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 5);
        let read = |request: Selection| text(read(log.path().to_owned(), &request, None));
        assert_eq!(read(Selection { tail: Some(2), ..Default::default() }).await, "line 3\nline 4\n");
        assert_eq!(read(Selection { tail: Some(0), ..Default::default() }).await, "");
        assert_eq!(read(Selection { limit: Some(9), ..Default::default() }).await, "line 0\nli");
        let stamped = read(Selection { timestamps: true, tail: Some(1), ..Default::default() }).await;
        let (time, rest) = stamped.split_once(' ').unwrap();
        assert!(time.parse::<Timestamp>().is_ok(), "{stamped}");
        assert_eq!(rest, "line 4\n");
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(60);
        assert_eq!(read(Selection { since: Some(later), ..Default::default() }).await, "");
    }

    #[tokio::test]
    async fn following_goes_on_over_a_new_file_and_ends_with_the_run() {
        let directory = tempfile::tempdir().unwrap();
        let log = log(directory.path(), 2);
        log.set_limit(90);
        let request = Selection { follow: true, ..Default::default() };
        let mut stream = read(log.path().to_owned(), &request, Some(log.follow()));
        assert_eq!(stream.next().await.unwrap().unwrap(), "line 0\nline 1\n");
        log.write("stderr", b"line 2", true);
        assert_eq!(stream.next().await.unwrap().unwrap(), "line 2\n");
        assert!(older_file(log.path(), 1).exists());
        log.write("stdout", b"no ", false);
        log.write("stdout", b"end", true);
        log.end();
        assert_eq!(text(stream).await, "no end\n");
        assert_eq!(text(read(log.path().to_owned(), &request, Some(log.follow()))).await.lines().count(), 4);
    }

    #[tokio::test]
    async fn long_lines_are_kept_in_pieces() {
        let directory = tempfile::tempdir().unwrap();
        let log = RunLog::create(directory.path(), 0).unwrap();
        let long = "x".repeat(100_000);
        log.take("stdout", format!("{long}\nshort").as_bytes()).await;
        assert_eq!(text(read(log.path().to_owned(), &Selection::default(), None)).await, format!("{long}\nshort"));
    }
}
