//! A composed document as JSON: scalars get their meaning, keys become strings, aliases and merge keys are resolved.

use std::collections::BTreeSet;

use saphyr_parser::Tag;
use serde_json::{Map, Value};

use crate::compose::{Kind, Node, NodeId, Tree};
use crate::scalar::{self, Scalar};
use crate::{Error, MAX_ALIASED, MAX_DEPTH, number};

/// The document as JSON.
pub(crate) fn to_value(tree: &Tree<'_>) -> Result<Value, Error> {
    let mut conversion = Conversion { tree, inside: BTreeSet::new(), alias_depth: 0, aliased: 0, depth: 0 };
    conversion.value(tree.root_id())
}

struct Conversion<'t, 'a> {
    tree: &'t Tree<'a>,
    /// The anchored nodes that are being expanded just now.
    inside: BTreeSet<NodeId>,
    alias_depth: usize,
    aliased: usize,
    depth: usize,
}

fn error(node: &Node<'_>, message: impl Into<String>) -> Error {
    Error { line: node.line, column: node.column, message: message.into() }
}

impl<'t> Conversion<'t, '_> {
    fn value(&mut self, id: NodeId) -> Result<Value, Error> {
        let node = self.tree.node(id);
        if self.alias_depth > 0 {
            self.aliased += 1;
            if self.aliased > MAX_ALIASED {
                return Err(error(node, "aliases expand to too much"));
            }
        }
        match &node.kind {
            Kind::Scalar { .. } => plain_value(node),
            Kind::Alias(_) => self.aliased(id, |conversion, target| conversion.value(target)),
            Kind::Sequence(items) => {
                self.enter(node)?;
                let values = items.iter().map(|item| self.value(*item)).collect::<Result<_, _>>()?;
                self.depth -= 1;
                Ok(Value::Array(values))
            }
            Kind::Mapping(entries) => {
                self.enter(node)?;
                let object = self.object(entries)?;
                self.depth -= 1;
                Ok(Value::Object(object))
            }
        }
    }

    /// Aliases can nest what the text does not.
    fn enter(&mut self, node: &Node<'_>) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(node, format!("collections nest deeper than {MAX_DEPTH}")));
        }
        Ok(())
    }

    /// Does something with what an alias stands for.
    fn aliased<T>(&mut self, id: NodeId, then: impl FnOnce(&mut Self, NodeId) -> Result<T, Error>) -> Result<T, Error> {
        let target = self.tree.target(id);
        if !self.inside.insert(id) {
            return Err(error(self.tree.node(id), "the anchor's value contains itself"));
        }
        self.alias_depth += 1;
        let result = then(self, target);
        self.alias_depth -= 1;
        self.inside.remove(&id);
        result
    }

    fn object(&mut self, entries: &'t [(NodeId, NodeId)]) -> Result<Map<String, Value>, Error> {
        let mut object = Map::new();
        let mut merged = Vec::new();
        for &(key_id, value_id) in entries {
            let key_node = self.tree.node(self.tree.target(key_id));
            if is_merge(key_node) {
                merged.push(value_id);
                continue;
            }
            let key = key(key_node).map_err(|message| error(self.tree.node(key_id), message))?;
            if object.contains_key(&key) {
                return Err(error(self.tree.node(key_id), format!("key {key:?} is already set in this mapping")));
            }
            let value = self.value(value_id)?;
            object.insert(key, value);
        }
        for id in merged {
            self.merge(id, &mut object)?;
        }
        Ok(object)
    }

    /// Adds what `<<` names, where nothing stands yet; of several mappings the first wins.
    fn merge(&mut self, id: NodeId, object: &mut Map<String, Value>) -> Result<(), Error> {
        let node = self.tree.node(id);
        match &node.kind {
            Kind::Alias(target) => match &self.tree.node(*target).kind {
                Kind::Mapping(_) => self.aliased(id, |conversion, target| conversion.merge(target, object)),
                _ => Err(not_a_mapping(node)),
            },
            Kind::Mapping(entries) => {
                self.enter(node)?;
                for (key, value) in self.object(entries)? {
                    object.entry(key).or_insert(value);
                }
                self.depth -= 1;
                Ok(())
            }
            Kind::Sequence(items) => {
                items.iter().try_for_each(|&item| match &self.tree.node(self.tree.target(item)).kind {
                    Kind::Mapping(_) => self.merge(item, object),
                    _ => Err(not_a_mapping(self.tree.node(item))),
                })
            }
            Kind::Scalar { .. } => Err(not_a_mapping(node)),
        }
    }
}

fn not_a_mapping(node: &Node<'_>) -> Error {
    error(node, "a merge key (<<) takes a mapping or a list of mappings")
}

fn is_merge(node: &Node<'_>) -> bool {
    match &node.kind {
        Kind::Scalar { text, plain, tag: None } => *plain && text == "<<",
        Kind::Scalar { text, tag: Some(tag), .. } => text == "<<" && core_tag(tag) == Some("merge"),
        _ => false,
    }
}

/// The name of one of YAML's own tags, `int` for `!!int`.
fn core_tag(tag: &Tag) -> Option<&str> {
    if tag.is_yaml_core_schema() {
        return Some(&tag.suffix);
    }
    // A verbatim tag, `!<tag:yaml.org,2002:int>`, comes whole.
    tag.handle.is_empty().then(|| tag.suffix.strip_prefix("tag:yaml.org,2002:")).flatten()
}

/// A scalar of a document, with the text it stands for when it is a string.
fn meaning(text: &str, plain: bool, tag: Option<&Tag>) -> Result<(Scalar, Option<String>), String> {
    let scalar = match tag {
        None if plain => scalar::resolve(text),
        None => Scalar::Text,
        Some(tag) => match core_tag(tag) {
            Some("binary") => return Ok((Scalar::Text, Some(scalar::binary(text)?))),
            Some(name) => scalar::resolve_tagged(name, text)?,
            None => Scalar::Text,
        },
    };
    Ok((scalar, None))
}

fn plain_value(node: &Node<'_>) -> Result<Value, Error> {
    let Kind::Scalar { text, plain, tag } = &node.kind else { return Ok(Value::Null) };
    let (scalar, decoded) = meaning(text, *plain, tag.as_deref()).map_err(|message| error(node, message))?;
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(bool) => Value::Bool(bool),
        Scalar::Int(integer) => Value::from(integer),
        Scalar::Uint(integer) => Value::from(integer),
        Scalar::Float(float) => number::from_float(float).ok_or_else(|| {
            error(node, format!("{text} has no counterpart in JSON; quote it if it is meant as text"))
        })?,
        Scalar::Timestamp | Scalar::Text => Value::String(decoded.unwrap_or_else(|| text.clone().into_owned())),
    })
}

/// A key as the string it becomes in JSON, or why it cannot be one.
fn key(node: &Node<'_>) -> Result<String, String> {
    let Kind::Scalar { text, plain, tag } = &node.kind else {
        return Err("a key must be a scalar".to_owned());
    };
    let (scalar, decoded) = meaning(text, *plain, tag.as_deref())?;
    match scalar {
        Scalar::Null => Err("a key must not be null; quote it if it is meant as text".to_owned()),
        Scalar::Bool(bool) => Ok(bool.to_string()),
        Scalar::Int(integer) => Ok(integer.to_string()),
        Scalar::Uint(_) => Err(format!("the key {text} is too large a number; quote it if it is meant as text")),
        Scalar::Float(float) => Ok(number::float_key(float)),
        Scalar::Timestamp | Scalar::Text => Ok(decoded.unwrap_or_else(|| text.clone().into_owned())),
    }
}
