//! The response flags of a request.

use std::fmt;

use serin_api::ResponseFlag;

/// Flags, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(Vec<ResponseFlag>);

impl Flags {
    pub(crate) fn add(&mut self, flag: ResponseFlag) {
        if !self.0.contains(&flag) {
            self.0.push(flag);
        }
    }

    /// These and another.
    pub(super) fn with(&self, flag: Option<ResponseFlag>) -> Self {
        let mut flags = self.clone();
        flag.into_iter().for_each(|flag| flags.add(flag));
        flags
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, flag: ResponseFlag) -> bool {
        self.0.contains(&flag)
    }

    /// The same in words.
    pub(super) fn long_names(&self) -> String {
        match self.0.as_slice() {
            [] => "-".to_owned(),
            flags => flags.iter().map(|flag| flag.long_name()).collect::<Vec<_>>().join(","),
        }
    }
}

impl fmt::Display for Flags {
    /// The letters of each, or a dash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for flag in &self.0 {
            write!(f, "{separator}{}", flag.letters())?;
            separator = ",";
        }
        f.write_str(if self.0.is_empty() { "-" } else { "" })
    }
}
