//! What the detached process tells the one that started it: one line of JSON on standard output.

use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Message {
    /// Everything is up.
    Ready,
    /// It did not start; why.
    Failed(String),
}

/// The way to tell it, where somebody listens.
pub(super) struct Announcement {
    wanted: bool,
}

impl Announcement {
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted }
    }

    /// Whether nobody listens, so that the terminal is told instead.
    pub(super) fn is_terminal(&self) -> bool {
        !self.wanted
    }

    pub(super) fn ready(&self) {
        self.tell(&Message::Ready);
    }

    pub(super) fn failed(&self, failure: &Failure) {
        self.tell(&Message::Failed(failure.to_string()));
    }

    fn tell(&self, message: &Message) {
        if !self.wanted {
            return;
        }
        if let Ok(text) = serde_json::to_string(message) {
            // The process that listened may be gone; that is no reason to stop.
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        }
    }
}

/// Becomes the leader of a session of its own, so that closing the terminal does not reach this process.
pub(super) fn leave_terminal() {
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!("no session of its own: {error}");
    }
}
