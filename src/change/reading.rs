//! The fields of the worst items and of a sample, read from their bytes and counted by field.

use std::collections::{HashMap, HashSet};

use crate::write::items::LogHead;

use super::FIELDS_LISTED_MAX;
use super::bytes::{ItemBytes, Side};
use super::changes::{Changes, Example, FieldGroup, ItemChange};
use super::compare::CompareError;
use super::fields::{self, Field};
use super::tally::Places;

/// Fields that are counted one by one; what differs beyond them is not grouped.
const GROUPS_MAX: usize = 500;
/// Examples kept of a field.
const EXAMPLES: usize = 3;

/// Changed items that are listed, with the places of their bytes.
pub(super) type Kept = Vec<(Places, ItemChange)>;

/// Reads the fields of listed and sampled items, in the order in which they stood.
pub(super) fn read_fields(
    worst: &mut Kept,
    sample: Vec<Places>,
    (old_head, new_head): (&LogHead, &LogHead),
    bytes: &mut dyn ItemBytes,
    changes: &mut Changes,
) -> Result<(), CompareError> {
    let mut wanted: Vec<(Places, Option<usize>, bool)> =
        Vec::with_capacity(sample.len() + worst.len());
    let sampled: HashSet<u64> = sample.iter().map(|places| places.number).collect();
    let listed: HashMap<u64, usize> = worst
        .iter()
        .enumerate()
        .map(|(index, (places, _))| (places.number, index))
        .collect();
    for places in sample {
        wanted.push((places, listed.get(&places.number).copied(), true));
    }
    for (index, (places, _)) in worst.iter().enumerate() {
        if !sampled.contains(&places.number) {
            wanted.push((*places, Some(index), false));
        }
    }
    wanted.sort_unstable();
    let mut groups = Groups::default();
    let (mut old_bytes, mut new_bytes) = (Vec::new(), Vec::new());
    for (places, index, counted) in wanted {
        let (old, new) = (places.old, places.new);
        bytes.read(Side::Old, old.part, old.offset, old.length, &mut old_bytes)?;
        bytes.read(Side::New, new.part, new.offset, new.length, &mut new_bytes)?;
        let mut before = fields::fields(old_head, &old_bytes);
        let mut now = fields::fields(new_head, &new_bytes);
        if before == now {
            // It differs all the same: in white space, order or how a number is written.
            (before, now) = (fields::written(&old_bytes), fields::written(&new_bytes));
        }
        let differing = fields::differing(&before, &now);
        if counted {
            let id = index
                .and_then(|index| worst.get(index))
                .map(|(_, change)| change.id.as_str());
            groups.add(id, &differing);
        }
        if let Some((_, change)) = index.and_then(|index| worst.get_mut(index)) {
            change.fields_more = differing.len().saturating_sub(FIELDS_LISTED_MAX) as u64;
            change.fields = differing
                .iter()
                .take(FIELDS_LISTED_MAX)
                .map(|(old, new)| fields::change(*old, *new))
                .collect();
        }
    }
    changes.fields = groups.finish();
    Ok(())
}

#[derive(Default)]
struct Groups {
    groups: HashMap<String, FieldGroup>,
}

impl Groups {
    fn add(&mut self, id: Option<&str>, differing: &[(Option<&Field>, Option<&Field>)]) {
        // A field that repeats in an item counts once.
        let mut seen: Vec<String> = Vec::new();
        for &(old, new) in differing {
            let name = old.or(new).map_or("", |field| field.path.as_str());
            let name = fields::group(name);
            if seen.contains(&name) {
                continue;
            }
            if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&name) {
                continue;
            }
            let has = |field: Option<&Field>| field.is_some_and(|field| !field.value.is_empty());
            let group = self
                .groups
                .entry(name.clone())
                .or_insert_with(|| FieldGroup {
                    field: name.clone(),
                    ..FieldGroup::default()
                });
            group.items += 1;
            group.emptied += u64::from(has(old) && !has(new));
            group.filled += u64::from(!has(old) && has(new));
            if let Some(id) = id {
                if group.examples.len() < EXAMPLES {
                    group.examples.push(Example {
                        id: id.to_owned(),
                        change: fields::change(old, new),
                    });
                }
                if has(old) && !has(new) && group.emptied_ids.len() < EXAMPLES {
                    group.emptied_ids.push(id.to_owned());
                }
            }
            seen.push(name);
        }
    }

    fn finish(self) -> Vec<FieldGroup> {
        let mut groups: Vec<FieldGroup> = self.groups.into_values().collect();
        groups.sort_by(|a, b| b.items.cmp(&a.items).then_with(|| a.field.cmp(&b.field)));
        groups
    }
}
