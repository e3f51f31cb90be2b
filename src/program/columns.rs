//! Our columns in a catalog at hand: which cells of which sources each is made of, in which language and currency.
//!
//! Comes in: the opened sources' column names, their mappings and presets. Goes out: a node for a column as one feed sees
//! it (its [`View`]). Later sources win over earlier where both have a value.

mod source;
mod stock;

use std::collections::BTreeMap;

use crate::catalog::columns::{self, Column, Inherited, Kind};
use crate::catalog::preset::Preset;
use crate::config::project::{Prices, Shop, Source};
use crate::helper::find as find_helper;

use super::condition::Type;
use super::fallback::Fallback;
use super::graph::{Graph, Node, NodeId};

/// One opened source: its columns as they are, and what the project says of them.
pub struct Schema {
    /// What the project says.
    pub source: Source,
    /// Its layout, where it is a known one.
    pub preset: Option<&'static Preset>,
    /// Its columns.
    pub columns: Vec<String>,
    /// The joined table's number; `None` is the master.
    pub table: Option<u32>,
}

/// How one feed sees the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Number among the helper contexts.
    pub number: u16,
    /// Language, BCP 47.
    pub language: String,
    /// Languages taken where that one is missing.
    pub fallback: Vec<String>,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Locations whose stock counts.
    pub locations: Option<Vec<String>>,
    /// Number of the formula that gives `salable`.
    pub formula: Option<u32>,
    /// The item is a stock row.
    pub stock_rows: bool,
    /// Stock is that of the location in hand.
    pub per_location: bool,
    /// Whether the channel wants prices with tax.
    pub prices: Option<Prices>,
}

/// A column whose text may come from a fallback language: the node in the feed's own, and the node with fallbacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// Our column.
    pub column: String,
    /// The value in the feed's language.
    pub exact: NodeId,
    /// The value in it or a fallback.
    pub any: NodeId,
}

/// Why a column cannot be had: the source's name, a message and a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnProblem {
    /// The source, where one is at fault.
    pub source: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Resolves our columns over the opened sources.
pub struct Columns<'s> {
    /// The sources, master first.
    pub schemas: &'s [Schema],
    /// The shop.
    pub shop: &'s Shop,
    /// Where pieces that are not lowered go.
    pub fallbacks: &'s mut Vec<Fallback>,
    /// Problems found in mappings.
    pub problems: Vec<ColumnProblem>,
    /// Columns asked in a language, by view number.
    pub translated: BTreeMap<u16, Vec<Translated>>,
    /// What each formula keeps back by rule: conditions and units, the first that holds.
    pub keep: Vec<Vec<(NodeId, i64)>>,
}

impl Columns<'_> {
    /// The node of a column as a view sees it; `None` when the catalog cannot have such a column.
    pub fn column(&mut self, graph: &mut Graph, view: &View, name: &str) -> Option<NodeId> {
        let node = match name {
            "current_price" => {
                let sale = self.known(graph, view, "sale_price");
                let price = self.known(graph, view, "price");
                let test = self.known(graph, view, "on_sale");
                graph.add(Node::If {
                    test,
                    then: sale,
                    otherwise: price,
                })
            }
            "on_sale" => {
                let sale = self.known(graph, view, "sale_price");
                let starts = self.known(graph, view, "sale_starts");
                let ends = self.known(graph, view, "sale_ends");
                graph.add(Node::OnSale { sale, starts, ends })
            }
            "sale_price" => {
                let sale = self.money(graph, view, "sale_price");
                if matches!(graph.node(sale), Node::Absent) {
                    return Some(sale);
                }
                let price = self.known(graph, view, "price");
                let ends = self.known(graph, view, "sale_ends");
                graph.add(Node::SalePrice { price, sale, ends })
            }
            "product_id" => {
                let own = self.plain(graph, view, "product_id");
                let sku = self.known(graph, view, "sku");
                graph.first(vec![own, sku])
            }
            "image" => {
                let own = self.plain(graph, view, "image");
                let images = self.plain(graph, view, "images");
                let first = self.first_of(graph, images);
                graph.first(vec![own, first])
            }
            "images" => {
                let images = self.plain(graph, view, "images");
                let own = self.plain(graph, view, "image");
                if matches!(graph.node(images), Node::Absent) {
                    own
                } else if matches!(graph.node(own), Node::Absent) {
                    images
                } else {
                    graph.add(Node::Union([own, images].into()))
                }
            }
            "availability" => {
                let given = self.plain(graph, view, "availability");
                let quantity = self.known(graph, view, "salable");
                if matches!(graph.node(quantity), Node::Absent) {
                    given
                } else {
                    graph.add(Node::Availability { given, quantity })
                }
            }
            "salable" => self.salable(graph, view),
            "on_hand" | "committed" | "available" | "incoming" => self.stock(graph, view, name),
            "location" if view.stock_rows => self.stock_row(graph, "location"),
            "updated_at" if view.stock_rows => {
                let row = self.stock_row(graph, "updated_at");
                let own = self.plain(graph, view, "updated_at");
                graph.first(vec![row, own])
            }
            _ => match columns::find(name) {
                Some(column) if column.kind == Kind::Money => self.money(graph, view, name),
                Some(column) if column.translated => self.translated(graph, view, column),
                Some(_) => self.plain(graph, view, name),
                None => return self.custom(graph, name),
            },
        };
        Some(node)
    }

    /// A column of the vocabulary: it may be absent, never unknown.
    fn known(&mut self, graph: &mut Graph, view: &View, name: &str) -> NodeId {
        self.column(graph, view, name)
            .unwrap_or_else(|| graph.add(Node::Absent))
    }

    /// The type a condition takes a column for.
    pub fn type_of(name: &str) -> Type {
        if name == "on_sale" {
            return Type::Bool;
        }
        if name == "current_price" {
            return Type::Number;
        }
        match columns::find(name).map(|column| column.kind) {
            Some(Kind::Money | Kind::Decimal | Kind::Quantity) => Type::Number,
            Some(Kind::List | Kind::Levels | Kind::Pairs) => Type::List,
            Some(_) => Type::Text,
            None => match name
                .split_once('.')
                .and_then(|(base, _)| columns::find(base))
            {
                Some(column) if column.kind == Kind::Money => Type::Number,
                _ => Type::Any,
            },
        }
    }

    /// The names a mapping may use: ours and the sources' own, for near misses.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = columns::COLUMNS
            .iter()
            .map(|column| column.name.to_owned())
            .collect();
        names.extend(
            columns::DERIVED
                .iter()
                .map(|(name, _, _)| (*name).to_owned()),
        );
        for schema in self.schemas {
            names.extend(schema.columns.iter().cloned());
            names.extend(schema.source.fields.keys().cloned());
        }
        names
    }

    fn first_of(&mut self, graph: &mut Graph, list: NodeId) -> NodeId {
        if matches!(graph.node(list), Node::Absent) {
            return list;
        }
        let number = crate::helper::HELPERS
            .iter()
            .position(|helper| helper.name == "first");
        debug_assert!(find_helper("first").is_some(), "`first` is one of ours");
        match number {
            Some(number) => graph.add(Node::Helper {
                helper: u16::try_from(number).expect("few helpers"),
                view: 0,
                positional: [list].into(),
                named: [].into(),
            }),
            None => graph.add(Node::Absent),
        }
    }

    /// A column that is neither money nor text in a language: the last source that has a value wins. What a joined source
    /// in one language adds (the address of its own page) counts for feeds in that language first, for feeds that fall
    /// back to it last, and for no other.
    fn plain(&mut self, graph: &mut Graph, view: &View, name: &str) -> NodeId {
        let (mut own, mut any, mut fallback) = (Vec::new(), Vec::new(), Vec::new());
        for index in (0..self.schemas.len()).rev() {
            if self.is_stock(index) {
                continue;
            }
            let language = self.schemas[index]
                .source
                .language
                .clone()
                .filter(|_| index > 0);
            let speaks = |wanted: &str, language: &str| {
                tags(wanted).any(|tag| tags(language).any(|base| base.eq_ignore_ascii_case(tag)))
            };
            let group = match &language {
                None => &mut any,
                Some(language) if speaks(&view.language, language) => &mut own,
                Some(language) if view.fallback.iter().any(|wanted| speaks(wanted, language)) => {
                    &mut fallback
                }
                Some(_) => continue,
            };
            if let Some(node) = self.of_source(graph, view, index, name, name) {
                group.push(node);
            }
        }
        own.append(&mut any);
        own.append(&mut fallback);
        let node = graph.first(own);
        self.inherited(graph, name, node)
    }

    fn is_stock(&self, index: usize) -> bool {
        self.schemas[index].source.role.is_some()
    }

    /// Money in the view's currency: columns marked with it, and bare ones of sources or rows in that currency.
    fn money(&mut self, graph: &mut Graph, view: &View, name: &str) -> NodeId {
        let mut nodes = Vec::new();
        let marked = format!("{name}.{}", view.currency);
        for index in (0..self.schemas.len()).rev() {
            if self.is_stock(index) {
                continue;
            }
            if let Some(node) = self.of_source(graph, view, index, &marked, name) {
                nodes.push(self.taxed(graph, view, index, node));
            }
            let currency = self.schemas[index]
                .source
                .currency
                .clone()
                .unwrap_or_else(|| self.shop.currency.clone());
            let row_currency = self.of_source(graph, view, index, "currency", "currency");
            let Some(bare) = self.of_source(graph, view, index, name, name) else {
                continue;
            };
            let bare = match row_currency {
                Some(row) => {
                    let default = graph.text(&currency);
                    let test = graph.first(vec![row, default]);
                    graph.add(Node::Where {
                        test,
                        equals: view.currency.as_str().into(),
                        value: bare,
                    })
                }
                None if currency.eq_ignore_ascii_case(&view.currency) => bare,
                None => continue,
            };
            nodes.push(self.taxed(graph, view, index, bare));
        }
        let node = graph.first(nodes);
        self.inherited(graph, name, node)
    }

    /// Net to gross or back, where source and channel differ.
    fn taxed(&mut self, graph: &mut Graph, view: &View, index: usize, price: NodeId) -> NodeId {
        let (Some(has), Some(wants)) = (self.schemas[index].source.prices, view.prices) else {
            return price;
        };
        if has == wants {
            return price;
        }
        let rate = self.plain(graph, view, "tax_rate");
        let decimals = crate::model::currency::exponent(&view.currency);
        graph.add(Node::Tax {
            price,
            rate,
            add: wants == Prices::Gross,
            decimals,
        })
    }

    /// Text in the view's language, then its base language, then the fallbacks.
    fn translated(&mut self, graph: &mut Graph, view: &View, column: &'static Column) -> NodeId {
        let mut exact = Vec::new();
        for tag in tags(&view.language) {
            exact.extend(self.in_language(graph, view, column.name, tag));
        }
        let mut all = exact.clone();
        for fallback in &view.fallback {
            for tag in tags(fallback) {
                all.extend(self.in_language(graph, view, column.name, tag));
            }
        }
        let exact = graph.first(exact);
        let exact = self.inherited(graph, column.name, exact);
        let any = graph.first(all);
        let any = self.inherited(graph, column.name, any);
        if exact != any {
            let known = self.translated.entry(view.number).or_default();
            let entry = Translated {
                column: column.name.to_owned(),
                exact,
                any,
            };
            if !known.contains(&entry) {
                known.push(entry);
            }
        }
        any
    }

    /// The column's nodes in exactly that language: marked columns, and bare ones of sources in that language.
    fn in_language(
        &mut self,
        graph: &mut Graph,
        view: &View,
        name: &str,
        tag: &str,
    ) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        let marked = format!("{name}.{tag}");
        for index in (0..self.schemas.len()).rev() {
            if self.is_stock(index) {
                continue;
            }
            if let Some(node) = self.of_source(graph, view, index, &marked, name) {
                nodes.push(node);
            }
            let language = self.schemas[index].source.language.clone();
            let language = language.as_deref().unwrap_or(&self.shop.language);
            if language.eq_ignore_ascii_case(tag)
                || tags(language).any(|base| base.eq_ignore_ascii_case(tag))
            {
                nodes.extend(self.of_source(graph, view, index, name, name));
            }
        }
        nodes
    }

    fn inherited(&mut self, graph: &mut Graph, name: &str, node: NodeId) -> NodeId {
        if matches!(graph.node(node), Node::Absent | Node::Text(_)) {
            return node;
        }
        let preset = self.schemas.first().and_then(|master| master.preset);
        if preset.is_some_and(|preset| preset.gather.iter().any(|column| column == name)) {
            return graph.add(Node::Gather(node));
        }
        let inherited = match columns::find(name) {
            Some(column) => column.inherited,
            None => Inherited::No,
        };
        let own_only = preset.is_some_and(|preset| preset.own.iter().any(|column| column == name));
        match inherited {
            Inherited::Yes if !own_only => graph.add(Node::Inherit {
                own: node,
                siblings: true,
            }),
            Inherited::FromProduct if !own_only => graph.add(Node::Inherit {
                own: node,
                siblings: false,
            }),
            _ => node,
        }
    }

    /// A column that is not ours: the sources' own names.
    fn custom(&mut self, graph: &mut Graph, name: &str) -> Option<NodeId> {
        let mut nodes = Vec::new();
        let mut known = false;
        let view = View::default();
        for index in (0..self.schemas.len()).rev() {
            if self.is_stock(index) {
                continue;
            }
            let base = name.split_once('.').map_or(name, |(base, _)| base);
            let kind = columns::find(base).map_or(name, |_| base);
            if let Some(node) = self.of_source(graph, &view, index, name, kind) {
                known = true;
                nodes.push(node);
            }
        }
        // A marked column of the vocabulary (`title.pl`) may be absent; any other name must be there.
        let marked = name
            .split_once('.')
            .is_some_and(|(base, _)| columns::find(base).is_some());
        (known || marked).then(|| graph.first(nodes))
    }
}

/// A tag, then its base: `pt-BR`, `pt`.
fn tags(language: &str) -> impl Iterator<Item = &str> {
    let base = language.split_once('-').map(|(base, _)| base);
    std::iter::once(language).chain(base)
}

/// The number of a column by its name: exact, else ignoring case.
pub fn position(columns: &[String], name: &str) -> Option<u32> {
    let exact = columns.iter().position(|column| column == name);
    let found = exact.or_else(|| {
        columns
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
    });
    found.and_then(|at| u32::try_from(at).ok())
}
