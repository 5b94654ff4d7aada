//! Go's text/template in Rust: the same language, the same output, the same errors.
//!
//! ```
//! use gotmpl::{TemplateSet, Value};
//!
//! let mut set = TemplateSet::new();
//! set.parse("list.txt", "{{range $i, $name := .names}}{{$i}}: {{printf \"%-5s|\" $name}}\n{{else}}nobody\n{{end}}")?;
//! let data = Value::from_json(&serde_json::json!({"names": ["ann", "bob"]}));
//! assert_eq!(set.render("list.txt", &data)?, b"0: ann  |\n1: bob  |\n");
//! # Ok::<(), gotmpl::Error>(())
//! ```
//!
//! # Templates
//!
//! The language is that of Go 1.26: text, and actions in `{{` and `}}`, which trim the space beside them where a dash stands
//! (`{{-`, `-}}`). There are pipelines, variables, `if`/`else if`/`with`/`else with`, `range` over integers, slices, maps (in the
//! order of their keys) and iterators, `break` and `continue`, `define`, `template` and `block`, comments, and Go's literals. A
//! [`TemplateSet`] holds templates that can call one another. What is parsed into it later takes the place of what has the same
//! name, unless it is empty.
//!
//! The functions of the language are there: `and`, `call`, `eq`, `ge`, `gt`, `html`, `index`, `js`, `le`, `len`, `lt`, `ne`,
//! `not`, `or`, `print`, `printf`, `println`, `slice` and `urlquery`. More are added with [`TemplateSet::funcs`]:
//!
//! ```
//! use gotmpl::{Function, TemplateSet, Type, Value};
//!
//! let greet = Function::new("greet", [Type::String, Type::INT], |_, args| match args {
//!     [name, Value::Int(times @ 1.., _)] => Ok(format!("hello {name}, {times} times").into()),
//!     _ => Err("nobody is greeted so few times".into()),
//! });
//! let mut set = TemplateSet::new().funcs([greet]);
//! set.parse("a", "{{greet .name 2}}")?;
//! set.parse("b", "{{greet .name 0}}")?;
//! set.parse("c", "{{greet 1 2}}")?;
//! let data = Value::from_json(&serde_json::json!({"name": "ann"}));
//! assert_eq!(set.render("a", &data)?, b"hello ann, 2 times");
//! assert_eq!(
//!     set.render("b", &data).unwrap_err().to_string(),
//!     r#"template: b:1:2: executing "b" at <greet .name 0>: error calling greet: nobody is greeted so few times"#,
//! );
//! assert_eq!(
//!     set.render("c", &data).unwrap_err().to_string(),
//!     r#"template: c:1:8: executing "c" at <1>: expected string; found 1"#,
//! );
//! # Ok::<(), gotmpl::Error>(())
//! ```
//!
//! Many that Helm's templates have are in [`sprig`]. A function is given a [`Context`], through which it renders other templates of the running set, or a text of its own.
//!
//! # Values
//!
//! A [`Value`] has one of Go's kinds, and its Go type shows wherever Go shows it: `%T`, `incompatible types for comparison`,
//! `can't evaluate field x in type interface {}`. Numbers from JSON are `float64` ([`Value::from_json`]), or `int64` where they
//! are whole ([`Value::from_json_integers`]). Strings ([`Str`]) and output are bytes, valid UTF-8 or not. Clones are cheap:
//! a [`Map`] or [`Slice`] is shared, and what is set through one alias is seen through all. Types of one's own, with
//! fields and methods, implement [`Object`].
//!
//! # Bounds
//!
//! No template and no data make rendering panic or end the process:
//!
//! * `{{template}}` may call itself [as deep as Go allows](TemplateSet::max_depth); the stack grows as needed. All levels of
//!   lists, parentheses and templates together are bounded too.
//! * Actions nest at most 10000 deep in a source, as do parentheses in Go.
//! * Values that contain themselves cannot be printed: that is an error, where Go ends the process.
//! * [Steps](TemplateSet::max_steps) and [output](TemplateSet::max_output) can be bounded.
//!
//! # Differences from Go
//!
//! * Maps have string keys only.
//! * A `%` in a template's name is shown in errors as it is. Go takes it for a formatting directive there.
//! * After an error there is no output. Go has written what came before it.

mod builtins;
mod error;
mod exec;
mod lex;
mod number;
mod parse;
mod print;
mod quote;
mod set;
pub mod sprig;
mod unicode;
mod value;

pub use error::{CallError, Error, ExecError};
pub use exec::Context;
pub use print::{TooLarge, sprint, sprintf, sprintln};
pub use set::{MissingKey, Options, TemplateSet};
pub use value::{FloatKind, Function, IntKind, Map, Object, Shape, Slice, Str, Type, UintKind, Value};
