//! A template laid flat: steps over attribute slots with their literals side by side, and jumps where it branches.
//!
//! In: the tree of operations that a template was lowered to. Out: the same, in the order it is done, the usual patterns
//! (a value between two literals where it is there, a literal around each element of a list) as one step each.

use crate::program::escape::Escape;
use crate::program::graph::{Graph, Node, NodeId, Part, helper};
use crate::program::lower::{Fit, LateNumber, Operation, Place};
use crate::program::repeat::{self, FIRST, OTHER};

use super::sink::{BLOCK, Literal};

/// What is done next. Jumps lead to the number of a step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Writes a short literal.
    Literal(Literal),
    /// Writes a long literal.
    Long(u32),
    /// Writes an attribute.
    Attribute(u32, Escape),
    /// Writes a short literal and an attribute.
    Led(Literal, u32, Escape),
    /// Writes an attribute between two short literals, where it is true.
    Between(u32, Literal, Literal, Escape),
    /// Writes each element of an attribute between two short literals.
    Elements(u32, Literal, Literal, Escape),
    /// Writes a short literal, which ends with a quote, and an attribute as JSON, whose text begins with that quote; whether
    /// for a script.
    Json(Literal, u32, bool),
    /// Writes an attribute as JSON between two short literals, where it is true; the first ends with the quote that its text
    /// begins with.
    JsonBetween(u32, Literal, Literal, bool),
    /// Writes each element of an attribute as JSON, with a comma between them.
    JsonElements(u32, bool),
    /// Writes an attribute, its elements parted by a long literal.
    Joined(u32, u32, Escape),
    /// Writes a node.
    Node(NodeId, Escape),
    /// Writes a node that must be of a kind.
    Fitting(NodeId, Fit, Escape),
    /// Jumps.
    Jump(u32),
    /// Jumps unless an attribute is true.
    Unless(u32, u32),
    /// Jumps unless a node is true.
    UnlessNode(NodeId, u32),
    /// Jumps for every variant but the first.
    UnlessFirst(u32),
    /// Runs a body for each element of a list, and jumps where there was one.
    Each(NodeId, u32, u32),
    /// Runs a body for each variant of the product in hand.
    Variants(u32),
    /// A number that only the writer knows.
    Number(LateNumber),
    /// One of two bodies, as the writer will know.
    Late(Place, u32, u32),
}

/// Some steps side by side, of which none jumps out of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// One past the last; the first is where the piece before ends.
    pub(super) to: u32,
    /// The attributes that what they write follows from, as a set of [`repeat`].
    pub(super) asks: u64,
}

/// A template laid flat.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    pub(super) steps: Vec<Step>,
    /// All steps, where they are an item's.
    pub(super) pieces: Vec<Piece>,
    pub(super) bodies: Vec<Steps>,
    long: Vec<Box<str>>,
}

impl Steps {
    /// Lays operations flat.
    pub fn of(operations: &[Operation], graph: &Graph) -> Self {
        let mut steps = Steps::default();
        steps.add(operations, graph);
        steps
    }

    /// Lays an item's operations flat, in pieces; `first` is the slot of the feed's first attribute.
    pub fn of_item(operations: &[Operation], graph: &Graph, first: u32) -> Self {
        let mut steps = Steps::default();
        let asked = Asked { graph, first };
        let mut asks = 0;
        for operation in operations {
            steps.operation(operation, graph);
            asks |= asked.by(operation);
            // A literal goes with what follows it.
            if asks != 0 {
                let piece = Piece {
                    to: steps.next(),
                    asks: asks | FIRST,
                };
                steps.pieces.push(piece);
                asks = 0;
            }
        }
        let to = steps.next();
        match steps.pieces.last_mut() {
            Some(last) => last.to = to,
            None => steps.pieces.push(Piece { to, asks: FIRST }),
        }
        steps
    }

    /// A long literal.
    #[inline]
    pub(super) fn long(&self, number: u32) -> &str {
        &self.long[number as usize]
    }

    fn add(&mut self, operations: &[Operation], graph: &Graph) {
        for operation in operations {
            self.operation(operation, graph);
        }
    }

    fn operation(&mut self, operation: &Operation, graph: &Graph) {
        let step = match operation {
            Operation::Literal(text) => return self.text(text),
            Operation::Print(node, Escape::None)
                if let Some((slot, script)) = json(*node, graph) =>
            {
                match self.steps.last() {
                    Some(&Step::Literal(before))
                        if !self.is_target(self.steps.len())
                            && let Some(before) = before.and(b"\"") =>
                    {
                        self.steps.pop();
                        Step::Json(before, slot, script)
                    }
                    _ => Step::Json(Literal::new(b"\""), slot, script),
                }
            }
            Operation::Print(node, escape) => Step::Node(*node, *escape),
            Operation::Fitting(node, fit, escape) => Step::Fitting(*node, *fit, *escape),
            Operation::PrintAttribute(slot, escape) => match self.steps.last() {
                Some(&Step::Literal(before)) if !self.is_target(self.steps.len()) => {
                    self.steps.pop();
                    Step::Led(before, *slot, *escape)
                }
                _ => Step::Attribute(*slot, *escape),
            },
            Operation::Joined(slot, separator, escape) => {
                Step::Joined(*slot, self.keep(separator), *escape)
            }
            Operation::If(test, then, otherwise) => {
                return self.branch(*test, then, otherwise, graph);
            }
            Operation::Each(list, body, otherwise) => {
                if let (Node::Attribute(slot), Some((before, escape, after)), []) =
                    (graph.node(*list), around_element(body, graph), &**otherwise)
                    && let (Some(before), Some(after)) = (Literal::of(before), Literal::of(after))
                {
                    Step::Elements(*slot, before, after, escape)
                } else if let (Node::Attribute(slot), Some(script), []) =
                    (graph.node(*list), json_elements(body, graph), &**otherwise)
                {
                    Step::JsonElements(*slot, script)
                } else {
                    let body = self.body(body, graph);
                    let at = self.hold();
                    self.add(otherwise, graph);
                    self.steps[at] = Step::Each(*list, body, self.next());
                    return;
                }
            }
            Operation::OncePerProduct(inner) => {
                let at = self.hold();
                self.add(inner, graph);
                self.steps[at] = Step::UnlessFirst(self.next());
                return;
            }
            Operation::Variants(body) => Step::Variants(self.body(body, graph)),
            Operation::LateNumber(number) => Step::Number(*number),
            Operation::Late(place, then, otherwise) => {
                Step::Late(*place, self.body(then, graph), self.body(otherwise, graph))
            }
        };
        self.steps.push(step);
    }

    fn branch(&mut self, test: NodeId, then: &[Operation], otherwise: &[Operation], graph: &Graph) {
        let slot = match graph.node(test) {
            Node::Attribute(slot) => Some(*slot),
            _ => None,
        };
        if let (Some(slot), []) = (slot, otherwise)
            && let Some((before, escape, after)) = around_attribute(then, slot)
            && let (Some(before), Some(after)) = (Literal::of(before), Literal::of(after))
        {
            self.steps.push(Step::Between(slot, before, after, escape));
            return;
        }
        if let (Some(slot), []) = (slot, otherwise)
            && let Some((before, Operation::Print(node, Escape::None), after)) = around(then)
            && let Some((printed, script)) = json(*node, graph)
            && printed == slot
            && let (Some(before), Some(after)) =
                (Literal::of(&format!("{before}\"")), Literal::of(after))
        {
            self.steps
                .push(Step::JsonBetween(slot, before, after, script));
            return;
        }
        let at = self.hold();
        self.add(then, graph);
        let leave = (!otherwise.is_empty()).then(|| self.hold());
        self.steps[at] = match slot {
            Some(slot) => Step::Unless(slot, self.next()),
            None => Step::UnlessNode(test, self.next()),
        };
        self.add(otherwise, graph);
        if let Some(leave) = leave {
            self.steps[leave] = Step::Jump(self.next());
        }
    }

    /// Keeps a place for a step that jumps.
    fn hold(&mut self) -> usize {
        self.steps.push(Step::Jump(0));
        self.steps.len() - 1
    }

    fn next(&self) -> u32 {
        u32::try_from(self.steps.len()).expect("fewer than 4 billion steps")
    }

    fn body(&mut self, operations: &[Operation], graph: &Graph) -> u32 {
        self.bodies.push(Steps::of(operations, graph));
        u32::try_from(self.bodies.len() - 1).expect("few bodies")
    }

    /// Whether a step jumps to that place: what stands there is not joined to what stands before.
    fn is_target(&self, at: usize) -> bool {
        self.steps.iter().any(|step| match *step {
            Step::Jump(to)
            | Step::Unless(_, to)
            | Step::UnlessNode(_, to)
            | Step::UnlessFirst(to)
            | Step::Each(_, _, to) => to as usize == at,
            _ => false,
        })
    }

    /// A literal as one step or several.
    fn text(&mut self, text: &str) {
        if text.len() > 4 * BLOCK {
            let step = Step::Long(self.keep(text));
            self.steps.push(step);
            return;
        }
        for part in text.as_bytes().chunks(BLOCK) {
            self.steps.push(Step::Literal(Literal::new(part)));
        }
    }

    fn keep(&mut self, text: &str) -> u32 {
        self.long.push(text.into());
        u32::try_from(self.long.len() - 1).expect("few literals")
    }
}

/// Which attributes of a feed operations ask for.
struct Asked<'g> {
    graph: &'g Graph,
    first: u32,
}

impl Asked<'_> {
    fn by(&self, operation: &Operation) -> u64 {
        let all = |operations: &[Operation]| {
            operations
                .iter()
                .fold(0, |asks, inner| asks | self.by(inner))
        };
        match operation {
            Operation::Literal(_) => 0,
            Operation::Print(node, _) | Operation::Fitting(node, ..) => self.by_node(*node),
            Operation::PrintAttribute(slot, _) | Operation::Joined(slot, ..) => self.slot(*slot),
            Operation::If(node, then, otherwise) | Operation::Each(node, then, otherwise) => {
                self.by_node(*node) | all(then) | all(otherwise)
            }
            // The item's place, or the row in hand.
            Operation::Variants(_)
            | Operation::OncePerProduct(_)
            | Operation::LateNumber(_)
            | Operation::Late(..) => OTHER,
        }
    }

    fn by_node(&self, id: NodeId) -> u64 {
        match self.graph.node(id) {
            Node::Attribute(slot) => self.slot(*slot),
            // An element follows from its list.
            Node::Absent | Node::Text(_) | Node::Bool(_) | Node::This { .. } => 0,
            node if follows_from_attributes(node) => node
                .inputs()
                .into_iter()
                .fold(0, |asks, input| asks | self.by_node(input)),
            _ => OTHER,
        }
    }

    fn slot(&self, slot: u32) -> u64 {
        slot.checked_sub(self.first)
            .map_or(OTHER, |number| repeat::one(number as usize))
    }
}

/// Whether a node of a template says the same while the attributes in it do.
fn follows_from_attributes(node: &Node) -> bool {
    match node {
        Node::Helper { helper: number, .. } => helper(*number).name != "map",
        Node::First(_)
        | Node::Concat(_)
        | Node::If { .. }
        | Node::Each { .. }
        | Node::All(_)
        | Node::Any(_)
        | Node::Not(_)
        | Node::Has(_)
        | Node::CompareText(..)
        | Node::CompareNumber(..)
        | Node::In(..)
        | Node::ListOf(_)
        | Node::Trim(_) => true,
        _ => false,
    }
}

/// Takes apart what is a literal, a value and a literal, or fewer of them.
fn around(operations: &[Operation]) -> Option<(&str, &Operation, &str)> {
    match operations {
        [Operation::Literal(before), value, Operation::Literal(after)] => {
            Some((before, value, after))
        }
        [Operation::Literal(before), value] => Some((before, value, "")),
        [value, Operation::Literal(after)] => Some(("", value, after)),
        [value] => Some(("", value, "")),
        _ => None,
    }
}

fn around_attribute(operations: &[Operation], slot: u32) -> Option<(&str, Escape, &str)> {
    let (before, value, after) = around(operations)?;
    match value {
        Operation::PrintAttribute(printed, escape) if *printed == slot => {
            Some((before, *escape, after))
        }
        _ => None,
    }
}

fn around_element<'o>(
    operations: &'o [Operation],
    graph: &Graph,
) -> Option<(&'o str, Escape, &'o str)> {
    let (before, value, after) = around(operations)?;
    let element = Node::This {
        up: 0,
        part: Part::Element,
    };
    match value {
        Operation::Print(node, escape) if *graph.node(*node) == element => {
            Some((before, *escape, after))
        }
        _ => None,
    }
}

/// The slot of the attribute that a node is the JSON of, and whether for a script.
fn json(node: NodeId, graph: &Graph) -> Option<(u32, bool)> {
    let (input, script) = json_of(node, graph)?;
    match graph.node(input) {
        Node::Attribute(slot) => Some((*slot, script)),
        _ => None,
    }
}

/// What a node is the JSON of, and whether for a script.
fn json_of(node: NodeId, graph: &Graph) -> Option<(NodeId, bool)> {
    let Node::Helper {
        helper: number,
        positional,
        named,
        ..
    } = graph.node(node)
    else {
        return None;
    };
    let script = match &**named {
        [] => false,
        [(name, value)] if &**name == "script" => match graph.node(*value) {
            Node::Bool(yes) => *yes,
            _ => return None,
        },
        _ => return None,
    };
    match **positional {
        [input] if helper(*number).name == "json" => Some((input, script)),
        _ => None,
    }
}

/// Whether a loop writes its elements as JSON with a comma between them, and whether for a script.
fn json_elements(body: &[Operation], graph: &Graph) -> Option<bool> {
    let [
        Operation::If(test, then, otherwise),
        Operation::Print(node, Escape::None),
    ] = body
    else {
        return None;
    };
    let (input, script) = json_of(*node, graph)?;
    let is = |node: NodeId, part| *graph.node(node) == Node::This { up: 0, part };
    let comma = then.is_empty()
        && matches!(&**otherwise, [Operation::Literal(text)] if &**text == ",")
        && is(*test, Part::First);
    (comma && is(input, Part::Element)).then_some(script)
}
