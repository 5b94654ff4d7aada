//! The data plane: serves traffic from a compiled Proxy.
