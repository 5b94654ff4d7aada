//! What an image is on this machine: the built-in one, or a program that somebody mapped to its name.

use crate::subprocess::HTTP_ECHO;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The image that `serin` itself is.
const BUILT_IN: &str = "hashicorp/http-echo";

/// Programs by the name of the image.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    /// By normalised name, with a tag or without.
    programs: BTreeMap<String, PathBuf>,
    self_exe: PathBuf,
}

/// What a container of an image runs, before `command` and `args` have their say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// What comes before the container's own arguments.
    pub(crate) first_args: Vec<String>,
}

/// Why an image cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImageError {
    #[error(
        "no program on this machine is mapped to the image \"{image}\": start serin with `serin up --image {name}=PATH`, \
         PATH being the program to run"
    )]
    NotMapped { image: String, name: String },
    #[error("the container names no image; set its field \"image\"")]
    NoImage,
    #[error(
        "{path}, which the image \"{image}\" is mapped to, {problem}: build it, or map another path with `--image`"
    )]
    Unusable { image: String, path: String, problem: String },
}

impl Images {
    pub(crate) fn new(programs: BTreeMap<String, PathBuf>, self_exe: PathBuf) -> Images {
        let programs = programs.into_iter().map(|(image, path)| (normalise(&image).to_owned(), path)).collect();
        Images { programs, self_exe }
    }

    /// Whether the image is the built-in one.
    pub(crate) fn is_built_in(&self, image: &str) -> bool {
        self.mapped(image).is_none() && without_tag(normalise(image)) == BUILT_IN
    }

    /// The program of an image, which exists and can be run.
    pub(crate) fn resolve(&self, image: &str) -> Result<Program, ImageError> {
        if image.is_empty() {
            return Err(ImageError::NoImage);
        }
        if let Some(path) = self.mapped(image) {
            check_program(path).map_err(|problem| ImageError::Unusable {
                image: image.to_owned(),
                path: path.display().to_string(),
                problem,
            })?;
            return Ok(Program { path: path.to_owned(), first_args: Vec::new() });
        }
        if self.is_built_in(image) {
            return Ok(Program { path: self.self_exe.clone(), first_args: vec![HTTP_ECHO.to_owned()] });
        }
        Err(ImageError::NotMapped { image: image.to_owned(), name: without_tag(normalise(image)).to_owned() })
    }

    fn mapped(&self, image: &str) -> Option<&Path> {
        let name = normalise(image);
        let program = self.programs.get(name).or_else(|| self.programs.get(without_tag(name)));
        program.map(PathBuf::as_path)
    }
}

/// What keeps `path` from being run, if anything does.
pub(crate) fn check_program(path: &Path) -> Result<(), String> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err("is a directory".to_owned()),
        Ok(_) if rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_err() => Err("is not executable".to_owned()),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("does not exist".to_owned()),
        Err(error) => Err(format!("cannot be read ({error})")),
    }
}

/// The name without what stands for Docker's own registry.
fn normalise(image: &str) -> &str {
    let image = image.strip_prefix("docker.io/").or_else(|| image.strip_prefix("index.docker.io/")).unwrap_or(image);
    image.strip_prefix("library/").unwrap_or(image)
}

/// The name without tag and digest.
fn without_tag(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        // A colon before the last slash belongs to a registry's port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(mapped: &[(&str, &str)]) -> Images {
        let programs = mapped.iter().map(|&(image, path)| (image.to_owned(), PathBuf::from(path))).collect();
        Images::new(programs, "/serin".into())
    }

    #[test]
    fn http_echo_is_built_in_under_any_tag() {
        for image in ["hashicorp/http-echo", "hashicorp/http-echo:1.0", "docker.io/hashicorp/http-echo@sha256:ab"] {
            assert_eq!(images(&[]).resolve(image).unwrap().first_args, [HTTP_ECHO], "{image}");
        }
        assert!(images(&[]).resolve("hashicorp/http-echo-2").is_err());
        let own = images(&[("hashicorp/http-echo", "/bin/sh")]);
        assert_eq!(own.resolve("hashicorp/http-echo:1").unwrap().path, Path::new("/bin/sh"));
    }

    #[test]
    fn a_mapping_with_a_tag_is_for_that_tag() {
        let images = images(&[("my/app", "/bin/sh"), ("my/app:2", "/bin/cat"), ("reg:5000/x", "/bin/ls")]);
        let path = |image| images.resolve(image).unwrap().path;
        assert_eq!(path("my/app"), Path::new("/bin/sh"));
        assert_eq!(path("my/app:1"), Path::new("/bin/sh"));
        assert_eq!(path("my/app:2"), Path::new("/bin/cat"));
        assert_eq!(path("reg:5000/x:v1"), Path::new("/bin/ls"));
    }

    #[test]
    fn what_cannot_be_run_says_how_to_mend_it() {
        let images = images(&[("gone", "/no/such/program"), ("dir", "/tmp")]);
        let message = |image| images.resolve(image).unwrap_err().to_string();
        assert!(message("my/app:1").contains("serin up --image my/app=PATH"), "{}", message("my/app:1"));
        assert!(message("gone").contains("/no/such/program") && message("gone").contains("does not exist"));
        assert!(message("dir").contains("is a directory"));
    }
}
