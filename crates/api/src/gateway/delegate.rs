//! Handing a prefix over to other tables: by reference, or by label.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Ref;

/// Hands the requests under the route's prefix to one or more RouteTables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DelegateAction {
    /// The table's name. The old form of `ref`, still read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The table's namespace. The old form of `ref`, still read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The one table to delegate to.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Ref>,
    /// Delegate to every table with these labels, in these namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<RouteTableSelector>,
}

/// Chooses RouteTables by namespace and by label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteTableSelector {
    /// Where to look. Absent: the namespace of the resource that delegates. `*`: every watched namespace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Labels that a table must have, all of them. Not together with `expressions`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Conditions on labels, all of which must hold. Not together with `labels`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expressions: Vec<Expression>,
}

/// One condition on one label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Expression {
    /// The label's name.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// What it is compared with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How a label is compared. The short forms are read as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// The value is the one given.
    #[default]
    #[serde(alias = "=")]
    Equals,
    /// The same as `Equals`.
    #[serde(alias = "==")]
    DoubleEquals,
    /// The value is not the one given, or the label is absent.
    #[serde(alias = "!=")]
    NotEquals,
    /// The value is one of those given.
    #[serde(alias = "in")]
    In,
    /// The value is none of those given, or the label is absent.
    #[serde(alias = "notin")]
    NotIn,
    /// The label is there.
    #[serde(alias = "exists")]
    Exists,
    /// The label is not there.
    #[serde(alias = "!")]
    DoesNotExist,
    /// The value, an integer, is greater than the one given.
    #[serde(alias = "gt")]
    GreaterThan,
    /// The value, an integer, is less than the one given.
    #[serde(alias = "lt")]
    LessThan,
}

/// Shared options to take over, first come first served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DelegateOptionsRefs {
    /// RouteOptions (on a route) or VirtualHostOptions (on a virtual host), in order of precedence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delegate_options: Vec<Ref>,
}
