//! XML by element path below the item's element.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Field, numbered};

/// An element that is open.
struct Open {
    path: String,
    children: HashMap<String, usize>,
    text: String,
    /// Whether an element stood in it.
    parent: bool,
}

/// Texts and attributes by path; `None` for what is no well-formed piece.
pub(super) fn fields(text: &str) -> Option<Vec<Field>> {
    let mut reader = Reader::from_str(text);
    let mut stack: Vec<Open> = vec![Open {
        path: String::new(),
        children: HashMap::new(),
        text: String::new(),
        parent: true,
    }];
    let mut out = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let open = open(&mut stack, &start, &mut out)?;
                stack.push(open);
            }
            Event::Empty(start) => {
                let open = open(&mut stack, &start, &mut out)?;
                out.push(Field::new(shown(&open.path, &start), ""));
            }
            Event::End(end) => {
                let closed = stack.pop().filter(|_| !stack.is_empty())?;
                let text = closed.text.trim();
                if !closed.parent || !text.is_empty() {
                    let path = if closed.path.is_empty() {
                        end.name().as_ref().to_owned()
                    } else {
                        closed.path
                    };
                    out.push(Field::new(path, text));
                }
            }
            Event::Text(text) => {
                stack.last_mut()?.text.push_str(&text.xml10_content());
            }
            Event::CData(data) => {
                stack.last_mut()?.text.push_str(&data.xml10_content());
            }
            Event::GeneralRef(reference) => {
                let open = stack.last_mut()?;
                if let Some(letter) = reference.resolve_char_ref().ok()? {
                    open.text.push(letter);
                } else {
                    let name: &str = &reference;
                    match quick_xml::escape::resolve_predefined_entity(name) {
                        Some(text) => open.text.push_str(text),
                        None => open.text.push_str(&format!("&{name};")),
                    }
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) => {}
        }
    }
    (stack.len() == 1 && !out.is_empty()).then_some(out)
}

fn shown(path: &str, start: &BytesStart<'_>) -> String {
    if path.is_empty() {
        return start.name().as_ref().to_owned();
    }
    path.to_owned()
}

/// An element's path below the outermost one, and its attributes as fields.
fn open(stack: &mut [Open], start: &BytesStart<'_>, out: &mut Vec<Field>) -> Option<Open> {
    let depth = stack.len();
    let parent = stack.last_mut()?;
    parent.parent = true;
    let name = start.name();
    let count = parent.children.entry(name.as_ref().to_owned()).or_default();
    *count += 1;
    let own = numbered(name.as_ref(), *count);
    let path = match (depth, parent.path.is_empty()) {
        // The item's own element is not named; a second one beside it is.
        (1, _) if parent.children.len() == 1 && !own.ends_with(']') => String::new(),
        (_, true) => own,
        (_, false) => format!("{}/{own}", parent.path),
    };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = quick_xml::escape::unescape(&attribute.value).ok()?;
        let name = attribute.key.as_ref();
        out.push(Field::new(format!("{path}@{name}"), value));
    }
    Some(Open {
        path,
        children: HashMap::new(),
        text: String::new(),
        parent: false,
    })
}
