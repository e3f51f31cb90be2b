#!/usr/bin/env python3
"""Measures `shelfcast sync`: many levels of which 1 % changed, against merely reading their source; and how long a change takes to the
store's acknowledgement in daemon mode, beside a client that does nothing but the same calls. Prints Markdown tables.

    benches/sync.py PROGRAM                       # 1,000,000 levels, 1,000 changes/s for 20 s
    benches/sync.py PROGRAM --levels 100000 --seconds 5 --rounds 1

Also `benches/run --parts sync`. The source is a table in SQLite; the store is tests/sync/tills.py on loopback, without faults. Merely
reading is Python's sqlite3 module that runs the source's query and makes a tuple of every value of each row: the same library in C,
and nothing else.
Nothing here asserts a time; the exit code is 1 when what was to be sent was not.
"""

import argparse
import hashlib
import hmac
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUERY = "SELECT sku, location, on_hand, seq FROM stock"
READ = f"import sqlite3\nfor row in sqlite3.connect('tills.db').execute('{QUERY}'): pass"
sys.path.insert(0, str(ROOT / "tests/sync"))
import tills  # noqa: E402


class Answering(tills.Store):
    """Knows when each level was acknowledged; keeps no log of more than that."""

    def __init__(self):
        super().__init__()
        self.acknowledged = {}

    def write(self, body, key):
        status, answer = super().write(body, key)
        moment = time.monotonic()
        with self.lock:
            for level, result in zip(body.get("levels", []), answer.get("results", [])):
                if result["status"] == "ok":
                    self.acknowledged.setdefault((level["location"], level["sku"]), []).append((moment, level["quantity"]))
            self.keys.clear()
        return status, answer


class Project(tills.World):
    """A project whose tills hold that many levels, all of which the store has already."""

    def __init__(self, count, source=tills.SOURCE, webhook=""):
        super().__init__(random.Random(1), skus=1, syncs=("all",), source=source, webhook=webhook)
        self.store.server.shutdown()
        self.store = Answering()
        text = self.folder / "shelfcast.toml"
        text.write_text("\n".join(f'url = "{self.store.address}"' if line.startswith('url = "http://127') else line for line in text.read_text().splitlines()))
        # Many pairs a question, so that the first run's reading does not take the most of the time.
        manifest = self.folder / "channels/test-stock.toml"
        manifest.write_text(manifest.read_text().replace("batch = 50", "batch = 100").replace("batch = 10\n", "batch = 100\n"))
        self.all = [(f"SKU-{number:06}", location) for number in range(count // 2) for location in tills.PLACES]
        self.number = 1000
        db = self.tills.open()
        db.execute("DELETE FROM stock")
        db.executemany("INSERT INTO stock VALUES (?, ?, 1000, 1)", self.all)
        db.execute("CREATE INDEX by_seq ON stock (seq)")
        db.commit()
        db.execute("PRAGMA journal_mode = WAL")
        db.close()
        self.store.levels = {(tills.PLACES[location], sku): 1000 for sku, location in self.all}

    def open(self):
        db = self.tills.open()
        return db

    def change(self, db, pairs):
        """Counts some anew, in one transaction; the moment of its commit, and the counts."""
        counts = []
        for sku, location in pairs:
            self.number += 1
            counts.append(((tills.PLACES[location], sku), self.number))
            db.execute("UPDATE stock SET on_hand = ?, seq = ? WHERE sku = ? AND location = ?", (self.number, self.number, sku, location))
        db.commit()
        return time.monotonic(), counts


class Run:
    """One finished process: CPU and wall seconds, peak memory in MiB."""

    def __init__(self, command, project, codes=(0,)):
        report = project.folder / "peak.txt"
        with open(project.folder / "talk.txt", "w+b") as talk:
            start = time.monotonic()
            child = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", str(report), *map(str, command)], cwd=project.folder, env=project.environment(),
                                     stdin=subprocess.DEVNULL, stdout=talk, stderr=talk)
            _, status, usage = os.wait4(child.pid, 0)
            self.wall = time.monotonic() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode not in codes:
                talk.seek(0)
                sys.exit(f"error: {command} ended with {child.returncode}:\n{talk.read().decode(errors='replace')[-3000:]}")
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = int(report.read_text().split()[-1]) / 1024


def table(header, rows):
    for row in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


def load():
    return " ".join(f"{x:.2f}" for x in os.getloadavg())


def many(program, options):
    """Many levels, 1 % of them changed."""
    before = load()
    with Project(options.levels) as project:
        first = Run([program, "sync", "--quiet", "--deadline", "2h"], project)
        good, runs = True, {"merely reading": [], "sync --dry-run": [], "sync": [], "sync, nothing changed": []}
        draw = random.Random(2)
        for _ in range(options.rounds):
            db = project.open()
            _, counts = project.change(db, draw.sample(project.all, len(project.all) // 100))
            db.close()
            runs["merely reading"].append(Run([sys.executable, "-c", READ], project))
            writes = project.store.writes()
            runs["sync --dry-run"].append(Run([program, "sync", "--dry-run", "--quiet"], project))
            good &= project.store.writes() == writes
            runs["sync"].append(Run([program, "sync", "--quiet", "--deadline", "2h"], project))
            good &= all(project.store.levels[pair] == count for pair, count in counts)
            runs["sync, nothing changed"].append(Run([program, "sync", "--quiet"], project))
        print(f"## Sync, {options.levels:,} levels, 1 % changed, rounds: {options.rounds}\n\nLoad average before {before}, after {load()} ({os.cpu_count()} cores).\n")
        reading, rows = runs["merely reading"], []
        rows.append(["the first sync: all read from the store", f"{first.wall:.2f}", f"{first.cpu:.2f}", "", f"{first.peak:.0f}", "200 MB"])
        for name, seen in runs.items():
            ratio = statistics.median(run.cpu / base.cpu for run, base in zip(seen, reading))
            goal = {"sync --dry-run": "3 x, 200 MB", "sync": "200 MB", "sync, nothing changed": "200 MB"}.get(name, "")
            rows.append([name, f"{statistics.median(run.wall for run in seen):.2f}", f"{statistics.median(run.cpu for run in seen):.2f}",
                         f"{ratio:.2f} x", f"{max(run.peak for run in seen):.0f}", goal])
        table(["", "wall s", "CPU s", "ratio of CPU", "peak MiB", "at most"], rows)
        changed = options.levels // 100
        extra = statistics.median(run.wall - idle.wall for run, idle in zip(runs["sync"], runs["sync, nothing changed"]))
        pace = f"{changed / extra:,.0f} a second beyond a run with nothing to do" if extra > 0.05 else "too few to say how many a second"
        print(f"- {changed:,} changes sent and kept with full sync of the disk: {pace}")
        print(f"- {'what was to be sent was sent, and the dry run sent nothing' if good else 'NOT what was to be sent was sent'}\n", flush=True)
        return good


def latencies(changes, acknowledged):
    """Seconds from each change to the acknowledgement of it, or of what is newer; and how many never were."""
    found, never, places = [], 0, {}
    for moment, pair, count in changes:
        seen = acknowledged.get(pair, [])
        place = places.get(pair, 0)
        while place < len(seen) and seen[place][1] < count:
            place += 1
        places[pair] = place
        if place < len(seen):
            found.append(seen[place][0] - moment)
        else:
            never += 1
    return sorted(found), never


def feed(project, options, after):
    """Commits changes at the given rate; each as (moment, pair, count)."""
    db, draw, changes, step = project.open(), random.Random(3), [], 0.02
    some = max(1, round(options.rate * step))
    began, turn = time.monotonic(), 0
    while time.monotonic() - began < options.seconds:
        moment, counts = project.change(db, draw.sample(project.all, some))
        changes += [(moment, pair, count) for pair, count in counts]
        after(counts)
        turn += 1
        time.sleep(max(0, began + turn * step - time.monotonic()))
    db.close()
    return changes


def shown(name, changes, found, never, calls):
    if not found:
        return [name, len(changes), "", "", "", never, calls]
    return [name, f"{len(changes):,}", f"{statistics.median(found) * 1000:.0f}", f"{found[int(len(found) * 0.99)] * 1000:.0f}", f"{found[-1] * 1000:.0f}", never, calls]


def by_daemon(program, options, webhook):
    port = tills.free_port()
    source = tills.SOURCE + '\ncursor = "seq"\npoll = "100ms"'
    with Project(2 * options.skus, source=source, webhook='\n[source.webhook]\nform = "generic"\nsecret = ["env:TILL_SECRET"]\n') as project:
        Run([program, "sync", "--quiet"], project)
        daemon = project.start("sync", "--watch", "--listen", f"127.0.0.1:{port}")
        time.sleep(3)
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        events = [0]

        def ring(_):
            events[0] += 1
            body, moment = json.dumps({"id": f"event-{events[0]}"}).encode(), str(int(time.time()))
            signature = "sha256=" + hmac.new(tills.SECRET.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
            link.request("POST", "/stock/tills", body, {"X-Shelfcast-Timestamp": moment, "X-Shelfcast-Signature": signature})
            link.getresponse().read()

        before = project.store.writes()
        changes = feed(project, options, ring if webhook else lambda _: None)
        last = {pair: count for _, pair, count in changes}
        until = time.monotonic() + 60
        while time.monotonic() < until and any(project.store.levels[pair] != count for pair, count in last.items()):
            time.sleep(0.2)
        daemon.terminate()
        done = project.end(daemon)
        if done.code not in (0, 130, 143):
            print(f"- the daemon ended with {done}")
        found, never = latencies(changes, project.store.acknowledged)
        return shown("daemon, a row's commit and a webhook" if webhook else "daemon, a row's commit", changes, found, never, project.store.writes() - before), never == 0


def by_client(options):
    """No state, no source: what is new is sent as the daemon would."""
    with Project(2 * options.skus) as project:
        ready, new, stop = threading.Condition(), {}, []

        def give(counts):
            with ready:
                new.update(counts)
                ready.notify()

        def send():
            link = http.client.HTTPConnection(project.store.address.removeprefix("http://"))
            link.connect()
            number = 0
            while True:
                with ready:
                    while not new and not stop:
                        ready.wait()
                    if not new:
                        return
                    batch = [(pair, new.pop(pair)) for pair in list(new)[:100]]
                number += 1
                levels = [{"sku": sku, "location": place, "quantity": count, "expected": project.store.levels[place, sku]} for (place, sku), count in batch]
                link.request("POST", "/stock", json.dumps({"levels": levels}), {"Authorization": f"Bearer {tills.TOKEN}", "Idempotency-Key": str(number)})
                json.loads(link.getresponse().read())

        sender = threading.Thread(target=send)
        sender.start()
        changes = feed(project, options, give)
        with ready:
            stop.append(True)
            ready.notify()
        sender.join()
        found, never = latencies(changes, project.store.acknowledged)
        return shown("a client that only calls", changes, found, never, project.store.writes()), never == 0


def changes(program, options):
    """From a change to its acknowledgement."""
    before, rows, good = load(), [], True
    for row, well in (by_client(options), by_daemon(program, options, False), by_daemon(program, options, True)):
        rows.append(row)
        good &= well
    print(f"## Daemon, {options.rate:,} changes/s for {options.seconds} s over {2 * options.skus:,} levels\n\nLoad average before {before}, after {load()} ({os.cpu_count()} cores).\n")
    table(["", "changes", "median ms", "p99 ms (aim 500)", "longest ms", "never", "calls"], rows)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--levels", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--skus", type=int, default=2000, help="SKUs of the daemon's shop, at two locations each")
    parser.add_argument("--only", choices=["many", "daemon"])
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    good = True
    if options.only != "daemon":
        good &= many(program, options)
    if options.only != "many":
        good &= changes(program, options)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
