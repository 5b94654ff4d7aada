//! Header values with `%…%` in them, which stand for something of the request, the response or the connection. The
//! names are Envoy's.

/// A piece of a header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatPiece {
    /// Itself.
    Text(String),
    /// A header of the request, `%REQ(name?other):length%`.
    Request(HeaderSource),
    /// A header of the response, `%RESP(name?other):length%`.
    Response(HeaderSource),
    /// The client's address and port.
    RemoteAddress,
    /// The client's address.
    RemoteAddressWithoutPort,
    /// The protocol of the request, such as `HTTP/1.1`.
    Protocol,
    /// When the request came, in UTC with milliseconds.
    StartTime,
    /// The status of the response; 0 before there is one.
    ResponseCode,
    /// The endpoint's address and port.
    UpstreamHost,
    /// The name of the machine.
    Hostname,
}

/// Where a piece takes a header from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderSource {
    /// The header's name, in lower case; `:path`, `:method`, `:authority` and `:scheme` are the request's own parts.
    pub name: String,
    /// The header that is taken where the first is missing.
    pub or: Option<String>,
    /// How many bytes are taken at most.
    pub limit: Option<usize>,
}

/// What can be written between two `%`, for messages.
const KNOWN: &str = "REQ(name), RESP(name), DOWNSTREAM_REMOTE_ADDRESS, DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT, \
                     PROTOCOL, START_TIME, RESPONSE_CODE, UPSTREAM_HOST and HOSTNAME";

/// Takes a header's value apart.
///
/// # Errors
/// When something between two `%` is not known, or there is no second one.
pub fn parse_format(text: &str) -> Result<Vec<FormatPiece>, String> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            plain.push('%');
            rest = after;
            continue;
        }
        let Some((command, after)) = after.split_once('%') else {
            return Err(format!("a % in {text:?} has no second one; write %% for a percent sign"));
        };
        if !plain.is_empty() {
            pieces.push(FormatPiece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(piece(command)?);
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(FormatPiece::Text(plain));
    }
    Ok(pieces)
}

fn piece(command: &str) -> Result<FormatPiece, String> {
    if let Some(source) = command.strip_prefix("REQ(") {
        return header(command, source).map(FormatPiece::Request);
    }
    if let Some(source) = command.strip_prefix("RESP(") {
        return header(command, source).map(FormatPiece::Response);
    }
    Ok(match command {
        "DOWNSTREAM_REMOTE_ADDRESS" => FormatPiece::RemoteAddress,
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => FormatPiece::RemoteAddressWithoutPort,
        "PROTOCOL" => FormatPiece::Protocol,
        "START_TIME" => FormatPiece::StartTime,
        "RESPONSE_CODE" => FormatPiece::ResponseCode,
        "UPSTREAM_HOST" => FormatPiece::UpstreamHost,
        "HOSTNAME" => FormatPiece::Hostname,
        _ => return Err(format!("%{command}% is not supported; there are {KNOWN}, and %% for a percent sign")),
    })
}

/// Reads `name?other):length`.
fn header(command: &str, source: &str) -> Result<HeaderSource, String> {
    let wrong = || format!("%{command}% is not understood; write %REQ(name)%, %REQ(name?other)% or %REQ(name):10%");
    let (names, end) = source.split_once(')').ok_or_else(wrong)?;
    let limit = match end.strip_prefix(':') {
        Some(digits) => Some(digits.parse().map_err(|_| wrong())?),
        None if end.is_empty() => None,
        None => return Err(wrong()),
    };
    let (name, or) = match names.split_once('?') {
        Some((name, or)) => (name, Some(or)),
        None => (names, None),
    };
    let is_name = |name: &str| {
        let name = name.strip_prefix(':').unwrap_or(name);
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte))
    };
    if !is_name(name) || or.is_some_and(|or| !is_name(or)) {
        return Err(wrong());
    }
    Ok(HeaderSource { name: name.to_ascii_lowercase(), or: or.map(str::to_ascii_lowercase), limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_apart() {
        let source = |name: &str, or: Option<&str>, limit| HeaderSource {
            name: name.to_owned(),
            or: or.map(str::to_owned),
            limit,
        };
        assert_eq!(
            parse_format("100%% %REQ(X-A?:PATH):3%%RESP(b)%-%PROTOCOL%").unwrap(),
            [
                FormatPiece::Text("100% ".to_owned()),
                FormatPiece::Request(source("x-a", Some(":path"), Some(3))),
                FormatPiece::Response(source("b", None, None)),
                FormatPiece::Text("-".to_owned()),
                FormatPiece::Protocol,
            ]
        );
        assert_eq!(parse_format("").unwrap(), []);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in ["50%", "%", "%NOPE%", "%REQ%", "%REQ()%", "%REQ(a b)%", "%REQ(a):x%", "%REQ(a?)%", "%req(a)%"] {
            assert!(parse_format(text).is_err(), "{text}");
        }
        assert!(parse_format("50%").unwrap_err().ends_with("write %% for a percent sign"));
    }
}
