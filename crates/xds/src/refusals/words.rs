//! What an Envoy says of one resource, in words for its owner: without what it says of others, the resource itself, which
//! it may print whole, and the names of its messages.

/// What is in front of a printed message. Its end differs, so that nobody relies on it.
const PRINTED: &str = "goo.gle/debug";
/// What a value is refused with that its message does not allow.
const NOT_ALLOWED: &str = "Proto constraint validation failed (";
/// What stands between a message and the one in it that is at fault.
const CAUSE: &str = " | caused by ";

/// The words of `message` that are about the resource `name`: all of them, if none are about it alone.
pub(super) fn about(message: &str, name: &str) -> String {
    let own = own(message, name).unwrap_or(message).trim();
    let printed = own.starts_with(PRINTED);
    match own.split_once(NOT_ALLOWED).filter(|(before, _)| printed || !before.contains('\n')) {
        Some((_, reason)) => not_allowed(reason),
        None if printed => own.rsplit("\n: ").next().unwrap_or(own).trim().to_owned(),
        None => own.lines().next().unwrap_or(own).trim().to_owned(),
    }
}

/// What follows `name: ` where a line, or the list, begins with it.
fn own<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    message.match_indices(name).find_map(|(at, _)| {
        let begins = message[..at].chars().next_back().is_none_or(char::is_whitespace);
        let rest = message[at + name.len()..].strip_prefix(':')?;
        begins.then_some(rest)
    })
}

/// `Outer.Field: … | caused by Inner.Name: too long)` as `name: too long`.
fn not_allowed(reason: &str) -> String {
    let reason = reason.lines().next().unwrap_or_default().trim();
    let reason = reason.strip_suffix(')').unwrap_or(reason);
    let inmost = reason.rsplit(CAUSE).next().unwrap_or(reason);
    let Some((path, why)) = inmost.split_once(": ") else { return inmost.to_owned() };
    let field = path.rsplit('.').next().unwrap_or(path);
    let mut letters = field.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    format!("{}{}: {why}", first.map(String::from).unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn words_about_one_resource_are_cut_out() {
        let message =
            "Error adding/updating listener(s) serin-probe/000001-002: first\nserin-probe/000001-013: second\n";
        assert_eq!(about(message, "serin-probe/000001-002"), "first");
        assert_eq!(about(message, "serin-probe/000001-013"), "second");
        assert_eq!(about("just this", "serin-probe/000001-001"), "just this");
        assert_eq!(about("Error adding/updating cluster(s) up: up cluster must not", "up"), "up cluster must not");
    }

    #[test]
    fn a_value_that_is_not_allowed_is_named_without_messages_around_it() {
        let printed = "goo.gle/debugonly  \nstat_prefix: \"p/1\"\nroutes {\n  name: \"x: y\"\n}\n";
        let failed = "Proto constraint validation failed (AValidationError.B: embedded message failed validation | caused by \
                      CValidationError.QueryParameters[0]: embedded message failed validation | caused by \
                      DValidationError.Name: value length must be at most 1024 bytes)";
        let message = format!("Error adding/updating listener(s) p/1: {printed}: {failed}\np/2: other\n");
        assert_eq!(about(&message, "p/1"), "name: value length must be at most 1024 bytes");
        assert_eq!(about(&message, "p/2"), "other");
        assert_eq!(about(&format!("p/1: {failed}"), "p/1"), "name: value length must be at most 1024 bytes");
        assert_eq!(about(&format!("p/1: {printed}: no such filter"), "p/1"), "no such filter");
        assert_eq!(about(&format!("p/2: other\np/1: {printed}: {failed}"), "p/2"), "other");
    }
}
