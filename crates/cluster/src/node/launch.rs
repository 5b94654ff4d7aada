//! From a container's spec to a program with arguments, an environment and a directory.

use super::container::NotStarted;
use super::environment::{PodFacts, Sources, environment};
use super::expansion::expand;
use super::images::{ImageError, Program, check_program};
use super::process::Launch;
use super::worker::PodContext;
use crate::subprocess::HTTP_ECHO;
use k8s_openapi::api::core::v1::{Container, Pod};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Variables of serin's own environment that pods get too.
const INHERITED: [&str; 2] = ["PATH", "HOME"];

pub(super) async fn launch(context: &PodContext, pod: &Pod, container: &Container) -> Result<Launch, NotStarted> {
    let image = container.image.as_deref().unwrap_or_default();
    let program = context.node.images.resolve(image).map_err(|error| NotStarted {
        reason: match error {
            ImageError::NotMapped { .. } => "ErrImagePull",
            ImageError::NoImage => "InvalidImageName",
            ImageError::Unusable { .. } => "CreateContainerError",
        },
        message: error.to_string(),
    })?;
    let config = |message: String| NotStarted { reason: "CreateContainerConfigError", message };
    let sources =
        Sources::fetch(&context.node.client, pod, container).await.map_err(|error| config(error.to_string()))?;
    let facts = PodFacts { pod, ip: context.ip.to_string(), node: super::NODE_NAME };
    let inherited = INHERITED.map(|name| (name, std::env::var(name).ok()));
    let environment =
        environment(&facts, container, &sources, &inherited).map_err(|error| config(error.to_string()))?;

    let create = |message: String| NotStarted { reason: "CreateContainerError", message };
    let directory = match container.working_dir.as_deref().filter(|directory| !directory.is_empty()) {
        Some(directory) => {
            if !Path::new(directory).is_dir() {
                return Err(create(format!(
                    "workingDir: there is no directory {directory} on this machine; make it, or leave the field out"
                )));
            }
            PathBuf::from(directory)
        }
        None => {
            let directory = context.directory();
            std::fs::create_dir_all(&directory)
                .map_err(|error| create(format!("cannot make {}: {error}", directory.display())))?;
            directory
        }
    };
    let built_in = context.node.images.is_built_in(image);
    let (program, args) = command_line(container, &environment, program, built_in);
    let program = find(&program, &directory, environment.get("PATH").map_or("", String::as_str))
        .map_err(|problem| create(format!("command: {} {problem}", program.display())))?;
    Ok(Launch { program, args, environment: environment.into_iter().collect(), directory })
}

/// The image's program and the container's arguments; or the container's own command.
fn command_line(
    container: &Container,
    environment: &BTreeMap<String, String>,
    image: Program,
    built_in: bool,
) -> (PathBuf, Vec<OsString>) {
    let expand = |text: &String| expand(text, |name| environment.get(name).map(String::as_str));
    let command: Vec<String> = container.command.iter().flatten().map(expand).collect();
    let args = container.args.iter().flatten().map(expand);
    let (program, first) = match command.split_first() {
        // The built-in image holds one program, `/http-echo`.
        Some((program, rest)) if built_in && Path::new(program).file_name() == Some("http-echo".as_ref()) => {
            (image.path, [vec![HTTP_ECHO.to_owned()], rest.to_vec()].concat())
        }
        Some((program, rest)) => (PathBuf::from(program), rest.to_vec()),
        None => (image.path, image.first_args),
    };
    (program, first.into_iter().chain(args).map(OsString::from).collect())
}

/// Where a program is: as it stands when it has a slash, else in one of the directories of `PATH`.
fn find(program: &Path, directory: &Path, path: &str) -> Result<PathBuf, String> {
    if program.is_absolute() {
        return check_program(program).map(|()| program.to_owned());
    }
    if program.components().count() > 1 {
        let program = directory.join(program);
        return check_program(&program).map(|()| program);
    }
    std::env::split_paths(path)
        .map(|directory| directory.join(program))
        .find(|candidate| check_program(candidate).is_ok())
        .ok_or_else(|| "is not in any directory of PATH".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(container: serde_json::Value, built_in: bool) -> String {
        let container: Container = serde_json::from_value(container).unwrap();
        let environment = BTreeMap::from([("WHO".to_owned(), "you".to_owned())]);
        let first_args = if built_in { vec![HTTP_ECHO.to_owned()] } else { Vec::new() };
        let image = Program { path: "/image".into(), first_args };
        let (program, args) = command_line(&container, &environment, image, built_in);
        let words: Vec<_> = std::iter::once(program.into_os_string()).chain(args).collect();
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn command_and_args_as_kubernetes_has_them() {
        assert_eq!(line(json!({"name": "c", "args": ["-a", "$(WHO)"]}), false), "/image -a you");
        assert_eq!(
            line(json!({"name": "c", "command": ["sh", "-c"], "args": ["echo $$(WHO)"]}), false),
            "sh -c echo $(WHO)"
        );
        assert_eq!(line(json!({"name": "c", "args": ["-text=x"]}), true), "/image __http-echo -text=x");
        let command = json!({"name": "c", "command": ["/http-echo", "-text=x"], "args": ["-listen=:1"]});
        assert_eq!(line(command, true), "/image __http-echo -text=x -listen=:1");
    }

    #[test]
    fn programs_are_looked_up() {
        assert!(find(Path::new("sh"), Path::new("/"), "/nowhere:/bin:/usr/bin").is_ok());
        assert_eq!(find(Path::new("bin/sh"), Path::new("/"), ""), Ok("/bin/sh".into()));
        assert!(find(Path::new("no-such-program"), Path::new("/"), "/bin").unwrap_err().contains("PATH"));
        assert_eq!(find(Path::new("/no/such"), Path::new("/"), ""), Err("does not exist".to_owned()));
    }
}
