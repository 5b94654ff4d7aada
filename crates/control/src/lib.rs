//! Watches the API, calls translate, applies the policy for bad configuration, writes status.
