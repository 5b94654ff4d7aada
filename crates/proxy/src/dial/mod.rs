//! How connections to an endpoint are made where that is more than plain HTTP/1.1: the cluster's transport, ready to use.

mod builder;
mod socket;

use std::net::SocketAddr;
use std::time::Duration;
use std::{fmt, io};

use rustls::CertificateError;
use rustls::pki_types::ServerName;
use serin_api::proxy::{Connections, Keepalive};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::forward::Http2Settings;
pub(crate) use builder::DialBuilder;
pub(crate) use socket::Socket;

/// How connections to some endpoints of a cluster are made. Two that are equal are one, so that their connections are
/// shared.
pub(crate) struct Dial {
    tls: Option<Tls>,
    http2: Option<Http2Settings>,
    connections: Connections,
}

impl Dial {
    /// How connections are made and kept, beyond defaults.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// How HTTP/2 is spoken, if it is.
    pub(crate) fn http2(&self) -> Option<Http2Settings> {
        self.http2
    }
}

/// TLS with an endpoint.
enum Tls {
    /// What to speak it with, and the name to ask for.
    Ready { connector: TlsConnector, name: ServerName<'static> },
    /// There is no credential. Nothing is spoken in plain text in its place.
    Missing,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum DialError {
    /// Nobody listens at the endpoint.
    Refused,
    /// The endpoint cannot be reached, for another reason.
    Unreachable,
    /// There is no credential to speak TLS with.
    NoCredential,
    /// The endpoint's certificate is not one to trust.
    Untrusted,
    /// TLS was not agreed on, for another reason.
    Handshake,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

/// A connection to `address`, made as `dial` says; `None`: in plain text.
pub(crate) async fn connect(address: SocketAddr, dial: Option<&Dial>) -> Result<Socket, DialError> {
    let tls = dial.and_then(|dial| dial.tls.as_ref());
    if matches!(tls, Some(Tls::Missing)) {
        return Err(DialError::NoCredential);
    }
    let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => DialError::Refused,
        _ => DialError::Unreachable,
    })?;
    stream.set_nodelay(true).map_err(|_| DialError::Unreachable)?;
    if let Some(keepalive) = dial.and_then(|dial| dial.connections.keepalive) {
        // Without it the connection is no worse than others.
        let _ = SockRef::from(&stream).set_tcp_keepalive(&system(keepalive));
    }
    let Some(Tls::Ready { connector, name }) = tls else { return Ok(Socket::Plain(stream)) };
    match connector.connect(name.clone(), stream).await {
        Ok(stream) => Ok(Socket::Tls(Box::new(stream))),
        Err(error) => {
            tracing::debug!(%address, %error, "TLS was not agreed on with an endpoint");
            Err(refusal(&error))
        }
    }
}

fn system(keepalive: Keepalive) -> TcpKeepalive {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let mut system = TcpKeepalive::new();
    if let Some(time) = keepalive.time {
        system = system.with_time(seconds(time));
    }
    if let Some(interval) = keepalive.interval {
        system = system.with_interval(seconds(interval));
    }
    if let Some(probes) = keepalive.probes {
        system = system.with_retries(probes);
    }
    system
}

fn refusal(error: &io::Error) -> DialError {
    match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(CertificateError::BadEncoding)) => DialError::Handshake,
        Some(rustls::Error::InvalidCertificate(_)) => DialError::Untrusted,
        _ => DialError::Handshake,
    }
}
