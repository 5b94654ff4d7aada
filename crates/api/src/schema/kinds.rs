//! The kinds that are served: their names, and what a list of them shows.

/// One kind that is served.
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    pub(super) short_names: &'static [&'static str],
    pub(super) description: &'static str,
    pub(super) columns: &'static [Column],
}

/// A column of `kubectl get`: its name, its type, and where its value is.
pub(super) type Column = (&'static str, &'static str, &'static str);

const STATE: Column = ("State", "string", ".status.statuses.gloo-system.state");
const REASON: Column = ("Reason", "string", ".status.statuses.gloo-system.reason");
const AGE: Column = ("Age", "date", ".metadata.creationTimestamp");

const GATEWAY: &str = "gateway.solo.io";
const GLOO: &str = "gloo.solo.io";
const STORED: &str = "Stored, but nothing reads it yet.";

/// The kinds, with the names and the short names that Gloo gives them.
pub(super) const KINDS: [Kind; 15] = [
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "Gateway",
        plural: "gateways",
        short_names: &["gw", "ggw"],
        description: "A listener: an address and a port, and which VirtualServices are served there.",
        columns: &[("Port", "integer", ".spec.bindPort"), ("SSL", "boolean", ".spec.ssl"), STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "VirtualService",
        plural: "virtualservices",
        short_names: &["vs", "gvs"],
        description: "A set of domains and the routes at their root.",
        columns: &[("Domains", "string", ".spec.virtualHost.domains"), STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "RouteTable",
        plural: "routetables",
        short_names: &["rt", "grt"],
        description: "Routes of one team, which a VirtualService or another RouteTable delegates to.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "RouteOption",
        plural: "routeoptions",
        short_names: &["rto", "rtopts", "grto"],
        description: "Options that many routes share.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "VirtualHostOption",
        plural: "virtualhostoptions",
        short_names: &["vho", "vhopts", "gvho"],
        description: "Options that many virtual hosts share.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "ListenerOption",
        plural: "listeneroptions",
        short_names: &["lisopts", "glisopts"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "HttpListenerOption",
        plural: "httplisteneroptions",
        short_names: &["hlisopts", "ghlisopts"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "MatchableHttpGateway",
        plural: "httpgateways",
        short_names: &["hgw", "ghgw"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GATEWAY,
        version: "v1",
        kind: "MatchableTcpGateway",
        plural: "tcpgateways",
        short_names: &["tgw", "gtgw"],
        description: STORED,
        columns: &[AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "Upstream",
        plural: "upstreams",
        short_names: &["us", "gus"],
        description: "A destination: its endpoints, their subsets, and how requests are spread over them.",
        columns: &[("Service", "string", ".spec.kube.serviceName"), STATE, REASON, AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "UpstreamGroup",
        plural: "upstreamgroups",
        short_names: &["ug", "gug"],
        description: "Weighted destinations that many routes can refer to.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "Settings",
        plural: "settings",
        short_names: &["st", "gst"],
        description: "How the control plane behaves. The one called `default` in `gloo-system` counts.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: GLOO,
        version: "v1",
        kind: "Proxy",
        plural: "proxies",
        short_names: &["px", "gpx"],
        description: "What one data plane serves: every reference resolved, every route in its place. For reading.",
        columns: &[STATE, REASON, AGE],
    },
    Kind {
        group: "enterprise.gloo.solo.io",
        version: "v1",
        kind: "AuthConfig",
        plural: "authconfigs",
        short_names: &["ac", "gac"],
        description: "Stored, but nothing reads it yet: a route that asks for authentication answers 403.",
        columns: &[AGE],
    },
    Kind {
        group: "ratelimit.solo.io",
        version: "v1alpha1",
        kind: "RateLimitConfig",
        plural: "ratelimitconfigs",
        short_names: &["rlc", "grlc"],
        description: STORED,
        columns: &[AGE],
    },
];
