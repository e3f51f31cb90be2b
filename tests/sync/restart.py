#!/usr/bin/env python3
"""A restart is cheap (L5): with many lines in the ledger a sync is killed in the middle of its work; from the next start to its first
call two seconds may pass. The promise is of 100,000 lines and an optimized build: `restart.py target/release/shelfcast --lines 100000`.
"""
import random
import signal
import time

import tills
from tills import World, expect, lamps


def main():
    given = tills.options(3, 10, bound=2.0, lines=5_000)
    rng = random.Random(given.seed)
    slowest = 0.0
    with World(rng, skus=given.lines // 2, syncs=("all",)) as world:
        channel = world.folder / "channels/test-stock.toml"
        channel.write_text(channel.read_text().replace("batch = 10\n", "batch = 2000\n", 1))
        began = time.monotonic()
        done = world.end(world.start("sync", "--deadline", "10m"), 600)
        expect(done.code == 0, f"the first run: {done}")
        lines = len(world.store.log)
        expect(lines >= given.lines, f"the ledger has {lines} lines")
        print(f"restart: {lines} levels taken in {time.monotonic() - began:.0f} s", flush=True)
        for number in range(given.rounds):
            told = f"seed {given.seed}, round {number}"
            world.change(share=0.01)
            # It dies when a batch was taken and its answer was not heard.
            process = world.start("sync")
            world.store.kill = ("applied", 0, process)
            done = world.end(process)
            world.store.kill = None
            expect(done.code == -signal.SIGKILL, f"{told}: not killed: {done}")
            calls = len(world.store.calls)
            began = time.monotonic()
            done = world.run("sync")
            expect(done.code in (0, 3, 4), f"{told}: {done}")
            first = world.store.calls[calls][0] - began if len(world.store.calls) > calls else float("inf")
            slowest = max(slowest, first)
            expect(first < given.bound, f"{told}: the first call came after {first:.2f} s, the bound is {given.bound} s")
    print(f"restart: {given.rounds} kills with {lines} lines in the ledger, the first call after {slowest:.2f} s at most; seed {given.seed}")
    lamps.end()


main()
