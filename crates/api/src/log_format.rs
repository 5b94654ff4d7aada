//! The format of an access log's line: text with operators between percent signs, in Envoy's language.
//!
//! `%NAME%`, `%NAME(ARGUMENT)%`, `%NAME(ARGUMENT):LENGTH%`; `%%` is a percent sign. `%REQ(A?B)%` is the header A or, where
//! there is none, B.

/// A format, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFormat {
    /// What the line is made of, in order.
    pub pieces: Vec<LogPiece>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPiece {
    /// As it stands.
    Text(String),
    /// What is known of the request, cut to so many bytes.
    Operator(LogOperator, Option<usize>),
}

/// Something that is known of a request once it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOperator {
    /// When it began, as `strftime` writes it; in ISO 8601 with milliseconds without a format.
    StartTime(Option<String>),
    /// The version of HTTP that the client speaks.
    Protocol,
    /// The status, 0 when there was none.
    ResponseCode,
    /// Where the status comes from.
    ResponseCodeDetails,
    /// Why the request did not end well, in Envoy's letters.
    ResponseFlags,
    /// Bytes of the request's body.
    BytesReceived,
    /// Bytes of the response's body.
    BytesSent,
    /// Milliseconds from the request's headers to the end of the response.
    Duration,
    /// Milliseconds from the request's headers to those of the upstream's response.
    ResponseDuration,
    /// What failed below HTTP, between the gateway and the endpoint.
    UpstreamTransportFailure,
    /// The address of the endpoint.
    UpstreamHost,
    /// The name of the upstream.
    UpstreamCluster,
    /// The name of the route.
    RouteName,
    /// The client's address; with its port or not.
    DownstreamRemoteAddress {
        /// With the port.
        port: bool,
    },
    /// A header of the request: the first name, else the second.
    RequestHeader(String, Option<String>),
    /// A header of the response: the first name, else the second.
    ResponseHeader(String, Option<String>),
}

/// Why a format cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogFormatError {
    /// A percent sign without its counterpart.
    #[error("the operator that begins at byte {0} has no end: close it with %, or write %% for a percent sign")]
    Open(usize),
    /// An operator that does not exist, or is not implemented.
    #[error("%{0}% is not an operator that is implemented")]
    Unknown(String),
    /// An operator without the argument it needs, with one it does not take, or with a length that is no number.
    #[error("%{0}%: write it as %NAME%, %NAME(ARGUMENT)% or %NAME(ARGUMENT):LENGTH%")]
    Argument(String),
}

impl LogFormat {
    /// Envoy's default line.
    pub const DEFAULT: &'static str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
        %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
        %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \
        \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

    /// Reads a format.
    ///
    /// # Errors
    /// When it has an operator that is not closed, is unknown, or has a wrong argument.
    pub fn parse(text: &str) -> Result<Self, LogFormatError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(percent) = text[at..].find('%').map(|found| at + found) {
            literal.push_str(&text[at..percent]);
            let inside = &text[percent + 1..];
            if inside.starts_with('%') {
                literal.push('%');
                at = percent + 2;
                continue;
            }
            let length = end(inside).ok_or(LogFormatError::Open(percent))?;
            if !literal.is_empty() {
                pieces.push(LogPiece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(operator(&inside[..length])?);
            at = percent + length + 2;
        }
        literal.push_str(&text[at..]);
        if !literal.is_empty() {
            pieces.push(LogPiece::Text(literal));
        }
        Ok(Self { pieces })
    }
}

/// Where an operator ends: at the next percent sign that is not inside its parentheses.
fn end(inside: &str) -> Option<usize> {
    let percent = inside.find('%')?;
    match inside.find('(') {
        Some(open) if open < percent => {
            let close = open + inside[open..].find(')')?;
            Some(close + inside[close..].find('%')?)
        }
        _ => Some(percent),
    }
}

fn operator(text: &str) -> Result<LogPiece, LogFormatError> {
    let wrong = || LogFormatError::Argument(text.to_owned());
    let (name, argument, rest) = match text.split_once('(') {
        Some((name, rest)) => {
            let (argument, rest) = rest.rsplit_once(')').ok_or_else(wrong)?;
            (name, Some(argument), rest)
        }
        None => text.split_once(':').map_or((text, None, ""), |(name, _)| (name, None, &text[name.len()..])),
    };
    let length = match rest.strip_prefix(':') {
        Some(digits) => Some(digits.parse().map_err(|_| wrong())?),
        None if rest.is_empty() => None,
        None => return Err(wrong()),
    };
    let header = || {
        let (first, second) = argument?.split_once('?').map_or((argument?, None), |(a, b)| (a, Some(b)));
        let lower = |name: &str| (!name.is_empty()).then(|| name.to_ascii_lowercase());
        Some((lower(first)?, second.and_then(lower)))
    };
    let operator = match name {
        "START_TIME" => LogOperator::StartTime(argument.filter(|format| !format.is_empty()).map(str::to_owned)),
        "REQ" => header().map(|(a, b)| LogOperator::RequestHeader(a, b)).ok_or_else(wrong)?,
        "RESP" => header().map(|(a, b)| LogOperator::ResponseHeader(a, b)).ok_or_else(wrong)?,
        _ => {
            let operator = plain(name).ok_or_else(|| LogFormatError::Unknown(name.to_owned()))?;
            if argument.is_some() {
                return Err(wrong());
            }
            operator
        }
    };
    Ok(LogPiece::Operator(operator, length))
}

/// An operator that takes no argument.
fn plain(name: &str) -> Option<LogOperator> {
    Some(match name {
        "PROTOCOL" => LogOperator::Protocol,
        "RESPONSE_CODE" => LogOperator::ResponseCode,
        "RESPONSE_CODE_DETAILS" => LogOperator::ResponseCodeDetails,
        "RESPONSE_FLAGS" => LogOperator::ResponseFlags,
        "BYTES_RECEIVED" => LogOperator::BytesReceived,
        "BYTES_SENT" => LogOperator::BytesSent,
        "DURATION" => LogOperator::Duration,
        "RESPONSE_DURATION" => LogOperator::ResponseDuration,
        "UPSTREAM_TRANSPORT_FAILURE_REASON" => LogOperator::UpstreamTransportFailure,
        "UPSTREAM_HOST" => LogOperator::UpstreamHost,
        "UPSTREAM_CLUSTER" => LogOperator::UpstreamCluster,
        "ROUTE_NAME" => LogOperator::RouteName,
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" | "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT" => {
            LogOperator::DownstreamRemoteAddress { port: false }
        }
        "DOWNSTREAM_REMOTE_ADDRESS" | "DOWNSTREAM_DIRECT_REMOTE_ADDRESS" => {
            LogOperator::DownstreamRemoteAddress { port: true }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_operators_are_told_apart() {
        let format = LogFormat::parse("a %%%RESPONSE_CODE% %REQ(X-A?:Path):5%%START_TIME(%Y %s)%.").unwrap();
        let header = LogOperator::RequestHeader("x-a".to_owned(), Some(":path".to_owned()));
        assert_eq!(
            format.pieces,
            [
                LogPiece::Text("a %".to_owned()),
                LogPiece::Operator(LogOperator::ResponseCode, None),
                LogPiece::Text(" ".to_owned()),
                LogPiece::Operator(header, Some(5)),
                LogPiece::Operator(LogOperator::StartTime(Some("%Y %s".to_owned())), None),
                LogPiece::Text(".".to_owned()),
            ]
        );
        assert!(LogFormat::parse(LogFormat::DEFAULT).is_ok());
    }

    #[test]
    fn a_wrong_operator_is_named() {
        for (format, error) in [
            ("a %b", LogFormatError::Open(2)),
            ("%REQ(a%", LogFormatError::Open(0)),
            ("%FOO%", LogFormatError::Unknown("FOO".to_owned())),
            ("%REQ%", LogFormatError::Argument("REQ".to_owned())),
            ("%REQ()%", LogFormatError::Argument("REQ()".to_owned())),
            ("%REQ(a):x%", LogFormatError::Argument("REQ(a):x".to_owned())),
            ("%PROTOCOL(a)%", LogFormatError::Argument("PROTOCOL(a)".to_owned())),
        ] {
            assert_eq!(LogFormat::parse(format), Err(error), "{format}");
        }
    }
}
