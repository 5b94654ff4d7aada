//! `serin completion`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::{Outcome, While};
use crate::out;

/// Flags of `serin completion`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  source <(serin completion bash)\n  serin completion zsh > ~/.zfunc/_serin\n  \
                        serin completion fish > ~/.config/fish/completions/serin.fish")]
pub(crate) struct Options {
    /// The shell to complete in
    shell: Shell,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Arguments::command(), "serin", &mut script);
    out::raw(&String::from_utf8(script).or_fail(|| "the script is not text".to_owned())?);
    Ok(())
}
