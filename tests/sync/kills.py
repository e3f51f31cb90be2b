#!/usr/bin/env python3
"""Kills: a sync is killed at a random moment, at each of its named places in turn, and by the store in the middle of a call; then it
runs to the end. Nothing is lost, nothing older is put over something newer, no online order is overwritten, nothing is applied
twice under one key, the state is whole and nobody holds its lock.
"""
import collections
import hashlib
import hmac
import http.client
import json
import random
import signal
import time

import tills
from tills import World, expect, lamps, wrong

# Y6 to Y9 lie in the transport: there the store kills, and at three of them the program dies by itself; half a request is the store's
# alone to see. Y14 and Y15 are the state's own tests': no run cuts the ledger.
NAMED = ["Y1", "Y2", "Y3", "Y4", "Y5", "Y10", "Y11", "Y12", "Y13", "Y19", "Y20"]
BY_STORE = {"Y6": "connect", "Y7": "half", "Y8": "sent", "Y8 after effect": "applied", "Y9": "answer"}
BY_ITSELF = {f"{point} by itself": point for point in ("Y6", "Y8", "Y9")}
SPECIAL = ["Y16", "Y17", "Y18"]
# Runs between two looks at everything.
EVERY = 5
WEBHOOK = '\n[source.webhook]\nform = "generic"\nsecret = ["env:TILL_SECRET"]\n'
FAULTS = {"busy": 0.02, "down": 0.02, "lost": 0.02}


class Kills:
    def __init__(self, world, rng):
        self.world, self.random = world, rng
        self.counts, self.usual, self.events = collections.Counter(), 0.3, 0
        self.not_reached = collections.Counter()

    def count(self, process, what):
        """Whether it was killed."""
        done = self.world.end(process)
        if done.code == -signal.SIGKILL:
            self.counts[what] += 1
            return True
        if done.code not in (0, 3, 4):
            wrong(f"{what}: not killed, and {done}")
        self.not_reached[what] += 1
        return False

    def at_random(self):
        process = self.world.start("sync")
        time.sleep(self.random.random() * 0.8 * self.usual)
        process.kill()
        self.count(process, "at random")

    def named(self, point):
        if point == "Y19":
            # Somebody must have died before, with a batch on its way.
            self.by_store("Y8 after effect")
        times = self.random.choice([1, 1, 2, 3]) if point in ("Y2", "Y4", "Y5", "Y10", "Y11", "Y12") else 1
        self.count(self.world.start("sync", environment={"SHELFCAST_KILL_AT": f"{point}:{times}"}), point)

    def by_itself(self, what):
        times = self.random.choice([1, 2, 3, 4])
        self.count(self.world.start("sync", environment={"SHELFCAST_KILL_AT": f"{BY_ITSELF[what]}:{times}"}), what)

    def by_store(self, what):
        store = self.world.store
        process = self.world.start("sync")
        store.kill = (BY_STORE[what], self.random.choice([0, 0, 1]), process)
        self.count(process, what)
        store.kill = None

    def special(self, point):
        if point == "Y18":
            pair = self.random.choice(self.world.tills.pairs())
            self.world.tills.set({pair: self.world.tills.fresh(pair)})
            self.world.store.refused.add((tills.PLACES[pair[0]], pair[1]))
            self.count(self.world.start("sync", environment={"SHELFCAST_KILL_AT": point}), point)
            self.world.run("sync")
            self.world.store.refused.clear()
            retry = self.world.run("dead-letters", "retry", "--all")
            expect(retry.code == 0, f"dead letters are tried again: {retry}")
        else:
            self.daemon(point)

    def daemon(self, point):
        """An event arrives, and the daemon dies before or after it is on disk; the sender repeats what was not answered."""
        port = tills.free_port()
        process = self.world.start("sync", "--watch", "--listen", f"127.0.0.1:{port}", environment={"SHELFCAST_KILL_AT": point})
        self.events += 1
        body = json.dumps({"id": f"event-{self.events}"}).encode()
        until, answered = time.monotonic() + 20, None
        while time.monotonic() < until and process.poll() is None and answered is None:
            moment = str(int(time.time()))
            signature = "sha256=" + hmac.new(tills.SECRET.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
            try:
                link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                link.request("POST", "/stock/tills-siam", body, {"X-Shelfcast-Timestamp": moment, "X-Shelfcast-Signature": signature})
                answered = link.getresponse().status
            except ConnectionRefusedError:
                time.sleep(0.02)
            except (OSError, http.client.HTTPException):
                break
        if answered is not None:
            expect(answered == 200, f"{point}: an event was answered with {answered}")
            process.terminate()
        try:
            process.wait(15)
        except Exception:
            process.kill()
        self.count(process, point)

    def settle(self, told):
        world = self.world
        world.store.faults = {}
        world.settle(told)
        self.usual = 0.8 * self.usual + 0.2 * world.took
        world.store.faults = FAULTS


def two_syncs_of_one_source(rng):
    """What the first sync reads is not lost to the second."""
    with World(rng, skus=5, apart=False) as world:
        world.settle("two syncs of one source")
        world.tills.set({pair: world.tills.fresh(pair) for pair in world.tills.pairs()})
        world.settle("two syncs of one source, all counted anew", runs=2)


def main():
    given = tills.options(1_000, 3_000)
    two_syncs_of_one_source(random.Random(given.seed))
    rng = random.Random(given.seed)
    began = time.monotonic()
    with World(rng, webhook=WEBHOOK, faults=FAULTS) as world:
        kills = Kills(world, rng)
        kills.settle("the first run")
        whats, turn = [*NAMED, *BY_STORE, *BY_ITSELF, *SPECIAL], 0
        for number in range(given.rounds):
            if number and number % EVERY == 0:
                told = f"seed {given.seed}, before kill {number}"
                kills.settle(told)
                if number % (4 * EVERY) == 0:
                    world.doctor(told)
            world.change()
            if number % 2:
                kills.at_random()
                continue
            what, turn = whats[turn % len(whats)], turn + 1
            if what in SPECIAL:
                kills.special(what)
            elif what in BY_ITSELF:
                kills.by_itself(what)
            elif what in BY_STORE:
                kills.by_store(what)
            else:
                kills.named(what)
            if len(lamps.problems) > 20:
                break
        kills.settle(f"seed {given.seed}, at the end")
        world.doctor("at the end")
        store = world.store
        reached = ", ".join(f"{what} {count}" for what, count in sorted(kills.counts.items()))
        missed = ", ".join(f"{what} {count}" for what, count in sorted(kills.not_reached.items()))
        print(f"kills: {sum(kills.counts.values())} in {time.monotonic() - began:.0f} s: {reached}; not reached: {missed or 'none'}")
        print(f"kills: {len(store.log)} levels and orders taken, {store.repeated} batches repeated under their key, {store.stale} stale; "
              f"{'nothing' if not lamps.problems else 'SOMETHING'} lost, older, overwritten or applied twice; seed {given.seed}")
        if given.rounds >= 100:
            never = [what for what in ("at random", *whats) if not kills.counts[what]]
            expect(not never, f"never killed at: {', '.join(never)}")
    lamps.end()


main()
