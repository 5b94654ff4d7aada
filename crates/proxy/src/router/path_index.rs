//! Which matchers can match a path, found in time that grows with the path and not with the number of matchers.
//!
//! A [`PathTree`] laid out for reading: a node, with a label of usual length and a single prefix, is 32 bytes in one
//! place; siblings lie side by side, the upper levels first. With thousands of routes nearly every request is for one
//! that is in no cache, and what counts is how many places have to be looked at.
//!
//! The lowest entry that holds is found without merging lists: every list is ascending, so each is read only up to the
//! best entry so far.

use std::collections::VecDeque;

use memchr::memchr;

use super::path_tree::{PathTree, TreeNode};

/// Bytes of a label that fit into a node.
const INLINE: usize = 8;
/// No side list.
const NONE: u32 = u32::MAX;

/// The index. `FOLD`: texts are in ASCII lower case and paths are compared without case.
#[derive(Debug)]
pub(super) struct PathIndex<const FOLD: bool> {
    /// Level by level; the children of a node are adjacent, ascending by first byte.
    nodes: Vec<Node>,
    /// The first byte of each node's label.
    first_bytes: Vec<u8>,
    /// Labels that do not fit into a node.
    labels: Vec<u8>,
    /// Lists of more than one entry.
    entries: Vec<u32>,
    /// Exact paths and patterns that end at a node: most nodes have neither.
    sides: Vec<Side>,
    /// The lowest entry with a regular expression; `u32::MAX` when there is none.
    first_pattern: u32,
}

#[derive(Debug)]
struct Node {
    label_length: u32,
    /// The label, or where it begins in `labels`.
    label: [u8; INLINE],
    children: u32,
    child_count: u32,
    prefixes: List,
    side: u32,
}

/// One entry itself, or where the entries begin in `entries`.
#[derive(Clone, Copy, Debug)]
struct List {
    start: u32,
    length: u32,
}

#[derive(Debug)]
struct Side {
    exacts: List,
    patterns: List,
}

impl<const FOLD: bool> PathIndex<FOLD> {
    /// Lays `tree` out.
    pub(super) fn new(tree: &PathTree) -> Self {
        let count = tree.nodes.len();
        let mut index = Self {
            nodes: Vec::with_capacity(count),
            first_bytes: Vec::with_capacity(count),
            labels: Vec::new(),
            entries: Vec::new(),
            sides: Vec::new(),
            first_pattern: u32::MAX,
        };
        let mut waiting = VecDeque::from([0]);
        // The root is the first; children get the numbers that follow those already given out.
        let mut numbered = 1;
        while let Some(node) = waiting.pop_front().and_then(|at: u32| tree.nodes.get(at as usize)) {
            index.push(node, numbered);
            numbered += node.children.len() as u32;
            waiting.extend(node.children.iter().map(|(_, child)| *child));
        }
        index
    }

    fn push(&mut self, node: &TreeNode, children: u32) {
        let mut label = [0; INLINE];
        if let Some(inline) = label.get_mut(..node.label.len()) {
            inline.copy_from_slice(&node.label);
        } else {
            label[..4].copy_from_slice(&(self.labels.len() as u32).to_le_bytes());
            self.labels.extend_from_slice(&node.label);
        }
        let prefixes = self.list(&node.prefixes);
        let side = if node.exacts.is_empty() && node.patterns.is_empty() {
            NONE
        } else {
            let side = Side { exacts: self.list(&node.exacts), patterns: self.list(&node.patterns) };
            self.first_pattern = self.first_pattern.min(node.patterns.first().copied().unwrap_or(u32::MAX));
            self.sides.push(side);
            self.sides.len() as u32 - 1
        };
        self.first_bytes.push(node.label.first().copied().unwrap_or_default());
        let (label_length, child_count) = (node.label.len() as u32, node.children.len() as u32);
        self.nodes.push(Node { label_length, label, children, child_count, prefixes, side });
    }

    fn list(&mut self, entries: &[u32]) -> List {
        let start = match entries {
            [only] => *only,
            several => {
                let start = self.entries.len() as u32;
                self.entries.extend_from_slice(several);
                start
            }
        };
        List { start, length: entries.len() as u32 }
    }

    fn entries<'a>(&'a self, list: &'a List) -> &'a [u32] {
        match list.length {
            1 => std::slice::from_ref(&list.start),
            length => self.entries.get(list.start as usize..(list.start + length) as usize).unwrap_or_default(),
        }
    }

    fn label<'a>(&'a self, node: &'a Node) -> &'a [u8] {
        let length = node.label_length as usize;
        if let Some(inline) = node.label.get(..length) {
            return inline;
        }
        let [a, b, c, d, ..] = node.label;
        let start = u32::from_le_bytes([a, b, c, d]) as usize;
        self.labels.get(start..start + length).unwrap_or_default()
    }

    /// The lowest entry below `bound` whose text fits `path` and for which `holds` says yes.
    pub(super) fn first(&self, path: &[u8], bound: u32, mut holds: impl FnMut(u32) -> bool) -> u32 {
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
            scan(self.entries(&node.prefixes), &mut best);
            if end && let Some(side) = self.sides.get(node.side as usize) {
                scan(self.entries(&side.exacts), &mut best);
            }
        });
        // Expressions cost most, so they come last: only those that would win are tried.
        if self.first_pattern < best {
            self.walk(path, |node, _| {
                if let Some(side) = self.sides.get(node.side as usize) {
                    scan(self.entries(&side.patterns), &mut best);
                }
            });
        }
        best
    }

    /// Visits each node whose text begins `path`; says whether the path ends there.
    fn walk<'a>(&'a self, path: &[u8], mut visit: impl FnMut(&'a Node, bool)) {
        let (mut at, mut rest) = (0, path);
        while let Some(node) = self.nodes.get(at) {
            visit(node, rest.is_empty());
            let Some(first) = rest.first() else { return };
            let children = node.children as usize;
            let first_bytes = self.first_bytes.get(children..children + node.child_count as usize);
            let Some(child) = memchr(fold::<FOLD>(*first), first_bytes.unwrap_or_default()) else { return };
            at = children + child;
            let Some(label) = self.nodes.get(at).map(|child| self.label(child)) else { return };
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
    use super::super::path_tree::{Kind, PathTree};
    use super::{Node, PathIndex};

    #[test]
    fn the_lowest_entry_wins_wherever_it_hangs() {
        let mut tree = PathTree::default();
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
            tree.insert(text.as_bytes(), kind, entry as u32);
        }
        let index = PathIndex::<false>::new(&tree);
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
        let mut tree = PathTree::default();
        tree.insert(b"/echo", Kind::Prefix, 0);
        tree.insert(b"/echoes", Kind::Exact, 1);
        let index = PathIndex::<true>::new(&tree);
        assert_eq!(index.first(b"/eCHo/x", u32::MAX, |_| true), 0);
        assert_eq!(index.first(b"/eCHoeS", u32::MAX, |entry| entry == 1), 1);
        assert_eq!(index.first(b"/ech", u32::MAX, |_| true), u32::MAX);
    }

    #[test]
    fn long_labels_and_lists_are_found_where_they_were_put() {
        let mut tree = PathTree::default();
        let long = "/a/label/that/does/not/fit/into/a/node";
        for (entry, text) in [long, long, "/a/label/that/differs/late/in/its/text", long].iter().enumerate() {
            tree.insert(text.as_bytes(), Kind::Prefix, entry as u32);
        }
        let index = PathIndex::<false>::new(&tree);
        let path = format!("{long}/and/more");
        for bound in 0..4 {
            let expected = [0, 1, 3, 3][bound as usize];
            assert_eq!(index.first(path.as_bytes(), u32::MAX, |entry| entry >= bound), expected);
        }
        assert_eq!(index.first(&long.as_bytes()[..long.len() - 1], u32::MAX, |_| true), u32::MAX);
        assert_eq!(size_of::<Node>(), 32, "half a line of the cache");
    }
}
