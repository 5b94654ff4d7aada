//! Headers that are added to and removed from requests and responses.

use serde::{Deserialize, Serialize};

/// How a route, a virtual host or a weighted destination changes headers. Where several do, the destination comes
/// first, then the route, then the virtual host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderChanges {
    /// What happens to the request on its way to the upstream.
    pub request: HeaderEdits,
    /// What happens to the response on its way to the client.
    pub response: HeaderEdits,
}

/// Changes of one message's headers: what is removed goes first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderEdits {
    /// The names of headers that go, in lower case.
    pub remove: Vec<String>,
    /// What is added.
    pub add: Vec<AddedHeader>,
}

/// A header that is added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddedHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value, which [`Format`](crate::Format) takes apart. One that comes to nothing is not added.
    pub value: String,
    /// Whether the headers of that name that are there already stay.
    pub append: bool,
}

impl HeaderChanges {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
