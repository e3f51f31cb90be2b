//! Which element is a record: as the settings say, or as the document shows.

use std::io::Read;

use hashbrown::HashMap;

use super::pieces::{Piece, Pieces};
use crate::catalog::{SourceError, SourceProblem};

/// Names that records of known feeds have.
const KNOWN: [&str; 14] = [
    "item", "entry", "product", "offer", "o", "shopitem", "article", "produkt", "artikel", "row",
    "record", "good", "prod", "produit",
];
/// Distinct paths that are counted.
const PATHS_MAX: usize = 10_000;

/// The element that is a record: its name, local or prefixed, or the end of its path.
#[derive(Clone, Debug)]
pub(super) struct Matcher(pub(super) String);

impl Matcher {
    /// True for an element at this path (`/rss/channel/item`).
    pub(super) fn matches(&self, path: &str) -> bool {
        if self.0.starts_with('/') {
            return path == self.0;
        }
        if self.0.contains('/') {
            let before = path.strip_suffix(self.0.as_str());
            return before.is_some_and(|before| before.ends_with('/'));
        }
        let name = path.rsplit('/').next().unwrap_or("");
        name == self.0 || (!self.0.contains(':') && local(name) == self.0)
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

#[derive(Default)]
struct Seen {
    count: u64,
    /// It has elements or attributes, so it can be a record.
    filled: bool,
    order: usize,
}

/// Finds the record element by reading the whole document: the outermost element with a name that records of feeds have,
/// else the outermost one that is repeated and has elements inside; of several, the most frequent.
pub(super) fn detect(
    stream: Box<dyn Read + Send>,
    name: &str,
    remarks: &mut Vec<String>,
) -> Result<Matcher, SourceError> {
    let mut pieces = Pieces::new(stream, name);
    let mut seen: HashMap<String, Seen> = HashMap::new();
    loop {
        match pieces.next()? {
            Piece::Start => {
                let path = pieces.path();
                if let Some((parent, _)) = path.rsplit_once('/')
                    && let Some(parent) = seen.get_mut(parent)
                {
                    parent.filled = true;
                }
                let order = seen.len();
                if let Some(one) = seen.get_mut(path) {
                    one.count += 1;
                } else if order < PATHS_MAX {
                    let one = Seen {
                        count: 1,
                        filled: false,
                        order,
                    };
                    seen.insert(path.to_owned(), one);
                }
            }
            Piece::End => break,
            Piece::Text | Piece::Close => {}
        }
    }
    let depth = |path: &str| path.matches('/').count();
    let known = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or("");
        KNOWN.contains(&local(name).to_ascii_lowercase().as_str())
    };
    let best = seen
        .iter()
        .filter(|(path, one)| one.filled && depth(path) > 1 && (known(path) || one.count > 1))
        .min_by_key(|(path, one)| {
            (
                !known(path),
                depth(path),
                std::cmp::Reverse(one.count),
                one.order,
            )
        });
    match best {
        Some((path, one)) => {
            remarks.push(format!(
                "the records are the {} elements `{}`; set `record` to choose others",
                one.count,
                path.strip_prefix('/').unwrap_or(path)
            ));
            Ok(Matcher(path.clone()))
        }
        None => Err(SourceError::new(
            SourceProblem::Configuration,
            name,
            "no element is repeated, so there is no telling what a record is",
        )
        .hint("set `record` to the name of the element that holds one product")),
    }
}

/// The error for a record element that the document does not have; `names` are those it has.
pub(super) fn missing(record: &str, name: &str, names: &hashbrown::HashSet<String>) -> SourceError {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_by(|left, right| {
        let score = |name: &str| {
            strsim::jaro_winkler(&local(record).to_lowercase(), &local(name).to_lowercase())
        };
        score(right)
            .total_cmp(&score(left))
            .then_with(|| left.cmp(right))
    });
    let near: Vec<String> = names
        .iter()
        .take(5)
        .map(|name| format!("`{name}`"))
        .collect();
    SourceError::new(
        SourceProblem::Configuration,
        name,
        format!("it has no element `{record}`"),
    )
    .hint(format!(
        "set `record` to an element it has, such as {}; names count capitals",
        near.join(", ")
    ))
}
