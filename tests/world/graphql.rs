//! As much of GraphQL as inventory needs: documents are read, arguments filled in, answers cut to what was asked for.
//!
//! Not covered: named fragments, `@skip` and `@include`, types of variables beyond their names.

use serde_json::{Map, Value, json};

/// One field of a document.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// The name in the answer.
    pub alias: String,
    /// The name in the schema.
    pub name: String,
    /// What it is asked with.
    pub arguments: Vec<(String, Argument)>,
    /// `@name(...)`.
    pub directives: Vec<(String, Vec<(String, Argument)>)>,
    /// What is asked of it.
    pub fields: Vec<Field>,
    /// Only where the object is of this type.
    pub on: Option<String>,
}

/// An argument as written.
#[derive(Clone, Debug)]
pub enum Argument {
    /// `$name`.
    Variable(String),
    /// Text, number, boolean, null, or a word of an enumeration.
    Plain(Value),
    /// `[...]`.
    List(Vec<Argument>),
    /// `{...}`.
    Object(Vec<(String, Argument)>),
}

/// A document with one operation.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// True for a mutation.
    pub mutation: bool,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Variables that have a default.
    pub defaults: Vec<(String, Argument)>,
    /// The variables it declares.
    pub declared: Vec<String>,
}

/// What a field gives.
pub enum Out<'a> {
    /// A value; of an object, the fields asked for are taken.
    Value(Value),
    /// An object whose fields take arguments.
    Node(Resolver<'a>),
    /// Several.
    List(Vec<Out<'a>>),
}

/// Gives a field of an object by name and arguments; none where it has no such field.
pub type Resolver<'a> = Box<dyn Fn(&str, &Map<String, Value>) -> Option<Out<'a>> + 'a>;

/// A request's document with its variables.
///
/// # Errors
/// What is wrong with it.
pub fn request(body: &Value) -> Result<(Document, Map<String, Value>), String> {
    let text = body["query"].as_str().ok_or("no query")?;
    let document = parse(text)?;
    let mut variables = match &body["variables"] {
        Value::Object(map) => map.clone(),
        Value::Null => Map::new(),
        _ => return Err("variables must be an object".to_owned()),
    };
    for (name, argument) in &document.defaults {
        if !variables.contains_key(name) {
            let value = value(argument, &Map::new())?;
            variables.insert(name.clone(), value);
        }
    }
    if let Some(stranger) = variables
        .keys()
        .find(|name| !document.declared.contains(name))
    {
        return Err(format!("variable ${stranger} is not declared"));
    }
    Ok((document, variables))
}

/// The arguments of a field, filled in.
///
/// # Errors
/// A variable that nobody declared.
pub fn arguments(
    written: &[(String, Argument)],
    variables: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let mut filled = Map::new();
    for (name, argument) in written {
        if let Argument::Variable(variable) = argument
            && !variables.contains_key(variable)
        {
            continue;
        }
        filled.insert(name.clone(), value(argument, variables)?);
    }
    Ok(filled)
}

fn value(argument: &Argument, variables: &Map<String, Value>) -> Result<Value, String> {
    Ok(match argument {
        Argument::Variable(name) => variables.get(name).cloned().unwrap_or(Value::Null),
        Argument::Plain(value) => value.clone(),
        Argument::List(list) => list
            .iter()
            .map(|entry| value(entry, variables))
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Argument::Object(_) => {
            let Argument::Object(pairs) = argument else {
                unreachable!()
            };
            Value::Object(arguments(pairs, variables)?)
        }
    })
}

/// The fields asked for.
///
/// # Errors
/// A field that is not there.
pub fn select(
    fields: &[Field],
    variables: &Map<String, Value>,
    resolver: &Resolver<'_>,
) -> Result<Value, String> {
    let mut object = Map::new();
    let mut kind = None;
    for field in fields {
        if let Some(on) = &field.on {
            let kind = kind.get_or_insert_with(|| match resolver("__typename", &Map::new()) {
                Some(Out::Value(Value::String(name))) => name,
                _ => String::new(),
            });
            let interface = on == "ErrorResult" && kind.ends_with("Error");
            if kind.is_empty() || kind == on || interface {
                let Value::Object(inner) = select(&field.fields, variables, resolver)? else {
                    unreachable!()
                };
                object.extend(inner);
            }
            continue;
        }
        let given = arguments(&field.arguments, variables)?;
        let out = resolver(&field.name, &given)
            .ok_or_else(|| format!("Cannot query field \"{}\"", field.name))?;
        object.insert(field.alias.clone(), shape(field, variables, out)?);
    }
    Ok(Value::Object(object))
}

/// One field of the operation itself, under its alias.
///
/// # Errors
/// A field that is not there.
pub fn select_root(
    field: &Field,
    variables: &Map<String, Value>,
    out: Out<'_>,
) -> Result<Value, String> {
    let mut object = Map::new();
    object.insert(field.alias.clone(), shape(field, variables, out)?);
    Ok(Value::Object(object))
}

fn shape(field: &Field, variables: &Map<String, Value>, out: Out<'_>) -> Result<Value, String> {
    Ok(match out {
        Out::Node(resolver) => {
            if field.fields.is_empty() {
                return Err(format!("Field \"{}\" must have a selection", field.name));
            }
            select(&field.fields, variables, &resolver)?
        }
        Out::List(list) => list
            .into_iter()
            .map(|out| shape(field, variables, out))
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Out::Value(value) => cut(field, variables, value)?,
    })
}

fn cut(field: &Field, variables: &Map<String, Value>, value: Value) -> Result<Value, String> {
    Ok(match value {
        Value::Array(list) => list
            .into_iter()
            .map(|entry| cut(field, variables, entry))
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Value::Object(object) if !field.fields.is_empty() => {
            let resolver: Resolver<'_> =
                Box::new(|name, _| object.get(name).cloned().map(Out::Value));
            select(&field.fields, variables, &resolver)?
        }
        value => value,
    })
}

/// An answer that only has an error.
pub fn error(message: &str, code: &str) -> Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": code } }] })
}

/// Reads a document.
///
/// # Errors
/// Where it cannot be read.
pub fn parse(text: &str) -> Result<Document, String> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
    };
    let mut document = Document::default();
    match parser.peek() {
        "mutation" => {
            document.mutation = true;
            parser.at += 1;
        }
        "query" => parser.at += 1,
        "{" => {}
        other => return Err(format!("Syntax Error: Unexpected {other:?}")),
    }
    if !["{", "(", "@"].contains(&parser.peek()) {
        parser.at += 1;
    }
    if parser.take("(") {
        while !parser.take(")") {
            parser.want("$")?;
            let name = parser.word()?;
            parser.want(":")?;
            while parser.take("[") {}
            parser.word()?;
            while parser.take("]") || parser.take("!") {}
            if parser.take("=") {
                let default = parser.argument()?;
                document.defaults.push((name.clone(), default));
            }
            document.declared.push(name);
        }
    }
    document.fields = parser.selection()?;
    if parser.at < parser.tokens.len() {
        return Err("Syntax Error: more than one operation".to_owned());
    }
    Ok(document)
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn take(&mut self, token: &str) -> bool {
        let there = self.peek() == token;
        self.at += usize::from(there);
        there
    }

    fn want(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        Err(format!(
            "Syntax Error: Expected {token:?}, found {:?}",
            self.peek()
        ))
    }

    fn word(&mut self) -> Result<String, String> {
        let token = self.peek().to_owned();
        let name = token.starts_with(|c: char| c.is_alphabetic() || c == '_');
        self.at += 1;
        name.then_some(token.clone())
            .ok_or_else(|| format!("Syntax Error: Expected Name, found {token:?}"))
    }

    fn selection(&mut self) -> Result<Vec<Field>, String> {
        self.want("{")?;
        let mut fields = Vec::new();
        while !self.take("}") {
            if self.take("...") {
                let on = if self.take("on") {
                    Some(self.word()?)
                } else {
                    return Err("named fragments are not understood here".to_owned());
                };
                let fields_on = self.selection()?;
                fields.push(Field {
                    on,
                    fields: fields_on,
                    ..Field::default()
                });
                continue;
            }
            let mut field = Field {
                name: self.word()?,
                ..Field::default()
            };
            field.alias.clone_from(&field.name);
            if self.take(":") {
                field.name = self.word()?;
            }
            if self.take("(") {
                field.arguments = self.pairs(")")?;
            }
            while self.take("@") {
                let name = self.word()?;
                let given = if self.take("(") {
                    self.pairs(")")?
                } else {
                    Vec::new()
                };
                field.directives.push((name, given));
            }
            if self.peek() == "{" {
                field.fields = self.selection()?;
            }
            fields.push(field);
        }
        if fields.is_empty() {
            return Err("Syntax Error: empty selection".to_owned());
        }
        Ok(fields)
    }

    fn pairs(&mut self, end: &str) -> Result<Vec<(String, Argument)>, String> {
        let mut pairs = Vec::new();
        while !self.take(end) {
            let name = self.word()?;
            self.want(":")?;
            pairs.push((name, self.argument()?));
        }
        Ok(pairs)
    }

    fn argument(&mut self) -> Result<Argument, String> {
        if self.take("$") {
            return Ok(Argument::Variable(self.word()?));
        }
        if self.take("[") {
            let mut list = Vec::new();
            while !self.take("]") {
                list.push(self.argument()?);
            }
            return Ok(Argument::List(list));
        }
        if self.take("{") {
            return Ok(Argument::Object(self.pairs("}")?));
        }
        let token = self.peek().to_owned();
        self.at += 1;
        if let Ok(value) = serde_json::from_str(&token) {
            return Ok(Argument::Plain(value));
        }
        if token.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Ok(Argument::Plain(Value::String(token)));
        }
        Err(format!("Syntax Error: Unexpected {token:?}"))
    }
}

fn tokens(text: &str) -> Result<Vec<String>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() || c == ',' || c == '\u{feff}' {
            chars.next();
        } else if c == '#' {
            while chars.next_if(|c| *c != '\n').is_some() {}
        } else if c == '"' {
            let mut token = String::from(chars.next().expect("peeked"));
            loop {
                match chars.next() {
                    Some('\\') => {
                        token.push('\\');
                        token.extend(chars.next());
                    }
                    Some('"') => break,
                    Some('\n') | None => return Err("Syntax Error: Unterminated string".to_owned()),
                    Some(c) => token.push(c),
                }
            }
            token.push('"');
            tokens.push(token);
        } else if c.is_alphanumeric() || c == '_' || c == '-' {
            let mut token = String::new();
            while let Some(c) =
                chars.next_if(|c| c.is_alphanumeric() || ['_', '-', '.', '+'].contains(c))
            {
                token.push(c);
            }
            tokens.push(token);
        } else if c == '.' {
            for _ in 0..3 {
                if chars.next() != Some('.') {
                    return Err("Syntax Error: Unexpected \".\"".to_owned());
                }
            }
            tokens.push("...".to_owned());
        } else {
            chars.next();
            tokens.push(c.to_string());
        }
    }
    Ok(tokens)
}
