//! `--image NAME=PATH`: which program of this machine stands for an image.

use std::path::PathBuf;

/// Reads one mapping.
pub(super) fn parse(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("expected NAME=PATH, such as my/app=./target/debug/app")?;
    if name.is_empty() || path.is_empty() {
        return Err("expected NAME=PATH, such as my/app=./target/debug/app".to_owned());
    }
    let path = std::path::absolute(path).map_err(|error| format!("{path}: {error}"))?;
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => Err(format!("{} is a directory, not a program", path.display())),
        Ok(_) => Ok((name.to_owned(), path)),
        Err(error) => Err(format!("{}: {error}; build the program first, or correct the path", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_names_a_program_that_exists() {
        assert_eq!(parse("my/app:1=/bin/sh"), Ok(("my/app:1".to_owned(), PathBuf::from("/bin/sh"))));
        for wrong in ["", "my/app", "=/bin/sh", "my/app=", "my/app=/no/such/program", "my/app=/bin"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
