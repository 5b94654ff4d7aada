//! Makes nodes of tokens.

mod control;
mod literal;
mod node;
mod pipeline;

use std::rc::Rc;

use crate::Error;
use crate::lex::{Keywords, Kind, Lexer, Token};
use crate::quote::quoted;
use crate::value::Str;
pub(crate) use node::{Branch, NodeId, NodeKind, Nodes, Number, Pipe, Source};

/// How deep actions and parentheses may nest. Go has this limit for parentheses alone.
const MAX_DEPTH: usize = 10_000;

/// A template: its name and where its part of the source begins.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) name: Str,
    pub(crate) source: Rc<Source>,
    pub(crate) root: NodeId,
}

/// What a source is parsed with.
pub(crate) struct Settings<'s> {
    pub(crate) left: &'s str,
    pub(crate) right: &'s str,
    pub(crate) is_function: &'s dyn Fn(&str) -> bool,
}

/// Parses a source: the templates that it defines, with itself as the last unless a definition in it bears its name.
pub(crate) fn parse(name: &str, text: &[u8], settings: &Settings<'_>) -> Result<Vec<Template>, Error> {
    let is_function = settings.is_function;
    let keywords = Keywords { break_: !is_function("break"), continue_: !is_function("continue") };
    let lexer = Lexer::new(text, settings.left.as_bytes(), settings.right.as_bytes(), keywords);
    let frame = Frame::new(name.into());
    let mut parser = Parser { name, lexer, is_function, nodes: Nodes::default(), trees: Vec::new(), frame, depth: 0 };
    parser.source()?;
    let source = Rc::new(Source { name: name.to_owned(), text: text.into(), nodes: parser.nodes });
    let template = |(name, root)| Template { name, source: Rc::clone(&source), root };
    Ok(parser.trees.into_iter().map(template).collect())
}

type Parsed<T> = Result<T, Error>;

struct Parser<'s> {
    name: &'s str,
    lexer: Lexer<'s>,
    is_function: &'s dyn Fn(&str) -> bool,
    nodes: Nodes,
    trees: Vec<(Str, NodeId)>,
    frame: Frame<'s>,
    depth: usize,
}

/// What belongs to the template that is being parsed, and not to those around it.
struct Frame<'s> {
    name: Str,
    /// Tokens that were read ahead. The first is always the last that was read: errors are told with its line.
    tokens: [Token<'s>; 3],
    ahead: usize,
    variables: Vec<Str>,
    /// The line where the action began, outside actions 0.
    action_line: usize,
    ranges: usize,
    parens: usize,
}

impl Frame<'_> {
    fn new(name: Str) -> Self {
        let none = Token { kind: Kind::Error, pos: 0, text: b"".into(), line: 0 };
        let tokens = [none.clone(), none.clone(), none];
        Self { name, tokens, ahead: 0, variables: vec!["$".into()], action_line: 0, ranges: 0, parens: 0 }
    }
}

/// What ends a list of nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    End,
    /// An else, with the place of what follows it.
    Else(usize),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::End { "{{end}}" } else { "{{else}}" })
    }
}

/// One piece of a list.
enum Piece {
    Node(NodeId),
    End(End),
}

impl<'s> Parser<'s> {
    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        let line = self.frame.tokens[0].line;
        Err(Error::Parse { name: self.name.to_owned(), line, message: message.into() })
    }

    fn unexpected<T>(&self, token: &Token<'_>, context: &str) -> Parsed<T> {
        if token.kind != Kind::Error {
            return self.fail(format!("unexpected {token} in {context}"));
        }
        let start = self.frame.action_line;
        if start == 0 || start == token.line {
            return self.fail(token.to_string());
        }
        // The lexer may have said "action" already.
        let action = if token.text.ends_with(b" action") { "" } else { " in action" };
        self.fail(format!("{token}{action} started at {}:{start}", self.name))
    }

    fn next(&mut self) -> Token<'s> {
        let frame = &mut self.frame;
        if frame.ahead > 0 {
            frame.ahead -= 1;
        } else {
            frame.tokens[0] = self.lexer.next_token();
        }
        frame.tokens[frame.ahead].clone()
    }

    fn back(&mut self) {
        self.frame.ahead += 1;
    }

    fn peek(&mut self) -> Token<'s> {
        let token = self.next();
        self.back();
        token
    }

    fn next_word(&mut self) -> Token<'s> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_word(&mut self) -> Token<'s> {
        let token = self.next_word();
        self.back();
        token
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token<'s>> {
        let token = self.next_word();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    /// Goes one level deeper, on a stack that has room for it.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.fail("max expression depth exceeded");
        }
        self.depth += 1;
        let result = crate::exec::grow_stack(|| inner(self));
        self.depth -= 1;
        result
    }

    /// The whole source.
    fn source(&mut self) -> Parsed<()> {
        let pos = self.peek().pos;
        let mut list = Vec::new();
        loop {
            let token = self.peek();
            match token.kind {
                Kind::Eof => break,
                Kind::LeftDelim => {
                    self.next();
                    if self.next_word().kind == Kind::Define {
                        self.nested(|parser| parser.definition())?;
                        continue;
                    }
                    self.frame.tokens[1] = token;
                    self.frame.ahead = 2;
                }
                _ => {}
            }
            match self.piece()? {
                Piece::Node(node) => list.push(node),
                Piece::End(end) => return self.fail(format!("unexpected {end}")),
            }
        }
        let root = self.nodes.add(pos, NodeKind::List(list));
        self.add(root)
    }

    /// Parses another template in the midst of this one.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = std::mem::replace(&mut self.frame, Frame::new("definition".into()));
        let result = inner(self)?;
        self.frame = outer;
        Ok(result)
    }

    /// What follows `define`.
    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let name = self.next_word();
        if !matches!(name.kind, Kind::String | Kind::RawString) {
            return self.unexpected(&name, CONTEXT);
        }
        self.frame.name = self.unquote(&name)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        self.body(CONTEXT)
    }

    /// The body of a template that ends with `{{end}}`.
    fn body(&mut self, context: &str) -> Parsed<()> {
        let (root, end) = self.list()?;
        if end != End::End {
            return self.fail(format!("unexpected {end} in {context}"));
        }
        self.add(root)
    }

    /// Puts the template to those of the source. An empty one gives way to another of its name.
    fn add(&mut self, root: NodeId) -> Parsed<()> {
        let name = self.frame.name.clone();
        match self.trees.iter_mut().find(|(other, _)| *other == name) {
            None => self.trees.push((name, root)),
            Some((_, other)) if self.nodes.is_empty_tree(*other) => *other = root,
            Some(_) if self.nodes.is_empty_tree(root) => {}
            Some(_) => return self.fail(format!("template: multiple definition of template {}", quoted(&name))),
        }
        Ok(())
    }

    /// Nodes up to an end or else.
    fn list(&mut self) -> Parsed<(NodeId, End)> {
        let pos = self.peek_word().pos;
        let mut list = Vec::new();
        while self.peek_word().kind != Kind::Eof {
            match self.piece()? {
                Piece::Node(node) => list.push(node),
                Piece::End(end) => return Ok((self.nodes.add(pos, NodeKind::List(list)), end)),
            }
        }
        self.fail("unexpected EOF")
    }

    /// Text or an action.
    fn piece(&mut self) -> Parsed<Piece> {
        let token = self.next_word();
        match token.kind {
            Kind::Text => Ok(Piece::Node(self.nodes.add(token.pos, NodeKind::Text((*token.text).into())))),
            Kind::LeftDelim => {
                self.frame.action_line = token.line;
                let piece = self.action()?;
                self.frame.action_line = 0;
                Ok(piece)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn unquote(&self, token: &Token<'_>) -> Parsed<Str> {
        match crate::quote::unquote(&token.text) {
            Some(text) => Ok(text.into()),
            None => self.fail("invalid syntax"),
        }
    }
}
