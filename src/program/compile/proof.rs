//! What the way a value comes about proves of it, so that it need not be looked at again.

use crate::catalog::columns::Kind;
use crate::channel::manifest::{Attribute, AttributeKind};
use crate::helper::find;
use crate::program::attribute::Finish;
use crate::program::attribute::survey::Special;
use crate::program::columns::View;
use crate::program::graph::{Graph, Node, NodeId, helper};

/// A text without space around it, of ASCII letters, digits, `_`, `-`, `+`, `.`, `:`, `/` and blanks, and more than that.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Proof {
    /// One of these words.
    Words(Vec<&'static str>),
    /// A whole number.
    Units,
    /// An amount without a sign.
    Amount,
    /// A GTIN, digits alone.
    Gtin,
    /// No more than that.
    Plain,
}

/// All characters of a proved text.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+.:/ 0";

/// What is left to do with an attribute's value.
pub(super) fn finish(
    graph: &Graph,
    value: NodeId,
    attribute: &Attribute,
    view: &View,
    special: &Special,
) -> Finish {
    let one_of = attribute.one_of.as_deref().unwrap_or_default();
    if !attribute.map.is_empty()
        || attribute.min_length.is_some()
        || attribute.pattern.is_some()
        || attribute.range.is_some()
    {
        return Finish::All;
    }
    if let Some(proof) = proof(graph, value, view) {
        let right = match (&proof, attribute.kind) {
            (Proof::Words(words), AttributeKind::Enum | AttributeKind::Text) => {
                one_of.is_empty()
                    || words
                        .iter()
                        .all(|word| one_of.iter().any(|known| known == word))
            }
            (_, AttributeKind::Text | AttributeKind::Enum | AttributeKind::Date)
            | (Proof::Amount, AttributeKind::Money)
            | (Proof::Gtin, AttributeKind::Gtin)
            | (Proof::Units, AttributeKind::Integer) => one_of.is_empty(),
            _ => false,
        };
        if right {
            let plain = !special.survey(ALPHABET).special;
            return Finish::Proven { plain };
        }
    }
    match attribute.kind {
        _ if !one_of.is_empty() => Finish::All,
        AttributeKind::Text | AttributeKind::Date | AttributeKind::Enum => Finish::Text,
        AttributeKind::Url | AttributeKind::ImageUrl => Finish::Address,
        _ => Finish::All,
    }
}

fn proof(graph: &Graph, value: NodeId, view: &View) -> Option<Proof> {
    let of = |node: NodeId| proof(graph, node, view);
    match graph.node(value) {
        Node::Absent => Some(Proof::Words(Vec::new())),
        Node::Read { reading, .. } => of_kind(graph.readings[*reading as usize].kind),
        Node::Inherit { own, .. } | Node::OfProduct(own) => of(*own),
        Node::Join { value, .. } | Node::StockRow { value, .. } | Node::Where { value, .. } => {
            of(*value)
        }
        Node::SalePrice { sale, .. } => of(*sale),
        Node::First(nodes) => all(nodes.iter().map(|&node| of(node))),
        Node::If {
            then, otherwise, ..
        } => all([*then, *otherwise].into_iter().map(of)),
        Node::Availability { given, .. } => all([
            of(*given),
            Some(Proof::Words(vec!["in_stock", "out_of_stock"])),
        ]
        .into_iter()),
        Node::StockSum { .. } | Node::Free { .. } | Node::Salable { .. } => Some(Proof::Units),
        Node::Concat(parts) => {
            let plain = |&part: &NodeId| match graph.node(part) {
                Node::Text(text) => {
                    !text.starts_with(' ')
                        && !text.ends_with(' ')
                        && text.chars().all(|letter| ALPHABET.contains(letter))
                }
                _ => of(part).is_some(),
            };
            parts.iter().all(plain).then_some(Proof::Plain)
        }
        Node::Helper {
            helper: number,
            positional,
            named,
            ..
        } => {
            let money = find("money").is_some_and(|money| std::ptr::eq(money, helper(*number)));
            let currency = view.currency.bytes().all(|byte| byte.is_ascii_alphabetic());
            match **positional {
                [amount] if money && named.is_empty() && currency => {
                    of(amount).filter(|proof| *proof == Proof::Amount)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn of_kind(kind: Kind) -> Option<Proof> {
    let words: &[&'static str] = match kind {
        Kind::Money => return Some(Proof::Amount),
        Kind::Quantity => return Some(Proof::Units),
        Kind::Gtin => return Some(Proof::Gtin),
        Kind::Start | Kind::End => return Some(Proof::Plain),
        Kind::Availability => &["in_stock", "out_of_stock", "preorder", "backorder"],
        Kind::Condition => &["new", "refurbished", "used"],
        Kind::Gender => &["male", "female", "unisex"],
        Kind::AgeGroup => &["newborn", "infant", "toddler", "kids", "adult"],
        _ => return None,
    };
    Some(Proof::Words(words.to_vec()))
}

/// What is proved of a value that may be any of several.
fn all(mut proofs: impl Iterator<Item = Option<Proof>>) -> Option<Proof> {
    let mut whole = Proof::Words(Vec::new());
    proofs.try_for_each(|proof| {
        whole = match (std::mem::replace(&mut whole, Proof::Plain), proof?) {
            (Proof::Words(mut words), Proof::Words(more)) => {
                words.extend(more);
                Proof::Words(words)
            }
            (Proof::Words(none), proof) | (proof, Proof::Words(none)) if none.is_empty() => proof,
            (one, other) if one == other => one,
            _ => Proof::Plain,
        };
        Some(())
    })?;
    Some(whole)
}
