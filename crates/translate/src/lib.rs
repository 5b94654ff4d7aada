//! A snapshot in, a Proxy and reports out.
