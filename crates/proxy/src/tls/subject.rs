//! A certificate's subject in one line (RFC 2253), letter for letter as OpenSSL and Envoy write it.

use std::fmt::Write;

use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// The attributes that have a name, by their identifiers.
const NAMES: [(&str, &str); 60] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.14", "searchGuide"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.16", "postalAddress"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.18", "postOfficeBox"),
    ("2.5.4.19", "physicalDeliveryOfficeName"),
    ("2.5.4.20", "telephoneNumber"),
    ("2.5.4.21", "telexNumber"),
    ("2.5.4.22", "teletexTerminalIdentifier"),
    ("2.5.4.23", "facsimileTelephoneNumber"),
    ("2.5.4.24", "x121Address"),
    ("2.5.4.25", "internationaliSDNNumber"),
    ("2.5.4.26", "registeredAddress"),
    ("2.5.4.27", "destinationIndicator"),
    ("2.5.4.28", "preferredDeliveryMethod"),
    ("2.5.4.29", "presentationAddress"),
    ("2.5.4.30", "supportedApplicationContext"),
    ("2.5.4.31", "member"),
    ("2.5.4.32", "owner"),
    ("2.5.4.33", "roleOccupant"),
    ("2.5.4.34", "seeAlso"),
    ("2.5.4.35", "userPassword"),
    ("2.5.4.36", "userCertificate"),
    ("2.5.4.37", "cACertificate"),
    ("2.5.4.38", "authorityRevocationList"),
    ("2.5.4.39", "certificateRevocationList"),
    ("2.5.4.40", "crossCertificatePair"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.44", "generationQualifier"),
    ("2.5.4.45", "x500UniqueIdentifier"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.47", "enhancedSearchGuide"),
    ("2.5.4.48", "protocolInformation"),
    ("2.5.4.49", "distinguishedName"),
    ("2.5.4.50", "uniqueMember"),
    ("2.5.4.51", "houseIdentifier"),
    ("2.5.4.52", "supportedAlgorithms"),
    ("2.5.4.53", "deltaRevocationList"),
    ("2.5.4.54", "dmdName"),
    ("2.5.4.65", "pseudonym"),
    ("2.5.4.72", "role"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.3", "mail"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.2.840.113549.1.9.2", "unstructuredName"),
    ("1.2.840.113549.1.9.8", "unstructuredAddress"),
];

/// The subject, last attribute first.
pub(super) fn in_one_line(name: &X509Name<'_>) -> String {
    let mut line = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for (at, part) in parts.iter().rev().enumerate() {
        let attributes: Vec<_> = part.iter().collect();
        for (within, attribute) in attributes.iter().rev().enumerate() {
            line.push_str(match (at, within) {
                (0, 0) => "",
                (_, 0) => ",",
                _ => "+",
            });
            write_attribute(&mut line, attribute);
        }
    }
    line
}

fn write_attribute(line: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    let identifier = attribute.attr_type().to_id_string();
    let known = NAMES.iter().find(|(known, _)| *known == identifier).map(|(_, name)| *name);
    line.push_str(known.unwrap_or(&identifier));
    line.push('=');
    match known.and_then(|_| text(attribute.attr_value())) {
        Some(text) => write_escaped(line, &text),
        None => write_encoding(line, attribute.attr_value()),
    }
}

/// A string of any of ASN.1's kinds; `None` for what is none.
fn text(value: &Any<'_>) -> Option<String> {
    let data = value.data;
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            std::str::from_utf8(data).ok().map(str::to_owned)
        }
        Tag::T61String => Some(data.iter().map(|byte| char::from(*byte)).collect()),
        Tag::BmpString => {
            let units: Vec<u16> = data
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
                .collect();
            String::from_utf16(&units).ok().filter(|_| data.len().is_multiple_of(2))
        }
        _ => None,
    }
}

/// Letters as they are, the rest behind a backslash: by itself, or byte by byte as digits.
fn write_escaped(line: &mut String, text: &str) {
    let last = text.len().saturating_sub(1);
    for (at, byte) in text.bytes().enumerate() {
        let shown = char::from(byte);
        let at_the_edge = (at == 0 && matches!(byte, b' ' | b'#')) || (at == last && byte == b' ');
        if !(b' '..=b'~').contains(&byte) {
            let _ = write!(line, "\\{byte:02X}");
        } else if at_the_edge || matches!(byte, b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';') {
            line.extend(['\\', shown]);
        } else {
            line.push(shown);
        }
    }
}

fn write_encoding(line: &mut String, value: &Any<'_>) {
    line.push('#');
    for byte in value.to_der_vec().unwrap_or_default() {
        let _ = write!(line, "{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use super::write_escaped;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a, \"b\" <c>; d+e\\", "a\\, \\\"b\\\" \\<c\\>\\; d\\+e\\\\"),
            (" a b ", "\\ a b\\ "),
            (" ", "\\ "),
            ("#a#", "\\#a#"),
            ("\u{e9}\n\u{7f}", "\\C3\\A9\\0A\\7F"),
            ("", ""),
        ] {
            let mut line = String::new();
            write_escaped(&mut line, text);
            assert_eq!(line, expected);
        }
    }
}
