//! After the last fault: all must be in step within the bound, and then silent.

use std::ops::ControlFlow;

use shelfcast::store::pace::Clock as _;
use shelfcast::sync::state::{Intake as _, Look as _, Order, Which};

use super::super::exchange::Millis;
use super::schedule::{Play, SYNC};

impl Play<'_> {
    /// Nothing goes wrong any more: all must be in step within the bound, and then be silent.
    pub(super) fn heal(&mut self) {
        self.wrong = 0;
        self.connector = None;
        {
            let mut world = self.shared.lock();
            world.note("everything heals");
            world.faults.heal();
            world.orders = 0;
            world.healed = true;
        }
        self.clock.jump(0);
        let now = self.clock.wall();
        let mut intake = self.disk.intake();
        let resume = Order::Resume {
            sync: SYNC.to_owned(),
        };
        intake
            .order(now, "test", &resume)
            .expect("a state in memory");
        let waits: [Millis; 12] = [
            60_000, 180_000, 1_000_000, 1_000_000, 60_000, 22_000_000, 60_000, 1_000_000, 200_000,
            4_000_000, 22_000_000, 60_000,
        ];
        for (turn, wait) in waits.iter().enumerate() {
            self.clock.pass(*wait);
            self.shared.lock().advance();
            self.retry_dead();
            let held = self.held.take();
            self.sync(turn >= 2, held);
            if self.is_broken() {
                return;
            }
            let world = self.shared.lock();
            let late = world.faults.next_late().is_some();
            if !late
                && turn > 3
                && world
                    .oracle
                    .out_of_step(&world.shop, &world.till)
                    .is_empty()
            {
                break;
            }
        }
        {
            let mut world = self.shared.lock();
            let out = world.oracle.out_of_step(&world.shop, &world.till);
            if !out.is_empty() {
                world.oracle.broken("L1", out.join("; "));
                return;
            }
        }
        let clamps = !self.shared.lock().shop.caps.is_empty();
        if clamps {
            // what the store makes of a number shows when it was read back and sent once more
            for _ in 0..2 {
                self.clock.pass(2_000_000);
                self.sync(true, None);
            }
        }
        // and now it is quiet
        self.clock.pass(2_000_000);
        self.sync(true, None);
        let mut world = self.shared.lock();
        if world.writes > 0 {
            world
                .oracle
                .broken("S11", "it still writes when all is in step");
        }
    }

    /// A person has each dead letter tried again.
    pub(super) fn retry_dead(&mut self) {
        let mut dead = Vec::new();
        self.state
            .levels(Which::Dead, &mut |level| {
                dead.push(level.pair);
                ControlFlow::Continue(())
            })
            .expect("a state in memory");
        let now = self.clock.wall();
        let mut intake = self.disk.intake();
        for pair in dead {
            intake
                .order(now, "test", &Order::Retry { pair })
                .expect("a state in memory");
        }
    }
}
