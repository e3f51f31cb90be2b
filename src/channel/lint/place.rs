//! Where the keys and values of a manifest stand: line and column in characters, from 1.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

/// A manifest's text, parsed with its places.
pub(super) struct Places<'t> {
    text: &'t str,
    root: Option<Spanned<DeTable<'t>>>,
}

impl<'t> Places<'t> {
    /// Parses a manifest that has been read before.
    pub(super) fn new(text: &'t str) -> Self {
        Places {
            text,
            root: DeTable::parse(text).ok(),
        }
    }

    fn find(&self, path: &[&str]) -> Option<(Range<usize>, Range<usize>)> {
        let (last, tables) = path.split_last()?;
        let mut table = self.root.as_ref()?.get_ref();
        for name in tables {
            table = table
                .iter()
                .find(|(key, _)| key.get_ref() == name)?
                .1
                .get_ref()
                .as_table()?;
        }
        table
            .iter()
            .find(|(key, _)| key.get_ref() == last)
            .map(|(key, value)| (key.span(), value.span()))
    }

    /// Where a key stands; its nearest table's key where it does not.
    pub(super) fn key(&self, path: &[&str]) -> (usize, usize) {
        let mut path = path;
        loop {
            if let Some((key, _)) = self.find(path) {
                return self.at(key.start);
            }
            match path.split_last() {
                Some((_, shorter)) if !shorter.is_empty() => path = shorter,
                _ => return (0, 0),
            }
        }
    }

    /// Where a value stands; its key where it has none.
    pub(super) fn value(&self, path: &[&str]) -> (usize, usize) {
        self.find(path)
            .map_or_else(|| self.key(path), |(_, value)| self.at(value.start))
    }

    /// Where an element of an array stands.
    pub(super) fn element(&self, path: &[&str], index: usize) -> (usize, usize) {
        let Some((last, tables)) = path.split_last() else {
            return (0, 0);
        };
        let mut table = self.root.as_ref().map(Spanned::get_ref);
        for name in tables {
            table = table
                .and_then(|table| table.iter().find(|(key, _)| key.get_ref() == name))
                .and_then(|(_, value)| value.get_ref().as_table());
        }
        let array = table
            .and_then(|table| table.iter().find(|(key, _)| key.get_ref() == last))
            .and_then(|(_, value)| value.get_ref().as_array());
        match array.and_then(|array| array.get(index)) {
            Some(element) => self.at(element.span().start),
            None => self.value(path),
        }
    }

    /// Where the place `line:column` of a text value stands in the file.
    pub(super) fn inside(&self, path: &[&str], line: usize, column: usize) -> (usize, usize) {
        let Some((_, span)) = self.find(path) else {
            return self.key(path);
        };
        let raw = self.text.get(span.clone()).unwrap_or("");
        let (quote, escapes) = match raw {
            _ if raw.starts_with("\"\"\"") => (3, true),
            _ if raw.starts_with("'''") => (3, false),
            _ if raw.starts_with('"') => (1, true),
            _ => (1, false),
        };
        let mut letters = raw.char_indices().skip(quote).peekable();
        if quote == 3 {
            // A line end right after the opening quotes is no part of the value.
            letters.next_if(|(_, letter)| *letter == '\r');
            letters.next_if(|(_, letter)| *letter == '\n');
        }
        let (mut at_line, mut at_column) = (1, 1);
        let mut offset = quote;
        while let Some((index, letter)) = letters.next() {
            offset = index;
            if (at_line, at_column) >= (line, column) {
                break;
            }
            let mut decoded = letter;
            if escapes && letter == '\\' {
                decoded = match letters.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 'u')) => {
                        letters.by_ref().take(4).for_each(drop);
                        ' '
                    }
                    Some((_, 'U')) => {
                        letters.by_ref().take(8).for_each(drop);
                        ' '
                    }
                    _ => ' ',
                };
            }
            if decoded == '\n' {
                (at_line, at_column) = (at_line + 1, 1);
            } else {
                at_column += 1;
            }
        }
        self.at(span.start + offset)
    }

    fn at(&self, offset: usize) -> (usize, usize) {
        line_and_column(self.text, offset)
    }
}

/// Line and column, from 1, of a byte of a text.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 1\n[attributes.title]\nvalue = \"x\\\"{{titel}}\"\none_of = [\"a\", \"b\"]\n[attributes.\"g:id\"]\nvalue = '''\n{{a}}\n  {{b}}'''\n";

    #[test]
    fn keys_and_values_have_places() {
        let places = Places::new(TEXT);
        assert_eq!(places.key(&["attributes", "title"]), (2, 13));
        assert_eq!(places.value(&["attributes", "title", "value"]), (3, 9));
        assert_eq!(
            places.element(&["attributes", "title", "one_of"], 1),
            (4, 16)
        );
        assert_eq!(
            places.key(&["attributes", "g:id", "required"]),
            (5, 13),
            "the attribute stands for the key it lacks"
        );
    }

    #[test]
    fn places_inside_values_count_escapes_and_lines() {
        let places = Places::new(TEXT);
        assert_eq!(
            places.inside(&["attributes", "title", "value"], 1, 3),
            (3, 13)
        );
        assert_eq!(
            places.inside(&["attributes", "g:id", "value"], 2, 3),
            (8, 3)
        );
    }
}
