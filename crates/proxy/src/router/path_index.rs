//! A radix tree over paths: which entries can match a path, found in time that grows with the path and not with the
//! number of entries.
//!
//! An entry is the number of a matcher in list order. A prefix hangs at the end of its text, an exact path likewise
//! but counts only where the request's path ends, and a regular expression hangs at the end of the text that each of
//! its matches begins with. The lowest entry that holds is found without merging lists: every list is ascending, so
//! each is read only up to the best entry so far.

/// The tree. `FOLD`: texts are kept in ASCII lower case and paths are compared without case.
#[derive(Debug)]
pub(crate) struct PathIndex<const FOLD: bool> {
    nodes: Vec<Node>,
    /// The lowest entry with a regular expression; `u32::MAX` when there is none.
    first_pattern: u32,
}

#[derive(Debug, Default)]
struct Node {
    label: Vec<u8>,
    /// First byte of the child's label, and the child; ascending.
    children: Vec<(u8, u32)>,
    prefixes: Vec<u32>,
    exacts: Vec<u32>,
    patterns: Vec<u32>,
}

/// How an entry's text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Prefix,
    Exact,
    Pattern,
}

impl<const FOLD: bool> Default for PathIndex<FOLD> {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], first_pattern: u32::MAX }
    }
}

impl<const FOLD: bool> PathIndex<FOLD> {
    /// Adds `entry`. Entries are added in ascending order.
    pub(crate) fn insert(&mut self, text: &[u8], kind: Kind, entry: u32) {
        let folded: Vec<u8> = text.iter().map(|byte| fold::<FOLD>(*byte)).collect();
        let at = self.node_for(&folded);
        if kind == Kind::Pattern {
            self.first_pattern = self.first_pattern.min(entry);
        }
        if let Some(node) = self.nodes.get_mut(at) {
            match kind {
                Kind::Prefix => node.prefixes.push(entry),
                Kind::Exact => node.exacts.push(entry),
                Kind::Pattern => node.patterns.push(entry),
            }
        }
    }

    /// The node at the end of `text`, made if it is not there.
    fn node_for(&mut self, text: &[u8]) -> usize {
        let (mut at, mut rest) = (0, text);
        while let Some(first) = rest.first().copied() {
            let slot = self.nodes[at].children.binary_search_by_key(&first, |(byte, _)| *byte);
            match slot {
                Err(slot) => {
                    let child = self.push(Node { label: rest.to_vec(), ..Node::default() });
                    self.nodes[at].children.insert(slot, (first, child));
                    return child as usize;
                }
                Ok(slot) => {
                    let child = self.nodes[at].children[slot].1;
                    let label = &self.nodes[child as usize].label;
                    let common = label.iter().zip(rest).take_while(|(a, b)| a == b).count();
                    if common < label.len() {
                        // The child's label goes on where the new text does not: a node between the two.
                        let tail = self.nodes[child as usize].label.split_off(common);
                        let next = tail[0];
                        let head = std::mem::replace(&mut self.nodes[child as usize].label, tail);
                        let between = self.push(Node { label: head, children: vec![(next, child)], ..Node::default() });
                        self.nodes[at].children[slot].1 = between;
                        at = between as usize;
                    } else {
                        at = child as usize;
                    }
                    rest = &rest[common..];
                }
            }
        }
        at
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }

    /// The lowest entry below `bound` whose text fits `path` and for which `holds` says yes.
    pub(crate) fn first(&self, path: &[u8], bound: u32, mut holds: impl FnMut(u32) -> bool) -> u32 {
        let mut best = bound;
        let mut scan = |entries: &[u32], best: &mut u32| {
            for entry in entries {
                if *entry >= *best {
                    break;
                }
                if holds(*entry) {
                    *best = *entry;
                    break;
                }
            }
        };
        self.walk(path, |node, end| {
            scan(&node.prefixes, &mut best);
            if end {
                scan(&node.exacts, &mut best);
            }
        });
        // Expressions cost most, so they come last: only those that would win are tried.
        if self.first_pattern < best {
            self.walk(path, |node, _| scan(&node.patterns, &mut best));
        }
        best
    }

    /// Visits each node whose text begins `path`; says whether the path ends there.
    fn walk<'a>(&'a self, path: &[u8], mut visit: impl FnMut(&'a Node, bool)) {
        let (mut at, mut rest) = (0_usize, path);
        while let Some(node) = self.nodes.get(at) {
            visit(node, rest.is_empty());
            let Some(first) = rest.first() else { return };
            let Ok(slot) = node.children.binary_search_by_key(&fold::<FOLD>(*first), |(byte, _)| *byte) else { return };
            at = node.children[slot].1 as usize;
            let label = &self.nodes[at].label;
            match rest.get(..label.len()) {
                Some(head) if same::<FOLD>(label, head) => rest = &rest[label.len()..],
                _ => return,
            }
        }
    }
}

fn fold<const FOLD: bool>(byte: u8) -> u8 {
    if FOLD { byte.to_ascii_lowercase() } else { byte }
}

fn same<const FOLD: bool>(label: &[u8], head: &[u8]) -> bool {
    if FOLD { label.eq_ignore_ascii_case(head) } else { label == head }
}

#[cfg(test)]
mod tests {
    use super::{Kind, PathIndex};

    #[test]
    fn the_lowest_entry_wins_wherever_it_hangs() {
        let mut index = PathIndex::<false>::default();
        for (entry, (text, kind)) in [
            ("/api/v1", Kind::Exact),
            ("/api/", Kind::Prefix),
            ("/ap", Kind::Prefix),
            ("/api/v1/x", Kind::Prefix),
            ("", Kind::Prefix),
            ("/apple", Kind::Exact),
        ]
        .into_iter()
        .enumerate()
        {
            index.insert(text.as_bytes(), kind, entry as u32);
        }
        let find = |path: &str| index.first(path.as_bytes(), u32::MAX, |_| true);
        assert_eq!(find("/api/v1"), 0);
        assert_eq!(find("/api/v1/x"), 1);
        assert_eq!(find("/apple"), 2);
        assert_eq!(find("/a"), 4);
        assert_eq!(find(""), 4);
        assert_eq!(index.first(b"/api/v1", u32::MAX, |entry| entry > 1), 2);
        assert_eq!(index.first(b"/api/v1", 2, |entry| entry > 1), 2, "nothing below the bound");
    }

    #[test]
    fn folding_compares_without_case() {
        let mut index = PathIndex::<true>::default();
        index.insert(b"/Echo", Kind::Prefix, 0);
        index.insert(b"/ECHOES", Kind::Exact, 1);
        assert_eq!(index.first(b"/eCHo/x", u32::MAX, |_| true), 0);
        assert_eq!(index.first(b"/eCHoeS", u32::MAX, |entry| entry == 1), 1);
        assert_eq!(index.first(b"/ech", u32::MAX, |_| true), u32::MAX);
    }
}
