//! Enums as protobuf's JSON has them: written by name, read by name or by number.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// Reads one of `values`, each with its name, in the order of their numbers from 0. `aliases` are further names.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Copy>(
    deserializer: D,
    values: &[(&str, T)],
    aliases: &[(&str, T)],
) -> Result<T, D::Error> {
    deserializer.deserialize_any(EnumVisitor { values, aliases })
}

struct EnumVisitor<'a, T> {
    values: &'a [(&'a str, T)],
    aliases: &'a [(&'a str, T)],
}

impl<T: Copy> EnumVisitor<'_, T> {
    fn names(&self) -> String {
        self.values.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    fn unknown<E: Error>(&self, written: &dyn fmt::Display) -> E {
        E::custom(format_args!("unknown value {written}: expected one of {}", self.names()))
    }
}

impl<T: Copy> Visitor<'_> for EnumVisitor<'_, T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "one of {}", self.names())
    }

    fn visit_str<E: Error>(self, written: &str) -> Result<T, E> {
        let all = self.values.iter().chain(self.aliases);
        let found = all.into_iter().find(|(name, _)| *name == written).map(|(_, value)| *value);
        found.ok_or_else(|| self.unknown(&format_args!("{written:?}")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        let found = usize::try_from(number).ok().and_then(|number| self.values.get(number));
        found.map(|(_, value)| *value).ok_or_else(|| self.unknown(&number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(self.unknown(&number)),
        }
    }
}
