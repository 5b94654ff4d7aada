//! What a format can say of a request.

/// Something that is known of a request, some of it once it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// A moment, as `strftime` writes it; in ISO 8601 with milliseconds without a format.
    Time {
        /// Which one.
        of: TimeSource,
        /// In the machine's time zone; else in UTC.
        local: bool,
        /// How it is written.
        format: Option<String>,
    },
    /// The version of HTTP that the client speaks.
    Protocol,
    /// The version of HTTP that the endpoint is spoken to in.
    UpstreamProtocol,
    /// The status, 0 when there was none.
    ResponseCode,
    /// Where the status comes from.
    ResponseCodeDetails,
    /// Why the request did not end well, in Envoy's letters.
    ResponseFlags,
    /// The same in words.
    ResponseFlagsLong,
    /// Bytes of the request's body.
    BytesReceived,
    /// Bytes of the response's body.
    BytesSent,
    /// Bytes of the request's headers, their names and values.
    RequestHeadersBytes,
    /// Bytes of the response's headers.
    ResponseHeadersBytes,
    /// Bytes of the response's trailers.
    ResponseTrailersBytes,
    /// From one moment to another, in units of so many nanoseconds.
    Between {
        /// The first.
        from: Moment,
        /// The second.
        to: Moment,
        /// Nanoseconds in the unit.
        nanos: u32,
    },
    /// How often the request was sent to an endpoint.
    Attempts,
    /// What failed below HTTP, between the gateway and the endpoint.
    UpstreamTransportFailure,
    /// What Envoy has a word for, and what there is nothing to say of here: why a connection was ended below HTTP.
    Nothing,
    /// The address and port of the endpoint.
    UpstreamHost,
    /// The endpoint's name, where it has one, else its address; with its port or not.
    UpstreamHostName {
        /// With the port.
        port: bool,
    },
    /// The address and port of the endpoint, once there is a connection to it.
    UpstreamRemote,
    /// The same without the port.
    UpstreamAddress,
    /// The same, the port alone.
    UpstreamPort,
    /// The name of the upstream.
    UpstreamCluster,
    /// The name of the route.
    RouteName,
    /// The client's address and port; `direct`: those of whoever connected.
    ClientHost {
        /// Whoever connected, be it a proxy.
        direct: bool,
    },
    /// The same without the port.
    ClientAddress {
        /// Whoever connected, be it a proxy.
        direct: bool,
    },
    /// The same, the port alone.
    ClientPort {
        /// Whoever connected, be it a proxy.
        direct: bool,
    },
    /// The address and port that the client connected to.
    LocalHost,
    /// The same without the port.
    LocalAddress,
    /// The same, the port alone.
    LocalPort,
    /// The number of the client's connection.
    ConnectionId,
    /// An id that no other line has.
    UniqueId,
    /// The request's id.
    StreamId,
    /// The name of the machine.
    Hostname,
    /// A variable of the gateway's environment.
    Environment(String),
    /// When in a request's life the line is written.
    LogType,
    /// A header of the request.
    RequestHeader(HeaderSource),
    /// The same without what is behind its question mark.
    RequestHeaderWithoutQuery(HeaderSource),
    /// A header of the response.
    ResponseHeader(HeaderSource),
    /// A trailer of the response.
    Trailer(HeaderSource),
    /// The path.
    Path {
        /// With the query.
        query: bool,
        /// Before or after it was rewritten.
        part: PathPart,
    },
    /// A parameter of the query.
    QueryParameter(String),
    /// The status of gRPC.
    GrpcStatus(GrpcStatusStyle),
    /// The name that the client asked for by TLS.
    RequestedServerName,
    /// The version of TLS that is spoken with a side.
    TlsVersion(Peer),
    /// The cipher suite that is used with a side.
    TlsCipher(Peer),
    /// Something of a side's certificate.
    Peer(Peer, Certificate),
    /// An operator of Envoy's that Serin's own data plane has nothing for.
    Unserved(&'static str),
}

/// How a status of gRPC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcStatusStyle {
    /// `NotFound`.
    Camel,
    /// `NOT_FOUND`.
    Snake,
    /// `5`.
    Number,
}

/// A moment that is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    /// When the request began.
    Start,
    /// When the line is written.
    Emit,
}

/// A moment of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The request began.
    Begin,
    /// It was sent to an endpoint.
    Sent,
    /// The endpoint's response began.
    Response,
    /// The response was over.
    End,
}

/// Where a header is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSource {
    /// The header's name, in lower case; `:path`, `:method`, `:authority` and `:scheme` are the request's own parts.
    pub name: String,
    /// The header that is taken where the first is missing.
    pub or: Option<String>,
}

/// Which path is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// As the client asked for it, where it was rewritten.
    Original,
    /// As the upstream got it.
    Current,
    /// As the client asked for it.
    OriginalOrCurrent,
}

/// One side of a TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The client.
    Client,
    /// The endpoint.
    Endpoint,
}

/// What a certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Whose it is.
    Subject,
    /// Who signed it.
    Issuer,
    /// Its number, in hexadecimal.
    Serial,
    /// Its SHA-256 digest, in hexadecimal.
    Fingerprint,
    /// The host names it is for.
    DnsNames,
    /// The URIs it is for.
    Uris,
    /// The addresses it is for.
    Addresses,
    /// The e-mail addresses it is for.
    Emails,
    /// When it begins to hold.
    ValidFrom,
    /// When it ceases to hold.
    ValidUntil,
}

impl Operator {
    /// Whether it can be part of a header's value: what is known while the request is under way.
    #[must_use]
    pub fn is_for_headers(&self) -> bool {
        matches!(
            self,
            Self::RequestHeader(_)
                | Self::ResponseHeader(_)
                | Self::ClientHost { .. }
                | Self::ClientAddress { .. }
                | Self::ClientPort { .. }
                | Self::LocalHost
                | Self::LocalAddress
                | Self::LocalPort
                | Self::ConnectionId
                | Self::UniqueId
                | Self::RequestedServerName
                | Self::TlsVersion(Peer::Client)
                | Self::TlsCipher(Peer::Client)
                | Self::Peer(Peer::Client, _)
                | Self::Protocol
                | Self::Time { .. }
                | Self::ResponseCode
                | Self::UpstreamHost
                | Self::Hostname
        )
    }
}
