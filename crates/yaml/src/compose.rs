//! Events of the parser composed into one tree per document, with positions, before scalars mean anything.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};

use crate::{Error, MAX_DEPTH};

/// Where a node is kept in its [`Tree`].
pub(crate) type NodeId = usize;

/// A document whose aliases point at the nodes they stand for.
pub(crate) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    root: NodeId,
}

/// A value as the text has it.
pub(crate) struct Node<'a> {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    pub kind: Kind<'a>,
}

pub(crate) enum Kind<'a> {
    Scalar { text: Cow<'a, str>, plain: bool, tag: Option<Cow<'a, Tag>> },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias(NodeId),
}

impl<'a> Tree<'a> {
    pub(crate) fn root(&self) -> &Node<'a> {
        &self.nodes[self.root]
    }

    pub(crate) fn root_id(&self) -> NodeId {
        self.root
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id]
    }

    /// The node itself, or what it stands for when it is an alias.
    pub(crate) fn target(&self, id: NodeId) -> NodeId {
        match self.nodes[id].kind {
            Kind::Alias(target) => target,
            _ => id,
        }
    }

    /// Whether the document holds nothing but comments.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(&self.root().kind, Kind::Scalar { text, plain: true, tag: None } if text.is_empty())
    }

    /// See [`crate::line_of`].
    pub(crate) fn line_of(&self, path: &str) -> usize {
        let mut id = self.root;
        let mut line = self.root().line;
        let mut rest = path;
        while !rest.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let (found, after) = match &self.nodes[self.target(id)].kind {
                Kind::Mapping(entries) => self.entry(entries, rest),
                Kind::Sequence(items) => index(items, rest),
                _ => return line,
            };
            let Some(child) = found else { return line };
            (id, line) = child;
            if line == 0 {
                line = self.nodes[id].line;
            }
            rest = after;
        }
        line
    }

    /// The entry whose key begins the path. Keys may hold dots, so the longest key that fits is meant.
    fn entry<'p>(&self, entries: &[(NodeId, NodeId)], path: &'p str) -> (Option<(NodeId, usize)>, &'p str) {
        let mut best: Option<(NodeId, NodeId, usize)> = None;
        for &(key, value) in entries {
            let Kind::Scalar { text, .. } = &self.nodes[key].kind else { continue };
            let Some(rest) = path.strip_prefix(text.as_ref()) else { continue };
            let whole = rest.is_empty() || rest.starts_with(['.', '[']);
            if whole && best.is_none_or(|(_, _, length)| text.len() > length) {
                best = Some((key, value, text.len()));
            }
        }
        match best {
            Some((key, value, length)) => (Some((value, self.nodes[key].line)), &path[length..]),
            None => (None, ""),
        }
    }
}

/// The list item that `[3]` at the start of the path names; its line is that of the item itself.
fn index<'p>(items: &[NodeId], path: &'p str) -> (Option<(NodeId, usize)>, &'p str) {
    let parsed = path.strip_prefix('[').and_then(|path| path.split_once(']'));
    let Some((number, rest)) = parsed else { return (None, "") };
    (number.parse::<usize>().ok().and_then(|at| items.get(at)).map(|id| (*id, 0)), rest)
}

/// The documents of a stream, up to the first error.
pub(crate) fn documents(text: &str) -> Documents<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let open_end = (!text.ends_with(['\n', '\r'])).then(|| text.chars().count());
    Documents { parser: Some(Parser::new_from_str(text)), open_end }
}

/// See [`documents`].
pub(crate) struct Documents<'a> {
    parser: Option<Parser<'a, StrInput<'a>>>,
    /// The text's length in characters, when its last line has no break.
    open_end: Option<usize>,
}

impl<'a> Iterator for Documents<'a> {
    type Item = Result<Tree<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let parser = self.parser.as_mut()?;
        loop {
            match parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => {
                    self.parser = None;
                    return None;
                }
                Some(Ok((Event::DocumentStart(_), _))) => {
                    let tree = Composer { open_end: self.open_end, ..Composer::default() }.compose(parser);
                    if tree.is_err() {
                        self.parser = None;
                    }
                    return Some(tree);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    self.parser = None;
                    return Some(Err(at(*error.marker(), error.info())));
                }
            }
        }
    }
}

fn at(mark: Marker, message: impl Into<String>) -> Error {
    Error { line: mark.line().max(1), column: mark.col() + 1, message: message.into() }
}

/// A block that the end of the text cuts off ends without a break, which the parser adds.
fn without_last_break(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.strip_suffix('\n') {
        Some(cut) => Cow::Owned(cut.to_owned()),
        None => text,
    }
}

/// A collection that has begun and not ended.
enum Open {
    Sequence(NodeId, Vec<NodeId>),
    Mapping(NodeId, Vec<(NodeId, NodeId)>, Option<NodeId>),
}

#[derive(Default)]
struct Composer<'a> {
    nodes: Vec<Node<'a>>,
    open: Vec<Open>,
    anchors: HashMap<usize, NodeId>,
    root: Option<NodeId>,
    open_end: Option<usize>,
}

impl<'a> Composer<'a> {
    fn compose(mut self, parser: &mut Parser<'a, StrInput<'a>>) -> Result<Tree<'a>, Error> {
        loop {
            let (event, span) = match parser.next_event() {
                Some(Ok(next)) => next,
                Some(Err(error)) => return Err(at(*error.marker(), error.info())),
                None => return Ok(self.finish()),
            };
            let mark = span.start;
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain;
                    let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                    let cut = block && self.open_end.is_some_and(|end| span.end.index() >= end);
                    let text = if cut { without_last_break(text) } else { text };
                    let id = self.add(mark, anchor, Kind::Scalar { text, plain, tag });
                    self.place(id);
                }
                Event::Alias(anchor) => {
                    let Some(target) = self.anchors.get(&anchor).copied() else {
                        return Err(at(mark, "the anchor that this alias names is not in this document"));
                    };
                    let id = self.add(mark, 0, Kind::Alias(target));
                    self.place(id);
                }
                Event::SequenceStart(anchor, _) => {
                    self.check_depth(mark)?;
                    let id = self.add(mark, anchor, Kind::Sequence(Vec::new()));
                    self.open.push(Open::Sequence(id, Vec::new()));
                }
                Event::MappingStart(anchor, _) => {
                    self.check_depth(mark)?;
                    let id = self.add(mark, anchor, Kind::Mapping(Vec::new()));
                    self.open.push(Open::Mapping(id, Vec::new(), None));
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(),
                Event::DocumentEnd | Event::StreamEnd => return Ok(self.finish()),
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            }
        }
    }

    fn check_depth(&self, mark: Marker) -> Result<(), Error> {
        if self.open.len() < MAX_DEPTH {
            return Ok(());
        }
        Err(at(mark, format!("collections nest deeper than {MAX_DEPTH}")))
    }

    fn add(&mut self, mark: Marker, anchor: usize, kind: Kind<'a>) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node { line: mark.line().max(1), column: mark.col() + 1, kind });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        id
    }

    fn place(&mut self, id: NodeId) {
        match self.open.last_mut() {
            None => self.root = Some(id),
            Some(Open::Sequence(_, items)) => items.push(id),
            Some(Open::Mapping(_, entries, key)) => match key.take() {
                None => *key = Some(id),
                Some(key) => entries.push((key, id)),
            },
        }
    }

    fn close(&mut self) {
        let id = match self.open.pop() {
            Some(Open::Sequence(id, items)) => {
                self.nodes[id].kind = Kind::Sequence(items);
                id
            }
            Some(Open::Mapping(id, entries, _)) => {
                self.nodes[id].kind = Kind::Mapping(entries);
                id
            }
            None => return,
        };
        self.place(id);
    }

    fn finish(mut self) -> Tree<'a> {
        let root = match self.root {
            Some(root) => root,
            None => {
                let text = Cow::Borrowed("");
                self.nodes.push(Node { line: 1, column: 1, kind: Kind::Scalar { text, plain: true, tag: None } });
                self.nodes.len() - 1
            }
        };
        Tree { nodes: self.nodes, root }
    }
}
