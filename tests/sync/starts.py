#!/usr/bin/env python3
"""Twenty starts at once: exactly one works; the others end with 5 and call nobody. When the one that works is killed, the next start
works at once.
"""
import random
import time

import tills
from tills import World, expect, lamps

AT_ONCE = 20


def one(rng, number):
    with World(rng, skus=20, syncs=("all",)) as world:
        world.settle("the first run")
        world.tills.set({pair: world.tills.fresh(pair) for pair in world.tills.pairs()})
        # Whoever works is at it until all others have ended.
        world.store.delay = 2.0
        calls = len(world.store.calls)
        processes = [world.start("sync") for _ in range(AT_ONCE)]
        began, ends = time.monotonic(), {}
        while len(ends) < AT_ONCE - 1 and time.monotonic() - began < 60:
            for process in processes:
                if process not in ends and process.poll() is not None:
                    ends[process] = time.monotonic() - began
            time.sleep(0.01)
        working = [process for process in processes if process.poll() is None]
        told = f"round {number}"
        expect(len(working) == 1, f"{told}: {len(working)} of {AT_ONCE} are still at work")
        codes = sorted(process.returncode for process in ends)
        expect(codes == [5] * (AT_ONCE - 1), f"{told}: the others end with {codes}")
        # One call each of the one that works, one after another, of two seconds.
        made = len(world.store.calls) - calls
        expect(made <= 1 + max(ends.values(), default=0) / world.store.delay, f"{told}: {made} calls in {max(ends.values(), default=0):.1f} s")
        for process in working:
            process.kill()
        for process in processes:
            world.end(process)
        world.store.delay = 0.0
        began = time.monotonic()
        done = world.run("sync")
        took = time.monotonic() - began
        expect(done.code in (0, 3, 4), f"{told}: the start after a kill: {done}")
        world.settle(f"{told}, after a kill")
        world.doctor(told)
        return max(ends.values(), default=0), took


def main():
    given = tills.options(2, 20)
    rng = random.Random(given.seed)
    seen = [one(rng, number) for number in range(given.rounds)]
    print(f"starts at once: {given.rounds} x {AT_ONCE}, the last of the others ended after {max(last for last, _ in seen):.1f} s, "
          f"the start after a kill took {max(took for _, took in seen):.1f} s; seed {given.seed}")
    lamps.end()


main()
