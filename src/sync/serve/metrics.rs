//! Figures for Prometheus, in its text format. No label holds a SKU, nor anything that a sender writes: names of accounts, syncs
//! and sources come from the configuration, the rest from lists here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A figure: its name, what it is, what it tells, its labels.
#[derive(Debug)]
pub struct Family {
    /// Its name, with its unit last.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it tells.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
}

macro_rules! families {
    ($($constant:ident $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: Family = Family {
            name: $name, kind: Kind::$kind, help: $help, labels: &[$($label),*],
        };)*
        /// All figures, as they are shown.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    BUILD Gauge "shelfcast_build_info" ["version"] "The program; always 1.";
    UP_SINCE Gauge "shelfcast_start_timestamp_seconds" [] "When the daemon started.";
    ROUNDS Counter "shelfcast_sync_rounds_total" ["account", "exit"] "Rounds, by exit code.";
    ROUND_SECONDS Counter "shelfcast_sync_round_seconds_total" ["account"] "Time spent in rounds.";
    LEVELS Counter "shelfcast_sync_levels_total" ["sync", "what"] "Levels compared, changed, accepted, rejected, unknown, held.";
    PENDING Gauge "shelfcast_sync_pending" ["sync"] "Levels of which the store must still be told.";
    DEAD_LETTERS Gauge "shelfcast_sync_dead_letters" ["sync"] "Levels that failed for good.";
    LAG Gauge "shelfcast_sync_lag_seconds" ["sync"] "Age of the oldest change that the store does not have.";
    LAST_GOOD Gauge "shelfcast_sync_last_good_run_timestamp_seconds" ["sync"] "When the last good run ended.";
    CALLS Counter "shelfcast_sync_calls_total" ["account"] "Calls to the store.";
    THROTTLES Counter "shelfcast_sync_throttles_total" ["account"] "Answers of the store that we are too fast.";
    PAUSED Gauge "shelfcast_sync_paused" ["account"] "1 while nothing leaves: by order, or because the store refuses us.";
    FAILURES Gauge "shelfcast_sync_failures_in_a_row" ["account"] "Rounds in a row that failed.";
    NEXT_TRY Gauge "shelfcast_sync_next_try_timestamp_seconds" ["account"] "When the next round is due.";
    EVENTS Counter "shelfcast_sync_events_total" ["source", "what"] "Events answered with 200: rows, hint, echo, ping.";
    EVENTS_REFUSED Counter "shelfcast_sync_events_refused_total" ["source", "reason"] "Requests refused; no source where it is unknown.";
    SOURCE_AGE Gauge "shelfcast_sync_source_age_seconds" ["source"] "Since a source last had news, or since the start.";
    SOURCE_QUIET Gauge "shelfcast_sync_source_quiet" ["source"] "1 while a source is quiet for longer than it may.";
    SOURCE_FAILURES Counter "shelfcast_sync_source_failures_total" ["source"] "Looks at a source that failed.";
    CONNECTIONS_REFUSED Counter "shelfcast_connections_refused_total" [] "Connections above the limit.";
    RELOADS Counter "shelfcast_reloads_total" ["outcome"] "Configurations read again: taken, refused.";
}

type Key = (&'static str, Vec<String>);

/// The figures of a daemon.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<Key, f64>>);

impl Metrics {
    /// Adds to a counter.
    pub fn add(&self, family: &Family, labels: &[&str], more: f64) {
        self.with(family, labels, |value| *value += more);
    }

    /// Sets a gauge.
    pub fn set(&self, family: &Family, labels: &[&str], to: f64) {
        self.with(family, labels, |value| *value = to);
    }

    /// What a figure says; 0 where it was never told.
    pub fn get(&self, family: &Family, labels: &[&str]) -> f64 {
        let key = (family.name, owned(labels));
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(&key).copied().unwrap_or(0.0)
    }

    /// Drops gauges: what is no longer configured is not shown as if it were.
    pub fn clear_gauges(&self) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.retain(|(name, _), _| {
            FAMILIES
                .iter()
                .any(|family| family.name == *name && family.kind == Kind::Counter)
        });
    }

    fn with(&self, family: &Family, labels: &[&str], work: impl FnOnce(&mut f64)) {
        assert_eq!(
            family.labels.len(),
            labels.len(),
            "each label has a value: {}",
            family.name
        );
        let key = (family.name, owned(labels));
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(values.entry(key).or_insert(0.0));
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::with_capacity(4096);
        for family in FAMILIES {
            let mut shown = values
                .iter()
                .filter(|((name, _), _)| *name == family.name)
                .peekable();
            if shown.peek().is_none() {
                continue;
            }
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            line(
                &mut text,
                format_args!("# HELP {} {}", family.name, family.help),
            );
            line(&mut text, format_args!("# TYPE {} {kind}", family.name));
            for ((_, labels), value) in shown {
                text.push_str(family.name);
                let pairs: Vec<String> = family
                    .labels
                    .iter()
                    .zip(labels)
                    .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                    .collect();
                if !pairs.is_empty() {
                    text.push('{');
                    text.push_str(&pairs.join(","));
                    text.push('}');
                }
                line(&mut text, format_args!(" {value}"));
            }
        }
        text
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.write_fmt(words).expect("a String takes all");
    text.push('\n');
}

fn owned(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|&label| label.to_owned()).collect()
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let metrics = Metrics::default();
        metrics.add(&ROUNDS, &["web", "0"], 1.0);
        metrics.add(&ROUNDS, &["web", "0"], 2.0);
        metrics.set(&PENDING, &["a\"b\\c\nd"], 7.0);
        metrics.set(&UP_SINCE, &[], 1_700_000_000.5);
        let expected = "\
# HELP shelfcast_start_timestamp_seconds When the daemon started.
# TYPE shelfcast_start_timestamp_seconds gauge
shelfcast_start_timestamp_seconds 1700000000.5
# HELP shelfcast_sync_rounds_total Rounds, by exit code.
# TYPE shelfcast_sync_rounds_total counter
shelfcast_sync_rounds_total{account=\"web\",exit=\"0\"} 3
# HELP shelfcast_sync_pending Levels of which the store must still be told.
# TYPE shelfcast_sync_pending gauge
shelfcast_sync_pending{sync=\"a\\\"b\\\\c\\nd\"} 7
";
        assert_eq!(metrics.render(), expected);
        metrics.clear_gauges();
        assert_eq!(metrics.get(&PENDING, &["a\"b\\c\nd"]), 0.0);
        assert_eq!(metrics.get(&ROUNDS, &["web", "0"]), 3.0);
    }

    #[test]
    fn names_have_their_units_and_no_label_is_a_sku() {
        for family in FAMILIES {
            assert_eq!(
                family.name.ends_with("_total"),
                family.kind == Kind::Counter
            );
            assert!(
                !family
                    .labels
                    .iter()
                    .any(|label| ["sku", "location", "id"].contains(label))
            );
        }
    }
}
