//! What can go wrong, with the texts that Go has for it.

use std::error::Error as StdError;
use std::fmt;

use crate::quote::quoted;

/// Why a template could not be parsed or rendered. Displayed, it is Go's text to the letter.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The source is not a template.
    Parse {
        /// The name that the source was parsed under.
        name: String,
        /// The line, from 1, of the token that parsing stopped at.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// Rendering stopped.
    Exec(Box<ExecError>),
    /// There is no template of that name.
    Missing {
        /// The name.
        name: String,
        /// The set's own name.
        set: String,
    },
}

/// Where and why rendering stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecError {
    /// The template that was being executed.
    pub template: String,
    /// The name that its source was parsed under.
    pub name: String,
    /// The line in that source, from 1.
    pub line: usize,
    /// The column in that line, in bytes from 0.
    pub column: usize,
    /// What stands there.
    pub context: String,
    /// What is wrong with it.
    pub message: String,
    /// The error that the called function gave, where it was one of rendering.
    pub cause: Option<Error>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse { name, line, message } => write!(f, "template: {name}:{line}: {message}"),
            Self::Exec(error) => error.fmt(f),
            Self::Missing { name, set } => {
                let (name, set) = (quoted(name.as_bytes()), quoted(set.as_bytes()));
                write!(f, "template: no template {name} associated with template {set}")
            }
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Exec(error) => error.cause.as_ref().map(|cause| cause as _),
            _ => None,
        }
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, name, line, column, context, message, .. } = self;
        let template = quoted(template.as_bytes());
        write!(f, "template: {name}:{line}:{column}: executing {template} at <{context}>: {message}")
    }
}

impl StdError for ExecError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

/// Why a function failed. Rendering stops with `error calling NAME: ` and this text.
#[derive(Clone, Debug, PartialEq)]
pub struct CallError {
    pub(crate) message: String,
    pub(crate) cause: Option<Error>,
}

impl CallError {
    /// With this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self { message: error.to_string(), cause: Some(error) }
    }
}

impl From<String> for CallError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for CallError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for CallError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
