//! `serin status` and `serin kubeconfig`.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::home::{Home, Instance};
use crate::out;

/// Flags of `serin status`.
#[derive(Args, Debug)]
#[command(after_help = "Exits 1 when no gateway is running.")]
pub(crate) struct Options {
    /// How to print it
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON
    Json,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let home = Home::find()?;
    if options.output == Some(Format::Json) {
        let Some(instance) = home.instance() else {
            out::line(json!({ "running": false, "home": home.path() }).to_string());
            return Err(Failure::reported());
        };
        out::line(json!({ "running": true, "home": home.path(), "instance": instance }).to_string());
        return Ok(());
    }
    describe(&home, &home.running()?);
    Ok(())
}

/// Prints where everything is.
pub(crate) fn describe(home: &Home, instance: &Instance) {
    let mut rows = out::Columns::default();
    for (name, address) in &instance.gateway {
        rows.row([format!("  gateway {name}"), crate::proxy::url(*address, instance.tls.contains(name))]);
    }
    if let Some(envoy) = &instance.envoy {
        for (name, address) in &envoy.gateway {
            rows.row([format!("  Envoy {name}"), crate::proxy::url(*address, instance.tls.contains(name))]);
        }
        let state = if envoy.running { String::new() } else { " (not running)".to_owned() };
        let admin = envoy.admin.map_or_else(|| "none yet".to_owned(), |admin| format!("http://{admin}"));
        rows.row([format!("  Envoy {} admin", envoy.version), format!("{admin}{state}")]);
    }
    if let Some(xds) = instance.xds {
        rows.row(["  discovery for Envoys".to_owned(), xds.to_string()]);
    }
    rows.row(["  API".to_owned(), format!("https://{}", instance.api)]);
    rows.row(["  admin".to_owned(), format!("http://{}", instance.admin)]);
    rows.row(["  home".to_owned(), home.path().display().to_string()]);
    out::line(format!("Serin {} is {} (process {})", instance.version, out::good("running"), instance.pid));
    out::raw(&rows.render());
}

/// `serin kubeconfig`: the file's path.
pub(crate) fn kubeconfig() -> Outcome {
    let home = Home::find()?;
    home.running()?;
    out::line(home.kubeconfig().display().to_string());
    Ok(())
}
