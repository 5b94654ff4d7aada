//! What a request is about: its path and its query, taken apart.

use crate::rest::ApiError;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Objects: `/api/v1/…` or `/apis/GROUP/VERSION/…`.
    Objects(Target),
    /// Anything else, such as `/version` or `/apis/apps/v1`.
    Other,
}

/// The objects a path names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Empty for the core group.
    pub group: String,
    /// Such as `v1`.
    pub version: String,
    /// `None` for cluster-scoped kinds and for all namespaces at once.
    pub namespace: Option<String>,
    /// The plural name of the kind.
    pub plural: String,
    /// `None` for a collection.
    pub name: Option<String>,
    /// Such as `status`.
    pub subresource: Option<String>,
    /// The old form of watching, `/api/v1/watch/…`.
    pub watch: bool,
}

/// Takes a path apart. Any text is fine: what it cannot mean is [`Route::Other`].
pub fn route(path: &str) -> Route {
    let mut segments = path.trim_start_matches('/').trim_end_matches('/').split('/').map(percent_decode);
    let mut target = Target::default();
    match segments.next().as_deref() {
        Some("api") => {}
        Some("apis") => match segments.next() {
            Some(group) if !group.is_empty() => target.group = group,
            _ => return Route::Other,
        },
        _ => return Route::Other,
    }
    let Some(version) = segments.next() else { return Route::Other };
    target.version = version;
    let mut rest: Vec<String> = segments.collect();
    if rest.first().is_some_and(|segment| segment == "watch") {
        rest.remove(0);
        target.watch = true;
    }
    if rest.is_empty() || rest.iter().any(String::is_empty) {
        return Route::Other;
    }
    // `namespaces/x` and `namespaces/x/status` are about the namespace itself; with more it is about its contents.
    let about_namespace = rest.len() < 3 || (rest.len() == 3 && matches!(&*rest[2], "status" | "finalize"));
    if rest[0] == "namespaces" && !about_namespace {
        target.namespace = Some(rest.remove(1));
        rest.remove(0);
    }
    let mut rest = rest.into_iter();
    target.plural = rest.next().unwrap_or_default();
    target.name = rest.next();
    target.subresource = rest.next();
    if rest.next().is_some() { Route::Other } else { Route::Objects(target) }
}

/// The query of a request, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query string; parts that are not `key=value` count as keys with an empty value.
    pub fn parse(text: &str) -> Query {
        let decode = |part: &str| percent_decode(part.replace('+', " "));
        let pairs = text.split('&').filter(|part| !part.is_empty()).map(|part| match part.split_once('=') {
            Some((key, value)) => (decode(key), decode(value)),
            None => (decode(part), String::new()),
        });
        Query(pairs.collect())
    }

    /// The first value of `key`, unless it is empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All values of `key`.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Whether `key` is there and not `0` or `false`.
    pub fn flag(&self, key: &str) -> bool {
        self.0.iter().find(|(k, _)| k == key).is_some_and(|(_, value)| value != "0" && value != "false")
    }

    /// The number under `key`.
    ///
    /// # Errors
    /// 400 when it is not one.
    pub fn number<T: std::str::FromStr>(&self, key: &str) -> Result<Option<T>, ApiError> {
        self.get(key)
            .map(|text| {
                text.parse()
                    .map_err(|_| ApiError::bad_request(format!("{key}: Invalid value: \"{text}\": must be a number")))
            })
            .transpose()
    }
}

fn percent_decode(text: impl AsRef<str>) -> String {
    let bytes = text.as_ref().as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> (String, String, Option<String>, String, Option<String>, Option<String>) {
        match route(path) {
            Route::Objects(t) => (t.group, t.version, t.namespace, t.plural, t.name, t.subresource),
            Route::Other => panic!("{path} names no objects"),
        }
    }

    #[test]
    fn paths_name_objects() {
        let s = |text: &str| text.to_owned();
        let o = |text: &str| Some(text.to_owned());
        assert_eq!(target("/api/v1/pods"), (s(""), s("v1"), None, s("pods"), None, None));
        assert_eq!(target("/api/v1/namespaces/a"), (s(""), s("v1"), None, s("namespaces"), o("a"), None));
        assert_eq!(target("/api/v1/namespaces/a/status"), (s(""), s("v1"), None, s("namespaces"), o("a"), o("status")));
        assert_eq!(target("/api/v1/namespaces/a/pods/b/log"), (s(""), s("v1"), o("a"), s("pods"), o("b"), o("log")));
        let group = s("rbac.authorization.k8s.io");
        assert_eq!(
            target("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode"),
            (group, s("v1"), None, s("clusterroles"), o("system:node"), None)
        );
    }

    #[test]
    fn other_paths_do_not() {
        for path in [
            "",
            "/",
            "/api",
            "/api/v1",
            "/apis",
            "/apis/apps",
            "/apis/apps/v1/",
            "/version",
            "/api/v1//x",
            "/api/v1/a/b/c/d/e/f",
        ] {
            assert_eq!(route(path), Route::Other, "{path}");
        }
    }

    #[test]
    fn queries_are_decoded() {
        let query = Query::parse("labelSelector=a%3Db%2Cc&watch=1&limit=x&empty=&a+b=c+d");
        assert_eq!(query.get("labelSelector"), Some("a=b,c"));
        assert_eq!(query.get("a b"), Some("c d"));
        assert_eq!(query.get("empty"), None);
        assert!(query.flag("watch") && !query.flag("other"));
        assert!(query.number::<u64>("limit").is_err());
    }
}
