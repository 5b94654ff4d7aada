//! How the binary was called: by its own name, through a link named after another tool, or by itself.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::out;

/// Runs the parts that the binary starts of itself: the processes of pods. They come before everything else, so that
/// a pod costs no more than it must.
pub(crate) fn hidden(words: &[OsString]) -> Option<ExitCode> {
    serin_cluster::subprocess::dispatch(words.iter().skip(1).cloned())
}

/// Puts the verb in that a link's name stands for: `kubectl get` is `serin kubectl get`, `glooctl check` is
/// `serin check`.
pub(crate) fn translate(words: Vec<OsString>) -> Vec<OsString> {
    let name = words.first().map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str);
    let verb = match name {
        Some("kubectl") => "kubectl",
        Some("helm") => "helm",
        Some("glooctl") => return words,
        _ => return words,
    };
    let mut translated = vec![OsString::from("serin"), OsString::from(verb)];
    translated.extend(words.into_iter().skip(1));
    translated
}

/// Prints what the parser has to say: help and versions to standard output, the rest to standard error.
pub(crate) fn explain(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out::raw(&error.render().ansi().to_string());
            ExitCode::SUCCESS
        }
        _ => {
            out::note(error.render().ansi().to_string().trim_end());
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
        }
    }
}
