//! The contract of commits: whole, seen, counted, kept; one writer, and others who add beside it.

use crate::state::{StateError, Trouble};
use crate::sync::level::{Mark, Observation, What};
use crate::sync::state::{Change, Event, Intake, LineFilter, Look, Order, SyncState, Which};

use super::*;

each_world!(
    a_commit_is_whole_or_not_at_all,
    a_transaction_sees_what_it_wrote,
    ticks_grow_by_one,
    what_was_committed_outlives_a_crash,
    events_are_kept_once,
    orders_are_kept_until_they_are_done,
    others_add_beside_a_run,
    a_run_that_lost_its_lock_writes_nothing,
);

fn fails() -> StateError {
    StateError::new(Trouble::Unknown, "given up", "a test")
}

fn a_commit_is_whole_or_not_at_all<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let first = open_level("p", "A", 5);
    keep(&mut state, &[Change::Level(&first)]);
    let (before, tick) = (dump(&state), state.tick());
    let second = known_level("p", "A", 9);
    let (told, sent) = (line("p", "A", 1, What::Accepted), batch(7, &[("p", "A")]));
    for after in 0..6 {
        let result = state.commit(&mut |transaction| {
            let observation = row("l", "A", Some(1));
            let changes = [
                Change::Level(&second),
                Change::Observed {
                    source: "shop",
                    key: 1,
                    digest: 2,
                    observation: &observation,
                },
                Change::Line(&told),
                Change::Batch(&sent),
                Change::Note {
                    name: "n1",
                    value: "x",
                },
            ];
            for change in changes.into_iter().take(after) {
                transaction.write(change)?;
            }
            Err(fails())
        });
        assert_eq!(result, Err(fails()));
        assert_eq!((dump(&state), state.tick()), (before.clone(), tick));
    }
    world.crash(state);
    let state = world.open().expect("opens");
    assert_eq!(dump(&state), before);
}

fn a_transaction_sees_what_it_wrote<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let level = open_level("p", "A", 5);
    let tick = state.tick();
    state
        .commit(&mut |transaction| {
            assert_eq!(transaction.tick(), tick);
            assert_eq!(transaction.level(&level.pair)?, None);
            transaction.write(Change::Level(&level))?;
            assert_eq!(transaction.level(&level.pair)?.as_ref(), Some(&level));
            assert_eq!(
                levels(transaction, Which::Open),
                std::slice::from_ref(&level)
            );
            assert_eq!(transaction.next_batch()?, 1);
            transaction.write(Change::Batch(&batch(1, &[("p", "A")])))?;
            assert_eq!(transaction.next_batch()?, 2);
            assert_eq!(transaction.batches()?.len(), 1);
            transaction.write(Change::BatchEnded(1))?;
            assert!(transaction.batches()?.is_empty());
            transaction.write(Change::Line(&line("p", "A", 1, What::Accepted)))?;
            transaction.write(Change::Line(&line("p", "A", 2, What::Dead)))?;
            let lines = ledger(transaction, &LineFilter::default());
            assert_eq!(
                lines.iter().map(|line| line.version).collect::<Vec<_>>(),
                [1, 2]
            );
            Ok(())
        })
        .expect("kept");
    assert_eq!(levels(&state, Which::All), [level]);
}

fn ticks_grow_by_one<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let mut last = state.tick();
    for _ in 0..5 {
        assert_eq!(keep(&mut state, &[]), last + 1);
        last += 1;
        assert_eq!(state.tick(), last);
    }
    world.crash(state);
    let state = world.open().expect("opens");
    assert!(state.tick() >= last, "the clock never goes back");
}

fn what_was_committed_outlives_a_crash<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    for turn in 0..12 {
        let level = open_level("p", "A", turn);
        keep(
            &mut state,
            &[
                Change::Level(&level),
                Change::Line(&line("p", "A", 1, What::Refused)),
            ],
        );
        let before = (dump(&state), state.tick());
        world.crash(state);
        state = world.open().expect("opens");
        assert_eq!(dump(&state), before.0);
        assert!(state.tick() > before.1);
    }
}

fn event(id: &str, seconds: i64) -> Event {
    Event {
        source: "shop".to_owned(),
        id: id.to_owned(),
        at: at(seconds),
        observations: vec![Observation {
            mark: Mark::Time {
                micros: 5,
                tie: "t".to_owned(),
            },
            ..row("l", id, None)
        }],
    }
}

fn events_are_kept_once<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let (late, early) = (event("2", 50), event("1", 40));
    keep(&mut state, &[Change::Event(&late), Change::Event(&early)]);
    let again = Event {
        observations: Vec::new(),
        ..event("2", 90)
    };
    keep(&mut state, &[Change::Event(&again)]);
    let elsewhere = Event {
        source: "depot".to_owned(),
        ..event("2", 60)
    };
    keep(&mut state, &[Change::Event(&elsewhere)]);
    // As they came.
    let all = [late.clone(), early.clone(), elsewhere];
    assert_eq!(state.events(10).expect("reads"), all);
    assert_eq!(state.events(2).expect("reads"), all[..2]);
    let merged = Change::EventMerged {
        source: "shop",
        id: "2",
    };
    keep(&mut state, std::slice::from_ref(&merged));
    assert_eq!(state.events(10).expect("reads"), all[1..]);
    // It is known until it is forgotten.
    keep(
        &mut state,
        &[Change::EventsForgotten(at(50)), Change::Event(&late)],
    );
    assert_eq!(state.events(10).expect("reads"), all[1..]);
    keep(
        &mut state,
        &[Change::EventsForgotten(at(51)), Change::Event(&late)],
    );
    assert_eq!(
        state.events(10).expect("reads"),
        [&all[1..], &[late]].concat()
    );
    // What is not merged is never forgotten.
    keep(&mut state, &[Change::EventsForgotten(at(1000))]);
    assert_eq!(state.events(10).expect("reads").len(), 3);
}

fn orders_are_kept_until_they_are_done<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let orders = [
        Order::Pause {
            sync: "web".to_owned(),
            reason: "stocktaking".to_owned(),
        },
        Order::Retry {
            pair: pair("p", "A"),
        },
        Order::Drop {
            pair: pair("p", "B"),
        },
    ];
    for order in &orders {
        let order = Change::Order {
            at: at(3),
            who: "ann",
            order,
        };
        keep(&mut state, &[order]);
    }
    let kept = state.orders().expect("reads");
    let said: Vec<Order> = kept.iter().map(|kept| kept.order.clone()).collect();
    assert_eq!(said, orders);
    assert!(kept.is_sorted_by(|one, other| one.id < other.id));
    assert_eq!((kept[0].at, kept[0].who.as_str()), (at(3), "ann"));
    let last = kept[2].id;
    keep(&mut state, &[Change::OrderDone(last)]);
    assert_eq!(state.orders().expect("reads"), kept[..2]);
    let order = Change::Order {
        at: at(4),
        who: "bob",
        order: &orders[0],
    };
    keep(&mut state, &[order]);
    let newest = state.orders().expect("reads").pop().expect("one");
    assert!(newest.id > last, "a number is never used again");
}

fn others_add_beside_a_run<W: World>() {
    let world = W::new();
    let mut state = world.open().expect("opens");
    let mut intake = world.intake();
    for turn in 0..5 {
        let tick = keep(&mut state, &[Change::Level(&open_level("p", "A", turn))]);
        let order = Order::Resume {
            sync: format!("s{turn}"),
        };
        intake.order(at(turn), "ann", &order).expect("kept");
        let id = turn.to_string();
        assert_eq!(intake.events(&[event(&id, turn), event(&id, 9)]), Ok(1));
        assert_eq!(intake.events(&[event(&id, turn)]), Ok(0));
        let count = usize::try_from(turn).expect("small") + 1;
        assert_eq!(state.orders().expect("reads").len(), count);
        assert_eq!(state.events(99).expect("reads").len(), count);
        let next = keep(&mut state, &[]);
        assert_eq!(next, tick + 4, "theirs count too");
    }
    let before = dump(&state);
    world.crash(state);
    assert_eq!(dump(&world.open().expect("opens")), before);
}

fn a_run_that_lost_its_lock_writes_nothing<W: World>() {
    let world = W::new();
    let mut old = world.open().expect("opens");
    keep(&mut old, &[Change::Level(&open_level("p", "A", 1))]);
    let mut new = world.take_over();
    let before = dump(&new);
    let level = open_level("p", "A", 2);
    for _ in 0..2 {
        let refused = old.commit(&mut |transaction| transaction.write(Change::Level(&level)));
        assert_eq!(refused.map_err(|error| error.trouble), Err(Trouble::Stale));
    }
    assert_eq!(dump(&new), before);
    keep(&mut new, &[Change::Level(&level)]);
    let mut newest = world.take_over();
    assert!(new.commit(&mut |_| Ok(())).is_err());
    keep(&mut newest, &[]);
}
