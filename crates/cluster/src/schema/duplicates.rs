//! Keys that a JSON text gives twice in one object.

use std::collections::BTreeSet;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// The keys given more than once, as kube-apiserver's strict decoding words it: `duplicate field "spec.replicas"`, each
/// once and in the order met. Text that is not JSON has none: whoever parses it will say so.
pub fn duplicate_fields(json_text: &str) -> Vec<String> {
    let mut found = Found::default();
    let mut decoder = serde_json::Deserializer::from_str(json_text);
    let walked = Walk { found: &mut found, path: String::new() }.deserialize(&mut decoder);
    if walked.is_err() && found.paths.len() < MAX_FOUND {
        return Vec::new();
    }
    found.paths.into_iter().map(|path| format!("duplicate field {}", super::quote(&path))).collect()
}

/// Counting stops after this many, so that a hostile body cannot make a huge answer.
const MAX_FOUND: usize = 100;

#[derive(Default)]
struct Found {
    paths: Vec<String>,
    known: BTreeSet<String>,
}

struct Walk<'a> {
    found: &'a mut Found,
    path: String,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut i = 0_usize;
        loop {
            let walk = Walk { found: self.found, path: format!("{}[{i}]", self.path) };
            if items.next_element_seed(walk)?.is_none() {
                return Ok(());
            }
            i += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            if !seen.insert(key) && self.found.known.insert(path.clone()) {
                if self.found.paths.len() >= MAX_FOUND {
                    return Err(A::Error::custom("too many duplicate fields"));
                }
                self.found.paths.push(path.clone());
            }
            map.next_value_seed(Walk { found: self.found, path })?;
        }
        Ok(())
    }
}
