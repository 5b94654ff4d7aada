//! Translation, from manifests to answers.

mod access_logs;
mod arbitrary;
mod cycles;
mod delegation;
mod destinations;
mod fixture;
mod gateways;
mod header_changes;
mod health;
mod host_options;
mod http_settings;
mod matchers;
mod model;
mod never_open;
mod options;
mod oracle;
mod outages;
mod serving;
mod shadowing;
mod tls;
mod upstream_http2;
mod upstream_options;
mod upstream_tls;
mod walkthrough;
