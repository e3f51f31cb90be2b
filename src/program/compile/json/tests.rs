//! Proved templates are printed with values and lists thrown by dice: what comes out parses, or a value was in doubt.

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;
use crate::helper::HELPERS;
use crate::program::lower::LateNumber;

/// Numbers that look thrown, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }
}

/// Nodes that templates are made of.
struct Nodes {
    graph: Graph,
    attribute: NodeId,
    json: NodeId,
    first: NodeId,
    last: NodeId,
}

impl Nodes {
    fn new() -> Self {
        let mut graph = Graph::default();
        let attribute = graph.add(Node::Attribute(0));
        let number = HELPERS.iter().position(|helper| helper.name == "json");
        let json = graph.add(Node::Helper {
            helper: u16::try_from(number.expect("a helper `json`")).expect("few helpers"),
            view: 0,
            positional: [attribute].into(),
            named: [].into(),
        });
        let mut this = |part| graph.add(Node::This { up: 0, part });
        let (first, last) = (this(Part::First), this(Part::Last));
        Nodes {
            graph,
            attribute,
            json,
            first,
            last,
        }
    }

    fn value(&self, dice: &mut Dice, depth: usize) -> Vec<Operation> {
        let literal = |text: &str| Operation::Literal(text.into());
        let attribute = Operation::PrintAttribute(0, Escape::Json);
        match dice.below(if depth > 3 { 6 } else { 10 }) {
            0 => vec![literal("\"a\\u0041\\n\"")],
            1 => vec![literal(
                ["12", "-0.5", "true", "null", "[]", "{}"][dice.below(6)],
            )],
            2 => vec![Operation::Print(self.json, Escape::None)],
            3 => vec![literal("\"x "), attribute, literal("\"")],
            4 => vec![attribute],
            5 => vec![Operation::LateNumber(LateNumber::Index(0))],
            6 | 7 => {
                let mut all = vec![literal("{\"k\":")];
                all.extend(self.value(dice, depth + 1));
                for _ in 0..dice.below(3) {
                    let name = match dice.below(3) {
                        0 => vec![
                            literal(", "),
                            Operation::Print(self.json, Escape::None),
                            literal(":"),
                        ],
                        1 => vec![literal(",\""), attribute.clone(), literal("\":")],
                        _ => vec![literal(",\"m\" : ")],
                    };
                    let member = [name, self.value(dice, depth + 1)].concat();
                    all.push(Operation::If(self.attribute, member, Vec::new()));
                }
                all.push(literal("}"));
                all
            }
            8 => {
                let comma = Operation::If(self.first, Vec::new(), vec![literal(",")]);
                let after = Operation::If(self.last, Vec::new(), vec![literal(",")]);
                let value = self.value(dice, depth + 1);
                let body = match dice.below(2) {
                    0 => [vec![comma], value].concat(),
                    _ => [value, vec![after]].concat(),
                };
                let list = match dice.below(2) {
                    0 => Operation::Variants(body),
                    _ => Operation::Each(self.attribute, body, Vec::new()),
                };
                vec![literal("["), list, literal("]")]
            }
            _ => {
                let (then, otherwise) = (self.value(dice, depth + 1), self.value(dice, depth + 1));
                vec![Operation::If(self.attribute, then, otherwise)]
            }
        }
    }

    fn template(&self, dice: &mut Dice, lines: bool) -> Document {
        let literal = |text: &str| Operation::Literal(text.into());
        let mut body = self.value(dice, 0);
        if lines {
            body.push(literal("\n"));
            return Document {
                body,
                ..Document::default()
            };
        }
        body.push(Operation::Late(
            Place::Last,
            Vec::new(),
            vec![literal(",\n")],
        ));
        Document {
            head: vec![literal("{\"items\":[")],
            body,
            tail: vec![
                literal("],\"n\":"),
                Operation::LateNumber(LateNumber::Part),
                literal("}\n"),
            ],
            ..Document::default()
        }
    }
}

/// Breaks a template, or not.
fn spoil(operations: &mut Vec<Operation>, dice: &mut Dice) {
    if operations.is_empty() {
        return;
    }
    let at = dice.below(operations.len());
    match (dice.below(4), operations.get_mut(at)) {
        (0, _) => drop(operations.remove(at)),
        (1, _) => {
            let text = [
                "{", "}", "[", "]", ",", ":", "\"", "1", "\n", "\\", "tru", " ",
            ][dice.below(12)];
            operations.insert(at, Operation::Literal(text.into()));
        }
        (
            _,
            Some(
                Operation::If(_, inner, _)
                | Operation::Each(_, inner, _)
                | Operation::Variants(inner),
            ),
        ) => {
            spoil(inner, dice);
        }
        (_, Some(Operation::Literal(text))) => {
            let mut letters: Vec<char> = text.chars().collect();
            if !letters.is_empty() {
                letters.remove(dice.below(letters.len()));
            }
            *text = letters.into_iter().collect::<String>().into();
        }
        _ => {}
    }
}

/// Prints operations with whatever the dice say; true when a value was in doubt.
fn print(
    operations: &[Operation],
    dice: &mut Dice,
    item: Turn,
    turn: Turn,
    nodes: &Nodes,
    out: &mut String,
) -> bool {
    let mut doubt = false;
    for operation in operations {
        let text = ["t", "3", "", "true", "\\\"", "007"][dice.below(6)];
        let json = ["\"t\"", "[1]", "null", "{\"a\":1}"][dice.below(4)];
        let mut inner = |operations: &[Operation], dice: &mut Dice, turn: Turn| {
            print(operations, dice, item, turn, nodes, out)
        };
        match operation {
            Operation::Literal(literal) => out.push_str(literal),
            Operation::LateNumber(_) => out.push('7'),
            Operation::Print(_, Escape::None) => out.push_str(json),
            Operation::PrintAttribute(..) => out.push_str(text),
            Operation::Fitting(_, Fit::Scalar, _) => {
                doubt |= !matches!(text, "3" | "true");
                out.push_str(text);
            }
            Operation::Fitting(_, Fit::Text, _) => {
                doubt |= !json.starts_with('"');
                out.push_str(json);
            }
            Operation::Late(Place::Last, then, otherwise) => {
                doubt |= inner(if item.1 { then } else { otherwise }, dice, turn);
            }
            Operation::If(test, then, otherwise) => {
                let holds = if *test == nodes.first {
                    turn.0
                } else if *test == nodes.last {
                    turn.1
                } else {
                    dice.below(2) == 0
                };
                doubt |= inner(if holds { then } else { otherwise }, dice, turn);
            }
            Operation::Each(_, body, otherwise) if dice.below(3) == 0 => {
                let _ = body;
                doubt |= inner(otherwise, dice, turn);
            }
            Operation::Each(_, body, _) | Operation::Variants(body) => {
                let count = 1 + dice.below(3);
                for index in 0..count {
                    doubt |= inner(body, dice, (index == 0, index + 1 == count));
                }
            }
            other => panic!("no template here holds {other:?}"),
        }
    }
    doubt
}

fn parses(text: &str, lines: bool) -> bool {
    let is_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    match lines {
        true => text
            .strip_suffix('\n')
            .is_none_or(|text| text.split('\n').all(is_json)),
        false => is_json(text),
    }
}

/// Prints a document of some items; `None` when a value was in doubt.
fn printed_whole(document: &Document, dice: &mut Dice, nodes: &Nodes) -> Option<String> {
    let (mut out, none) = (String::new(), (false, false));
    let mut doubt = print(&document.head, dice, none, none, nodes, &mut out);
    let count = 1 + dice.below(3);
    for index in 0..count {
        let place = (index == 0, index + 1 == count);
        doubt |= print(&document.body, dice, place, none, nodes, &mut out);
    }
    doubt |= print(&document.tail, dice, none, none, nodes, &mut out);
    (!doubt).then_some(out)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_is_proved_parses(seed in 1u64.., lines: bool, spoils in 0usize..3) {
        let (nodes, mut dice) = (Nodes::new(), Dice(seed));
        let mut document = nodes.template(&mut dice, lines);
        for _ in 0..spoils {
            spoil(&mut document.body, &mut dice);
        }
        let proved = prove(&mut document, &nodes.graph, lines);
        prop_assert!(proved || spoils > 0, "{:?}", document.body);
        if proved {
            for _ in 0..8 {
                if let Some(text) = printed_whole(&document, &mut dice, &nodes) {
                    prop_assert!(parses(&text, lines), "{}", text);
                }
            }
        }
    }
}

#[test]
fn what_is_not_whole_is_not_proved() {
    let nodes = Nodes::new();
    let proved = |text: &str| {
        let mut document = Document {
            body: vec![Operation::Literal(text.into())],
            ..Document::default()
        };
        prove(&mut document, &nodes.graph, true)
    };
    for text in [
        "{\"a\":1}\n",
        "1\n[2, {}]\n",
        "\"\\u00e9\"\n",
        "-0.5 \n",
        "true\n",
    ] {
        assert!(proved(text), "{text}");
    }
    for text in [
        "{\"a\":1,}\n",
        "{\"a\" 1}\n",
        "[1 2]\n",
        "{1:2}\n",
        "\n",
        "1\n\n2\n",
        "{\"a\":\n1}\n",
        "01\n",
        "1.\n",
        "-\n",
        "\"\\x\"\n",
        "\"\\u12\"\n",
        "\"a\tb\"\n",
        "tru\n",
        "truefalse\n",
        "1 1\n",
        "]\n",
        "{]\n",
        "\"a",
        "{\"a\":1}{}\n",
    ] {
        assert!(!proved(text), "{text}");
    }
}
