//! Formats: text with operators between percent signs, in Envoy's language. Lines of access logs and values of headers
//! are written in it.
//!
//! `%NAME%`, `%NAME(ARGUMENT)%`, `%NAME(ARGUMENT):LENGTH%`; `%%` is a percent sign. `%REQ(A?B)%` is the header A or, where
//! there is none, B.

mod nearest;
mod operator;
mod table;

pub use table::operators;

pub use operator::{Certificate, GrpcStatusStyle, HeaderSource, Moment, Operator, PathPart, Peer, TimeSource};

/// A format, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// What it is made of, in order.
    pub pieces: Vec<FormatPiece>,
}

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatPiece {
    /// As it stands.
    Text(String),
    /// What is known of the request, cut to so many bytes.
    Operator(Operator, Option<usize>),
}

/// Why a format cannot be read. Places are bytes from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A percent sign without its counterpart.
    #[error("the operator that begins at byte {0} has no end: close it with %, or write %% for a percent sign")]
    Open(usize),
    /// An operator that nobody knows.
    #[error("%{name}% at byte {at} is not an operator; the nearest one is %{nearest}%")]
    Unknown {
        /// Where it is.
        at: usize,
        /// What is written.
        name: String,
        /// An operator that there is.
        nearest: &'static str,
    },
    /// An operator that a header's value cannot have.
    #[error(
        "%{name}% at byte {at} is not supported in a header's value; it is for access logs. There are REQ(name), RESP(name), \
         DOWNSTREAM_REMOTE_ADDRESS, PROTOCOL, START_TIME, RESPONSE_CODE, UPSTREAM_HOST, HOSTNAME and some more"
    )]
    Misplaced {
        /// Where it is.
        at: usize,
        /// What is written.
        name: String,
    },
    /// An operator without the argument it needs, with one it does not take, or with a length where none may be.
    #[error("%{text}% at byte {at} is not understood; write {usage}")]
    Argument {
        /// Where it is.
        at: usize,
        /// What is written.
        text: String,
        /// How it is written.
        usage: String,
    },
}

impl Format {
    /// Envoy's default line of an access log.
    pub const DEFAULT_LINE: &'static str = "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
        %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
        %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \
        \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"\n";

    /// Reads a header's value.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); and when it has an operator that is known only once the request is over.
    pub fn parse_header(text: &str) -> Result<Self, FormatError> {
        Self::read(text, Operator::is_for_headers)
    }

    /// Reads a format.
    ///
    /// # Errors
    /// When it has an operator that is not closed, that nobody knows, or with a wrong argument.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        Self::read(text, |_| true)
    }

    fn read(text: &str, allowed: impl Fn(&Operator) -> bool) -> Result<Self, FormatError> {
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
            let length = end(inside).ok_or(FormatError::Open(percent))?;
            if !literal.is_empty() {
                pieces.push(FormatPiece::Text(std::mem::take(&mut literal)));
            }
            let (operator, cut) = table::operator(&inside[..length], percent)?;
            if !allowed(&operator) {
                return Err(FormatError::Misplaced { at: percent, name: inside[..length].to_owned() });
            }
            pieces.push(FormatPiece::Operator(operator, cut));
            at = percent + length + 2;
        }
        literal.push_str(&text[at..]);
        if !literal.is_empty() {
            pieces.push(FormatPiece::Text(literal));
        }
        Ok(Self { pieces })
    }

    /// Its operators.
    pub fn operators(&self) -> impl Iterator<Item = &Operator> {
        self.pieces.iter().filter_map(|piece| match piece {
            FormatPiece::Operator(operator, _) => Some(operator),
            FormatPiece::Text(_) => None,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, or: Option<&str>) -> HeaderSource {
        HeaderSource { name: name.to_owned(), or: or.map(str::to_owned) }
    }

    #[test]
    fn text_and_operators_are_told_apart() {
        let format = Format::parse("a %%%RESPONSE_CODE% %REQ(X-A?:Path):5%%START_TIME(%Y %s)%.").unwrap();
        let header = Operator::RequestHeader(source("x-a", Some(":path")));
        let year = Operator::Time { of: TimeSource::Start, local: false, format: Some("%Y %s".to_owned()) };
        assert_eq!(
            format.pieces,
            [
                FormatPiece::Text("a %".to_owned()),
                FormatPiece::Operator(Operator::ResponseCode, None),
                FormatPiece::Text(" ".to_owned()),
                FormatPiece::Operator(header, Some(5)),
                FormatPiece::Operator(year, None),
                FormatPiece::Text(".".to_owned()),
            ]
        );
        assert!(Format::parse(Format::DEFAULT_LINE).is_ok());
        assert_eq!(Format::parse("").unwrap().pieces, []);
    }

    #[test]
    fn operators_with_arguments_are_read() {
        let common = Operator::Between { from: Moment::Begin, to: Moment::Response, nanos: 1_000 };
        for (text, operator) in [
            ("%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:us)%", common),
            ("%PATH(NQ:ORIG)%", Operator::Path { query: false, part: PathPart::Original }),
            ("%PATH%", Operator::Path { query: true, part: PathPart::OriginalOrCurrent }),
            ("%QUERY_PARAM(a b)%", Operator::QueryParameter("a b".to_owned())),
            ("%DOWNSTREAM_PEER_DNS_SAN%", Operator::Peer(Peer::Client, Certificate::DnsNames)),
            ("%REQ(Set-Cookie?:AUTHORITY)%", Operator::RequestHeader(source("set-cookie", Some(":authority")))),
            ("%METADATA(a:b):3%", Operator::Unserved("METADATA")),
        ] {
            let format = Format::parse(text).unwrap();
            assert_eq!(format.operators().collect::<Vec<_>>(), [&operator], "{text}");
        }
    }

    #[test]
    fn a_wrong_operator_is_told_with_its_place_and_the_way_out() {
        for (format, error) in [
            ("a %b", "the operator that begins at byte 2 has no end"),
            ("50%", "write %% for a percent sign"),
            ("%REQ(a%", "the operator that begins at byte 0 has no end"),
            ("x%RESPONSE_CODES%", "%RESPONSE_CODES% at byte 1 is not an operator; the nearest one is %RESPONSE_CODE%"),
            ("%req(a)%", "%req% at byte 0 is not an operator; the nearest one is %REQ%"),
            ("%REQ%", "%REQ% at byte 0 is not understood; write %REQ(name)%, %REQ(name?other)% or %REQ(name):10%"),
            ("%REQ()%", "%REQ()% at byte 0 is not understood"),
            ("%REQ(a b)%", "%REQ(a b)% at byte 0 is not understood"),
            ("%REQ(a?)%", "is not understood"),
            ("%REQ(a):x%", "%REQ(a):x% at byte 0 is not understood"),
            ("%PROTOCOL(a)%", "%PROTOCOL(a)% at byte 0 is not understood; write %PROTOCOL%"),
            ("%PROTOCOL:3%", "write %PROTOCOL%"),
            ("%COMMON_DURATION(a:b:ms)%", "write %COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)%"),
            ("%PATH(a)%", "write %PATH(NQ:ORIG)%"),
            ("%GRPC_STATUS(a)%", "write %GRPC_STATUS(SNAKE_STRING)%"),
            ("%", "byte 0 has no end"),
            ("%%%", "byte 2 has no end"),
        ] {
            let said = Format::parse(format).unwrap_err().to_string();
            assert!(said.contains(error), "{format}: {said}");
        }
    }
}
