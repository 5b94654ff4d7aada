//! Messages that are in several places of the API and are listed once.

use std::collections::{BTreeMap, BTreeSet};

use serin_api::{KindFields, KnownField};

/// The messages that have a section of their own, by name, with their fields.
///
/// Those are the ones that are partly implemented and come up more than once, alike each time.
pub(crate) fn messages(kinds: &[KindFields]) -> BTreeMap<&'static str, &[KnownField]> {
    let mut seen = Seen::default();
    for kind in kinds {
        seen.look(&kind.fields);
    }
    let Seen { mut places, several, .. } = seen;
    places.retain(|name, _| several.contains(name));
    places
}

#[derive(Default)]
struct Seen<'a> {
    places: BTreeMap<&'static str, &'a [KnownField]>,
    several: BTreeSet<&'static str>,
}

impl<'a> Seen<'a> {
    fn look(&mut self, fields: &'a [KnownField]) {
        for field in fields.iter().filter(|field| field.count_implemented() > 0) {
            if let Some(message) = field.message {
                match self.places.get(message) {
                    Some(before) if *before == field.fields.as_slice() => {
                        self.several.insert(message);
                        // What is in it is in two places because it is.
                        continue;
                    }
                    Some(_) => continue,
                    None => {
                        self.places.insert(message, &field.fields);
                    }
                }
            }
            self.look(&field.fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, message: Option<&'static str>, fields: Vec<KnownField>) -> KnownField {
        KnownField { name: name.to_owned(), message, implemented: true, fields }
    }

    #[test]
    fn what_comes_up_twice_alike_is_shared() {
        let inner = || field("c", Some("Inner"), vec![field("d", None, Vec::new())]);
        let both = || field("a", Some("Both"), vec![inner()]);
        let other = field("b", Some("Inner"), vec![field("other", None, Vec::new())]);
        let kind = |fields| KindFields { group: "g", kind: "K", description: "", fields };
        let kinds = [kind(vec![both()]), kind(vec![both(), other])];
        assert_eq!(messages(&kinds).keys().copied().collect::<Vec<_>>(), ["Both"]);
    }
}
