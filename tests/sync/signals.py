#!/usr/bin/env python3
"""SIGTERM at random moments of a daemon that has work: no new call after a second, an end within ten, nothing lost."""
import random
import signal
import time

import tills
from tills import World, expect, lamps, wrong

FAULTS = {"busy": 0.02, "down": 0.02, "lost": 0.02}
# What was left must be in step after the longest back-off (a level that four tries went wrong with rests 2^4 s; the fifth makes it a
# dead letter), the store's quiet time, and the runs that settle, read and send. One reading that fails lets all levels rest
# that it was to read, a dozen here, so that a number of runs is no bound: they end within milliseconds.
BACK_OFF, QUIET, RUNS = 16, 1, 6


def settle(world, told):
    """Runs until the store says what the tills say, within the bound; how long that took, in seconds."""
    began = time.monotonic()
    while True:
        done = world.run("sync", "--wait", "5s")
        done_in = time.monotonic() - began
        if done.code not in (0, 3, 4):
            wrong(f"{told}: {done}")
            return done_in
        behind = [(pair, world.store.levels[pair], count) for pair, count in world.tills.now().items() if world.store.levels[pair] != count]
        if done.code == 0 and not behind:
            world.history(told)
            return done_in
        if done_in > BACK_OFF + QUIET + RUNS * 2:
            wrong(f"{told}: not in step after {done_in:.1f} s (pair, store, tills): {behind[:5]} of {len(behind)}; the last run: {done}")
            return done_in
        time.sleep(0.25)


def main():
    given = tills.options(8, 50)
    rng = random.Random(given.seed)
    longest, slowest, calls_after, cut = 0.0, 0.0, 0, 0
    with World(rng, syncs=("all",)) as world:
        settle(world, "the first run")
        for number in range(given.rounds):
            told = f"seed {given.seed}, round {number}"
            world.store.faults, world.store.delay = FAULTS, rng.choice([0, 0.05, 0.3])
            process = world.start("sync", "--watch")
            until = time.monotonic() + rng.random() * 2.5
            while time.monotonic() < until and process.poll() is None:
                world.change()
                time.sleep(0.1)
            expect(process.poll() is None, f"{told}: the daemon ended by itself")
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            # Work goes on to come in.
            world.change()
            try:
                process.wait(15)
            except Exception:
                process.kill()
            took = time.monotonic() - began
            longest = max(longest, took)
            done = world.end(process)
            # One that is told to end before it listens is ended by the system, and has done nothing.
            expect(took < 10 and done.code in (0, 130, 143, -signal.SIGTERM), f"{told}: ended after {took:.1f} s: {done}")
            late = [(f"{moment - began:.1f} s", "a write" if writes else "a read") for moment, writes in world.store.calls if moment - began > 1]
            before = [(f"{moment - began:.2f} s", "a write" if writes else "a read", fault) for moment, writes, fault in world.store.outcomes[-6:]]
            expect(not late, f"{told}: new calls after SIGTERM: {late}; before: {before}")
            calls_after += sum(1 for moment, _ in world.store.calls if moment > began)
            world.store.delay, world.store.faults = 0, {}
            behind = sum(1 for pair, count in world.tills.now().items() if world.store.levels[pair] != count)
            cut += behind > 0
            if number % 4 == 3 or number == given.rounds - 1:
                slowest = max(slowest, settle(world, told))
                world.doctor(told)
    print(f"signals: {given.rounds} times SIGTERM, {cut} with work left, {calls_after} calls within the second after, the longest end {longest:.1f} s, "
          f"in step after {slowest:.1f} s at most; seed {given.seed}")
    lamps.end()


main()
