//! Stock: from the rows of a stock source to what a feed may say of it.

use crate::config::project::{Basis, Role};
use crate::program::graph::{Graph, Node, NodeId};

use super::{Columns, View};

impl Columns<'_> {
    /// The stock source, when there is one.
    pub fn stock_source(&self) -> Option<usize> {
        self.schemas
            .iter()
            .position(|schema| schema.source.role == Some(Role::Stock))
    }

    pub(super) fn stock_row(&mut self, graph: &mut Graph, name: &str) -> NodeId {
        let Some(index) = self.stock_source() else {
            return graph.add(Node::Absent);
        };
        let Some(table) = self.schemas[index].table else {
            return graph.add(Node::Absent);
        };
        match self.in_source(graph, index, name, name) {
            Some(value) => graph.add(Node::StockRow { table, value }),
            None => graph.add(Node::Absent),
        }
    }

    /// A stock quantity: of the stock row or location in hand, or summed over the view's locations.
    pub(super) fn stock(&mut self, graph: &mut Graph, view: &View, name: &str) -> NodeId {
        let Some(index) = self.stock_source() else {
            return self.plain(graph, view, name);
        };
        if view.stock_rows {
            return self.stock_row(graph, name);
        }
        let Some(table) = self.schemas[index].table else {
            return self.plain(graph, view, name);
        };
        let Some(quantity) = self.in_source(graph, index, name, name) else {
            return self.plain(graph, view, name);
        };
        let location = self
            .in_source(graph, index, "location", "location")
            .unwrap_or_else(|| graph.add(Node::Absent));
        let key = self.key(graph, view, index);
        let locations = if view.per_location {
            None
        } else {
            // All locations: an empty set would be none, so every declared or met code counts (`None` only by location).
            Some(graph.location_set(view.locations.as_deref().unwrap_or(&["*".to_owned()])))
        };
        graph.add(Node::StockSum {
            table,
            key,
            quantity,
            location,
            locations,
        })
    }

    /// Units an online location may sell: by the sync's formula, as given, or on hand less what is promised and kept.
    pub(super) fn salable(&mut self, graph: &mut Graph, view: &View) -> NodeId {
        if let (Some(formula), false, false) = (view.formula, view.stock_rows, view.per_location)
            && let Some(index) = self.stock_source()
        {
            let key = self.key(graph, view, index);
            let keep = self.keep.get(formula as usize).cloned();
            return graph.add(Node::Salable {
                formula,
                key,
                keep: keep.unwrap_or_default(),
            });
        }
        let given = if view.stock_rows {
            self.stock_row(graph, "salable")
        } else {
            self.plain(graph, view, "salable")
        };
        let basis = self
            .stock_source()
            .and_then(|index| self.schemas[index].source.basis);
        let available = self.stock(graph, view, "available");
        let on_hand = self.stock(graph, view, "on_hand");
        let committed = match basis {
            Some(Basis::Available | Basis::Salable) => graph.add(Node::Absent),
            _ => self.stock(graph, view, "committed"),
        };
        let safety_stock = match basis {
            Some(Basis::Salable) => graph.add(Node::Absent),
            _ => self.plain(graph, view, "safety_stock"),
        };
        let none = graph.add(Node::Absent);
        let free_of = |graph: &mut Graph, quantity: NodeId, committed: NodeId| {
            if matches!(graph.node(quantity), Node::Absent) {
                quantity
            } else {
                graph.add(Node::Free {
                    on_hand: quantity,
                    committed,
                    safety_stock,
                })
            }
        };
        let available = free_of(graph, available, none);
        let on_hand = free_of(graph, on_hand, committed);
        graph.first(vec![given, available, on_hand])
    }
}
