//! An answer taken apart: what it says of each item. Comes in: `[request.verdict]`, the answer, the items' keys in order.
//!
//! Promised: an item that the answer does not name is unknown, unless the manifest says otherwise and numbers in the answer
//! prove it whole; an item named twice with two meanings is unknown; elements about strangers are left out of account.

use std::collections::HashMap;

use serde_json::Value;

use crate::channel::manifest::request::{Body, By, Counts, Missing, Verdict};

use super::clean::clean;
use super::lookup::{Reading, units};
use super::outcome::Outcome;

/// What an answer says of the items, in their order; `None` where it says nothing.
pub(super) fn read(
    verdict: &Verdict,
    answer: Option<&Value>,
    keys: &[String],
    quantities: &[Option<String>],
    secrets: &[String],
) -> Vec<Option<Outcome>> {
    let unreadable = |reason: &str| {
        vec![
            Some(Outcome::Unknown {
                reason: reason.to_owned(),
            });
            keys.len()
        ]
    };
    let Some(answer) = answer else {
        return unreadable("the answer is no JSON");
    };
    let reader = Reader { verdict, secrets };
    if let Some(index) = &verdict.index {
        return match answer.pointer(verdict.items.as_deref().unwrap_or("")) {
            Some(Value::Array(elements)) => reader.by_number(elements, index, keys.len()),
            _ => unreadable("the answer has no list where refusals should stand"),
        };
    }
    let Some(pointer) = &verdict.items else {
        let [key] = keys else {
            return unreadable("the answer has one outcome, and the batch several items");
        };
        let named = match &verdict.key {
            Some(pointer) => text(answer.pointer(pointer)).is_some_and(|named| named == *key),
            None => true,
        };
        let mut outcome = reader.judge(answer);
        if let (Some(pointer), [wanted], Some(Outcome::Accepted)) =
            (&verdict.quantity, quantities, &outcome)
            && Some(units(answer.pointer(pointer))) != level(wanted)
        {
            outcome = Some(another());
        }
        // a refusal need not name the item, a success must
        return vec![match outcome {
            Some(Outcome::Rejected { .. } | Outcome::Stale { .. }) => outcome,
            outcome => outcome.filter(|_| named),
        }];
    };
    let elements = match answer.pointer(pointer) {
        Some(Value::Array(elements)) => elements
            .iter()
            .flat_map(|element| levels(verdict, element))
            .collect::<Vec<_>>(),
        Some(Value::Object(members)) => members
            .iter()
            .map(|(key, element)| (Some(key.clone()), element))
            .collect(),
        // an absent list names nobody
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return unreadable("the answer has no list where the outcomes should stand"),
    };
    let mut outcomes: Vec<Option<Outcome>> = match verdict.by {
        By::Index if elements.len() != keys.len() => {
            return unreadable("the answer has more or fewer outcomes than items were sent");
        }
        By::Index => elements
            .iter()
            .map(|(_, element)| reader.judge(element))
            .collect(),
        _ => reader.by_key(&elements, keys),
    };
    if let Some(pointer) = &verdict.quantity {
        for ((outcome, key), wanted) in outcomes.iter_mut().zip(keys).zip(quantities) {
            let mut said = elements
                .iter()
                .filter(|(known, _)| known.as_ref() == Some(key))
                .map(|(_, level)| units(level.pointer(pointer)));
            let wanted = level(wanted);
            if *outcome == Some(Outcome::Accepted) && said.any(|said| Some(said) != wanted) {
                *outcome = Some(another());
            }
        }
    }
    let no = |outcome: &Option<Outcome>| {
        matches!(
            outcome,
            Some(Outcome::Rejected { .. } | Outcome::Stale { .. })
        )
    };
    if verdict.atomic && outcomes.iter().any(no) {
        for outcome in outcomes.iter_mut().filter(|outcome| !no(outcome)) {
            if !matches!(outcome, Some(Outcome::Unknown { .. })) {
                *outcome = Some(held_back());
            }
        }
    }
    if verdict.missing == Missing::Accepted && outcomes.iter().any(Option::is_none) {
        let refused = outcomes.iter().filter(|outcome| no(outcome)).count();
        let whole = proven(&verdict.counts, answer, keys.len(), refused, elements.len());
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_none()) {
            *outcome = Some(if whole {
                Outcome::Accepted
            } else {
                Outcome::Unknown {
                    reason: "the numbers in the answer do not add up".to_owned(),
                }
            });
        }
    }
    outcomes
}

/// What an answer with the right status says of its whole batch. A page of words may come with any status: the login page of
/// a store, the error page of what stands before it. `nothing` is a status that has no body.
pub(super) fn by_status(verdict: &Verdict, answer: Option<&Value>, nothing: bool) -> Outcome {
    let has = |pointer: &String| answer.is_some_and(|answer| answer.pointer(pointer).is_some());
    let present = verdict.present.as_ref().is_none_or(has);
    let shape = match (verdict.body, answer) {
        (Body::Any, _) => true,
        (Body::Json, None) => nothing,
        (_, None) => false,
        (Body::Json, Some(_)) => true,
        (Body::Object, Some(answer)) => answer.is_object(),
        (Body::List, Some(answer)) => answer.is_array(),
        (Body::EmptyList, Some(answer)) => answer.as_array().is_some_and(Vec::is_empty),
    };
    let reason = match answer {
        _ if shape && present => return Outcome::Accepted,
        None => "the answer is no JSON",
        Some(_) => "the answer is not what this store says to a success",
    };
    Outcome::Unknown {
        reason: reason.to_owned(),
    }
}

/// Whether the numbers in an answer say that it is whole; one of them must be asked for.
fn proven(counts: &Counts, answer: &Value, sent: usize, refused: usize, listed: usize) -> bool {
    let checks = [
        (&counts.sent, sent),
        (&counts.accepted, sent - refused),
        (&counts.listed, listed),
    ];
    let mut asked = 0;
    for (pointer, wanted) in checks {
        let Some(pointer) = pointer else { continue };
        asked += 1;
        let found = text(answer.pointer(pointer)).and_then(|text| text.parse::<usize>().ok());
        if found != Some(wanted) {
            return false;
        }
    }
    asked > 0
}

/// What was sent, as an answer would show it.
fn level(wanted: &Option<String>) -> Option<Reading> {
    let units = wanted.as_ref()?.parse().ok()?;
    Some(Reading::Level(units))
}

/// What an item is whose answer shows another level.
fn another() -> Outcome {
    Outcome::Unknown {
        reason: "the answer shows another level than was sent".to_owned(),
    }
}

/// The levels in an element, each by its key.
fn levels<'e>(verdict: &Verdict, element: &'e Value) -> Vec<(Option<String>, &'e Value)> {
    let key = text(element.pointer(verdict.key.as_deref().unwrap_or("")));
    let levels = match &verdict.levels {
        None => std::slice::from_ref(element),
        Some(pointer) => match element.pointer(pointer) {
            Some(Value::Array(levels)) => levels.as_slice(),
            _ => &[],
        },
    };
    levels
        .iter()
        .map(|level| {
            let place = verdict.place.as_deref();
            let place = place.map(|place| text(level.pointer(place)).unwrap_or_default());
            (key.clone().map(|key| joined(key, place)), level)
        })
        .collect()
}

/// A key with its location, where that belongs to it.
pub(super) fn joined(key: String, place: Option<String>) -> String {
    match place {
        Some(place) => format!("{key}\u{1f}{place}"),
        None => key,
    }
}

/// Whether an answer says that the same batch is under way.
pub(super) fn under_way(verdict: &Verdict, answer: Option<&Value>) -> bool {
    let elements = verdict.items.as_deref().and_then(|items| {
        let elements = answer?.pointer(items)?;
        elements.as_array()
    });
    let Some(elements) = elements.filter(|_| !verdict.again.is_empty()) else {
        return false;
    };
    elements.iter().any(|element| {
        let code = verdict.code.as_deref();
        text(code.and_then(|code| element.pointer(code)))
            .is_some_and(|code| verdict.again.contains(&code))
    })
}

/// A scalar as text.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// What an item is that would have been taken, and went with one that was not.
pub(super) fn held_back() -> Outcome {
    Outcome::Held {
        reason: "another item of its batch was refused, and the channel takes all or none"
            .to_owned(),
    }
}

/// How much an outcome leaves open.
fn weight(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Accepted => 0,
        Outcome::Held { .. } => 1,
        Outcome::Rejected { .. } => 2,
        Outcome::Stale { .. } => 3,
        Outcome::Unknown { .. } => 4,
    }
}

struct Reader<'r> {
    verdict: &'r Verdict,
    secrets: &'r [String],
}

impl Reader<'_> {
    /// What went wrong to items by their number; the list is whole, and empty where nothing did.
    fn by_number(&self, elements: &[Value], index: &str, count: usize) -> Vec<Option<Outcome>> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; count];
        let mut whole = None;
        for element in elements {
            let outcome = self
                .judge(element)
                .filter(|outcome| *outcome != Outcome::Accepted);
            let outcome = outcome.unwrap_or_else(|| Outcome::Unknown {
                reason: "the answer names a trouble without a code".to_owned(),
            });
            let number = text(element.pointer(index)).and_then(|text| text.parse::<usize>().ok());
            let place = match number.and_then(|number| outcomes.get_mut(number)) {
                Some(place) => place,
                None => &mut whole,
            };
            // of several about the same, what leaves most open counts
            if place
                .as_ref()
                .is_none_or(|known| weight(known) < weight(&outcome))
            {
                *place = Some(outcome);
            }
        }
        // a refusal of many that names none says little of each: alone they will tell
        if let Some(Outcome::Rejected { transient, .. }) = &mut whole {
            *transient |= count > 1;
        }
        let rest = match (whole, elements.is_empty() || !self.verdict.atomic) {
            (Some(whole), _) => whole,
            (None, true) => Outcome::Accepted,
            (None, false) => held_back(),
        };
        outcomes
            .into_iter()
            .map(|outcome| outcome.or_else(|| Some(rest.clone())))
            .collect()
    }

    /// Elements to items by their key.
    fn by_key(
        &self,
        elements: &[(Option<String>, &Value)],
        keys: &[String],
    ) -> Vec<Option<Outcome>> {
        let mut said: HashMap<&str, Outcome> = HashMap::new();
        for (key, element) in elements {
            let (Some(key), Some(outcome)) = (key, self.judge(element)) else {
                continue;
            };
            match said.get_mut(key.as_str()) {
                None => {
                    said.insert(key, outcome);
                }
                Some(known) => match (&known, &outcome) {
                    (Outcome::Accepted, Outcome::Accepted)
                    | (Outcome::Rejected { .. }, Outcome::Rejected { .. })
                    | (Outcome::Stale { .. }, Outcome::Stale { .. })
                    | (Outcome::Unknown { .. }, _) => {}
                    // a list of troubles may name an item several times, the worst counts
                    (Outcome::Accepted, Outcome::Rejected { .. })
                        if self.verdict.missing == Missing::Accepted =>
                    {
                        *known = outcome;
                    }
                    (Outcome::Rejected { .. }, Outcome::Accepted)
                        if self.verdict.missing == Missing::Accepted => {}
                    _ => {
                        *known = Outcome::Unknown {
                            reason: "the answer names it twice, once taken and once refused"
                                .to_owned(),
                        };
                    }
                },
            }
        }
        keys.iter()
            .map(|key| said.get(key.as_str()).cloned())
            .collect()
    }

    /// What one element says; `None` where it says nothing.
    fn judge(&self, element: &Value) -> Option<Outcome> {
        let verdict = self.verdict;
        let found = |pointer: &Option<String>| {
            let value = element.pointer(pointer.as_deref()?)?;
            text(Some(value)).filter(|text| !text.is_empty())
        };
        let code = found(&verdict.code);
        let message = found(&verdict.message);
        let status = found(&verdict.status);
        let refused = match (&verdict.status, &status) {
            (Some(_), Some(status)) => !verdict.accepted.contains(status),
            // where a status should stand and does not, only a refusal can be read
            (Some(_), None) if code.is_none() && message.is_none() => return None,
            (Some(_), None) => true,
            (None, _) => code.is_some() || message.is_some(),
        };
        if !refused {
            return Some(Outcome::Accepted);
        }
        let is = |words: &[String]| {
            [&code, &status]
                .into_iter()
                .flatten()
                .any(|word| words.contains(word))
        };
        if is(&verdict.stale) {
            return Some(Outcome::Stale {
                code: clean(&code.or(status).unwrap_or_default(), self.secrets),
                message: clean(&message.unwrap_or_default(), self.secrets),
            });
        }
        if is(&verdict.lost) || is(&verdict.again) {
            let word = clean(&code.or(status).unwrap_or_default(), self.secrets);
            let reason = format!("the answer says `{word}`, which settles nothing");
            return Some(Outcome::Unknown { reason });
        }
        let passes = |word: &Option<String>| {
            word.as_ref()
                .is_some_and(|word| verdict.transient.contains(word))
        };
        Some(Outcome::Rejected {
            transient: passes(&code) || passes(&status),
            code: clean(&code.or(status).unwrap_or_default(), self.secrets),
            message: clean(&message.unwrap_or_default(), self.secrets),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(text: &str) -> Verdict {
        toml::from_str(text).expect("a verdict")
    }

    fn keys(all: &[&str]) -> Vec<String> {
        all.iter().map(|&key| key.to_owned()).collect()
    }

    /// One letter an item: accepted, rejected, transient, unknown, nothing said.
    fn letters(verdict: &Verdict, answer: &Value, wanted: &[&str]) -> String {
        read(verdict, Some(answer), &keys(wanted), &[], &[])
            .iter()
            .map(|outcome| match outcome {
                Some(Outcome::Accepted) => 'a',
                Some(Outcome::Rejected {
                    transient: true, ..
                }) => 't',
                Some(Outcome::Rejected { .. }) => 'r',
                Some(_) => 'u',
                None => '-',
            })
            .collect()
    }

    const LIST: &str = "items = \"/r\"\nkey = \"/id\"\nstatus = \"/s\"\naccepted = [\"ok\", \"200\"]\ncode = \"/e/c\"\nmessage = \"/e/m\"\ntransient = [\"busy\", \"503\"]\n";

    #[test]
    fn each_item_has_its_own_verdict() {
        let list = verdict(LIST);
        let answer = json!({"r": [
            {"id": "c", "s": "ok"},
            {"id": 4, "s": 200},
            {"id": "b", "s": "bad", "e": {"c": "E1", "m": "wrong"}},
            {"id": "x", "s": "ok"},
            {"id": "e", "s": 503},
            {"id": "f", "s": "no", "e": {"c": "busy"}},
            {"id": "g"},
            {"id": null, "s": "ok"},
            "noise",
        ]});
        assert_eq!(
            letters(&list, &answer, &["a", "b", "c", "4", "e", "f", "g"]),
            "-raatt-"
        );
    }

    #[test]
    fn doubled_elements_must_agree() {
        let list = verdict(LIST);
        let twice = |a: &str, b: &str| json!({"r": [{"id": "a", "s": a}, {"id": "a", "s": b}]});
        assert_eq!(letters(&list, &twice("ok", "ok"), &["a"]), "a");
        assert_eq!(letters(&list, &twice("no", "no"), &["a"]), "r");
        assert_eq!(letters(&list, &twice("ok", "no"), &["a"]), "u");
        assert_eq!(letters(&list, &twice("no", "ok"), &["a"]), "u");
    }

    #[test]
    fn lists_of_troubles_prove_nothing_without_numbers() {
        let text = "items = \"/issues\"\nkey = \"/n\"\nstatus = \"/severity\"\naccepted = [\"WARNING\"]\ncode = \"/code\"\nmissing = \"accepted\"\ncounts = { sent = \"/sum/p\", accepted = \"/sum/a\" }\n";
        let report = verdict(text);
        let answer = |processed: u32, accepted: u32| {
            json!({"issues": [
                {"n": 2, "severity": "WARNING", "code": "W"},
                {"n": 2, "severity": "ERROR", "code": "E"},
                {"n": 2, "severity": "WARNING", "code": "W"},
            ], "sum": {"p": processed, "a": accepted}})
        };
        let wanted = &["1", "2", "3"];
        assert_eq!(letters(&report, &answer(3, 2), wanted), "ara");
        assert_eq!(letters(&report, &answer(2, 2), wanted), "uru");
        assert_eq!(letters(&report, &answer(3, 1), wanted), "uru");
        assert_eq!(letters(&report, &json!({}), wanted), "uuu");
        let mut without = report.clone();
        without.counts = Counts::default();
        assert_eq!(letters(&without, &answer(3, 2), wanted), "uru");
    }

    #[test]
    fn by_index_needs_as_many_as_were_sent() {
        let index = verdict("items = \"/r\"\nby = \"index\"\ncode = \"/error/code\"\n");
        let answer = json!({"r": [{"id": 1}, {"id": 2, "error": {"code": "bad"}}]});
        assert_eq!(letters(&index, &answer, &["a", "b"]), "ar");
        assert_eq!(letters(&index, &answer, &["a", "b", "c"]), "uuu");
        assert_eq!(letters(&index, &answer, &["a"]), "u");
    }

    #[test]
    fn objects_by_key_single_answers_and_noise() {
        let object = verdict("items = \"/r\"\nmessage = \"/0\"\n");
        let answer = json!({"r": {"a": [], "b": ["no such thing"]}});
        assert_eq!(letters(&object, &answer, &["a", "b", "c"]), "ar-");
        let single = verdict("key = \"/offerId\"\ncode = \"/error/code\"\n");
        assert_eq!(letters(&single, &json!({"offerId": "a"}), &["a"]), "a");
        assert_eq!(letters(&single, &json!({"offerId": "b"}), &["a"]), "-");
        assert_eq!(letters(&single, &json!({}), &["a"]), "-");
        assert_eq!(
            letters(&single, &json!({"error": {"code": 3}}), &["a"]),
            "r"
        );
        assert_eq!(
            letters(&single, &json!({"offerId": "a"}), &["a", "b"]),
            "uu"
        );
        assert_eq!(letters(&verdict(LIST), &json!({"r": 5}), &["a"]), "u");
        let words = read(&verdict(LIST), None, &keys(&["a"]), &[], &[]);
        assert!(matches!(words[0], Some(Outcome::Unknown { .. })));
    }

    #[test]
    fn a_status_that_speaks_for_the_batch_needs_the_body_of_a_success() {
        let of = |text: &str, answer: Option<Value>| {
            let verdict = verdict(&format!("by = \"status\"\n{text}"));
            by_status(&verdict, answer.as_ref(), false) == Outcome::Accepted
        };
        let list = "body = \"empty-list\"";
        assert!(of(list, Some(json!([]))));
        for other in [json!([1]), json!({}), json!(null), json!("")] {
            assert!(!of(list, Some(other)));
        }
        assert!(!of(list, None));
        let object = "body = \"object\"\npresent = \"/id\"";
        assert!(of(object, Some(json!({"id": 0}))));
        assert!(!of(object, Some(json!({"error": 1}))));
        assert!(of("", Some(json!({}))) && !of("", None));
        assert!(of("body = \"any\"", None) && !of("body = \"list\"", Some(json!({}))));
        assert!(of("body = \"list\"", Some(json!([{}]))));
        // a status without a body is an answer
        let quiet = verdict("by = \"status\"");
        assert_eq!(by_status(&quiet, None, true), Outcome::Accepted);
    }

    #[test]
    fn one_outcome_shows_the_level_that_was_sent() {
        let single = verdict("key = \"/id\"\nquantity = \"/q\"\ncode = \"/error\"");
        let said = |answer: Value| {
            let units = [Some("3".to_owned())];
            read(&single, Some(&answer), &keys(&["a"]), &units, &[]).remove(0)
        };
        assert_eq!(said(json!({"id": "a", "q": "3"})), Some(Outcome::Accepted));
        for other in [json!({"id": "a", "q": 4}), json!({"id": "a"})] {
            assert!(matches!(said(other), Some(Outcome::Unknown { .. })));
        }
        assert_eq!(said(json!({"id": "b", "q": 3})), None);
        let refused = said(json!({"id": "a", "error": "no"}));
        assert!(matches!(refused, Some(Outcome::Rejected { .. })));
    }

    #[test]
    fn words_are_cleaned() {
        let single = verdict("message = \"/m\"\n");
        let answer = json!({"m": "token tok-999 \u{1b}[2J refused"});
        let secrets = ["tok-999".to_owned()];
        let read = read(&single, Some(&answer), &keys(&["a"]), &[], &secrets);
        let Some(Outcome::Rejected { message, .. }) = &read[0] else {
            panic!("{read:?}")
        };
        assert_eq!(message, "token [redacted]  [2J refused");
    }
}
