//! Handing a prefix over to other tables: by reference, or by label.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Ref, enumeration};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum Operator {
    /// The value is the one given.
    #[default]
    Equals,
    /// The same as `Equals`.
    DoubleEquals,
    /// The value is not the one given, or the label is absent.
    NotEquals,
    /// The value is one of those given.
    In,
    /// The value is none of those given, or the label is absent.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
    /// The value, an integer, is greater than the one given.
    GreaterThan,
    /// The value, an integer, is less than the one given.
    LessThan,
}

impl<'de> Deserialize<'de> for Operator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = [
            ("Equals", Self::Equals),
            ("DoubleEquals", Self::DoubleEquals),
            ("NotEquals", Self::NotEquals),
            ("In", Self::In),
            ("NotIn", Self::NotIn),
            ("Exists", Self::Exists),
            ("DoesNotExist", Self::DoesNotExist),
            ("GreaterThan", Self::GreaterThan),
            ("LessThan", Self::LessThan),
        ];
        // The short forms that Gloo's own documents show.
        let aliases = [
            ("=", Self::Equals),
            ("==", Self::DoubleEquals),
            ("!=", Self::NotEquals),
            ("in", Self::In),
            ("notin", Self::NotIn),
            ("exists", Self::Exists),
            ("!", Self::DoesNotExist),
            ("gt", Self::GreaterThan),
            ("lt", Self::LessThan),
        ];
        enumeration::deserialize(deserializer, &values, &aliases)
    }
}

/// Shared options to take over, first come first served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DelegateOptionsRefs {
    /// RouteOptions (on a route) or VirtualHostOptions (on a virtual host), in order of precedence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delegate_options: Vec<Ref>,
}
