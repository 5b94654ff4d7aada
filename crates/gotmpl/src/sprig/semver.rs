//! Versions, and whether they are within constraints, as the library of Masterminds has it.

use std::cmp::Ordering;
use std::rc::Rc;

use super::constraint::Constraints;
use super::{CallError, Called, STR, function, text};
use crate::{Function, IntKind, Object, Str, Type, UintKind, Value};

pub(super) fn functions() -> Vec<Function> {
    vec![
        function("semver", &[STR], Type::Named(TYPE.into()), |args| Ok(Value::object(Version::parse(text(args, 0))?))),
        function("semverCompare", &[STR, STR], Type::Bool, |args| {
            let constraints = Constraints::parse(&String::from_utf8_lossy(text(args, 0)))?;
            Ok(constraints.hold(&Version::parse(text(args, 1))?).into())
        }),
    ]
}

const TYPE: &str = "*semver.Version";

/// A version. Parts that were left out are zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Version {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    /// What follows a dash.
    pub(super) pre: String,
    metadata: String,
    original: String,
}

impl Version {
    pub(super) fn parse(text: &[u8]) -> Result<Self, CallError> {
        let original = String::from_utf8_lossy(text).into_owned();
        let (parts, rest) = Parts::read(&original, false).ok_or("Invalid Semantic Version")?;
        if !rest.is_empty() {
            return Err("Invalid Semantic Version".into());
        }
        parts.version(&original)
    }

    /// Where it stands among others. Metadata does not count.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| match (self.pre.is_empty(), other.pre.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => order_of_prereleases(&self.pre, &other.pre),
        })
    }
}

pub(super) fn order_of_prereleases(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) if left == right => Ordering::Equal,
            (None | Some(""), _) => Ordering::Less,
            (_, None | Some("")) => Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// A version's parts as they are written.
pub(super) struct Parts<'t> {
    pub(super) numbers: [&'t str; 3],
    pub(super) pre: &'t str,
    metadata: &'t str,
}

impl<'t> Parts<'t> {
    /// Reads as much as is a version, with wildcards for numbers or without, and gives what follows it.
    pub(super) fn read(text: &'t str, wildcards: bool) -> Option<(Self, &'t str)> {
        let number = |text: &'t str| {
            let part = |c: char| c.is_ascii_digit() || wildcards && matches!(c, 'x' | 'X' | '*');
            let end = text.find(|c| !part(c)).unwrap_or(text.len());
            (end > 0).then(|| text.split_at(end))
        };
        let (major, mut rest) = number(text.strip_prefix('v').unwrap_or(text))?;
        let mut numbers = [major, "", ""];
        for place in &mut numbers[1..] {
            match rest.strip_prefix('.').and_then(number) {
                Some((found, after)) => (*place, rest) = (found, after),
                None => break,
            }
        }
        let mut label = |mark: char| {
            let Some(after) = rest.strip_prefix(mark) else { return "" };
            let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
            let end = after.find(|c| !part(c)).unwrap_or(after.len());
            // Dots stand between other characters only.
            let sound = after[..end].split('.').take_while(|part| !part.is_empty());
            let length = sound.map(|part| part.len() + 1).sum::<usize>().saturating_sub(1);
            if length > 0 {
                rest = &after[length..];
            }
            &after[..length]
        };
        let (pre, metadata) = (label('-'), label('+'));
        Some((Self { numbers, pre, metadata }, rest))
    }

    /// The version that they are.
    pub(super) fn version(&self, original: &str) -> Result<Version, CallError> {
        let number = |text: &str| match text {
            "" => Ok(0),
            _ => text.parse::<u64>().map_err(|_| {
                let why = format!("strconv.ParseUint: parsing \"{text}\": value out of range");
                CallError::new(format!("Error parsing version segment: {why}"))
            }),
        };
        let [major, minor, patch] = self.numbers;
        let (major, minor, patch) = (number(major)?, number(minor)?, number(patch)?);
        let leading_zero =
            |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
        if self.pre.split('.').any(leading_zero) {
            return Err("Version segment starts with 0".into());
        }
        let (pre, metadata) = (self.pre.to_owned(), self.metadata.to_owned());
        Ok(Version { major, minor, patch, pre, metadata, original: original.to_owned() })
    }
}

impl Object for Version {
    fn type_name(&self) -> &str {
        TYPE
    }

    fn string(&self) -> Option<Str> {
        let Self { major, minor, patch, pre, metadata, .. } = self;
        let pre = if pre.is_empty() { String::new() } else { format!("-{pre}") };
        let metadata = if metadata.is_empty() { String::new() } else { format!("+{metadata}") };
        Some(format!("{major}.{minor}.{patch}{pre}{metadata}").into())
    }

    fn method(&self, name: &str) -> Option<Rc<Function>> {
        let number = |number: u64| Value::Uint(number, UintKind::Uint64);
        let value = match name {
            "Major" => number(self.major),
            "Minor" => number(self.minor),
            "Patch" => number(self.patch),
            "Prerelease" => self.pre.as_str().into(),
            "Metadata" => self.metadata.as_str().into(),
            "Original" => self.original.as_str().into(),
            "String" => self.string()?.into(),
            "Compare" | "Equal" | "LessThan" | "GreaterThan" => return Some(Rc::new(self.comparison(name))),
            _ => return None,
        };
        let result = if matches!(value, Value::Str(_)) { STR } else { Type::Uint(UintKind::Uint64) };
        Some(Rc::new(Function::new(name, [], move |_, _| -> Called { Ok(value.clone()) }).returning(result)))
    }
}

impl Version {
    /// A method that compares this version with another.
    fn comparison(&self, name: &str) -> Function {
        let (this, asked) = (self.clone(), name.to_owned());
        let body = move |args: &[Value]| -> Called {
            let Some(Value::Object(other)) = args.first() else { return Err(super::NIL_POINTER.into()) };
            let order = this.order(&Self::parse(&other.string().unwrap_or_default())?);
            Ok(match &*asked {
                "Compare" => Value::Int(order as i64, IntKind::Int),
                "Equal" => (order == Ordering::Equal).into(),
                "LessThan" => (order == Ordering::Less).into(),
                _ => (order == Ordering::Greater).into(),
            })
        };
        Function::new(name, [Type::Named(TYPE.into())], move |_, args| body(args))
    }
}
