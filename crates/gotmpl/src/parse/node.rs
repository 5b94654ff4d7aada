//! The parts of a parsed template. They lie side by side in one list, so that dropping deep ones needs no stack.

use std::rc::Rc;

use crate::quote::quoted;
use crate::value::Str;

/// A node's place in [`Source::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

/// A source with all that was parsed from it.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name it was parsed under.
    pub(crate) name: String,
    pub(crate) text: Str,
    pub(crate) nodes: Nodes,
}

#[derive(Debug)]
pub(crate) struct Node {
    /// Where it stands in the source, in bytes.
    pub(crate) pos: usize,
    pub(crate) kind: NodeKind,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    List(Vec<NodeId>),
    Text(Str),
    Action(NodeId),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template { name: Str, pipe: Option<NodeId> },
    Break,
    Continue,
    Pipe(Pipe),
    Command(Vec<NodeId>),
    Identifier(Rc<str>),
    Variable(Vec<Str>),
    Dot,
    Nil,
    Field(Vec<Str>),
    Chain(NodeId, Vec<Str>),
    Bool(bool),
    Number(Box<Number>),
    Quoted { quoted: Str, text: Str },
}

#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: NodeId,
    pub(crate) list: NodeId,
    pub(crate) otherwise: Option<NodeId>,
}

#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// The variables that are set are not new.
    pub(crate) assign: bool,
    pub(crate) variables: Vec<Str>,
    pub(crate) commands: Vec<NodeId>,
}

/// A number, as each of the kinds that can represent it.
#[derive(Debug, Default)]
pub(crate) struct Number {
    pub(crate) text: String,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Nodes(Vec<Node>);

impl Nodes {
    pub(crate) fn add(&mut self, pos: usize, kind: NodeKind) -> NodeId {
        let id = NodeId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Node { pos, kind });
        id
    }

    pub(crate) fn get(&self, id: NodeId) -> &Node {
        &self.0[id.0 as usize]
    }

    pub(crate) fn kind(&self, id: NodeId) -> &NodeKind {
        &self.get(id).kind
    }

    /// Whether there is nothing but space.
    pub(crate) fn is_empty_tree(&self, id: NodeId) -> bool {
        match self.kind(id) {
            NodeKind::List(nodes) => nodes.iter().all(|node| self.is_empty_tree(*node)),
            NodeKind::Text(text) => text.to_text().trim().is_empty(),
            _ => false,
        }
    }

    /// The node as it would be written, for messages. Not for control structures, which no message shows.
    pub(crate) fn text(&self, id: NodeId) -> String {
        let mut out = String::new();
        self.write(id, &mut out);
        out
    }

    fn write(&self, id: NodeId, out: &mut String) {
        match self.kind(id) {
            NodeKind::Text(text) => out.push_str(&text.to_text()),
            NodeKind::Action(pipe) => {
                out.push_str("{{");
                self.write(*pipe, out);
                out.push_str("}}");
            }
            NodeKind::Template { name, pipe } => {
                out.push_str("{{template ");
                out.push_str(&quoted(name));
                if let Some(pipe) = pipe {
                    out.push(' ');
                    self.write(*pipe, out);
                }
                out.push_str("}}");
            }
            NodeKind::Break => out.push_str("{{break}}"),
            NodeKind::Continue => out.push_str("{{continue}}"),
            NodeKind::Pipe(pipe) => {
                out.push_str(&joined(&pipe.variables, ", "));
                if !pipe.variables.is_empty() {
                    out.push_str(if pipe.assign { " = " } else { " := " });
                }
                for (at, command) in pipe.commands.iter().enumerate() {
                    out.push_str(if at > 0 { " | " } else { "" });
                    self.write(*command, out);
                }
            }
            NodeKind::Command(args) => {
                for (at, arg) in args.iter().enumerate() {
                    out.push_str(if at > 0 { " " } else { "" });
                    self.write_operand(*arg, out);
                }
            }
            NodeKind::Identifier(name) => out.push_str(name),
            NodeKind::Variable(names) => out.push_str(&joined(names, ".")),
            NodeKind::Dot => out.push('.'),
            NodeKind::Nil => out.push_str("nil"),
            NodeKind::Field(names) => {
                out.push('.');
                out.push_str(&joined(names, "."));
            }
            NodeKind::Chain(node, names) => {
                self.write_operand(*node, out);
                out.push('.');
                out.push_str(&joined(names, "."));
            }
            NodeKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            NodeKind::Number(number) => out.push_str(&number.text),
            NodeKind::Quoted { quoted, .. } => out.push_str(&quoted.to_text()),
            NodeKind::List(_) | NodeKind::If(_) | NodeKind::With(_) | NodeKind::Range(_) => {}
        }
    }

    fn write_operand(&self, id: NodeId, out: &mut String) {
        if !matches!(self.kind(id), NodeKind::Pipe(_)) {
            return self.write(id, out);
        }
        out.push('(');
        crate::exec::grow_stack(|| self.write(id, out));
        out.push(')');
    }
}

fn joined(names: &[Str], separator: &str) -> String {
    names.iter().map(Str::to_text).collect::<Vec<_>>().join(separator)
}
