//! The contract of what is kept: each kind read back, filtered, in order.

use crate::channel::manifest::request::RemoteId;
use crate::sync::level::{BatchState, Mark, Observation, Position, Standing, What};
use crate::sync::state::{Change, HeldPlan, LineFilter, Look, Pause, RUNS_KEPT, RunEnd, Which};

use super::*;

each_world!(
    levels_come_in_order_and_by_kind,
    levels_read_back_as_they_were,
    the_ledger_is_filtered_in_order_and_cut,
    pauses_plans_runs_and_notes,
    observations_and_absences,
    batches_and_their_numbers,
    positions_and_remotes,
);

fn levels_come_in_order_and_by_kind<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let open = open_level("p", "B", 5);
    let mut flying = open_level("p", "A", 5);
    flying.flight = Some(3);
    let mut dead = open_level("o", "Z", 5);
    dead.standing = Standing::Dead {
        code: "422".to_owned(),
        message: "no".to_owned(),
        since: at(5),
    };
    let mut stranger = open_level("", "B", 5);
    stranger.standing = Standing::Stranger {
        reason: "unknown".to_owned(),
    };
    let mut shelved = known_level("q", "B", 5);
    shelved.standing = Standing::NotStocked;
    let told = known_level("p", "Aa", 5);
    let quiet = Level::new(pair("p", "C"), "web");
    let all = [&open, &flying, &dead, &stranger, &shelved, &told, &quiet];
    keep(&mut state, &all.map(Change::Level));
    let of = |which| {
        let found = levels(&state, which);
        assert_eq!(state.count(which).expect("reads"), found.len() as u64);
        found
    };
    let sorted = [&stranger, &dead, &flying, &told, &open, &quiet, &shelved];
    assert_eq!(of(Which::All), sorted.map(Clone::clone));
    assert_eq!(of(Which::Open), std::slice::from_ref(&open));
    assert_eq!(of(Which::InFlight), [flying]);
    assert_eq!(of(Which::Dead), [dead]);
    assert_eq!(of(Which::Aside), [stranger.clone(), shelved.clone()]);
    assert_eq!(of(Which::Sku("B")), [stranger, open.clone(), shelved]);
    assert!(of(Which::Sku("b")).is_empty());
    let mut first = Vec::new();
    state
        .levels(Which::All, &mut |level| {
            first.push(level.pair.sku);
            if first.len() == 2 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .expect("reads");
    assert_eq!(first, ["B", "Z"]);
    // A pair that was told is open no more, and comes back when something new is wanted.
    let mut level = known_level("p", "B", 5);
    keep(&mut state, &[Change::Level(&level)]);
    assert_eq!(state.count(Which::Open), Ok(0));
    level.wanted.as_mut().expect("wanted").quantity = 6;
    keep(&mut state, &[Change::Level(&level)]);
    assert_eq!(levels(&state, Which::Open), [level]);
}

fn levels_read_back_as_they_were<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let mut level = known_level("gid://shop/Location/1", "Ä\u{0}b", i64::MIN);
    level.wanted = Some(crate::sync::level::Wanted {
        quantity: i64::MAX,
        version: u64::MAX,
        observed_at: u64::MAX - 1,
    });
    level.flight = Some(u64::MAX);
    level.attempts = u32::MAX;
    level.not_before = Some(at(-10));
    level.standing = Standing::Dead {
        code: "\"'".to_owned(),
        message: "línea\n\u{1}".to_owned(),
        since: at(-5_000_000_000),
    };
    keep(&mut state, &[Change::Level(&level)]);
    assert_eq!(state.level(&level.pair), Ok(Some(level.clone())));
    world.crash(state);
    let state = world.open().expect("opens");
    assert_eq!(levels(&state, Which::All), [level]);
}

fn the_ledger_is_filtered_in_order_and_cut<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let mut lines = Vec::new();
    for (turn, (sku, sync, what)) in [
        ("A", "web", What::Unknown),
        ("B", "app", What::Accepted),
        ("A", "web", What::Accepted),
        ("B", "web", What::Foreign),
        ("C", "web", What::InStep),
        ("A", "app", What::Dead),
    ]
    .into_iter()
    .enumerate()
    {
        let turn = turn as u64;
        let mut line = line("p", sku, turn, what);
        line.at = at(100 - i64::try_from(turn).expect("small"));
        line.sync = sync.to_owned();
        line.before = turn.is_multiple_of(2).then_some(-1);
        lines.push(line);
    }
    keep(
        &mut state,
        &lines.iter().map(Change::Line).collect::<Vec<_>>(),
    );
    let versions = |state: &W::State, filter: LineFilter<'_>| {
        let found = ledger(state, &filter);
        found.iter().map(|line| line.version).collect::<Vec<_>>()
    };
    let none = LineFilter::default;
    assert_eq!(ledger(&state, &none()), lines);
    let sku = Some("A");
    assert_eq!(versions(&state, LineFilter { sku, ..none() }), [0, 2, 5]);
    let sync = Some("app");
    assert_eq!(versions(&state, LineFilter { sync, ..none() }), [1, 5]);
    let what = Some(What::Accepted);
    assert_eq!(versions(&state, LineFilter { what, ..none() }), [1, 2]);
    let since = Some(at(98));
    assert_eq!(versions(&state, LineFilter { since, ..none() }), [0, 1, 2]);
    let both = LineFilter {
        sku,
        since,
        ..none()
    };
    assert_eq!(versions(&state, both), [0, 2]);
    // The last of each pair stays, however old.
    keep(&mut state, &[Change::LedgerCut(at(99))]);
    assert_eq!(versions(&state, none()), [0, 1, 3, 4, 5]);
    keep(&mut state, &[Change::LedgerCut(at(1000))]);
    assert_eq!(versions(&state, none()), [3, 4, 5]);
    keep(&mut state, &[Change::Line(&lines[0])]);
    assert_eq!(versions(&state, none()), [3, 4, 5, 0]);
}

fn pauses_plans_runs_and_notes<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let pause = |sync: &str, reason: &str| Pause {
        sync: sync.to_owned(),
        at: at(1),
        who: "ann".to_owned(),
        reason: reason.to_owned(),
    };
    let (one, other, changed) = (pause("web", "a"), pause("app", "b"), pause("web", "c"));
    keep(&mut state, &[&one, &other, &changed].map(Change::Paused));
    assert_eq!(state.pauses().expect("reads"), [other.clone(), changed]);
    keep(
        &mut state,
        &[Change::Resumed("web"), Change::Resumed("none")],
    );
    assert_eq!(state.pauses().expect("reads"), [other]);

    let plan = |id: &str, reason: &str| HeldPlan {
        id: id.to_owned(),
        sync: "web".to_owned(),
        at: at(2),
        reasons: vec![reason.to_owned()],
        items: vec![(pair("p", "A"), None, 3), (pair("p", "B"), Some(4), 0)],
    };
    let (one, other, again) = (plan("a1", "x"), plan("b2", "y"), plan("a1", "z"));
    keep(&mut state, &[&one, &other].map(Change::Held));
    assert_eq!(state.held().expect("reads"), [other.clone(), one]);
    keep(&mut state, &[Change::Held(&again)]);
    assert_eq!(state.held().expect("reads"), [again.clone(), other]);
    keep(
        &mut state,
        &[Change::HeldEnded("b2"), Change::HeldEnded("c3")],
    );
    assert_eq!(state.held().expect("reads"), [again]);

    let run = |sync: &str, turn: u64| RunEnd {
        sync: sync.to_owned(),
        at: at(3),
        exit: 6,
        words: format!("held {turn}"),
        compared: turn,
        changed: 2,
        accepted: 1,
    };
    let runs: Vec<RunEnd> = (0..RUNS_KEPT as u64 + 20)
        .map(|turn| run("web", turn))
        .collect();
    keep(&mut state, &[Change::Run(&run("app", 7))]);
    keep(
        &mut state,
        &runs.iter().map(Change::Run).collect::<Vec<_>>(),
    );
    let newest: Vec<RunEnd> = runs.iter().rev().take(RUNS_KEPT).cloned().collect();
    assert_eq!(state.runs("web", 3).expect("reads"), newest[..3]);
    assert_eq!(state.runs("web", usize::MAX).expect("reads"), newest);
    assert_eq!(state.runs("app", 9).expect("reads"), [run("app", 7)]);

    assert_eq!(state.note("n1"), Ok(None));
    for value in ["", "v", "w"] {
        keep(&mut state, &[Change::Note { name: "n1", value }]);
        assert_eq!(state.note("n1"), Ok(Some(value.to_owned())));
    }
}

fn observations_and_absences<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let full = Observation {
        location: "l2".to_owned(),
        sku: "A".to_owned(),
        quantity: Some(-3),
        committed: Some(0),
        safety_stock: Some(2),
        mark: Mark::Sequence(0),
    };
    let timed = Observation {
        mark: Mark::Time {
            micros: i64::MIN,
            tie: String::new(),
        },
        ..row("l1", "A", Some(0))
    };
    let empty = row("", "B", None);
    let see = |state: &mut W::State, source, key, digest, observation: &Observation| {
        let change = Change::Observed {
            source,
            key,
            digest,
            observation,
        };
        keep(state, &[change]);
    };
    see(&mut state, "shop", u64::MAX, u64::MAX - 1, &full);
    see(&mut state, "shop", 0, 0, &timed);
    see(&mut state, "shop", 7, 8, &empty);
    see(&mut state, "depot", 7, 9, &full);
    let rows = [(0, 0, 0), (7, 8, 0), (u64::MAX, u64::MAX - 1, 0)];
    assert_eq!(digests(&state, "shop"), rows);
    assert_eq!(digests(&state, "depot"), [(7, 9, 0)]);
    assert!(digests(&state, "none").is_empty());
    assert_eq!(skus(&state, "shop"), ["A", "B"]);
    assert_eq!(
        state.observations("shop", "A"),
        Ok(vec![timed.clone(), full.clone()])
    );
    assert_eq!(state.observations("depot", "B"), Ok(Vec::new()));
    assert_eq!(state.observation("shop", 7), Ok(Some(empty.clone())));
    assert_eq!(state.observation("shop", 8), Ok(None));
    let absent = |times| Change::Absent {
        source: "shop",
        key: 7,
        times,
    };
    let nobody = Change::Absent {
        source: "shop",
        key: 99,
        times: 1,
    };
    let nowhere = Change::Absent {
        source: "none",
        key: 7,
        times: 1,
    };
    keep(&mut state, &[absent(1), nobody, nowhere]);
    keep(&mut state, &[absent(2)]);
    assert_eq!(digests(&state, "shop")[1], (7, 8, 2));
    assert_eq!(state.observation("shop", 7), Ok(Some(empty.clone())));
    keep(&mut state, &[absent(0)]);
    assert_eq!(digests(&state, "shop")[1], (7, 8, 0));
    keep(&mut state, &[absent(3)]);
    see(&mut state, "shop", 7, 10, &row("", "C", Some(1)));
    assert_eq!(digests(&state, "shop")[1], (7, 10, 0), "it is back");
    assert_eq!(skus(&state, "shop"), ["A", "C"]);
}

fn batches_and_their_numbers<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    assert_eq!(state.next_batch(), Ok(1));
    let (second, mut first) = (batch(2, &[("p", "B")]), batch(1, &[("p", "A"), ("q", "A")]));
    first.key_ends = None;
    keep(&mut state, &[&second, &first].map(Change::Batch));
    assert_eq!(state.batches(), Ok(vec![first.clone(), second.clone()]));
    assert_eq!(state.next_batch(), Ok(3));
    first.state = BatchState::Unknown;
    first.unknown_since = Some(at(30));
    first.attempts = 4;
    keep(&mut state, &[Change::Batch(&first)]);
    assert_eq!(state.batches(), Ok(vec![first, second]));
    keep(
        &mut state,
        &[
            Change::BatchEnded(2),
            Change::BatchEnded(1),
            Change::BatchEnded(9),
        ],
    );
    assert_eq!(state.batches(), Ok(Vec::new()));
    world.crash(state);
    let state = world.open().expect("opens");
    assert_eq!(state.next_batch(), Ok(3), "a number is never used again");
}

fn positions_and_remotes<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    assert_eq!(state.position("shop"), Ok(None));
    let mut position = Position {
        read_at: 17,
        time: at(4),
        cursor: "2026-11-22 18:00:00.123456+00".to_owned(),
        rows: 400,
        digest: "abc".to_owned(),
        proven: true,
        files: vec![("a.csv".to_owned(), "d1".to_owned())],
    };
    for _ in 0..2 {
        keep(
            &mut state,
            &[Change::Position {
                source: "shop",
                position: &position,
            }],
        );
        assert_eq!(state.position("shop"), Ok(Some(position.clone())));
        position.proven = false;
        position.files.push(("b.csv".to_owned(), "d2".to_owned()));
    }
    let mut remote = RemoteId {
        id: "gid://1".to_owned(),
        ..RemoteId::default()
    };
    remote.fields.insert("item".to_owned(), "7".to_owned());
    let mut learn = |sku, remote| keep(&mut state, &[Change::Remote { sku, remote }]);
    learn("A", Some(&remote));
    learn("B", Some(&remote));
    learn("B", None);
    learn("C", None);
    let found = state.remotes(&SKUS.map(str::to_owned)).expect("reads");
    assert_eq!(found.len(), 1);
    assert_eq!(found.get("A"), Some(&remote));
}
