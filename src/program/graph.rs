//! The graph of values: what every mapping, rule and template of every feed compiles to.
//!
//! A node says how one value of one record comes about. Equal nodes are one node, so that feeds share what they compute
//! alike: a cleaned description is cleaned once a record, however many feeds print it. The graph knows columns by number
//! and holds no record; [`crate::program::evaluate`] runs it.

use std::collections::HashMap;

use crate::helper::Helper;

use super::reading::Reading;

/// A node's number in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Which part of the element a loop stands at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The element.
    Element,
    /// The name of a pair.
    Name,
    /// The value of a pair.
    Value,
    /// The number of the element, from 0.
    Index,
    /// Whether it is the first.
    First,
    /// Whether it is the last.
    Last,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// What two numbers are combined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// Where in a text another is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Search {
    /// Anywhere.
    Contains,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
}

/// How one value comes about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// Nothing.
    Absent,
    /// A text known at load.
    Text(Box<str>),
    /// A boolean known at load.
    Bool(bool),
    /// A cell of the record, by its column's number in its source.
    Raw(u32),
    /// A cell read as what its column holds, by the reading's number.
    Read {
        /// Number of the [`Reading`].
        reading: u32,
        /// The text to read.
        input: NodeId,
    },
    /// The first of these that is present.
    First(Box<[NodeId]>),
    /// A value of the one row that a joined source has for the record.
    Join {
        /// Number of the joined table.
        table: u32,
        /// The record's key.
        key: NodeId,
        /// What to take, computed on the joined row.
        value: NodeId,
    },
    /// The sum of a quantity over a joined source's rows for the record, at some locations.
    StockSum {
        /// Number of the joined table.
        table: u32,
        /// The record's key.
        key: NodeId,
        /// The quantity, computed on each row.
        quantity: NodeId,
        /// The row's location.
        location: NodeId,
        /// Number of the set of locations; `None` is all, and the location in hand where there is one.
        locations: Option<u32>,
    },
    /// A value of the stock row in hand (`records = "stock"`).
    StockRow {
        /// Number of the joined table.
        table: u32,
        /// What to take, computed on that row.
        value: NodeId,
    },
    /// What a key of the location in hand says.
    Location(Box<str>),
    /// The record's own value, or its product's.
    Inherit {
        /// The value, computed on either row.
        own: NodeId,
        /// Whether a first variant's value serves too.
        siblings: bool,
    },
    /// The value on the row that stands for the product.
    OfProduct(NodeId),
    /// The list of a value over all rows of the product, each once.
    Gather(NodeId),
    /// The list of a value over the variants of the product in hand, each once.
    EachVariant(NodeId),
    /// A text without space around it.
    Trim(NodeId),
    /// The elements of several lists, each once.
    Union(Box<[NodeId]>),
    /// What a helper makes of its arguments.
    Helper {
        /// Number of the helper in the table.
        helper: u16,
        /// Number of the view whose currency and language it uses.
        view: u16,
        /// The arguments.
        positional: Box<[NodeId]>,
        /// The named arguments.
        named: Box<[(Box<str>, NodeId)]>,
    },
    /// Texts one after another.
    Concat(Box<[NodeId]>),
    /// One of two, by a test.
    If {
        /// What is asked.
        test: NodeId,
        /// The value when it is true.
        then: NodeId,
        /// The value when it is not.
        otherwise: NodeId,
    },
    /// A text for each element of a list.
    Each {
        /// The list.
        list: NodeId,
        /// The text for one element.
        body: NodeId,
        /// The text when the list is empty.
        otherwise: NodeId,
    },
    /// The element a loop stands at.
    This {
        /// How many loops further out.
        up: u8,
        /// What of it.
        part: Part,
    },
    /// A computed attribute of the item in hand.
    Attribute(u32),
    /// What the `handlebars` crate renders, by the fallback's number, from named values.
    Rendered {
        /// Number of the fallback template.
        template: u32,
        /// The names it mentions.
        names: Box<[(Box<str>, NodeId)]>,
    },
    /// True when all are.
    All(Box<[NodeId]>),
    /// True when one is.
    Any(Box<[NodeId]>),
    /// True when it is not.
    Not(NodeId),
    /// A comparison of texts.
    CompareText(Relation, NodeId, NodeId),
    /// A comparison of exact numbers; false when one is absent.
    CompareNumber(Relation, NodeId, NodeId),
    /// Whether a value is an element of a list.
    In(NodeId, NodeId),
    /// A list of values.
    ListOf(Box<[NodeId]>),
    /// Whether a text is found in another.
    Find(Search, NodeId, NodeId),
    /// Whether a text matches a regular expression, by its number.
    Matches(NodeId, u32),
    /// Number of characters of a text, of elements of a list.
    Size(NodeId),
    /// Whether there is a value.
    Has(NodeId),
    /// Arithmetic on exact numbers.
    Arithmetic(Operation, NodeId, NodeId),
    /// The sale price where it is below the price and its window is not over.
    SalePrice {
        /// The regular price.
        price: NodeId,
        /// The sale price as given.
        sale: NodeId,
        /// When the sale is over.
        ends: NodeId,
    },
    /// Whether the sale is on now.
    OnSale {
        /// The sale price in force.
        sale: NodeId,
        /// When it begins.
        starts: NodeId,
        /// When it is over.
        ends: NodeId,
    },
    /// The given availability, or what follows from the quantity.
    Availability {
        /// As given.
        given: NodeId,
        /// Units that may be sold.
        quantity: NodeId,
    },
    /// Units salable at one online location: the formula of a sync, by its number.
    Salable {
        /// Number of the formula.
        formula: u32,
        /// The record's key.
        key: NodeId,
    },
    /// Units on hand less committed less safety stock, not below 0.
    Free {
        /// On hand.
        on_hand: NodeId,
        /// Promised to orders.
        committed: NodeId,
        /// Kept back.
        safety_stock: NodeId,
    },
    /// A price with tax made from one without, or the other way round.
    Tax {
        /// The price.
        price: NodeId,
        /// Per cent.
        rate: NodeId,
        /// Whether tax is added (or taken out).
        add: bool,
        /// Decimals to round to, half away from zero.
        decimals: u8,
    },
    /// A value only where another text equals the given one (a row's currency).
    Where {
        /// The text asked.
        test: NodeId,
        /// What it must be.
        equals: Box<str>,
        /// The value then.
        value: NodeId,
    },
}

/// Nodes, each once.
#[derive(Default)]
pub struct Graph {
    nodes: Vec<Node>,
    numbers: HashMap<Node, NodeId>,
    memo: Vec<bool>,
    /// How typed cells are read.
    pub readings: Vec<Reading>,
    /// Compiled regular expressions.
    pub patterns: Vec<regex::Regex>,
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
        let memo = self.worth_keeping(&node);
        self.nodes.push(node.clone());
        self.memo.push(memo);
        self.numbers.insert(node, id);
        id
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

    /// Whether a record's value of it is kept for the next one who asks.
    #[inline]
    pub fn is_kept(&self, id: NodeId) -> bool {
        self.memo[id.0 as usize]
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
        inputs(self.node(id))
    }

    /// True when a node's value depends on one that fits, itself included.
    pub fn depends(&self, id: NodeId, fits: &dyn Fn(&Node) -> bool) -> bool {
        fits(self.node(id))
            || self
                .inputs(id)
                .into_iter()
                .any(|input| self.depends(input, fits))
    }

    /// Values that cost next to nothing, or that change while one record is in hand, are not kept.
    fn worth_keeping(&self, node: &Node) -> bool {
        let cheap = matches!(
            node,
            Node::Absent
                | Node::Text(_)
                | Node::Bool(_)
                | Node::Raw(_)
                | Node::Trim(_)
                | Node::Attribute(_)
                | Node::This { .. }
        );
        let moves = |node: &Node| {
            matches!(
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
            )
        };
        !cheap
            && !moves(node)
            && !inputs(node)
                .into_iter()
                .any(|input| self.depends(input, &moves))
    }
}

fn inputs(node: &Node) -> Vec<NodeId> {
    match node {
        Node::Absent
        | Node::Text(_)
        | Node::Bool(_)
        | Node::Raw(_)
        | Node::Location(_)
        | Node::This { .. }
        | Node::Attribute(_) => Vec::new(),
        Node::Read { input, .. } => vec![*input],
        Node::First(nodes)
        | Node::Concat(nodes)
        | Node::All(nodes)
        | Node::Any(nodes)
        | Node::ListOf(nodes)
        | Node::Union(nodes) => nodes.to_vec(),
        Node::Join { key, value, .. } => vec![*key, *value],
        Node::StockSum {
            key,
            quantity,
            location,
            ..
        } => vec![*key, *quantity, *location],
        Node::StockRow { value, .. } => vec![*value],
        Node::Inherit { own, .. }
        | Node::OfProduct(own)
        | Node::Gather(own)
        | Node::EachVariant(own) => vec![*own],
        Node::Helper {
            positional, named, ..
        } => positional
            .iter()
            .copied()
            .chain(named.iter().map(|(_, id)| *id))
            .collect(),
        Node::If {
            test,
            then,
            otherwise,
        } => vec![*test, *then, *otherwise],
        Node::Each {
            list,
            body,
            otherwise,
        } => vec![*list, *body, *otherwise],
        Node::Rendered { names, .. } => names.iter().map(|(_, id)| *id).collect(),
        Node::Trim(id) | Node::Not(id) | Node::Size(id) | Node::Has(id) | Node::Matches(id, _) => {
            vec![*id]
        }
        Node::CompareText(_, left, right)
        | Node::CompareNumber(_, left, right)
        | Node::In(left, right)
        | Node::Find(_, left, right)
        | Node::Arithmetic(_, left, right) => vec![*left, *right],
        Node::SalePrice { price, sale, ends } => vec![*price, *sale, *ends],
        Node::OnSale { sale, starts, ends } => vec![*sale, *starts, *ends],
        Node::Availability { given, quantity } => vec![*given, *quantity],
        Node::Salable { key, .. } => vec![*key],
        Node::Free {
            on_hand,
            committed,
            safety_stock,
        } => vec![*on_hand, *committed, *safety_stock],
        Node::Tax { price, rate, .. } => vec![*price, *rate],
        Node::Where { test, value, .. } => vec![*test, *value],
    }
}

/// The helper of that number in the table.
pub fn helper(number: u16) -> &'static Helper {
    crate::helper::HELPERS[usize::from(number)]
}
