//! The resources of Gloo's routing API: types, schemas, CRDs, and the flattened Proxy.
