"""Tills in SQLite, an online store on loopback that compares before it sets and knows repeated batches, and what must hold of them.

Each script beside this one is `SCRIPT PROGRAM [--rounds N] [--seed N]`, prints what it counted, and ends with 0, or 1 with what went
wrong. The store keeps every level it was made to take, in order; the tills keep every count they ever had. A count stands at one
place in a pair's history, so that a level says which version of the source it comes from.
"""
import argparse
import json
import os
import random
import signal
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "publish"))
import lamps  # noqa: E402
from lamps import ROOT, Done, Shop, expect, wrong  # noqa: E402, F401

# Our location = the store's.
PLACES = {"siam": "S", "bangna": "B"}
# Two syncs on one account, so that there is a moment between them.
PROJECT = """
[shop]
name = "Baan"
url = "https://baan.example"
currency = "THB"
language = "th"
country = "TH"

SOURCES
[[location]]
code = "siam"

[[location]]
code = "bangna"

[[store]]
name = "web"
connector = "test"
url = "ADDRESS"
token = "env:STORE_TOKEN"
SYNCS"""
SOURCES = """
[[source]]
name = "FROM"
role = "stock"
SOURCE
basis = "on_hand"
order = "seq"
WEBHOOK"""
SYNC = """
[[sync]]
name = "NAME"
from = "FROM"
to = "web"
online_orders = "booked"
locations = { PLACES }
GUARD"""
SOURCE = 'database = "sqlite:tills.db"\nquery = "SELECT sku, location, on_hand, seq FROM stock"'
UNGUARDED = '\n[sync.guard]\nto_zero = "off"\nchanged = "off"\nunits = "off"\nvanished = "off"\n'
TOKEN = "t0ken-of-the-tests"
SECRET = "a-secret-of-sixteen-bytes-or-more"


def options(rounds, long_rounds, **more):
    """The command line of a script; SHELFCAST_LONG=1 draws the long number of rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=long_rounds if lamps.LONG else rounds)
    parser.add_argument("--seed", type=int, default=1)
    for name, value in more.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    return parser.parse_args()


class Store:
    """The online store. `log` has every level taken: pair, quantity, key; `calls` the moment of each call and whether it writes."""

    def __init__(self, seed=0):
        self.lock = threading.RLock()
        self.levels, self.keys, self.log, self.calls, self.outcomes = {}, {}, [], [], []
        self.refused, self.repeated, self.stale = set(), 0, 0
        # Chance that a call fails, by kind; drawn with a seed of its own.
        self.faults, self.random = {}, random.Random(seed)
        # What a call is held up for, in seconds.
        self.delay = 0.0
        # (where in a call, calls to go, process): the client is killed there.
        self.kill = None
        store = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True
            rbufsize = 0

            def handle(self):
                try:
                    while store.one(self):
                        pass
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

            def handle_error(self, *_):
                wrong(f"the store itself failed: {sys.exc_info()[1]!r}")

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def one(self, handler):
        """One call; false when the connection is to end."""
        data, reader = b"", handler.connection
        while b"\r\n\r\n" not in data:
            part = reader.recv(65536)
            if not part:
                return False
            data += part
        head, body = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        writes = method == "POST"
        with self.lock:
            self.calls.append((time.monotonic(), writes))
            point = self.due() if writes or (self.kill and self.kill[0] == "connect") else None
        if point == "connect":
            return self.dead()
        length = int(headers.get("content-length", 0))
        if point == "half":
            # The rest of it is never read.
            return self.dead()
        while len(body) < length:
            part = reader.recv(65536)
            if not part:
                return False
            body += part
        if point == "sent":
            # All of it came, and nothing is done with it.
            return self.dead()
        if self.delay:
            time.sleep(self.delay)
        fault = self.fault()
        self.outcomes.append((time.monotonic(), writes, fault or "answered"))
        if fault == "busy":
            status, answer = 429, {"error": {"code": "busy", "message": "too many calls"}}
        elif fault == "down":
            status, answer = 503, {"error": {"code": "down", "message": "not now"}}
        elif headers.get("authorization") != f"Bearer {TOKEN}":
            status, answer = 401, {"error": {"code": "token", "message": "who are you"}}
        elif writes:
            status, answer = self.write(json.loads(body), headers.get("idempotency-key"))
        else:
            status, answer = 200, self.read(urllib.parse.parse_qs(urllib.parse.urlsplit(target).query))
        if point == "applied":
            return self.dead()
        if fault == "lost":
            return False
        content = json.dumps(answer).encode()
        more = "Retry-After: 0\r\n" if status == 429 else ""
        text = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}Content-Length: {len(content)}\r\n\r\n".encode() + content
        if point == "answer":
            reader.sendall(text[: len(text) - len(content) // 2])
            time.sleep(0.02)
            return self.dead()
        reader.sendall(text)
        return True

    def due(self):
        """Where in this call the client is to be killed."""
        if self.kill is None:
            return None
        point, left = self.kill[:2]
        self.kill = (point, left - 1, *self.kill[2:])
        return point if left == 0 else None

    def dead(self):
        process = self.kill[2]
        process.send_signal(signal.SIGKILL)
        process.wait()
        return False

    def fault(self):
        with self.lock:
            drawn = self.random.random()
            for kind, chance in self.faults.items():
                if drawn < chance:
                    return kind
                drawn -= chance
        return None

    def write(self, body, key):
        with self.lock:
            asked = json.dumps(body, sort_keys=True)
            if key is None:
                wrong("a batch came without a key")
            elif key in self.keys:
                self.repeated += 1
                before, answer = self.keys[key]
                if before != asked:
                    wrong(f"the key {key} came again with another batch: {before} / {asked}")
                    return 409, {"error": {"code": "key", "message": "another batch had this key"}}
                return 200, answer
            results = []
            for level in body["levels"]:
                pair = (level["location"], level["sku"])
                result = {"sku": level["sku"], "location": level["location"], "status": "ok"}
                if pair not in self.levels or pair in self.refused:
                    result |= {"status": "refused", "code": "refused", "message": "not this one"}
                elif level["expected"] != self.levels[pair]:
                    if level["expected"] is None:
                        wrong(f"{pair} came without a level to compare with")
                    self.stale += 1
                    result |= {"status": "conflict"}
                else:
                    self.levels[pair] = level["quantity"]
                    self.log.append((pair, level["quantity"], key))
                results.append(result)
            answer = {"results": results}
            self.keys[key] = (asked, answer)
            return 200, answer

    def read(self, query):
        with self.lock:
            skus = query.get("skus", [""])[0].split(",")
            found = [{"sku": sku, "location": place, "quantity": self.levels[place, sku]}
                     for sku in skus for place in PLACES.values() if (place, sku) in self.levels]
            offset = int(query.get("offset", ["0"])[0])
            return {"levels": found[offset:offset + 200], "total": len(found)}

    def writes(self):
        """How many calls wrote so far."""
        with self.lock:
            return sum(1 for _, writes in self.calls if writes)


class Tills:
    """The shops' database, and every count a pair ever had."""

    def __init__(self, path, skus, rng):
        self.path, self.random, self.lock = path, rng, threading.RLock()
        self.history, self.index, self.seq = {}, {}, 0
        with self.open() as db:
            db.execute("CREATE TABLE stock (sku TEXT, location TEXT, on_hand INTEGER, seq INTEGER, PRIMARY KEY (sku, location))")
        self.close()
        self.set({(location, sku): self.fresh((location, sku)) for sku in skus for location in PLACES})

    def open(self):
        self.db = sqlite3.connect(self.path, timeout=30, isolation_level="DEFERRED")
        # Tills lose nothing here: only the program is killed.
        self.db.execute("PRAGMA synchronous = OFF")
        return self.db

    def close(self):
        self.db.close()

    def fresh(self, pair):
        """A count the pair never had."""
        while True:
            count = self.random.randrange(1000, 1_000_000)
            if count not in self.index.get(pair, ()):
                return count

    def set(self, counts):
        """Counts all of these anew, in one transaction."""
        with self.lock:
            with self.open() as db:
                for (location, sku), count in counts.items():
                    self.seq += 1
                    pair = (location, sku)
                    self.index.setdefault(pair, {})[count] = len(self.history.setdefault(pair, []))
                    self.history[pair].append(count)
                    db.execute("INSERT INTO stock VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET on_hand = excluded.on_hand, seq = excluded.seq",
                               (sku, location, count, self.seq))
            self.close()

    def pairs(self):
        return list(self.history)

    def now(self):
        """What the online store is to say."""
        with self.lock:
            return {(PLACES[location], sku): counts[-1] for (location, sku), counts in self.history.items()}

    def order(self, store, pair):
        """An order at the online store, booked by the tills at the same moment."""
        location, sku = pair
        with store.lock, self.lock:
            count = self.history[pair][-1] - 1
            if count in self.index[pair]:
                return
            self.set({pair: count})
            store.levels[PLACES[location], sku] -= 1
            # What comes from an earlier count may not be taken any more.
            store.log.append(((PLACES[location], sku), count, None))


class World:
    """A project, its tills and its store."""

    def __init__(self, rng, skus=40, syncs=("siam", "bangna"), apart=True, guard=UNGUARDED, source=SOURCE, webhook="", faults=None):
        self.random = rng
        self.store = Store(rng.random())
        self.store.faults = faults or {}
        self.shop = Shop("")
        self.folder = self.shop.folder
        manifest = (ROOT / "channels/http-json-stock.toml").read_text()
        for old, new in (('name = "http-json-stock"', 'name = "test-stock"'), ('quiet = "60s"', 'quiet = "1s"'), ("batch = 100", "batch = 10"),
                         ('pace = { requests = 5, per = "1s", burst = 5 }', 'pace = { requests = 10000, per = "1s", burst = 10000 }')):
            if old not in manifest:
                sys.exit(f"channels/http-json-stock.toml has no `{old}` any more")
            manifest = manifest.replace(old, new, 1)
        # A setting within an address is escaped, slashes too.
        manifest = manifest.replace("'{{settings.path}}?", "'/stock?")
        self.shop.write("channels/test-stock.toml", manifest)
        parts, froms = "", {}
        for name in syncs:
            # A source of its own for each sync, or one for all.
            from_ = f"tills-{name}" if apart and len(syncs) > 1 else "tills"
            froms[from_] = SOURCES.replace("FROM", from_).replace("SOURCE", source).replace("WEBHOOK", webhook)
            places = PLACES if name == "all" else {name: PLACES[name]}
            shown = ", ".join(f'{location} = "{place}"' for location, place in places.items())
            parts += SYNC.replace("NAME", name).replace("FROM", from_).replace("PLACES", shown).replace("GUARD", guard)
        self.shop.write("shelfcast.toml", PROJECT.replace("SOURCES", "".join(froms.values())).replace("ADDRESS", self.store.address).replace("SYNCS", parts))
        self.skus = [f"KT-{number:04}" for number in range(skus)]
        self.tills = Tills(self.folder / "tills.db", self.skus, rng)
        self.store.levels = {(place, sku): 0 for sku in self.skus for place in PLACES.values()}
        self.checked = 0
        # What the last run took, in seconds.
        self.took = 0.3
        self.last = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.server.shutdown()
        self.store.server.server_close()
        self.shop.__exit__()

    def environment(self, **more):
        known = {name: value for name, value in os.environ.items() if name not in ("SHELFCAST_NOW", "SOURCE_DATE_EPOCH", "SHELFCAST_KILL_AT")}
        return known | {"STORE_TOKEN": TOKEN, "TILL_SECRET": SECRET, "RUST_BACKTRACE": "0"} | more

    def start(self, *arguments, environment=None, **more):
        """Starts the program in the project; output goes to files, since nobody reads while it runs."""
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen([lamps.program(), *arguments], cwd=self.folder, env=self.environment(**(environment or {})), stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err, **more)
        process.files = out, err
        return process

    def end(self, process, timeout=120):
        """Waits for it."""
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            wrong(f"{' '.join(process.args[1:])}: no end after {timeout} s")
        texts = []
        for file in process.files:
            file.seek(0)
            texts.append(file.read())
            file.close()
        return Done(subprocess.CompletedProcess(process.args, process.returncode, *texts))

    def run(self, *arguments, **more):
        return self.end(self.start(*arguments, **more))

    def change(self, share=0.3):
        """Some pairs are counted anew, some sold at the online store."""
        pairs = self.tills.pairs()
        drawn = self.random.sample(pairs, max(1, int(len(pairs) * self.random.random() * share)))
        self.tills.set({pair: self.tills.fresh(pair) for pair in drawn})
        for pair in self.random.sample(pairs, 2):
            self.tills.order(self.store, pair)

    def settle(self, told, runs=12):
        """Runs to the end, then the store must say what the tills say."""
        for turn in range(runs):
            began = time.monotonic()
            done = self.run("sync", "--wait", "5s")
            self.took = time.monotonic() - began
            if done.code not in (0, 3, 4):
                wrong(f"{told}: {done}")
                return
            if done.code == 0 and self.store.levels == self.tills.now():
                break
            # What a dead run left unknown is settled after the store's quiet time.
            time.sleep(0.3 if turn < 4 else 2)
            if turn == 4:
                print(f"{told}: still not in step after {turn + 1} runs, goes on: {done.out}{done.err}", flush=True)
        differ = [(pair, self.store.levels[pair], count) for pair, count in self.tills.now().items() if self.store.levels[pair] != count]
        expect(not differ, f"{told}: not in step after {runs} runs (pair, store, tills): {differ[:5]} of {len(differ)}; the last run: {done}")
        self.history(told)

    def history(self, told):
        """Nothing older over something newer, no order overwritten, nothing twice for a key."""
        names = {place: location for location, place in PLACES.items()}
        with self.store.lock:
            new, self.checked = self.store.log[self.checked:], len(self.store.log)
        seen = set()
        for (place, sku), quantity, key in new:
            version = self.tills.index[names[place], sku].get(quantity)
            if version is None:
                wrong(f"{told}: {place} {sku} was set to {quantity}, which the tills never said")
                continue
            before = self.last.get((place, sku), -1)
            expect(version >= before, f"{told}: {place} {sku} was set to {quantity}, version {version}, after version {before}")
            if key is not None:
                expect((key, place, sku) not in seen, f"{told}: the key {key} was applied twice to {place} {sku}")
                seen.add((key, place, sku))
            self.last[place, sku] = max(version, before)

    def doctor(self, told):
        done = self.run("doctor")
        expect(done.code == 0, f"{told}: doctor: {done}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
