//! The page as Markdown: a section for each kind, and one for each message that several share.

use std::collections::{BTreeMap, BTreeSet};

use serin_api::{KindFields, KnownField};
use serin_xds::Untranslated;

use super::shared;

const OPENING: &str = "# Every field of the API

Made by `cargo xtask fields` from the code; a test fails when it is out of date. *Serin* is our own data plane, *Envoy* one that Serin
configures. What is not supported is accepted, and reported in the status of the resource by its path; a field that asks for
authentication or authorisation closes its route (403). A branch of which nothing is supported is one line with the number of
fields in it. `[]` stands for each item of a list, `{}` for each value of an object.
";

/// The page.
pub(crate) fn page(kinds: &[KindFields], untranslated: &[Untranslated]) -> String {
    let page = Page { shared: shared::messages(kinds), untranslated };
    let mut out = OPENING.to_owned();
    out.push_str("\n| kind | fields | supported |\n| --- | ---: | ---: |\n");
    for KindFields { kind, fields, .. } in kinds {
        let sum = |count: fn(&KnownField) -> usize| fields.iter().map(count).sum::<usize>();
        let row = format!("| {kind} | {} | {} |\n", sum(KnownField::count), sum(KnownField::count_implemented));
        out.push_str(&row);
    }
    for KindFields { group, kind, description, fields } in kinds {
        out.push_str(&format!("\n## {kind}\n\n`{group}`. {description}\n"));
        if fields.is_empty() {
            out.push_str("\nObjects of this kind may have any field.\n");
            continue;
        }
        out.push_str(&page.table(kind, fields));
    }
    out.push_str("\n# Blocks that several kinds share\n");
    for (message, fields) in &page.shared {
        out.push_str(&format!("\n## {message}\n{}", page.table(message, fields)));
    }
    out
}

struct Page<'a> {
    shared: BTreeMap<&'static str, &'a [KnownField]>,
    untranslated: &'a [Untranslated],
}

impl Page<'_> {
    fn table(&self, message: &str, fields: &[KnownField]) -> String {
        let mut out = "\n| field | Serin | Envoy |\n| --- | --- | --- |\n".to_owned();
        let mut remarks = BTreeSet::new();
        self.rows(&mut out, &mut remarks, "", message, fields, None);
        for remark in remarks {
            out.push_str(&format!("\n{remark}\n"));
        }
        out
    }

    fn rows(
        &self,
        out: &mut String,
        remarks: &mut BTreeSet<String>,
        before: &str,
        message: &str,
        fields: &[KnownField],
        outer: Option<&Untranslated>,
    ) {
        for field in fields {
            let path = format!("{before}{}", field.name);
            if field.count_implemented() == 0 {
                let count = match (field.fields.len(), field.count()) {
                    (0, _) => String::new(),
                    (_, count) => format!(", {}", plural(count)),
                };
                out.push_str(&format!("| `{path}`{count} | not supported | not supported |\n"));
                continue;
            }
            let bare = field.name.trim_end_matches(['[', ']', '{', '}']);
            let not =
                outer.or_else(|| self.untranslated.iter().find(|not| not.message == message && not.field == bare));
            let envoy = if not.is_some() { "not supported" } else { "yes" };
            match field.message {
                Some(name) if self.is_shared(name, &field.fields) => {
                    let anchor = name.to_lowercase();
                    out.push_str(&format!(
                        "| `{path}` | [{name}](#{anchor}) | {} |\n",
                        if not.is_some() { envoy } else { "likewise" }
                    ));
                }
                _ if field.fields.is_empty() => out.push_str(&format!("| `{path}` | yes | {envoy} |\n")),
                name => self.rows(out, remarks, &format!("{path}."), name.unwrap_or_default(), &field.fields, not),
            }
            if let (Some(not), None) = (not, outer) {
                remarks.insert(format!("Envoys are not told of `{path}`: {}.", not.instead));
            }
        }
    }

    fn is_shared(&self, message: &str, fields: &[KnownField]) -> bool {
        self.shared.get(message).is_some_and(|shared| *shared == fields)
    }
}

fn plural(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, implemented: bool, fields: Vec<KnownField>) -> KnownField {
        let message = (!fields.is_empty()).then_some("M");
        KnownField { name: name.to_owned(), message, implemented, fields }
    }

    #[test]
    fn a_branch_without_support_is_one_line_with_its_count() {
        let block = |implemented| vec![field("x", implemented, Vec::new()), field("y[]", false, Vec::new())];
        let fields = vec![field("none", false, block(false)), field("some", true, block(true))];
        let kinds = [KindFields { group: "g", kind: "K", description: "D.", fields }];
        let not = Untranslated { message: "M", field: "x", instead: "they do nothing" };
        let page = page(&kinds, &[not]);
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(
            rows,
            [
                "| `none`, 2 fields | not supported | not supported |",
                "| `some.x` | yes | not supported |",
                "| `some.y[]` | not supported | not supported |",
            ]
        );
        assert!(page.contains("| K | 4 | 1 |"));
        assert!(page.contains("Envoys are not told of `some.x`: they do nothing."));
    }

    #[test]
    fn what_envoys_are_not_told_of_is_something_that_serin_does() {
        fn names(message: &str, fields: &[KnownField], not: &Untranslated) -> bool {
            fields.iter().any(|field| {
                let here = message == not.message && field.name.trim_end_matches(['[', ']', '{', '}']) == not.field;
                here && field.count_implemented() > 0 || names(field.message.unwrap_or_default(), &field.fields, not)
            })
        }
        for not in serin_xds::UNTRANSLATED {
            let known = serin_api::known_fields().iter().any(|kind| names(kind.kind, &kind.fields, not));
            assert!(known, "{}.{} is not a field that Serin implements", not.message, not.field);
        }
    }
}
