//! The recent past of one resource: the events a watch can still be resumed from.

use std::collections::VecDeque;
use std::sync::Arc;

use super::object::Object;

/// Most events kept per resource.
const MOST_EVENTS: usize = 2048;
/// Most bytes of JSON kept per resource, beyond the [`LEAST_EVENTS`].
const MOST_BYTES: usize = 4 << 20;
/// Kept whatever their size.
const LEAST_EVENTS: usize = 16;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It was created.
    Added,
    /// It was changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change of one object.
#[derive(Debug)]
pub struct Event {
    /// The revision of the change.
    pub revision: u64,
    /// What happened.
    pub kind: EventKind,
    /// The resource, `group/plural`.
    pub resource: Arc<str>,
    /// The object afterwards; for a deletion its last state, with the deletion's revision.
    pub object: Arc<Object>,
    /// The object before, unless it was created.
    pub previous: Option<Arc<Object>>,
}

/// The events since `asked` are not all kept any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct TooOld {
    /// The revision asked for.
    pub asked: u64,
    /// The oldest revision that could have been answered.
    pub oldest: u64,
}

/// A bounded queue of events.
#[derive(Debug)]
pub(super) struct Window {
    /// Events with a revision up to this are no longer (or never were) kept.
    compacted: u64,
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl Window {
    pub(super) fn new(compacted: u64) -> Window {
        Window { compacted, events: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, event: Arc<Event>) {
        self.bytes += event.object.json.len();
        self.events.push_back(event);
        while self.events.len() > MOST_EVENTS || (self.bytes > MOST_BYTES && self.events.len() > LEAST_EVENTS) {
            if let Some(old) = self.events.pop_front() {
                self.bytes -= old.object.json.len();
                self.compacted = old.revision;
            }
        }
    }

    /// The events after `revision`, oldest first.
    pub(super) fn since(&self, revision: u64) -> Result<impl DoubleEndedIterator<Item = &Arc<Event>>, TooOld> {
        if revision < self.compacted {
            return Err(TooOld { asked: revision, oldest: self.compacted });
        }
        let start = self.events.partition_point(|event| event.revision <= revision);
        Ok(self.events.range(start..))
    }
}
