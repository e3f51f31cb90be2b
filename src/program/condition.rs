//! Filters and `required_if`: CEL to nodes.
//!
//! The `cel` crate parses; its tree is lowered here, with our rules for what is absent: an absent text is `''`, an absent
//! list `[]`, a comparison with any other absent value is false, and numbers compare as exact decimals. CEL itself has only
//! doubles: the text of a literal is taken from the source, so that `0.1` is a tenth.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

use super::graph::{Graph, Node, NodeId, Operation, Relation, Search};
use super::nearest::nearest;

/// What an expression's value is, as far as it is known at load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// An exact number: money, decimals, units.
    Number,
    /// Yes or no.
    Bool,
    /// A list.
    List,
    /// A cell of an unknown column: text, or a number where it is compared with one.
    Any,
}

/// What names mean in a condition.
pub trait Variables {
    /// The node and type of a name.
    ///
    /// # Errors
    /// A message and a hint when the name cannot exist.
    fn variable(
        &mut self,
        graph: &mut Graph,
        path: &[String],
    ) -> Result<(NodeId, Type), (String, String)>;
}

/// Why a condition cannot be used: a message and a hint.
pub type ConditionError = (String, String);

/// Compiles a condition to a node that is true or false.
///
/// # Errors
/// What does not parse, is no known name, or compares what cannot be compared.
pub fn compile(
    source: &str,
    graph: &mut Graph,
    variables: &mut dyn Variables,
) -> Result<NodeId, ConditionError> {
    let program = cel::Program::compile(source).map_err(|error| {
        let message = error
            .to_string()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        (
            format!("`{source}` is no condition: {message}"),
            "write CEL, such as `price > 0 && brand != ''`".to_owned(),
        )
    })?;
    let mut lowering = Lowering { graph, variables };
    let (node, kind) = lowering.lower(program.expression())?;
    match kind {
        Type::Bool | Type::Any => Ok(node),
        _ => Err((
            format!("`{source}` is not true or false"),
            "compare it with something".to_owned(),
        )),
    }
}

struct Lowering<'g, 'v> {
    graph: &'g mut Graph,
    variables: &'v mut dyn Variables,
}

type Lowered = Result<(NodeId, Type), ConditionError>;

impl Lowering<'_, '_> {
    fn lower(&mut self, expression: &IdedExpr) -> Lowered {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(_) | Expr::Select(_) => self.name(expression),
            Expr::List(list) => {
                let nodes = list
                    .elements
                    .iter()
                    .map(|element| Ok(self.lower(element)?.0))
                    .collect::<Result<Vec<_>, ConditionError>>()?;
                Ok((self.graph.add(Node::ListOf(nodes.into())), Type::List))
            }
            Expr::Call(call) => match (&call.target, call.args.as_slice()) {
                (None, arguments) => self.call(&call.func_name, arguments),
                (Some(target), [argument]) => self.method(&call.func_name, target, argument),
                (Some(target), []) if call.func_name == "size" => self.size(target),
                _ => Err(unknown(&call.func_name)),
            },
            _ => Err((
                "macros and maps are not known in conditions".to_owned(),
                "use comparisons, `in`, `has`, `size`".to_owned(),
            )),
        }
    }

    fn literal(&mut self, literal: &LiteralValue) -> Lowered {
        Ok(match literal {
            LiteralValue::Boolean(yes) => (self.graph.add(Node::Bool(*yes.inner())), Type::Bool),
            LiteralValue::String(text) => (self.graph.text(text.inner()), Type::Text),
            LiteralValue::Int(number) => {
                (self.graph.text(&number.inner().to_string()), Type::Number)
            }
            LiteralValue::UInt(number) => {
                (self.graph.text(&number.inner().to_string()), Type::Number)
            }
            // The shortest text of a double is the literal as written, up to 15 digits.
            LiteralValue::Double(number) => {
                (self.graph.text(&number.inner().to_string()), Type::Number)
            }
            _ => {
                return Err((
                    "this literal is not known in conditions".to_owned(),
                    "use text, numbers, true and false".to_owned(),
                ));
            }
        })
    }

    fn name(&mut self, expression: &IdedExpr) -> Lowered {
        let mut path = Vec::new();
        let mut at = expression;
        loop {
            match &at.expr {
                Expr::Ident(name) => {
                    path.push(name.clone());
                    break;
                }
                Expr::Select(select) => {
                    if select.test {
                        let (node, _) = self.select(&select.operand, &select.field)?;
                        return Ok((self.graph.add(Node::Has(node)), Type::Bool));
                    }
                    path.push(select.field.clone());
                    at = &select.operand;
                }
                _ => {
                    return Err((
                        "only names can be taken apart with a dot".to_owned(),
                        String::new(),
                    ));
                }
            }
        }
        path.reverse();
        self.variables.variable(self.graph, &path)
    }

    fn select(&mut self, operand: &IdedExpr, field: &str) -> Lowered {
        let mut path = Vec::new();
        let mut at = operand;
        while let Expr::Select(select) = &at.expr {
            path.push(select.field.clone());
            at = &select.operand;
        }
        if let Expr::Ident(name) = &at.expr {
            path.push(name.clone());
        }
        path.reverse();
        path.push(field.to_owned());
        self.variables.variable(self.graph, &path)
    }

    fn call(&mut self, function: &str, arguments: &[IdedExpr]) -> Lowered {
        let relation = match function {
            operators::EQUALS => Some(Relation::Equal),
            operators::NOT_EQUALS => Some(Relation::NotEqual),
            operators::LESS => Some(Relation::Less),
            operators::LESS_EQUALS => Some(Relation::LessOrEqual),
            operators::GREATER => Some(Relation::Greater),
            operators::GREATER_EQUALS => Some(Relation::GreaterOrEqual),
            _ => None,
        };
        let operation = match function {
            operators::ADD => Some(Operation::Add),
            operators::SUBSTRACT => Some(Operation::Subtract),
            operators::MULTIPLY => Some(Operation::Multiply),
            operators::DIVIDE => Some(Operation::Divide),
            operators::MODULO => Some(Operation::Remainder),
            _ => None,
        };
        match (function, arguments) {
            (operators::LOGICAL_AND, [left, right]) => {
                let mut nodes = Vec::new();
                for side in [left, right] {
                    let side = self.boolean(side)?;
                    // `a && b && c` is one list of three.
                    match self.graph.node(side) {
                        Node::All(inner) => nodes.extend_from_slice(inner),
                        _ => nodes.push(side),
                    }
                }
                Ok((self.graph.add(Node::All(nodes.into())), Type::Bool))
            }
            (operators::LOGICAL_OR, [left, right]) => {
                let mut nodes = Vec::new();
                for side in [left, right] {
                    let side = self.boolean(side)?;
                    match self.graph.node(side) {
                        Node::Any(inner) => nodes.extend_from_slice(inner),
                        _ => nodes.push(side),
                    }
                }
                Ok((self.graph.add(Node::Any(nodes.into())), Type::Bool))
            }
            (operators::LOGICAL_NOT, [inner]) => {
                let inner = self.boolean(inner)?;
                Ok((self.graph.add(Node::Not(inner)), Type::Bool))
            }
            (operators::NEGATE, [inner]) => {
                let (inner, _) = self.lower(inner)?;
                let zero = self.graph.text("0");
                Ok((
                    self.graph
                        .add(Node::Arithmetic(Operation::Subtract, zero, inner)),
                    Type::Number,
                ))
            }
            (operators::CONDITIONAL, [test, then, otherwise]) => {
                let test = self.boolean(test)?;
                let (then, kind) = self.lower(then)?;
                let (otherwise, _) = self.lower(otherwise)?;
                Ok((
                    self.graph.add(Node::If {
                        test,
                        then,
                        otherwise,
                    }),
                    kind,
                ))
            }
            (operators::IN, [element, list]) => {
                let (element, _) = self.lower(element)?;
                let (list, _) = self.lower(list)?;
                Ok((self.graph.add(Node::In(element, list)), Type::Bool))
            }
            (operators::INDEX, [map, key]) => match (&map.expr, &key.expr) {
                (Expr::Ident(name), Expr::Literal(LiteralValue::String(key))) if name == "col" => {
                    self.variables
                        .variable(self.graph, &["catalog".to_owned(), key.inner().to_owned()])
                }
                _ => Err((
                    "only `col[\"name\"]` can be indexed".to_owned(),
                    "write `\"x\" in list`".to_owned(),
                )),
            },
            ("size", [inner]) => self.size(inner),
            (_, [left, right]) if relation.is_some() => {
                self.compare(relation.expect("asked just now"), left, right)
            }
            (_, [left, right]) if operation.is_some() => {
                let operation = operation.expect("asked just now");
                let ((left, left_kind), (right, right_kind)) =
                    (self.lower(left)?, self.lower(right)?);
                if operation == Operation::Add
                    && left_kind == Type::Text
                    && right_kind == Type::Text
                {
                    return Ok((
                        self.graph.add(Node::Concat([left, right].into())),
                        Type::Text,
                    ));
                }
                for kind in [left_kind, right_kind] {
                    if !matches!(kind, Type::Number | Type::Any) {
                        return Err((
                            "arithmetic wants numbers".to_owned(),
                            "price, quantities and number literals are numbers".to_owned(),
                        ));
                    }
                }
                Ok((
                    self.graph.add(Node::Arithmetic(operation, left, right)),
                    Type::Number,
                ))
            }
            _ => Err(unknown(function)),
        }
    }

    fn boolean(&mut self, expression: &IdedExpr) -> Result<NodeId, ConditionError> {
        let (node, kind) = self.lower(expression)?;
        match kind {
            Type::Bool => Ok(node),
            Type::Any => {
                let yes = self.graph.text("true");
                Ok(self
                    .graph
                    .add(Node::CompareText(Relation::Equal, node, yes)))
            }
            _ => Err((
                "`&&`, `||` and `!` want true or false on both sides".to_owned(),
                "compare the value: `brand != ''`, `price > 0`, `has(x)`".to_owned(),
            )),
        }
    }

    fn compare(&mut self, relation: Relation, left: &IdedExpr, right: &IdedExpr) -> Lowered {
        let ((left, left_kind), (right, right_kind)) = (self.lower(left)?, self.lower(right)?);
        let node = match (left_kind, right_kind) {
            (Type::Number, Type::Number | Type::Any) | (Type::Any, Type::Number) => {
                Node::CompareNumber(relation, left, right)
            }
            (Type::Text | Type::Any, Type::Text | Type::Any) => {
                Node::CompareText(relation, left, right)
            }
            (Type::Bool, Type::Bool) | (Type::Bool, Type::Any) | (Type::Any, Type::Bool) => {
                Node::CompareText(relation, left, right)
            }
            // `price == ''` asks for absence; other comparisons of a number with text cannot be meant.
            (Type::Number, Type::Text) if self.graph.constant(right) == Some(None) => {
                return self.presence(relation, left);
            }
            (Type::Text, Type::Number) if self.graph.constant(left) == Some(None) => {
                return self.presence(relation, right);
            }
            (Type::List, Type::List) if self.is_empty_list(right) => {
                return self.presence(relation, left);
            }
            (left, right) => {
                return Err((
                    format!("{} cannot be compared with {}", left.words(), right.words()),
                    "numbers stand without quotes, texts with; lists are asked with `in` or `size(list)`".to_owned(),
                ));
            }
        };
        Ok((self.graph.add(node), Type::Bool))
    }

    fn is_empty_list(&self, node: NodeId) -> bool {
        matches!(self.graph.node(node), Node::ListOf(nodes) if nodes.is_empty())
    }

    fn presence(&mut self, relation: Relation, node: NodeId) -> Lowered {
        let has = self.graph.add(Node::Has(node));
        match relation {
            Relation::NotEqual => Ok((has, Type::Bool)),
            Relation::Equal => Ok((self.graph.add(Node::Not(has)), Type::Bool)),
            _ => Err((
                "nothing is greater or less than an empty value".to_owned(),
                "compare with a number".to_owned(),
            )),
        }
    }

    fn size(&mut self, inner: &IdedExpr) -> Lowered {
        let (inner, _) = self.lower(inner)?;
        Ok((self.graph.add(Node::Size(inner)), Type::Number))
    }

    fn method(&mut self, function: &str, target: &IdedExpr, argument: &IdedExpr) -> Lowered {
        let (whole, _) = self.lower(target)?;
        if function == "matches" {
            let Expr::Literal(LiteralValue::String(pattern)) = &argument.expr else {
                return Err((
                    "`matches` wants its pattern as a literal text".to_owned(),
                    String::new(),
                ));
            };
            let regex = regex::RegexBuilder::new(pattern.inner())
                .size_limit(1 << 20)
                .build();
            let regex = regex.map_err(|error| {
                (
                    format!("`{}` is no regular expression: {error}", pattern.inner()),
                    String::new(),
                )
            })?;
            self.graph.patterns.push(regex);
            let number = u32::try_from(self.graph.patterns.len() - 1).expect("few patterns");
            return Ok((self.graph.add(Node::Matches(whole, number)), Type::Bool));
        }
        let search = match function {
            "contains" => Search::Contains,
            "startsWith" => Search::StartsWith,
            "endsWith" => Search::EndsWith,
            _ => return Err(unknown(function)),
        };
        let (part, _) = self.lower(argument)?;
        Ok((self.graph.add(Node::Find(search, whole, part)), Type::Bool))
    }
}

impl Type {
    fn words(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Number => "a number",
            Type::Bool => "true or false",
            Type::List => "a list",
            Type::Any => "a cell",
        }
    }
}

fn unknown(function: &str) -> ConditionError {
    const KNOWN: &[&str] = &[
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "size",
        "has",
    ];
    let hint =
        nearest(function, KNOWN.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    (
        format!("`{function}` is not known in conditions"),
        hint.unwrap_or_else(|| "known are comparisons, `&& || !`, `in`, arithmetic, `contains startsWith endsWith matches size has`".to_owned()),
    )
}
