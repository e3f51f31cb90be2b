//! The graph of values: what every mapping, rule and template of every feed compiles to.
//!
//! A node says how one value of one record comes about. Equal nodes are one node, so that feeds share what they compute
//! alike: a cleaned description is cleaned once a record, however many feeds print it. The graph knows columns by number
//! and holds no record; [`crate::program::evaluate`] runs it.

mod node;

use std::collections::HashMap;

use crate::catalog::columns::Kind;
use crate::helper::Helper;

use super::reading::Reading;
pub use node::{Node, Operation, Part, Relation, Search};

/// A node's number in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// The way to a node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// There is none.
    Absent,
    /// The cell of that number, without space around it.
    Cell(u32),
    /// The cell of that number where it holds something; else what its node says.
    OwnCell(u32),
    /// The reading of that number, of the cell of that number; kept.
    Read(u32, u32),
    /// The node of that number, a reading of a cell, where it has a value; else what its own node says.
    OwnRead(NodeId, u32, u32),
    /// The first element of the list that a byte parts in the cell of that number, where it is plain to see; else what its
    /// own node says.
    FirstOf(u8, u32),
    /// The cell of that number, where a list that a byte parts in it is joined as it stands; else what its own node says.
    Joined(u8, u32),
    /// The value of the node of that number where it is a text without that byte, which its own node would replace; else
    /// what that says.
    Without(u8, NodeId),
    /// The computed attribute of that number.
    Attribute(u32),
    /// Computed, each time it is asked for.
    Computed,
    /// Computed once a record, and kept for the next one who asks.
    Kept,
}

/// Nodes, each once.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
    numbers: HashMap<Node, NodeId>,
    ways: Vec<Way>,
    steady: Vec<bool>,
    /// How typed cells are read.
    pub readings: Vec<Reading>,
    /// Compiled regular expressions.
    pub patterns: Vec<regex::Regex>,
    /// How many groups of attributes compute alike.
    pub shared: usize,
    /// Sets of location codes.
    pub location_sets: Vec<Vec<String>>,
}

impl Graph {
    /// The node's number, the same for an equal node.
    pub fn add(&mut self, node: Node) -> NodeId {
        if let Some(&id) = self.numbers.get(&node) {
            return id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).expect("fewer than 4 billion nodes"));
        let steady = self.is_steady_made_of(&node);
        let way = self.way_to(&node, steady);
        self.nodes.push(node.clone());
        self.ways.push(way);
        self.steady.push(steady);
        self.numbers.insert(node, id);
        id
    }

    /// The number of a node, where it was added.
    pub fn find(&self, node: &Node) -> Option<NodeId> {
        self.numbers.get(node).copied()
    }

    /// The node of a number.
    #[inline]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True without nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The way to a node's value.
    #[inline]
    pub fn way(&self, id: NodeId) -> Way {
        self.ways[id.0 as usize]
    }

    /// Whether a node keeps its value while one record is in hand.
    #[inline]
    pub fn is_steady(&self, id: NodeId) -> bool {
        self.steady[id.0 as usize]
    }

    /// A text known at load.
    pub fn text(&mut self, text: &str) -> NodeId {
        if text.is_empty() {
            self.add(Node::Absent)
        } else {
            self.add(Node::Text(text.into()))
        }
    }

    /// The value of a node that is known at load: `Some(None)` is absent.
    pub fn constant(&self, id: NodeId) -> Option<Option<&str>> {
        match self.node(id) {
            Node::Absent => Some(None),
            Node::Text(text) => Some(Some(text)),
            _ => None,
        }
    }

    /// The first present of several, without nodes that never are.
    pub fn first(&mut self, nodes: Vec<NodeId>) -> NodeId {
        let mut kept: Vec<NodeId> = Vec::new();
        for id in nodes {
            if !matches!(self.node(id), Node::Absent) && !kept.contains(&id) {
                kept.push(id);
            }
        }
        match kept.as_slice() {
            [] => self.add(Node::Absent),
            [one] => *one,
            _ => self.add(Node::First(kept.into())),
        }
    }

    /// The number of a reading, the same for an equal one.
    pub fn reading(&mut self, reading: Reading) -> u32 {
        let found = self.readings.iter().position(|known| *known == reading);
        let index = found.unwrap_or_else(|| {
            self.readings.push(reading);
            self.readings.len() - 1
        });
        u32::try_from(index).expect("few readings")
    }

    /// The number of a set of locations.
    pub fn location_set(&mut self, codes: &[String]) -> u32 {
        let found = self.location_sets.iter().position(|known| known == codes);
        let index = found.unwrap_or_else(|| {
            self.location_sets.push(codes.to_vec());
            self.location_sets.len() - 1
        });
        u32::try_from(index).expect("few location sets")
    }

    /// The nodes a node is made from.
    pub fn inputs(&self, id: NodeId) -> Vec<NodeId> {
        self.node(id).inputs()
    }

    /// True when a node's value depends on one that fits, itself included.
    pub fn depends(&self, id: NodeId, fits: &dyn Fn(&Node) -> bool) -> bool {
        fits(self.node(id))
            || self
                .inputs(id)
                .into_iter()
                .any(|input| self.depends(input, fits))
    }

    fn way_to(&self, node: &Node, steady: bool) -> Way {
        match node {
            Node::Absent => Way::Absent,
            Node::Attribute(slot) => Way::Attribute(*slot),
            Node::Trim(inner) => match self.node(*inner) {
                Node::Raw(column) => Way::Cell(*column),
                _ => Way::Computed,
            },
            Node::Inherit { own, .. } => self.way_by(Some(*own), Way::Computed),
            Node::Read { reading, input } => match (self.node(*input), self.way(*input)) {
                (Node::Raw(column), _) => Way::Read(*reading, *column),
                (_, Way::Cell(column)) => Way::Read(*reading, column),
                _ if steady => Way::Kept,
                _ => Way::Computed,
            },
            Node::First(nodes) => self.way_by(nodes.first().copied(), Way::Computed),
            Node::Availability { given, .. } if steady => self.way_by(Some(*given), Way::Kept),
            Node::Helper {
                helper: number,
                positional,
                named,
                ..
            } if named.is_empty()
                && let Some(way) = self.way_to_replaced(*number, positional) =>
            {
                way
            }
            Node::Helper {
                helper: number,
                positional,
                named,
                ..
            } if steady && named.is_empty() => self.way_to_list(*number, positional),
            _ if steady && worth_keeping(node) => Way::Kept,
            _ => Way::Computed,
        }
    }

    /// The way to a node that takes another node's value where there is one; `otherwise` where that one has no short way.
    fn way_by(&self, first: Option<NodeId>, otherwise: Way) -> Way {
        let Some(first) = first else { return otherwise };
        match self.way(first) {
            Way::Cell(column) | Way::OwnCell(column) => Way::OwnCell(column),
            Way::Read(reading, column) => Way::OwnRead(first, reading, column),
            Way::OwnRead(own, reading, column) => Way::OwnRead(own, reading, column),
            _ => otherwise,
        }
    }

    /// The way to what `replace` makes: most texts do not hold the byte it replaces.
    fn way_to_replaced(&self, number: u16, positional: &[NodeId]) -> Option<Way> {
        let [text, from, to] = positional else {
            return None;
        };
        self.constant(*to)?;
        match (helper(number).name, self.constant(*from)??.as_bytes()) {
            ("replace", [byte]) => Some(Way::Without(*byte, *text)),
            _ => None,
        }
    }

    /// The way to what a helper makes: of lists in cells, the usual need not be made.
    fn way_to_list(&self, number: u16, positional: &[NodeId]) -> Way {
        let parted = |&list: &NodeId| match self.way(list) {
            Way::Read(reading, column) | Way::OwnRead(_, reading, column) => {
                Some((parting(&self.readings[reading as usize])?, column))
            }
            _ => None,
        };
        match (helper(number).name, positional) {
            ("first", [list]) => parted(list).map(|(byte, column)| Way::FirstOf(byte, column)),
            ("join", [list, glue]) => parted(list)
                .filter(|&(byte, _)| match self.node(*glue) {
                    Node::Text(glue) => glue.as_bytes() == [b' ', byte, b' '],
                    _ => false,
                })
                .map(|(byte, column)| Way::Joined(byte, column)),
            _ => None,
        }
        .unwrap_or(Way::Kept)
    }

    /// Whether a node, not added yet, keeps its value while one record is in hand.
    fn is_steady_made_of(&self, node: &Node) -> bool {
        let moves = matches!(
            node,
            Node::This { .. }
                | Node::Attribute(_)
                | Node::StockRow { .. }
                | Node::Location(_)
                | Node::EachVariant(_)
                | Node::StockSum {
                    locations: None,
                    ..
                }
        );
        !moves && node.inputs().into_iter().all(|input| self.is_steady(input))
    }
}

/// The byte that parts the elements of a list in a cell, where it is one.
fn parting(reading: &Reading) -> Option<u8> {
    let usual = match reading.kind {
        Kind::List => "|",
        Kind::Levels => ">",
        _ => return None,
    };
    match reading.separator.as_deref().unwrap_or(usual).as_bytes() {
        [byte] if byte.is_ascii_punctuation() => Some(*byte),
        _ => None,
    }
}

/// Values that cost next to nothing beside what they are made of are not kept.
fn worth_keeping(node: &Node) -> bool {
    !matches!(
        node,
        Node::Text(_)
            | Node::Bool(_)
            | Node::Raw(_)
            | Node::First(_)
            | Node::If { .. }
            | Node::All(_)
            | Node::Any(_)
            | Node::Not(_)
            | Node::Has(_)
            | Node::CompareText(..)
            | Node::CompareNumber(..)
            | Node::Where { .. }
    )
}

/// The helper of that number in the table.
pub fn helper(number: u16) -> &'static Helper {
    crate::helper::HELPERS[usize::from(number)]
}
