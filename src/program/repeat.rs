//! What a record repeats of the one before it. Variants of a product stand together and share most of their cells: what was
//! computed, checked and written from those stands for the next one too.
//!
//! Sets of columns and of attributes are bits of a number: a set too large for it, and what no column tells, is [`OTHER`].

use std::collections::HashMap;

use super::feed::FeedProgram;
use super::graph::{Graph, Node, NodeId, helper};

/// Stands for everything else: it never stays the same.
pub const OTHER: u64 = 1 << 63;
/// Stands for what never changes: it counts as new once, before anything was computed.
pub const FIRST: u64 = 1 << 62;
/// All columns, and what no column tells: another product.
pub const ALL: u64 = !FIRST;
/// Columns, or attributes, that have a bit of their own.
const OWN: usize = 62;

/// The set of one of some, by its number among them.
pub fn one(number: usize) -> u64 {
    if number < OWN { 1 << number } else { OTHER }
}

/// One of the conditions that a filter consists of.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// What is asked.
    pub node: NodeId,
    /// The columns it is computed from.
    pub reads: u64,
}

/// The master's columns that are held against the record before, each with its bit's number.
#[derive(Default)]
pub struct Watched {
    columns: Vec<u32>,
}

impl Watched {
    /// The columns that the attributes and filters of some feeds are computed from; notes with each which those are.
    pub fn by(feeds: &mut [FeedProgram], graph: &Graph) -> Self {
        let mut watched = Watched::default();
        let mut known = HashMap::new();
        for feed in feeds.iter_mut() {
            feed.conditions.clear();
            if let Some(filter) = feed.filter {
                watched.conditions(filter, graph, &mut known, &mut feed.conditions);
            }
        }
        for attribute in feeds.iter_mut().flat_map(|feed| &mut feed.attributes) {
            let list = attribute.list.as_ref();
            let mut reads = FIRST;
            if let Some(list) = list {
                reads |= watched.read(list.list, graph, &mut known);
            }
            if list.is_none_or(|list| list.computed) {
                reads |= watched.read(attribute.value, graph, &mut known);
            }
            if attribute.location.is_some() {
                reads = OTHER;
            }
            attribute.reads = reads;
        }
        watched
    }

    /// The columns, in the order of their bits.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// The conditions that must all be true for a filter to be.
    fn conditions(
        &mut self,
        filter: NodeId,
        graph: &Graph,
        known: &mut HashMap<NodeId, u64>,
        conditions: &mut Vec<Condition>,
    ) {
        if let Node::All(nodes) = graph.node(filter) {
            for &node in nodes {
                self.conditions(node, graph, known, conditions);
            }
            return;
        }
        let reads = FIRST | self.read(filter, graph, known);
        conditions.push(Condition {
            node: filter,
            reads,
        });
    }

    /// What a node is computed from.
    fn read(&mut self, id: NodeId, graph: &Graph, known: &mut HashMap<NodeId, u64>) -> u64 {
        if let Some(&reads) = known.get(&id) {
            return reads;
        }
        let reads = match graph.node(id) {
            Node::Raw(column) => self.bit(*column),
            // The joined row follows from its key.
            Node::Join { key, .. } => self.read(*key, graph, known),
            // A template for the crate may call any helper; a formula has nodes of its own.
            Node::Rendered { .. } | Node::Salable { .. } => OTHER,
            // It counts each record that it finds nothing for.
            Node::Helper { helper: number, .. } if helper(*number).name == "map" => OTHER,
            _ if !graph.is_steady(id) => OTHER,
            node => node
                .inputs()
                .into_iter()
                .fold(0, |reads, input| reads | self.read(input, graph, known)),
        };
        known.insert(id, reads);
        reads
    }

    fn bit(&mut self, column: u32) -> u64 {
        let at = self.columns.iter().position(|&known| known == column);
        let at = at.unwrap_or_else(|| {
            if self.columns.len() < OWN {
                self.columns.push(column);
                self.columns.len() - 1
            } else {
                OWN
            }
        });
        one(at)
    }
}
