//! The suite on stores that keep the contract, and on stores that break one clause each.

use std::collections::HashMap;
use std::time::Duration;

use super::*;
use crate::channel::manifest::request::RemoteId;
use crate::sync::online::Capabilities;

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    FindsAnything,
    PassesOver,
    IgnoresCompare,
    MisnamesStale,
    LiesAboutWriting,
    RefusesRepeats,
    ShortOutcomes,
    RefusesAll,
    RefusesTheWayBack,
}

struct Shop {
    levels: HashMap<String, i64>,
    keys: Vec<String>,
    wrong: Wrong,
    compare_and_set: bool,
    written: Vec<(String, i64)>,
}

impl Shop {
    fn new(wrong: Wrong, compare_and_set: bool) -> Self {
        Shop {
            levels: [("A", 5), ("B", 0), ("C", 40)]
                .map(|(sku, level)| (sku.to_owned(), level))
                .into(),
            keys: Vec::new(),
            wrong,
            compare_and_set,
            written: Vec::new(),
        }
    }

    fn set(&mut self, key: &str, write: &Write) -> Outcome {
        let refused = |code: &str| Outcome::Rejected {
            code: code.to_owned(),
            message: String::new(),
            transient: false,
        };
        let sku = write.item.pair.sku.clone();
        if self.wrong == Wrong::RefusesAll {
            return refused("FORBIDDEN");
        }
        if self.keys.iter().any(|known| known == key) {
            return if self.wrong == Wrong::RefusesRepeats {
                refused("TWICE")
            } else {
                Outcome::Accepted
            };
        }
        let now = self.levels[&sku];
        if self.wrong == Wrong::RefusesTheWayBack && write.quantity < now {
            return refused("DOWN");
        }
        let stale = write.compare.is_some_and(|compare| compare != now);
        if stale && self.wrong != Wrong::IgnoresCompare {
            return match self.wrong {
                Wrong::MisnamesStale => refused("STALE"),
                _ => Outcome::Stale {
                    code: "STALE".to_owned(),
                    message: String::new(),
                },
            };
        }
        if self.wrong != Wrong::LiesAboutWriting {
            self.levels.insert(sku.clone(), write.quantity);
        }
        self.written.push((sku, write.quantity));
        Outcome::Accepted
    }
}

impl OnlineStore for Shop {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            compare_and_set: self.compare_and_set,
            key_life: self.compare_and_set.then_some(Duration::from_secs(3600)),
            quiet: Duration::ZERO,
            places: false,
            batch: 10,
            maximum: 1_000_000,
        }
    }

    fn paused(&self) -> Option<String> {
        None
    }

    fn resolve(&mut self, skus: &[String]) -> Result<HashMap<String, Found>, StoreError> {
        let remote = |sku: &String| {
            Found::Remote(RemoteId {
                id: format!("id-{sku}"),
                ..RemoteId::default()
            })
        };
        Ok(skus
            .iter()
            .filter_map(|sku| {
                let known = self.levels.contains_key(sku);
                match self.wrong {
                    Wrong::FindsAnything => Some((sku.clone(), remote(sku))),
                    Wrong::PassesOver if !known => None,
                    _ if known => Some((sku.clone(), remote(sku))),
                    _ => Some((sku.clone(), Found::Stranger)),
                }
            })
            .collect())
    }

    fn read(&mut self, items: &[RemoteItem]) -> Result<Vec<Reading>, StoreError> {
        Ok(items
            .iter()
            .map(|item| Reading::Level(self.levels[&item.pair.sku]))
            .collect())
    }

    fn group(&self, _item: &RemoteItem) -> String {
        String::new()
    }

    fn push(&mut self, key: &str, writes: &[Write]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = writes.iter().map(|write| self.set(key, write)).collect();
        self.keys.push(key.to_owned());
        if self.wrong == Wrong::ShortOutcomes && writes.len() > 1 {
            outcomes.pop();
        }
        outcomes
    }
}

fn run(shop: &mut Shop) -> HashMap<&'static str, Verdict> {
    let skus = ["A", "B"].map(str::to_owned);
    let trial = Trial {
        skus: &skus,
        place: "",
        run: "t",
    };
    admit(shop, &trial)
        .into_iter()
        .map(|finding| (finding.clause, finding.verdict))
        .collect()
}

#[test]
fn a_store_that_keeps_the_contract_is_admitted_and_left_as_it_was() {
    for compare_and_set in [true, false] {
        let mut shop = Shop::new(Wrong::Nothing, compare_and_set);
        let before = shop.levels.clone();
        let verdicts = run(&mut shop);
        let lacking = if compare_and_set {
            Verdict::Holds
        } else {
            Verdict::Lacking
        };
        for (clause, verdict) in [
            ("stranger", Verdict::Holds),
            ("resolve", Verdict::Holds),
            ("read", Verdict::Holds),
            ("write", Verdict::Holds),
            ("read-back", Verdict::Holds),
            ("repeat", lacking),
            ("compare-and-set", lacking),
            ("batch", Verdict::Holds),
            ("put-back", Verdict::Holds),
        ] {
            assert_eq!(verdicts.get(clause), Some(&verdict), "{clause}");
        }
        assert_eq!(shop.levels, before);
        assert!(shop.written.iter().all(|(sku, _)| sku == "A" || sku == "B"));
    }
}

#[test]
fn each_broken_clause_is_found() {
    for (wrong, clause) in [
        (Wrong::FindsAnything, "stranger"),
        (Wrong::PassesOver, "stranger"),
        (Wrong::IgnoresCompare, "compare-and-set"),
        (Wrong::MisnamesStale, "compare-and-set"),
        (Wrong::LiesAboutWriting, "read-back"),
        (Wrong::RefusesRepeats, "repeat"),
        (Wrong::ShortOutcomes, "batch"),
        (Wrong::RefusesAll, "write"),
        (Wrong::RefusesTheWayBack, "put-back"),
    ] {
        let mut shop = Shop::new(wrong, true);
        let verdicts = run(&mut shop);
        assert_eq!(
            verdicts.get(clause),
            Some(&Verdict::Broken),
            "{wrong:?}: {verdicts:?}"
        );
        if wrong != Wrong::RefusesTheWayBack {
            let expected = Shop::new(wrong, true).levels;
            assert_eq!(shop.levels, expected, "{wrong:?} is left as it was");
        }
    }
}

#[test]
fn a_sku_that_the_store_lacks_ends_the_trial_before_anything_is_written() {
    let mut shop = Shop::new(Wrong::Nothing, true);
    let skus = ["A", "Z"].map(str::to_owned);
    let trial = Trial {
        skus: &skus,
        place: "",
        run: "t",
    };
    let findings = admit(&mut shop, &trial);
    assert!(findings.iter().any(|finding| finding.clause == "resolve"
        && finding.verdict == Verdict::Broken
        && finding.message.contains("`Z`")));
    assert!(shop.written.is_empty());
}

#[test]
fn a_place_must_be_named_where_there_are_places_and_nowhere_else() {
    let mut shop = Shop::new(Wrong::Nothing, true);
    let skus = ["A".to_owned()];
    let trial = Trial {
        skus: &skus,
        place: "L1",
        run: "t",
    };
    let findings = admit(&mut shop, &trial);
    assert!(
        findings
            .iter()
            .any(|finding| finding.clause == "place" && finding.verdict == Verdict::Broken)
    );
}
