//! Pipelines: declarations, commands and their operands.

use super::{Kind, NodeId, NodeKind, Parsed, Parser, Pipe};
use crate::quote::quoted;
use crate::value::Str;

impl Parser<'_> {
    /// A pipeline with what it declares, up to the token that ends it.
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<NodeId> {
        let pos = self.peek_word().pos;
        let mut pipe = Pipe::default();
        while self.declaration(&mut pipe, context)? {}
        loop {
            let token = self.next_word();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back();
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
        self.check(&pipe, context)?;
        Ok(self.nodes.add(pos, NodeKind::Pipe(pipe)))
    }

    /// One variable that is declared or assigned to, if there is one here. Tells whether another may follow.
    fn declaration(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<bool> {
        let variable = self.peek_word();
        if variable.kind != Kind::Variable {
            return Ok(false);
        }
        self.next();
        // What follows the variable decides, and if it is no declaration all must be put back: the space too.
        let after = self.peek();
        let next = self.peek_word();
        let comma = next.kind == Kind::Char && *next.text == *b",";
        if !comma && !matches!(next.kind, Kind::Assign | Kind::Declare) {
            let frame = &mut self.frame;
            if after.kind == Kind::Space {
                frame.tokens[1] = after;
                frame.tokens[2] = variable;
                frame.ahead = 3;
            } else {
                frame.tokens[1] = variable;
                frame.ahead = 2;
            }
            return Ok(false);
        }
        self.next_word();
        let name: Str = (*variable.text).into();
        pipe.variables.push(name.clone());
        self.frame.variables.push(name);
        if !comma {
            pipe.assign = next.kind == Kind::Assign;
            return Ok(false);
        }
        if context != "range" || pipe.variables.len() >= 2 {
            return self.fail(format!("too many declarations in {context}"));
        }
        match self.peek_word().kind {
            Kind::Variable | Kind::RightDelim | Kind::RightParen => Ok(true),
            _ => self.fail("range can only initialize variables"),
        }
    }

    fn check(&self, pipe: &Pipe, context: &str) -> Parsed<()> {
        if pipe.commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        for (at, command) in pipe.commands.iter().enumerate().skip(1) {
            let NodeKind::Command(args) = self.nodes.kind(*command) else { continue };
            let first = args.first().map(|first| self.nodes.kind(*first));
            if let Some(
                NodeKind::Bool(_) | NodeKind::Dot | NodeKind::Nil | NodeKind::Number(_) | NodeKind::Quoted { .. },
            ) = first
            {
                return self.fail(format!("non executable command in pipeline stage {}", at + 1));
            }
        }
        Ok(())
    }

    /// Operands up to a pipe, which is taken, or to what ends the pipeline, which is not.
    fn command(&mut self) -> Parsed<NodeId> {
        let pos = self.peek_word().pos;
        let mut args = Vec::new();
        loop {
            self.peek_word();
            args.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelim | Kind::RightParen => {
                    self.back();
                    break;
                }
                Kind::Pipe => break,
                _ => return self.unexpected(&token, "operand"),
            }
        }
        if args.is_empty() {
            return self.fail("empty command");
        }
        Ok(self.nodes.add(pos, NodeKind::Command(args)))
    }

    /// A term and the fields that are chained to it. None where no term stands.
    fn operand(&mut self) -> Parsed<Option<NodeId>> {
        let Some(term) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(term));
        }
        let mut fields: Vec<Str> = Vec::new();
        while self.peek().kind == Kind::Field {
            fields.push(self.next().text[1..].into());
        }
        let kind = match self.nodes.kind(term) {
            NodeKind::Field(names) => NodeKind::Field(names.iter().cloned().chain(fields).collect()),
            NodeKind::Variable(names) => NodeKind::Variable(names.iter().cloned().chain(fields).collect()),
            NodeKind::Bool(_) | NodeKind::Quoted { .. } | NodeKind::Number(_) | NodeKind::Nil | NodeKind::Dot => {
                let term = quoted(self.nodes.text(term).as_bytes());
                return self.fail(format!("unexpected . after term {term}"));
            }
            _ => NodeKind::Chain(term, fields),
        };
        Ok(Some(self.nodes.add(first.pos, kind)))
    }

    fn term(&mut self) -> Parsed<Option<NodeId>> {
        let token = self.next_word();
        let kind = match token.kind {
            Kind::Identifier => {
                let name = String::from_utf8_lossy(&token.text);
                if !(self.is_function)(&name) {
                    return self.fail(format!("function {} not defined", quoted(&token.text)));
                }
                NodeKind::Identifier(name.into())
            }
            Kind::Dot => NodeKind::Dot,
            Kind::Nil => NodeKind::Nil,
            Kind::Variable => {
                let name: Str = (*token.text).into();
                if !self.frame.variables.contains(&name) {
                    return self.fail(format!("undefined variable {}", quoted(&name)));
                }
                NodeKind::Variable(vec![name])
            }
            Kind::Field => NodeKind::Field(vec![token.text[1..].into()]),
            Kind::Bool => NodeKind::Bool(*token.text == *b"true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => match super::literal::number(&token) {
                Ok(number) => NodeKind::Number(Box::new(number)),
                Err(message) => return self.fail(message),
            },
            Kind::LeftParen => {
                if self.frame.parens >= super::MAX_DEPTH {
                    return self.fail("max expression depth exceeded");
                }
                self.frame.parens += 1;
                let pipe = self.deeper(|parser| parser.pipeline("parenthesized pipeline", Kind::RightParen))?;
                self.frame.parens -= 1;
                return Ok(Some(pipe));
            }
            Kind::String | Kind::RawString => {
                NodeKind::Quoted { quoted: (*token.text).into(), text: self.unquote(&token)? }
            }
            _ => {
                self.back();
                return Ok(None);
            }
        };
        Ok(Some(self.nodes.add(token.pos, kind)))
    }
}
