//! What a verb ends with when it fails, and the one place that turns it into words.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Why a verb failed: what and where, why, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
    silent: bool,
    code: u8,
}

/// What every verb returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure that says `message`.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, hint: None, silent: false, code: 1 }
    }

    /// A failure whose reasons were printed already; only the exit status is left.
    pub(crate) fn reported() -> Self {
        Self { silent: true, ..Self::new("") }
    }

    /// Adds the error behind it.
    pub(crate) fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it, and gives the process's exit status.
    pub(crate) fn render(&self) -> ExitCode {
        if !self.silent {
            crate::out::failure(&self.to_string());
        }
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause: Option<&(dyn Error + 'static)> = self.cause.as_deref().map(|cause| cause as _);
        let mut said = self.message.clone();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many errors repeat what is below them.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said.push_str(&text);
            }
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

/// Says what was being done when an error came up.
pub(crate) trait While<T> {
    /// Turns the error into a failure that opens with `what`.
    fn or_fail(self, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> While<T> for Result<T, E> {
    fn or_fail(self, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure::new(what()).because(error))
    }
}
