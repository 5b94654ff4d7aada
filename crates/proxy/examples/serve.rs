//! Serves a configuration from files: `serve SPEC.json ENDPOINTS.json [WORKERS]`, the first a `ProxySpec` and the second
//! an `EndpointMap`. Prints where it listens, and its metrics for each line on standard input.
#![allow(clippy::print_stdout)]

use std::sync::Arc;

use serin_proxy::{DataPlane, DataPlaneOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [spec, endpoints, rest @ ..] = arguments.as_slice() else {
        return Err("usage: serve SPEC.json ENDPOINTS.json [WORKERS]".into());
    };
    let workers = rest.first().map_or(Ok(0), |count| count.parse())?;
    let data_plane = DataPlane::start(DataPlaneOptions { workers, ..DataPlaneOptions::default() })?;
    data_plane.set_endpoints(serde_json::from_str(&std::fs::read_to_string(endpoints)?)?);
    data_plane.apply(Arc::new(serde_json::from_str(&std::fs::read_to_string(spec)?)?))?;
    for listener in data_plane.listeners() {
        println!("{} {}", listener.name, listener.address);
    }
    for line in std::io::stdin().lines() {
        line?;
        let mut metrics = String::new();
        data_plane.render_metrics(&mut metrics);
        println!("{metrics}");
    }
    Ok(())
}
