//! Constraints on versions: `>=1.2 <2 || ^3.1`, `~1.4`, `1.x`, `1.2 - 2.3`.

use std::cmp::Ordering;

use super::CallError;
use super::semver::{Parts, Version, order_of_prereleases};

/// Alternatives, of each of which all has to hold.
pub(super) struct Constraints(Vec<Vec<Constraint>>);

struct Constraint {
    operator: Operator,
    version: Version,
    /// Something was left to any number.
    open: bool,
    /// It was the minor number, or the patch alone.
    open_minor: bool,
    open_patch: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Tilde,
    Caret,
}

/// Longer ones first.
const OPERATORS: [(&str, Operator); 12] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::Equal),
];

fn skip(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\x0c', '\r'])
}

impl Constraints {
    pub(super) fn parse(text: &str) -> Result<Self, CallError> {
        text.split("||").map(all_of).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn hold(&self, version: &Version) -> bool {
        self.0.iter().any(|all| all.iter().all(|constraint| constraint.holds(version)))
    }
}

/// Constraints with space or commas between them.
fn all_of(text: &str) -> Result<Vec<Constraint>, CallError> {
    let improper = || CallError::new(format!("improper constraint: {text}"));
    let mut all = Vec::new();
    let mut rest = skip(text);
    loop {
        let found = OPERATORS.iter().find_map(|(sign, operator)| Some((rest.strip_prefix(sign)?, sign, *operator)));
        let (after, sign, operator) = found.ok_or_else(improper)?;
        let (parts, after) = Parts::read(skip(after), true).ok_or_else(improper)?;
        let range = skip(after).strip_prefix('-').filter(|_| sign.is_empty() && skip(after) != after);
        let upper = range.filter(|upper| skip(upper) != *upper).and_then(|upper| Parts::read(skip(upper), true));
        let after = match upper {
            Some((upper, after)) => {
                all.push(Constraint::new(Operator::GreaterEqual, &parts)?);
                all.push(Constraint::new(Operator::LessEqual, &upper)?);
                after
            }
            None => {
                all.push(Constraint::new(operator, &parts)?);
                after
            }
        };
        rest = skip(after);
        if rest.is_empty() {
            return Ok(all);
        }
        match rest.strip_prefix(',') {
            Some(next) => rest = skip(next),
            None if rest.len() < after.len() => {}
            None => return Err(improper()),
        }
    }
}

impl Constraint {
    fn new(operator: Operator, parts: &Parts<'_>) -> Result<Self, CallError> {
        let any = |number: &str| matches!(number, "" | "x" | "X" | "*");
        let mut known = Parts::read("0.0.0", false).ok_or("constraint Parser Error")?.0;
        known.pre = parts.pre;
        let count = parts.numbers.iter().take_while(|number| !any(number)).count();
        known.numbers[..count].copy_from_slice(&parts.numbers[..count]);
        if known.numbers.iter().any(|number| !number.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err("constraint Parser Error".into());
        }
        let version = known.version("").map_err(|_| CallError::new("constraint Parser Error"))?;
        Ok(Self { operator, version, open: count < 3, open_minor: count == 1, open_patch: count == 2 })
    }

    fn holds(&self, version: &Version) -> bool {
        let bound = &self.version;
        let order = version.order(bound);
        let unasked = !version.pre.is_empty() && bound.pre.is_empty();
        if self.operator == Operator::NotEqual && !self.open {
            return order != Ordering::Equal;
        }
        // Who asks for releases gets no others.
        if unasked {
            return false;
        }
        match self.operator {
            Operator::Equal if !self.open => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => self.near(version, order),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater if !self.open => order == Ordering::Greater,
            Operator::Greater => match version.major.cmp(&bound.major) {
                Ordering::Equal if self.open_minor => false,
                Ordering::Equal if self.open_patch => version.minor > bound.minor,
                Ordering::Equal => order == Ordering::Greater,
                major => major == Ordering::Greater,
            },
            Operator::GreaterEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessEqual if !self.open => order != Ordering::Greater,
            Operator::LessEqual => match version.major.cmp(&bound.major) {
                Ordering::Equal => self.open_minor || version.minor <= bound.minor,
                major => major == Ordering::Less,
            },
            Operator::Caret => self.compatible(version, order),
        }
    }

    /// The same major and minor version, and not less.
    fn near(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.version;
        let zero = (bound.major, bound.minor, bound.patch) == (0, 0, 0);
        order != Ordering::Less
            && (zero && !self.open_minor && !self.open_patch
                || version.major == bound.major && (self.open_minor || version.minor == bound.minor))
    }

    /// Another version than those that an open one stands for.
    fn differs(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.version;
        if version.major != bound.major {
            return true;
        }
        if self.open_minor {
            return false;
        }
        if version.minor != bound.minor {
            return true;
        }
        if self.open_patch {
            let labelled = !version.pre.is_empty() || !bound.pre.is_empty();
            return labelled && order_of_prereleases(&version.pre, &bound.pre) != Ordering::Equal;
        }
        version.patch != bound.patch || order != Ordering::Equal
    }

    /// Not less, and without a change in the first number that is not zero.
    fn compatible(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.version;
        if order == Ordering::Less || version.major != bound.major {
            return false;
        }
        if bound.major > 0 || self.open_minor {
            return true;
        }
        if version.minor != bound.minor {
            return false;
        }
        bound.minor > 0 || self.open_patch || version.patch == bound.patch
    }
}
