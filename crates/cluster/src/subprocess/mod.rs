//! The parts of the `serin` binary that run as child processes of it.
//!
//! A pod's container is three of them, one after another:
//!
//! 1. `__pod-shim` stays for as long as the container does. It is the subreaper of everything that the program starts, so it
//!    can end all of it, whatever way the program forked; and it does so when the program ends, when it is told to, and when
//!    `serin` is gone.
//! 2. `__pod-exec` asks the kernel to be killed with the shim, and then becomes the program.
//! 3. The program: one that the image is mapped to, or `__http-echo`, which is built in.
//!
//! The command line routes these names here before it parses anything: see [`dispatch`].

mod exec;
mod http_echo;
mod kinship;
mod shim;

use std::ffi::OsString;
use std::process::ExitCode;

pub use exec::pod_exec;
pub use http_echo::{check_http_echo_arguments, http_echo};
pub use shim::pod_shim;

pub(crate) use http_echo::port as http_echo_port;
pub(crate) use kinship::descendants;
pub(crate) use shim::{KILL, TERMINATE};

/// Name of the hidden subcommand that supervises one container.
pub const POD_SHIM: &str = "__pod-shim";
/// Name of the hidden subcommand that becomes a container's program.
pub const POD_EXEC: &str = "__pod-exec";
/// Name of the hidden subcommand that is the image `hashicorp/http-echo`.
pub const HTTP_ECHO: &str = "__http-echo";

/// Runs the hidden subcommand that `args` (without the program's own name) begin with; `None` when it is not one of them.
pub fn dispatch(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let name = args.next()?;
    let run: fn(Vec<OsString>) -> ExitCode = match name.to_str()? {
        POD_SHIM => pod_shim,
        POD_EXEC => pod_exec,
        HTTP_ECHO => http_echo,
        _ => return None,
    };
    Some(run(args.collect()))
}
