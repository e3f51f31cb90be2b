//! What a node may be, and which nodes it is made from.

use super::NodeId;

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
        /// Number of the reading.
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
        /// Conditions on the record, and the units kept back at each location where one holds; the first counts.
        keep: Vec<(NodeId, i64)>,
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

impl Node {
    /// The nodes it is made from.
    pub fn inputs(&self) -> Vec<NodeId> {
        match self {
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
            Node::Trim(id)
            | Node::Not(id)
            | Node::Size(id)
            | Node::Has(id)
            | Node::Matches(id, _) => {
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
            Node::Salable { key, keep, .. } => {
                let mut inputs = vec![*key];
                inputs.extend(keep.iter().map(|(condition, _)| *condition));
                inputs
            }
            Node::Free {
                on_hand,
                committed,
                safety_stock,
            } => vec![*on_hand, *committed, *safety_stock],
            Node::Tax { price, rate, .. } => vec![*price, *rate],
            Node::Where { test, value, .. } => vec![*test, *value],
        }
    }
}
