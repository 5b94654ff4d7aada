//! Paths with slashes.

use super::{STR, function, text};
use crate::{Function, Type};

pub(super) fn functions() -> Vec<Function> {
    let mut all = Vec::new();
    for (plain, system) in
        [("base", "osBase"), ("dir", "osDir"), ("clean", "osClean"), ("ext", "osExt"), ("isAbs", "osIsAbs")]
    {
        for name in [plain, system] {
            all.push(match plain {
                "base" => function(name, &[STR], STR, |args| Ok(base(text(args, 0)).to_vec().into())),
                "dir" => function(name, &[STR], STR, |args| Ok(dir(text(args, 0)).into())),
                "clean" => function(name, &[STR], STR, |args| Ok(clean(text(args, 0)).into())),
                "ext" => function(name, &[STR], STR, |args| Ok(ext(text(args, 0)).to_vec().into())),
                _ => function(name, &[STR], Type::Bool, |args| Ok(text(args, 0).starts_with(b"/").into())),
            });
        }
    }
    all
}

/// The last part of a path.
fn base(path: &[u8]) -> &[u8] {
    let Some(end) = path.iter().rposition(|byte| *byte != b'/') else {
        return if path.is_empty() { b"." } else { b"/" };
    };
    let path = &path[..=end];
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// All but the last part.
fn dir(path: &[u8]) -> Vec<u8> {
    let end = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

/// What follows the last dot of the last part, with the dot.
fn ext(path: &[u8]) -> &[u8] {
    let last = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    last.iter().rposition(|byte| *byte == b'.').map_or(b"", |dot| &last[dot..])
}

/// The shortest path that says the same.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &*joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
