//! Where an item goes, as far as itself tells: the name of its own file, its place in the order, the group it is in.

use xxhash_rust::xxh3::xxh3_64;

use crate::model::file_name;
use crate::model::value::Value;
use crate::program::attribute::Problem;
use crate::program::order;
use crate::validate::finding::Severity;

use super::sink::Sink;
use super::{FeedOutput, FeedRun};

impl FeedRun<'_, '_> {
    /// The name of the item's own file, and a hash of the group it is in; its place in the order goes to `out`.
    #[inline]
    pub(super) fn placed(&mut self, out: &mut FeedOutput) -> Result<(String, u64), Box<Problem>> {
        if self.program.file.is_none() && self.program.order.is_empty() {
            return Ok((String::new(), 0));
        }
        self.place(out)
    }

    #[inline(never)]
    fn place(&mut self, out: &mut FeedOutput) -> Result<(String, u64), Box<Problem>> {
        let program = self.program;
        let mut name = String::new();
        if let Some(file) = &program.file {
            let mut sink = Sink::default();
            self.print_all(file, &mut sink, out)?;
            name = String::from_utf8(sink.into_bytes()).unwrap_or_default();
            file_name::check(&name).map_err(|(message, hint)| {
                Box::new(Problem {
                    rule: "file-name",
                    severity: Severity::Error,
                    message,
                    hint,
                })
            })?;
        }
        let (start, mut group) = (out.keys.len(), 0);
        for (number, key) in program.order.iter().enumerate() {
            let value = self.run.value(key.value).unwrap_or(Value::Absent);
            order::encode(value, key.number, key.descending, &mut out.keys);
            if number == 0 {
                group = xxh3_64(out.keys.get(start..).unwrap_or_default());
            }
        }
        Ok((name, group))
    }
}
