//! The embedded Kubernetes-style API server, and the node that runs pods.
