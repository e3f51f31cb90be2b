//! Any order of operations, crashes and reopenings agrees with a model that is a few lines long.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Record(usize),
    Deliver(usize),
    Offer(usize, u64),
    Pin(usize, u64),
    Unpin(usize),
    Prune(usize, usize),
    /// A change that is given up in its middle.
    Abandon(usize),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let feed = 0..2usize;
    let step = prop_oneof![
        4 => feed.clone().prop_map(Step::Record),
        4 => feed.clone().prop_map(Step::Deliver),
        2 => (feed.clone(), 1..8u64).prop_map(|(feed, number)| Step::Offer(feed, number)),
        1 => (feed.clone(), 1..8u64).prop_map(|(feed, number)| Step::Pin(feed, number)),
        1 => feed.clone().prop_map(Step::Unpin),
        2 => (feed.clone(), 1..4usize).prop_map(|(feed, keep)| Step::Prune(feed, keep)),
        2 => feed.prop_map(Step::Abandon),
        2 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..25)
}

/// What a feed holds.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    versions: BTreeMap<u64, String>,
    last: u64,
    current: Option<u64>,
    pending: Option<u64>,
    pin: Option<u64>,
}

const FEEDS: [&str; 2] = ["web", "google-th"];

fn held(state: &State, feed: &str) -> Model {
    let number = |version: Option<Version>| version.map(|version| version.version);
    let history = state.history(feed).expect("reads");
    Model {
        last: state
            .look(|connection| {
                Ok(connection
                    .query_row("SELECT last FROM feeds WHERE feed = ?1", [feed], |row| {
                        row.get::<_, i64>(0)
                    })
                    .unwrap_or(0))
            })
            .map(i64::unsigned_abs)
            .expect("reads"),
        current: number(state.current(feed).expect("reads")),
        pending: number(state.pending(feed).expect("reads")),
        pin: state.pinned(feed).expect("reads").map(|pin| pin.version),
        versions: history
            .iter()
            .map(|version| (version.version, text_of(state, version)))
            .collect(),
    }
}

fn step(
    state: &State,
    project: &std::path::Path,
    models: &mut [Model; 2],
    step: &Step,
    count: usize,
) {
    let lock = |feed: usize| {
        state
            .lock_feed(FEEDS[feed], Duration::ZERO, at(0))
            .expect("free")
    };
    match *step {
        Step::Record(feed) | Step::Abandon(feed) => {
            let held = lock(feed);
            let text = format!("<v>{count}</v>");
            let (files, log) = rendered(&project.join("work"), &text);
            let new = version(FEEDS[feed], &files, &log);
            if matches!(step, Step::Abandon(_)) {
                let given_up: Result<(), StateError> = state.change(|connection| {
                    state.check_fence(connection, &held)?;
                    connection
                        .execute_batch(
                            "DELETE FROM versions; UPDATE feeds SET current = 99; DELETE FROM log",
                        )
                        .map_err(|error| state.wrong(&error))?;
                    Err(StateError::unknown("given up", "on purpose"))
                });
                assert!(given_up.is_err());
                return;
            }
            let number = state.record_version(&held, &new).expect("recorded");
            let model = &mut models[feed];
            model.last += 1;
            assert_eq!(number, model.last);
            model.versions.insert(number, text);
            model.pending = Some(number);
        }
        Step::Deliver(feed) => {
            let held = lock(feed);
            let Some(number) = models[feed].pending else {
                return;
            };
            for destination in state.awaited(FEEDS[feed], number).expect("reads") {
                state
                    .receipt(&held, FEEDS[feed], number, &receipt_of(&destination))
                    .expect("kept");
            }
            state
                .published(&held, FEEDS[feed], number, at(3), "ann")
                .expect("published");
            models[feed].current = Some(number);
            models[feed].pending = None;
        }
        Step::Offer(feed, number) => {
            let offered = state.offer(&lock(feed), FEEDS[feed], number, &["/srv".to_owned()]);
            let known = models[feed].versions.contains_key(&number);
            assert_eq!(offered.is_ok(), known);
            if known {
                models[feed].pending = Some(number);
            }
        }
        Step::Pin(feed, number) => {
            let pinned = state.pin(FEEDS[feed], number, "ann", "", at(4));
            let known = models[feed].versions.contains_key(&number);
            assert_eq!(pinned.is_ok(), known);
            if known {
                models[feed].pin = Some(number);
            }
        }
        Step::Unpin(feed) => {
            let was = state.unpin(FEEDS[feed], "ann", "", at(4)).expect("done");
            assert_eq!(was, models[feed].pin.take().is_some());
        }
        Step::Prune(feed, keep) => {
            state
                .prune(&lock(feed), FEEDS[feed], keep, "ann", at(5))
                .expect("pruned");
            let model = &mut models[feed];
            let spared = [model.current, model.pending, model.pin];
            let newest: Vec<u64> = model.versions.keys().rev().take(keep).copied().collect();
            model
                .versions
                .retain(|number, _| newest.contains(number) || spared.contains(&Some(*number)));
        }
        Step::Reopen => {}
    }
}

proptest! {
    // Each case is some dozens of commits, all synced: fewer of them than elsewhere.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_state_agrees_with_its_model(steps in steps()) {
        let project = tempfile::tempdir().expect("a folder");
        let mut state = State::open(project.path()).expect("opens");
        let mut models = [Model::default(), Model::default()];
        for (count, one) in steps.iter().enumerate() {
            if matches!(one, Step::Reopen) {
                drop(state);
                state = State::open(project.path()).expect("opens again");
            }
            step(&state, project.path(), &mut models, one, count);
            for (feed, model) in FEEDS.iter().zip(&models) {
                prop_assert_eq!(&held(&state, feed), model, "{:?}", one);
            }
        }
        drop(state);
        let state = State::read(project.path()).expect("reads").expect("a state");
        for (feed, model) in FEEDS.iter().zip(&models) {
            prop_assert_eq!(&held(&state, feed), model);
        }
        let found = examine(project.path()).expect("looks");
        prop_assert!(found.damages.is_empty(), "{:?}", found.damages);
    }
}
