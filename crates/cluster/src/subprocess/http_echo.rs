//! `__http-echo`: the image `hashicorp/http-echo`, which answers every request with one text.
//!
//! Flags, messages and exit codes are those of [hashicorp/http-echo] 1.0. One thing differs: `-listen=:8080` listens on
//! `$POD_IP` and not on every address, because here all pods share the machine's.
//!
//! [hashicorp/http-echo]: https://github.com/hashicorp/http-echo

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const VERSION: &str = "1.0.0";
const DEFAULT_LISTEN: &str = ":5678";
/// Exit code for flags that cannot be parsed, as Go's `flag` package has it.
const BAD_FLAGS: u8 = 2;
/// Exit code for a missing text and for arguments that are no flags.
const BAD_USE: u8 = 127;
/// How long requests under way may take once the process is asked to end.
const DRAIN: Duration = Duration::from_secs(20);

const USAGE: &str = "Usage of http-echo:
  -listen string
    \taddress and port to listen (default \":5678\")
  -status-code int
    \thttp response code, e.g.: 200 (default 200)
  -text string
    \ttext to put on the webpage
  -version
    \tdisplay version information
";

/// What the flags ask for.
#[derive(Debug, PartialEq)]
struct Options {
    listen: String,
    text: String,
    status: StatusCode,
}

/// Why the program does not start: what it says, and its exit code.
#[derive(Debug, PartialEq)]
struct Refusal {
    message: String,
    code: u8,
}

/// `__http-echo [flags]`: serves until it is asked to end.
pub fn http_echo(args: Vec<OsString>) -> ExitCode {
    let args = args.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let options = match parse(args, std::env::var("ECHO_TEXT").unwrap_or_default()) {
        Ok(options) => options,
        Err(refusal) => {
            let _ = writeln!(std::io::stderr(), "{}", refusal.message.trim_end());
            return ExitCode::from(refusal.code);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(serve(options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&format!("[ERR] server exited with: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether the program takes these arguments.
///
/// # Errors
/// What it says before it exits instead of serving.
pub fn check_http_echo_arguments(args: Vec<String>) -> Result<(), String> {
    parse(args, String::new()).map(drop).map_err(|refusal| refusal.message)
}

fn parse(args: Vec<String>, text_in_environment: String) -> Result<Options, Refusal> {
    let mut options = Options { listen: DEFAULT_LISTEN.to_owned(), text: text_in_environment, status: StatusCode::OK };
    let mut args = args.into_iter().peekable();
    while let Some(arg) = args.peek() {
        if arg == "--" {
            args.next();
            break;
        }
        let Some(flag) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')).filter(|flag| !flag.is_empty())
        else {
            break;
        };
        let (name, mut value) = match flag.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (flag.to_owned(), None),
        };
        args.next();
        if matches!(name.as_str(), "listen" | "text" | "status-code") && value.is_none() {
            value = args.next();
            if value.is_none() {
                return Err(bad_flags(&format!("flag needs an argument: -{name}")));
            }
        }
        let value = value.unwrap_or_default();
        match name.as_str() {
            "listen" => options.listen = value,
            "text" => options.text = value,
            "status-code" => {
                options.status =
                    value.parse::<u16>().ok().and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(|| {
                        bad_flags(&format!("invalid value \"{value}\" for flag -status-code: parse error"))
                    })?;
            }
            "version" => return Err(Refusal { message: format!("http-echo v{VERSION} (serin)"), code: 0 }),
            "h" | "help" => return Err(Refusal { message: USAGE.to_owned(), code: 0 }),
            _ => return Err(bad_flags(&format!("flag provided but not defined: -{name}"))),
        }
    }
    if options.text.is_empty() {
        return Err(Refusal { message: "Missing -text option!".to_owned(), code: BAD_USE });
    }
    if args.next().is_some() {
        return Err(Refusal { message: "Too many arguments!".to_owned(), code: BAD_USE });
    }
    Ok(options)
}

fn bad_flags(message: &str) -> Refusal {
    Refusal { message: format!("{message}\n{USAGE}"), code: BAD_FLAGS }
}

/// The port on which the arguments (those of a shim's program: the subcommand's name comes first) have it listen.
pub(crate) fn port(args: &[OsString]) -> Option<u16> {
    let args = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let options = parse(args, "any".to_owned()).ok()?;
    options.listen.rsplit_once(':')?.1.parse().ok()
}

/// The address to bind: a port alone stands for that port of the pod's own address.
fn address(listen: &str, pod_ip: Option<&str>) -> String {
    match listen.strip_prefix(':') {
        Some(port) => match pod_ip {
            Some(ip) if ip.contains(':') => format!("[{ip}]:{port}"),
            Some(ip) => format!("{ip}:{port}"),
            None => format!("127.0.0.1:{port}"),
        },
        None => listen.to_owned(),
    }
}

async fn serve(options: Options) -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let address = address(&options.listen, std::env::var("POD_IP").ok().as_deref());
    let listener = TcpListener::bind(&address).await.map_err(|error| {
        std::io::Error::new(error.kind(), format!("listen tcp {address}: {error} (flag -listen={})", options.listen))
    })?;
    log(&format!("[INFO] server is listening on {}", options.listen));
    let page = Arc::new(Page { text: Bytes::from(format!("{}\n", options.text)), status: options.status });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    log(&format!("[WARN] accept: {error}"));
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
            _ = terminate.recv() => break,
        };
        let _ = stream.set_nodelay(true);
        let page = page.clone();
        let service = service_fn(move |request| {
            let page = page.clone();
            async move { Ok::<_, Infallible>(page.answer(&request, peer)) }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection");
            }
        });
    }
    log("[INFO] received interrupt, shutting down...");
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    Ok(())
}

struct Page {
    text: Bytes,
    status: StatusCode,
}

impl Page {
    fn answer(&self, request: &Request<Incoming>, peer: SocketAddr) -> Response<Full<Bytes>> {
        let start = Instant::now();
        let health = request.uri().path() == "/health";
        let body = if health { Bytes::from_static(b"{\"status\":\"ok\"}\n") } else { self.text.clone() };
        let length = body.len();
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = if health { StatusCode::OK } else { self.status };
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("x-app-name"), HeaderValue::from_static("http-echo"));
        headers.insert(HeaderName::from_static("x-app-version"), HeaderValue::from_static(VERSION));
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if !health {
            let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            log(&format!(
                "{} {peer} \"{} {} {:?}\" {} {length} \"{}\" {:?}",
                header(http::header::HOST),
                request.method(),
                request.uri(),
                request.version(),
                self.status.as_u16(),
                header(http::header::USER_AGENT),
                start.elapsed(),
            ));
        }
        response
    }
}

/// One line on the standard output, after the time as Go's `log` writes it (but in UTC).
fn log(line: &str) {
    let now = jiff::Timestamp::now().to_string();
    let (date, time) = now.split_once('T').unwrap_or((&now, ""));
    let time = time.get(..8).unwrap_or(time);
    let _ = writeln!(std::io::stdout().lock(), "{} {time} {line}", date.replace('-', "/"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(args: &[&str]) -> Result<Options, Refusal> {
        parse(args.iter().map(|&arg| arg.to_owned()).collect(), String::new())
    }

    #[test]
    fn flags_take_one_dash_or_two_and_a_value_either_way() {
        let wanted = Options { listen: ":8080".into(), text: "version:echo-v1".into(), status: StatusCode::OK };
        assert_eq!(flags(&["-text=version:echo-v1", "-listen=:8080"]), Ok(wanted));
        let wanted = Options { listen: ":1".into(), text: "-a".into(), status: StatusCode::IM_A_TEAPOT };
        assert_eq!(flags(&["--text", "-a", "-status-code", "418", "--listen", ":1"]), Ok(wanted));
    }

    #[test]
    fn the_text_may_come_from_the_environment() {
        assert_eq!(parse(Vec::new(), "hi".to_owned()).unwrap().text, "hi");
        assert_eq!(parse(vec!["-text=ho".to_owned()], "hi".to_owned()).unwrap().text, "ho");
    }

    #[test]
    fn refusals_have_the_codes_of_the_original() {
        assert_eq!(flags(&[]).unwrap_err().code, 127);
        assert_eq!(flags(&["-text=a", "b"]).unwrap_err().message, "Too many arguments!");
        assert_eq!(flags(&["-nope"]).unwrap_err().code, 2);
        assert_eq!(flags(&["-text"]).unwrap_err().code, 2);
        assert_eq!(flags(&["-text=a", "-status-code=abc"]).unwrap_err().code, 2);
        assert_eq!(flags(&["-version"]).unwrap_err().code, 0);
    }

    #[test]
    fn a_port_alone_is_the_pods_own() {
        assert_eq!(address(":8080", Some("127.9.9.2")), "127.9.9.2:8080");
        assert_eq!(address(":8080", None), "127.0.0.1:8080");
        assert_eq!(address("127.0.0.1:80", Some("127.9.9.2")), "127.0.0.1:80");
    }
}
