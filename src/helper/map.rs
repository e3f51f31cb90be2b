//! `map`: the longest matching prefix in a table of two columns.

use std::collections::HashMap;
use std::io::Read;

use super::argument::push_element;
use super::{Arguments, Helper, HelperContext, HelperError};
use crate::model::value::Value;

/// `{{map "mappings/google.csv" category}}`
pub static MAP: Helper = Helper {
    name: "map",
    summary: "what a mapping table has for a text or its longest prefix",
    usage: "{{map \"mappings/google.csv\" category}}",
    page: PAGE,
    arity: (2, 2),
    named: &[],
    raw: false,
    call,
};

const PAGE: &str = "\
Looks a text up in a CSV file of two columns, ours and the channel's. Where the text has levels (`Home > Kitchen > Cups`)
the longest prefix of whole levels wins, so that one row `Home > Kitchen` serves all below it. Capitals and white space
around `>` do not matter. What no row matches is absent and listed with counts after the build. A second column left empty
says that there is nothing to write, and is not listed.

- the file, from the project's folder.
- a text, or a list, whose elements are the levels; absent stays absent.

- `{{map \"mappings/google.csv\" category}}` gives `Home & Garden > Kitchen & Dining`
- `{{map \"mappings/google.csv\" \"Toys\"}}` gives ``
";

/// What stands between levels.
const LEVEL: &str = " > ";

/// A mapping table read from a two-column CSV file.
#[derive(Debug, Default)]
pub struct Table {
    rows: HashMap<String, String>,
}

impl Table {
    /// Reads a table; `name` is how messages call the file. Fields are separated by what the first line has: tabs, else
    /// commas, else semicolons. A first line `from,to` is a header. All problems are reported, each with its line.
    pub fn read(mut reader: impl Read, name: &str) -> Result<Table, String> {
        let mut bytes = Vec::new();
        reader
            .read_to_end(&mut bytes)
            .map_err(|why| format!("cannot read `{name}`: {why}"))?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let first_line = bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let delimiter = [b'\t', b',', b';']
            .into_iter()
            .find(|delimiter| first_line.contains(delimiter))
            .unwrap_or(b',');
        let mut rows: HashMap<String, (String, u64)> = HashMap::new();
        let mut problems = Vec::new();
        let mut records = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(bytes);
        for (n, record) in records.records().enumerate() {
            let record = match record {
                Ok(record) => record,
                Err(why) => {
                    problems.push(format!("{name}: {why}"));
                    continue;
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            let mut fields = record.iter().map(str::trim);
            let (Some(from), Some(to), true) =
                (fields.next(), fields.next(), fields.all(str::is_empty))
            else {
                let count = record.len();
                problems.push(format!(
                    "{name}:{line}: 2 columns are expected, not {count}"
                ));
                continue;
            };
            if n == 0 && from.eq_ignore_ascii_case("from") && to.eq_ignore_ascii_case("to") {
                continue;
            }
            let key = key(from);
            if key.is_empty() {
                problems.push(format!("{name}:{line}: the first column is empty"));
            } else if let Some((other, first)) = rows.get(&key) {
                if other != to {
                    problems.push(format!(
                        "{name}:{line}: `{from}` is mapped already, to `{other}` in line {first}"
                    ));
                }
            } else {
                rows.insert(key, (to.to_owned(), line));
            }
        }
        if problems.is_empty() {
            let rows = rows.into_iter().map(|(from, (to, _))| (from, to)).collect();
            Ok(Table { rows })
        } else {
            Err(problems.join("\n"))
        }
    }

    /// What the table has for the text or its longest prefix of whole levels; `Some("")` where it says nothing is written.
    pub fn get(&self, text: &str) -> Option<&str> {
        let key = key(text);
        let mut prefix = key.as_str();
        loop {
            if let Some(to) = self.rows.get(prefix) {
                return Some(to);
            }
            (prefix, _) = prefix.rsplit_once(LEVEL)?;
        }
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True when it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A text as tables compare it: small letters, single spaces around `>`.
fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for level in text.split('>').map(str::trim) {
        if !key.is_empty() {
            key.push_str(LEVEL);
        }
        key.extend(level.chars().flat_map(char::to_lowercase));
    }
    key
}

fn call<'a>(args: &Arguments<'_, 'a>, ctx: &HelperContext<'a>) -> Result<Value<'a>, HelperError> {
    let path = args.text(0)?.unwrap_or_default();
    let table = ctx
        .tables
        .get(path)
        .ok_or_else(|| HelperError(format!("the mapping table `{path}` is not there")))?;
    let mut joined = String::new();
    let text = match args.get(1) {
        Value::List(list) => {
            for (i, element) in list.iter().enumerate() {
                if i > 0 {
                    joined.push_str(LEVEL);
                }
                push_element(&mut joined, element);
            }
            joined.as_str()
        }
        other => other.as_text().unwrap_or_default(),
    };
    if text.is_empty() {
        return Ok(Value::Absent);
    }
    match table.get(text) {
        Some(to) => Ok(Value::text(to)),
        None => {
            let mut unmatched = ctx.unmatched.borrow_mut();
            *unmatched
                .entry((path.to_owned(), text.to_owned()))
                .or_default() += 1;
            Ok(Value::Absent)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helper::testing::Bench;
    use crate::model::value::List;

    #[test]
    fn the_longest_prefix_of_levels_wins() {
        let text = "from,to\nClothing,166\nClothing > Shirts,212\n\"Clothing > Shirts, polo\",213\nGift cards,\n";
        let table = Table::read(text.as_bytes(), "m.csv").expect("a table");
        assert_eq!(table.len(), 4);
        for (text, want) in [
            ("Clothing > Shirts > Short", Some("212")),
            ("clothing>shirts", Some("212")),
            ("Clothing > Shirts, polo", Some("213")),
            ("Clothing > Trousers", Some("166")),
            ("Clothing", Some("166")),
            ("Clothing line", None),
            ("Gift cards > 50", Some("")),
            ("", None),
        ] {
            assert_eq!(table.get(text), want, "{text}");
        }
    }

    #[test]
    fn all_problems_of_a_file_are_told() {
        let text = "a,1\nb\n,3\nA,2\na,1\nc,1,2\n";
        assert_eq!(
            Table::read(text.as_bytes(), "m.csv").err().as_deref(),
            Some(
                "m.csv:2: 2 columns are expected, not 1\nm.csv:3: the first column is empty\n\
                 m.csv:4: `A` is mapped already, to `1` in line 1\nm.csv:6: 2 columns are expected, not 3"
            )
        );
        assert!(Table::read(&b"a,\xff\n"[..], "m.csv").is_err());
        let tabs = Table::read("\u{feff}x\ty, z\n".as_bytes(), "m.tsv").expect("a table");
        assert_eq!(tabs.get("X"), Some("y, z"));
    }

    #[test]
    fn what_matches_nothing_is_counted() {
        let bench = Bench::new("en");
        let list = Value::List(List("Home\u{1f}Kitchen\u{1f}Cups"));
        let path = Value::Text("mappings/google.csv");
        let found = bench.value("map", &[path, list], &[]);
        assert_eq!(found, Ok(Value::Text("Home & Garden > Kitchen & Dining")));
        for _ in 0..2 {
            assert_eq!(
                bench.value("map", &[path, Value::Text("Toys")], &[]),
                Ok(Value::Absent)
            );
        }
        assert_eq!(
            bench.value("map", &[path, Value::Absent], &[]),
            Ok(Value::Absent)
        );
        let counts: Vec<(String, u64)> = bench
            .unmatched()
            .into_iter()
            .map(|((_, text), n)| (text, n))
            .collect();
        assert_eq!(counts, [("Toys".to_owned(), 2)]);
        assert!(bench.call("map", &["nowhere.csv", "Toys"]).is_err());
    }
}
