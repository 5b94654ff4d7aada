//! Paths as listeners make them: never one that climbs out, or that a second look would change.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serin_api::proxy::{EscapedSlashes, PathSettings};
use serin_proxy::{ResolvedPath, resolve_path};

fuzz_target!(|input: (&str, u8, bool, bool)| {
    let (path, escaped, normalize, merge_slashes) = input;
    let escaped_slashes = match escaped % 4 {
        0 => EscapedSlashes::Keep,
        1 => EscapedSlashes::Reject,
        2 => EscapedSlashes::Redirect,
        _ => EscapedSlashes::Undo,
    };
    let settings = PathSettings { escaped_slashes, normalize, merge_slashes };
    let made = match resolve_path(settings, path) {
        ResolvedPath::Same => path.to_owned(),
        ResolvedPath::Refused => return,
        ResolvedPath::Redirect(made) => {
            assert_eq!(escaped_slashes, EscapedSlashes::Redirect);
            made
        }
        ResolvedPath::Other(made) => made,
    };
    assert_eq!(path.starts_with('/'), made.starts_with('/'), "{path:?} {made:?}");
    if path.starts_with('/') && normalize {
        assert!(!made.split('/').any(|segment| matches!(segment, "." | "..")), "{path:?} {made:?}");
    }
    if path.starts_with('/') && merge_slashes {
        // As in Envoy, a path that is nothing but slashes keeps two.
        assert!(made == "//" || !made.contains("//"), "{path:?} {made:?}");
    }
});
