//! A radix tree over paths while it grows: which matchers' texts there are, and what hangs at the end of each.
//!
//! A prefix hangs at the end of its text, an exact path likewise, and a regular expression at the end of the text that
//! each of its matches begins with. Requests are matched against what is made of it, a
//! [`PathIndex`](super::path_index::PathIndex).

/// The tree.
#[derive(Debug)]
pub(super) struct PathTree {
    pub(super) nodes: Vec<TreeNode>,
}

#[derive(Debug, Default)]
pub(super) struct TreeNode {
    pub(super) label: Vec<u8>,
    /// First byte of the child's label, and the child; ascending.
    pub(super) children: Vec<(u8, u32)>,
    /// The numbers of the matchers that end here, ascending.
    pub(super) prefixes: Vec<u32>,
    pub(super) exacts: Vec<u32>,
    pub(super) patterns: Vec<u32>,
}

/// How an entry's text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Prefix,
    Exact,
    Pattern,
}

impl Default for PathTree {
    fn default() -> Self {
        Self { nodes: vec![TreeNode::default()] }
    }
}

impl PathTree {
    /// Adds `entry`. Entries are added in ascending order.
    pub(super) fn insert(&mut self, text: &[u8], kind: Kind, entry: u32) {
        let at = self.node_for(text);
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
                    let child = self.push(TreeNode { label: rest.to_vec(), ..TreeNode::default() });
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
                        let between =
                            self.push(TreeNode { label: head, children: vec![(next, child)], ..TreeNode::default() });
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

    fn push(&mut self, node: TreeNode) -> u32 {
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }
}
