//! Actions, and among them the words that control what is rendered.

use super::{Branch, End, Kind, NodeId, NodeKind, Parsed, Parser, Piece};
use crate::value::Str;

impl Parser<'_> {
    /// What follows a left delimiter.
    pub(super) fn action(&mut self) -> Parsed<Piece> {
        let token = self.next_word();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => self.leave(token.pos, "{{break}}", NodeKind::Break)?,
            Kind::Continue => self.leave(token.pos, "{{continue}}", NodeKind::Continue)?,
            Kind::Else => return self.otherwise(),
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Piece::End(End::End));
            }
            Kind::If => self.control("if")?,
            Kind::Range => self.control("range")?,
            Kind::Template => self.template()?,
            Kind::With => self.control("with")?,
            _ => {
                self.back();
                let pos = self.peek().pos;
                let pipe = self.pipeline("command", Kind::RightDelim)?;
                self.nodes.add(pos, NodeKind::Action(pipe))
            }
        };
        Ok(Piece::Node(node))
    }

    /// `break` or `continue`.
    fn leave(&mut self, pos: usize, what: &str, kind: NodeKind) -> Parsed<NodeId> {
        let token = self.next_word();
        if token.kind != Kind::RightDelim {
            return self.unexpected(&token, what);
        }
        if self.frame.ranges == 0 {
            return self.fail(format!("{what} outside {{{{range}}}}"));
        }
        Ok(self.nodes.add(pos, kind))
    }

    /// What follows `else`. A word that makes it an `else if` is left to be read.
    fn otherwise(&mut self) -> Parsed<Piece> {
        let token = self.peek_word();
        if !matches!(token.kind, Kind::If | Kind::With) {
            self.expect(Kind::RightDelim, "else")?;
        }
        Ok(Piece::End(End::Else(token.pos)))
    }

    /// What follows `if`, `with` or `range`, up to its end.
    fn control(&mut self, word: &str) -> Parsed<NodeId> {
        self.deeper(|parser| {
            let variables = parser.frame.variables.len();
            let node = parser.branch(word)?;
            parser.frame.variables.truncate(variables);
            Ok(node)
        })
    }

    fn branch(&mut self, word: &str) -> Parsed<NodeId> {
        let pipe = self.pipeline(word, Kind::RightDelim)?;
        let range = usize::from(word == "range");
        self.frame.ranges += range;
        let (list, end) = self.list()?;
        self.frame.ranges -= range;
        let otherwise = match end {
            End::End => None,
            End::Else(pos) => Some(self.else_branch(word, pos)?),
        };
        let pos = self.nodes.get(pipe).pos;
        let branch = Branch { pipe, list, otherwise };
        let kind = match word {
            "if" => NodeKind::If(branch),
            "with" => NodeKind::With(branch),
            _ => NodeKind::Range(branch),
        };
        Ok(self.nodes.add(pos, kind))
    }

    /// What is rendered otherwise: a list of its own, or with `else if` and `else with` the same again, which shares its end.
    fn else_branch(&mut self, word: &str, pos: usize) -> Parsed<NodeId> {
        let next = self.peek().kind;
        if word == "if" && next == Kind::If || word == "with" && next == Kind::With {
            self.next();
            let inner = self.control(word)?;
            return Ok(self.nodes.add(pos, NodeKind::List(vec![inner])));
        }
        let (list, end) = self.list()?;
        if end != End::End {
            return self.fail(format!("expected end; found {end}"));
        }
        Ok(list)
    }

    /// What follows `block`: a template that is defined where it is used.
    fn block(&mut self) -> Parsed<NodeId> {
        const CONTEXT: &str = "block clause";
        let token = self.next_word();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        self.deeper(|parser| {
            parser.nested(|parser| {
                parser.frame.name = name.clone();
                parser.body(CONTEXT)
            })
        })?;
        Ok(self.nodes.add(token.pos, NodeKind::Template { name, pipe: Some(pipe) }))
    }

    /// What follows `template`.
    fn template(&mut self) -> Parsed<NodeId> {
        const CONTEXT: &str = "template clause";
        let token = self.next_word();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = if self.next_word().kind == Kind::RightDelim {
            None
        } else {
            self.back();
            Some(self.pipeline(CONTEXT, Kind::RightDelim)?)
        };
        Ok(self.nodes.add(token.pos, NodeKind::Template { name, pipe }))
    }

    fn template_name(&self, token: &crate::lex::Token<'_>, context: &str) -> Parsed<Str> {
        match token.kind {
            Kind::String | Kind::RawString => self.unquote(token),
            _ => self.unexpected(token, context),
        }
    }
}
