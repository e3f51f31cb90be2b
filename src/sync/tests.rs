//! Runs as a shop owner would see them, against a store, a source and a state in memory.

mod formula;
mod shop;
mod slow;

use std::time::Duration;

use crate::config::sync::GuardLimits;
use crate::store::pace::Clock;

use super::level::{Mark, Observation, Pair, Standing, What};
use super::run::RunError;
use super::state::{Change, Event, Intake as _, Look, Order, SyncState, Which};
use super::work::Halt;
use shop::{Fate, Store, World};

fn three() -> World {
    let store = Store::new(true, true);
    store.stock(&[("A", 1), ("B", 2), ("C", 3), ("D", 4)]);
    let mut world = World::new(store);
    world.counts(&[("A", 10), ("B", 2), ("C", 0), ("D", 5), ("X", 7)]);
    world
}

#[test]
fn a_first_run_reads_the_store_and_sends_what_differs() {
    let mut world = three();
    let (ended, figures) = world.run();
    assert_eq!(
        (figures.accepted, figures.in_step, figures.strangers),
        (3, 1, 1),
        "{ended:?}"
    );
    let levels = ["A", "B", "C", "D"].map(|sku| world.store.level(sku));
    assert_eq!(levels, [10, 2, 0, 5]);
    assert_eq!(
        world.store.shop.borrow().applied[0].0.sku,
        "C",
        "what is sold out first"
    );
    assert_eq!((ended.open, ended.in_flight), (0, 0));
    assert_eq!(world.lines(What::Accepted).len(), 3);
    assert!(matches!(
        world.level("X").standing,
        Standing::Stranger { .. }
    ));
}

#[test]
fn a_second_run_sends_only_what_changed() {
    let mut world = three();
    world.run();
    let writes = world.store.writes();
    let (_, figures) = world.run();
    assert_eq!((figures.batches, world.store.writes()), (0, writes));
    world.counts(&[("D", 4)]);
    let (_, figures) = world.run();
    assert_eq!((figures.accepted, world.store.level("D")), (1, 4));
}

#[test]
fn an_order_is_never_overwritten() {
    let mut world = three();
    world.run();
    // the till sells one; before that is pushed, two are ordered online, and the till books them at once
    world.counts(&[("D", 4)]);
    world.store.shop.borrow_mut().order = Some((Pair::new("L1", "D"), 2));
    let (_, figures) = world.run();
    assert_eq!(figures.stale, 1);
    world.counts(&[("D", 2)]);
    world.run();
    assert_eq!(world.store.level("D"), 2);
    assert_eq!(world.lines(What::Stale).len(), 1);
}

#[test]
fn a_lost_answer_is_settled_by_its_key() {
    let mut world = three();
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .push_back(Fate::LostAfter);
    let (ended, figures) = world.run();
    assert!(figures.unknown > 0 && ended.in_flight > 0);
    let writes = world.store.writes();
    let (ended, _) = world.run();
    assert_eq!((ended.open, ended.in_flight), (0, 0));
    assert_eq!(world.store.writes(), writes, "applied once");
    assert_eq!(world.lines(What::Accepted).len(), 3);
}

#[test]
fn after_its_key_ended_it_is_settled_by_reading() {
    for fate in [Fate::LostAfter, Fate::LostBefore] {
        let mut world = three();
        world.store.shop.borrow_mut().fates.push_back(fate);
        world.run();
        world.clock.pass(Duration::from_secs(25 * 3600));
        world.run();
        let (ended, _) = world.run();
        assert_eq!((ended.open, ended.in_flight), (0, 0), "{fate:?}");
        assert_eq!(
            ["A", "C", "D"].map(|sku| world.store.level(sku)),
            [10, 0, 5]
        );
    }
}

#[test]
fn without_keys_a_level_waits_for_the_quiet_time() {
    let store = Store::new(false, false);
    store.stock(&[("A", 1)]);
    let mut world = World::new(store);
    world.counts(&[("A", 10)]);
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .push_back(Fate::LostBefore);
    world.run();
    world.counts(&[("A", 9)]);
    let (ended, _) = world.run();
    assert_eq!(
        (ended.in_flight, world.store.writes()),
        (1, 0),
        "one open write"
    );
    world.clock.pass(Duration::from_secs(61));
    world.run();
    assert_eq!(world.store.level("A"), 9);
    assert_eq!(world.lines(What::NotApplied).len(), 1);
}

#[test]
fn a_crash_between_storing_and_sending_loses_nothing() {
    let mut world = three();
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .push_back(Fate::LostBefore);
    world.run();
    world.state.crash();
    let (ended, _) = world.run();
    assert_eq!((ended.open, ended.in_flight), (0, 0));
    assert_eq!(world.store.level("A"), 10);
}

#[test]
fn an_emptied_shop_is_held_until_a_person_approves() {
    let mut world = three();
    world.rule.guard = GuardLimits {
        at_least: 2,
        ..GuardLimits::default()
    };
    world.rule.guard.changed = crate::config::gate::Limit(None);
    world.rule.guard.units = crate::config::gate::Limit(None);
    let (ended, _) = world.run();
    assert_eq!(ended.held, None);
    let writes = world.store.writes();
    world.counts(&[("A", 0), ("B", 0), ("D", 0)]);
    let (ended, _) = world.run();
    let held = ended.held.expect("held");
    assert_eq!(ended.plan.trips[0].guard, "to_zero");
    assert_eq!(world.store.writes(), writes, "nothing leaves");
    let (ended, _) = world.run();
    assert_eq!(ended.held.expect("still").id, held.id);
    let (ended, _) = world.try_run(false, Some(&held.id)).expect("it runs");
    assert_eq!((ended.held, world.store.level("A")), (None, 0));
    assert_eq!(world.state.held().expect("read"), []);
    world.counts(&[("A", 1)]);
    let (ended, _) = world.run();
    assert_eq!(ended.held, None, "what was approved is not weighed again");
}

#[test]
fn a_source_that_is_not_whole_has_no_effect() {
    let mut world = three();
    world.run();
    let tick = world.state.tick();
    world.counts(&[("A", 0)]);
    world.till.broken = true;
    assert!(matches!(
        world.try_run(false, None),
        Err(RunError::Source(_))
    ));
    assert_eq!((world.state.tick(), world.store.level("A")), (tick, 10));
    world.till.broken = false;
    world.run();
    assert_eq!(world.store.level("A"), 0);
}

#[test]
fn absent_is_not_zero_unless_the_project_says_so_and_two_proven_readings_agree() {
    let mut world = three();
    world.run();
    world.till.rows.remove("A");
    world.till.rows.insert("D".to_owned(), None);
    world.run();
    world.run();
    assert_eq!((world.store.level("A"), world.store.level("D")), (10, 5));
    world.rule.absent_is_zero = true;
    world.run();
    world.run();
    assert_eq!(
        world.store.level("A"),
        10,
        "nothing proves that the reading was whole"
    );
    world.till.proven = true;
    world.run();
    assert_eq!(world.store.level("A"), 10, "once is not enough");
    world.run();
    assert_eq!((world.store.level("A"), world.store.level("D")), (0, 5));
}

#[test]
fn a_row_that_is_gone_for_good_says_zero_also_to_who_sold_or_set_it_at_the_store() {
    let mut world = three();
    world.rule.absent_is_zero = true;
    world.till.proven = true;
    world.run();
    world.till.rows.remove("A");
    world.run();
    world.clock.pass(Duration::from_secs(3600));
    // before the second reading that lacks it, and long after
    for level in [4, 6] {
        world.store.stock(&[("A", level)]);
        world.try_run(true, None).expect("it runs");
        world.run();
        assert_eq!(world.store.level("A"), 0);
        world.clock.pass(Duration::from_secs(3600));
    }
}

#[test]
fn a_late_event_does_not_bring_a_row_back_that_is_gone() {
    let mut world = three();
    world.rule.absent_is_zero = true;
    (world.till.proven, world.till.mark) = (true, Mark::Sequence(1));
    world.run();
    world.till.rows.remove("A");
    world.run();
    world.run();
    assert_eq!(world.store.level("A"), 0);
    for number in [1, 2] {
        let event = Event {
            source: world.rule.reading.clone(),
            id: format!("late-{number}"),
            at: world.clock.wall(),
            observations: vec![Observation {
                location: "bkk-01".to_owned(),
                sku: "A".to_owned(),
                quantity: Some(10 + number),
                mark: Mark::Sequence(number),
                ..Observation::default()
            }],
        };
        let mut intake = world.state.disk().intake();
        intake.events(std::slice::from_ref(&event)).expect("kept");
        world.run();
        world.run();
        assert_eq!(world.store.level("A"), 0, "what was read since lacks it");
    }
    world.counts(&[("A", 10)]);
    world.till.mark = Mark::Sequence(3);
    world.run();
    assert_eq!(world.store.level("A"), 10);
}

#[test]
fn poison_is_set_aside_and_can_be_tried_again() {
    let mut world = three();
    world.store.shop.borrow_mut().poison.push("A".to_owned());
    let (_, figures) = world.run();
    assert_eq!((figures.accepted, figures.dead), (2, 1));
    let (_, figures) = world.run();
    assert_eq!(
        figures.batches, 0,
        "a dead letter is not sent again by itself"
    );
    assert!(matches!(world.level("A").standing, Standing::Dead { .. }));
    world.store.shop.borrow_mut().poison.clear();
    let retry = Order::Retry {
        pair: Pair::new("L1", "A"),
    };
    let now = world.clock.wall();
    world
        .state
        .commit(&mut |made| {
            made.write(Change::Order {
                at: now,
                who: "ann",
                order: &retry,
            })
        })
        .expect("kept");
    world.run();
    assert_eq!(world.store.level("A"), 10);
    assert_eq!(world.state.count(Which::Dead).expect("read"), 0);
    assert_eq!(world.state.orders().expect("read"), []);
}

#[test]
fn what_is_paused_sends_nothing() {
    let mut world = three();
    let now = world.clock.wall();
    let order = |order: Order, world: &mut World| {
        world
            .state
            .commit(&mut |made| {
                made.write(Change::Order {
                    at: now,
                    who: "ann",
                    order: &order,
                })
            })
            .expect("kept");
    };
    let sync = || "web-stock".to_owned();
    let reason = "stocktaking".to_owned();
    order(
        Order::Pause {
            sync: sync(),
            reason,
        },
        &mut world,
    );
    let (_, figures) = world.run();
    assert_eq!(figures.halted, Some(Halt::Paused("stocktaking".to_owned())));
    assert_eq!(world.store.writes(), 0);
    order(Order::Resume { sync: sync() }, &mut world);
    world.run();
    assert_eq!(world.store.level("A"), 10);
}

#[test]
fn a_full_run_finds_what_others_changed_and_puts_it_right() {
    let mut world = three();
    world.run();
    world.clock.pass(Duration::from_secs(3600));
    world.store.stock(&[("A", 77)]);
    let (_, figures) = world.try_run(true, None).expect("it runs");
    assert_eq!((figures.foreign, world.store.level("A")), (1, 10));
    world.clock.pass(Duration::from_secs(3600));
    world.store.stock(&[("D", 4)]);
    let (_, figures) = world.try_run(true, None).expect("it runs");
    assert_eq!(
        (figures.lost, world.store.level("D")),
        (1, 5),
        "it was 4 before we wrote"
    );
}

#[test]
fn a_level_that_the_store_clamps_is_named_and_not_sent_for_ever() {
    let mut world = three();
    world.store.shop.borrow_mut().most = Some(8);
    let full = |world: &mut World| {
        world.clock.pass(Duration::from_secs(3600));
        world.try_run(true, None).expect("it runs").1
    };
    world.run();
    assert_eq!(world.store.level("A"), 8);
    let figures = full(&mut world);
    assert_eq!(
        (figures.foreign, figures.clamped),
        (1, 0),
        "it may have been somebody"
    );
    let writes = world.store.writes();
    let figures = full(&mut world);
    assert_eq!((figures.clamped, figures.dead), (1, 1), "it says so again");
    assert!(
        matches!(world.level("A").standing, Standing::Dead { ref code, .. } if code == "clamped")
    );
    for _ in 0..3 {
        let figures = full(&mut world);
        assert_eq!((figures.clamped, figures.lost + figures.foreign), (1, 0));
    }
    assert_eq!(world.store.writes(), writes, "and it is not sent again");
    world.counts(&[("A", 11)]);
    full(&mut world);
    assert_eq!(
        world.store.writes(),
        writes + 1,
        "a new count is tried once"
    );
    for _ in 0..3 {
        assert_eq!(full(&mut world).clamped, 1);
    }
    assert_eq!(world.store.writes(), writes + 1);
    world.counts(&[("A", 7)]);
    full(&mut world);
    assert_eq!((world.store.level("A"), full(&mut world).clamped), (7, 0));
    assert!(matches!(world.level("A").standing, Standing::Open));
}

#[test]
fn stock_that_comes_and_goes_is_not_taken_for_a_clamp() {
    let mut world = three();
    for _ in 0..4 {
        world.counts(&[("D", 5)]);
        world.run();
        world.clock.pass(Duration::from_secs(3600));
        // one is sold online, and the till books it
        world.store.stock(&[("D", 4)]);
        world.counts(&[("D", 4)]);
        let (_, figures) = world.try_run(true, None).expect("it runs");
        assert_eq!((figures.clamped, figures.dead), (0, 0));
        world.clock.pass(Duration::from_secs(3600));
    }
}

#[test]
fn a_full_run_tells_what_the_store_refused() {
    let mut world = three();
    world.run();
    world.store.shop.borrow_mut().poison.push("A".to_owned());
    world.counts(&[("A", 12)]);
    world.clock.pass(Duration::from_secs(3600));
    let (_, figures) = world.try_run(true, None).expect("it runs");
    assert_eq!(
        (figures.dead, figures.still_refused),
        (1, 0),
        "refused just now"
    );
    world.clock.pass(Duration::from_secs(3600));
    let (_, figures) = world.try_run(true, None).expect("it runs");
    assert_eq!((figures.dead, figures.still_refused), (0, 1));
    world.clock.pass(Duration::from_secs(3600));
    // somebody else put it right
    world.store.stock(&[("A", 12)]);
    let (_, figures) = world.try_run(true, None).expect("it runs");
    assert_eq!((figures.foreign, figures.still_refused), (1, 0));
    assert_eq!(world.level("A").standing, Standing::Open);
}

#[test]
fn an_atomic_batch_is_sent_again_without_the_one_that_the_store_would_not_have() {
    let mut world = three();
    world.run();
    world.store.shop.borrow_mut().atomic = true;
    world.store.stock(&[("A", 9)]);
    world.counts(&[("A", 11), ("B", 3), ("D", 6)]);
    let (_, figures) = world.run();
    assert_eq!(figures.stale, 1);
    assert_eq!((world.store.level("B"), world.store.level("D")), (3, 6));
}

#[test]
fn what_did_not_leave_goes_out_with_the_next_run() {
    let mut world = three();
    world
        .store
        .shop
        .borrow_mut()
        .fates
        .extend([Fate::Held, Fate::Held, Fate::Held]);
    world.run();
    world.run();
    assert_eq!(world.store.level("A"), 10);
    assert_eq!(world.lines(What::Unknown), []);
}
