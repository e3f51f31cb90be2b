#!/usr/bin/env python3
"""Guards: a source that had an accident writes nothing: exit 6, or 7 where it is not whole. An approval lets exactly its plan pass,
and only in one run.
"""
import collections
import random
import re

import tills
from tills import PLACES, World, expect, lamps, wrong

HEADER = "sku,location,on_hand,seq\n"
CSV = 'path = "stock.csv"\nend = "#END"'
PLAIN = 'path = "stock.csv"\nsettle = "0s"'
SQLITE = tills.SOURCE


class Source:
    """What the project reads: rows of SKU, location and count, in a file or a table."""

    def __init__(self, world, kind):
        self.world, self.kind, self.seq = world, kind, 0

    def rows(self, rows, header=HEADER, swap=False):
        self.seq += 1
        if self.kind == SQLITE:
            with self.world.tills.open() as db:
                db.execute("DELETE FROM stock")
                db.executemany("INSERT INTO stock VALUES (?, ?, ?, ?)",
                               [(sku, count if swap else location, location if swap else count, self.seq) for sku, location, count in rows])
            self.world.tills.close()
            return
        lines = [f"{sku},{count if swap else location},{location if swap else count},{self.seq}" for sku, location, count in rows]
        if self.kind == CSV:
            lines.append(f"#END,,{len(lines)},")
        self.world.shop.write("stock.csv", header + "".join(line + "\n" for line in lines))

    def cut(self, rows):
        """A file that ends too early."""
        self.rows(rows)
        path = self.world.folder / "stock.csv"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[: len(lines) // 2]))


def accidents(source, rows):
    """Name, what happens, and the exit codes it may have."""
    counts = [count for _, _, count in rows]
    shifted = [(sku, location, count) for (sku, location, _), count in zip(rows, counts[-1:] + counts[:-1])]
    yield "no rows", lambda: source.rows([]), {6, 7}
    yield "half of the rows", lambda: source.rows(rows[: len(rows) // 2]), {6}
    yield "all counts halved", lambda: source.rows([(sku, location, count // 2) for sku, location, count in rows]), {6}
    yield "all counts doubled", lambda: source.rows([(sku, location, count * 2) for sku, location, count in rows]), {6}
    yield "shifted by one row", lambda: source.rows(shifted), {6}
    yield "swapped columns", lambda: source.rows(rows, swap=True), {6, 7}
    yield "all zero", lambda: source.rows([(sku, location, 0) for sku, location, _ in rows]), {6}
    yield "one location zero", lambda: source.rows([(sku, location, 0 if location == "siam" else count) for sku, location, count in rows]), {6}
    if source.kind != SQLITE:
        yield "an empty file", lambda: source.world.shop.write("stock.csv", ""), {6, 7}
        yield "header only", lambda: source.world.shop.write("stock.csv", HEADER), {6, 7}
        yield "each row twice", lambda: source.rows([row for row in rows for _ in range(2)]), {0, 6, 7}
        yield "cut at the end of a line", lambda: source.cut(rows), {7} if source.kind == CSV else {6}
        yield "columns named the other way round", lambda: source.rows(rows, header="sku,on_hand,location,seq\n"), {6, 7}
        yield "gone", lambda: (source.world.folder / "stock.csv").unlink(), {7}


def start(rng, kind, skus=40):
    """A project that is in step."""
    world = World(rng, skus=skus, syncs=("all",), guard="", source=kind)
    source = Source(world, kind)
    rows = [(sku, location, rng.randrange(10, 300)) for sku in world.skus for location in PLACES]
    # The first run finds the store as the tills say.
    world.store.levels = {(PLACES[location], sku): count for sku, location, count in rows}
    source.rows(rows)
    done = world.run("sync")
    expect(done.code == 0 and world.store.writes() == 0, f"the first run: {done}")
    return world, source, rows


def plan_of(done):
    found = re.search(r"--approve\s+([0-9a-f]+)", done.out + done.err)
    return found.group(1) if found else None


def accident(rng, kind, number, counts):
    """One accident: held, its plan passes by approval, once."""
    world, source, rows = start(rng, kind)
    with world:
        told, happens, codes = list(accidents(source, rows))[number]
        told = f"{kind.splitlines()[0]}: {told}"
        happens()
        for turn in ("at once", "again"):
            done = world.run("sync")
            expect(done.code in codes, f"{told}, {turn}: expected {sorted(codes)}: {done}")
            expect(world.store.writes() == 0, f"{told}, {turn}: {world.store.writes()} calls that write")
        counts[done.code] += 1
        if lamps.LONG:
            full = world.run("sync", "--full")
            expect(full.code in codes and world.store.writes() == 0, f"{told}, --full: {world.store.writes()} calls that write: {full}")
        if done.code == 6:
            approved(world, source, rows, told, done)
        # The source is well again, and so is the store.
        source.rows(rows)
        done = world.run("sync")
        if done.code == 6 and plan_of(done):
            done = world.run("sync", "--approve", plan_of(done), "--reason", "back")
        right = {(PLACES[location], sku): count for sku, location, count in rows}
        expect(world.store.levels == right, f"{told}: not as it was once the source is well: {done}")
        world.doctor(told)


def approved(world, source, rows, told, held):
    """Exactly the plan passes, in one run."""
    plan = plan_of(held)
    if not expect(plan, f"{told}: no plan is named: {held}"):
        return
    shown = world.run("sync", "--dry-run", "--json")
    planned = {(line["place"], line["sku"]): line for line in shown.lines() if line.get("type") == "planned"}
    wrong_plan = world.run("sync", "--approve", "0123456789ab", "--reason", "a wrong one")
    expect(wrong_plan.code != 0 and world.store.writes() == 0, f"{told}: another plan's approval: {wrong_plan}")
    none = world.run("sync", "--approve", plan) if lamps.LONG else None
    expect(none is None or none.code == 2 and world.store.writes() == 0, f"{told}: an approval without a reason: {none}")
    before = dict(world.store.levels)
    if planned and (lamps.LONG or "doubled" in told or "zero" in told):
        # A run that comes to nothing uses the approval up; what it had sent already, and nobody answered, is settled by its key.
        world.store.faults = {"down": 1.0}
        down = world.run("sync", "--approve", plan, "--reason", "the shop moves", "--deadline", "1s")
        world.store.faults = {}
        expect(down.code in (3, 4), f"{told}: approved, and the store is down: {down}")
        gated = world.run("sync")
        moved = {pair for pair, count in world.store.levels.items() if before[pair] != count}
        expect(gated.code == 6 and moved < set(planned) and len(moved) <= 10, f"{told}: without the approval once more, {len(moved)} changed: {gated}")
        plan = plan_of(gated) or plan
    done = world.run("sync", "--approve", plan, "--reason", "the shop moves")
    expect(done.code in (0, 3), f"{told}: approved: {done}")
    changed = {pair for pair, count in world.store.levels.items() if before[pair] != count}
    expect(changed == set(planned), f"{told}: {len(planned)} planned, {len(changed)} changed")
    # Another accident is weighed anew.
    writes = world.store.writes()
    source.rows([(sku, location, count + 1000) for sku, location, count in rows])
    again = world.run("sync")
    expect(again.code == 6 and world.store.writes() == writes, f"{told}: another accident after an approval: {again}")


def main():
    given = tills.options(0, 0)
    counts = collections.Counter()
    def of(kind):
        rng = random.Random(given.seed)
        world, source, rows = start(rng, kind, skus=2)
        with world:
            names = len(list(accidents(source, rows)))
        for number in range(names):
            accident(random.Random(given.seed), kind, number, counts)

    lamps.each(of, (SQLITE, CSV, PLAIN))
    shown = world.run("sync", "--dry-run", "--json")
    planned = {(line["place"], line["sku"]): line for line in shown.lines() if line.get("type") == "planned"}
    wrong_plan = world.run("sync", "--approve", "0123456789ab", "--reason", "a wrong one")
    expect(wrong_plan.code != 0 and world.store.writes() == 0, f"{told}: another plan's approval: {wrong_plan}")
    none = world.run("sync", "--approve", plan) if lamps.LONG else None
    expect(none is None or none.code == 2 and world.store.writes() == 0, f"{told}: an approval without a reason: {none}")
    before = dict(world.store.levels)
    if planned and (lamps.LONG or "doubled" in told or "zero" in told):
        # A run that comes to nothing uses the approval up; what it had sent already, and nobody answered, is settled by its key.
        world.store.faults = {"down": 1.0}
        down = world.run("sync", "--approve", plan, "--reason", "the shop moves", "--deadline", "1s")
        world.store.faults = {}
        expect(down.code in (3, 4), f"{told}: approved, and the store is down: {down}")
        gated = world.run("sync")
        moved = {pair for pair, count in world.store.levels.items() if before[pair] != count}
        expect(gated.code == 6 and moved < set(planned) and len(moved) <= 10, f"{told}: without the approval once more, {len(moved)} changed: {gated}")
        plan = plan_of(gated) or plan
    done = world.run("sync", "--approve", plan, "--reason", "the shop moves")
    expect(done.code in (0, 3), f"{told}: approved: {done}")
    changed = {pair for pair, count in world.store.levels.items() if before[pair] != count}
    expect(changed == set(planned), f"{told}: {len(planned)} planned, {len(changed)} changed")
    # Another accident is weighed anew.
    writes = world.store.writes()
    source.rows([(sku, location, count + 1000) for sku, location, count in rows])
    again = world.run("sync")
    expect(again.code == 6 and world.store.writes() == writes, f"{told}: another accident after an approval: {again}")


def main():
    given = tills.options(0, 0)
    counts = collections.Counter()
    for kind in (SQLITE, CSV, PLAIN):
        number = 0
        while True:
            rng = random.Random(given.seed)
            world, source, rows = start(rng, kind, skus=2)
            with world:
                names = len(list(accidents(source, rows)))
            if number >= names:
                break
            accident(rng, kind, number, counts)
            number += 1
    shown = ", ".join(f"{count} x {code}" for code, count in sorted(counts.items()))
    print(f"guards: {sum(counts.values())} accidents, {len(lamps.problems)} not as promised: {shown}; seed {given.seed}")
    lamps.end()


main()
