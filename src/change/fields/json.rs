//! JSON by pointer.

use serde_json::Value;

use super::Field;

/// The members and elements that hold no others, by pointer; `None` for what is no JSON.
pub(super) fn fields(text: &str) -> Option<Vec<Field>> {
    // What separates items stands with one of them.
    let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace() || letter == ',');
    let value: Value = serde_json::from_str(text).ok()?;
    let mut out = Vec::new();
    flatten(&value, &mut String::new(), &mut out);
    Some(out)
}

/// The parser has bounded the depth.
fn flatten(value: &Value, path: &mut String, out: &mut Vec<Field>) {
    let length = path.len();
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                flatten(member, path, out);
                path.truncate(length);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for (number, element) in elements.iter().enumerate() {
                path.push('/');
                path.push_str(&number.to_string());
                flatten(element, path, out);
                path.truncate(length);
            }
        }
        Value::String(text) => out.push(Field::new(path.clone(), text.clone())),
        Value::Null => out.push(Field::new(path.clone(), "")),
        // Numbers lose zeros at their end here; items that differ in nothing else are shown as they are written.
        other => out.push(Field::new(path.clone(), other.to_string())),
    }
}
