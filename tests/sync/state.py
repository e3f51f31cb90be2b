#!/usr/bin/env python3
"""The state of a sync, damaged: database, log and mark are cut, bit-flipped, zeroed, swapped with older copies, or one of them is gone.
A run ends with 8, names the file, sends nothing and changes nothing; or what was flipped is used by nobody, and all is as it
should be. An older copy of all of it does no harm. A full disk: 8, and once there is space the run goes on.
"""
import collections
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import tills
from tills import World, expect, lamps, wrong

PAGE = 4096


class Damage:
    def __init__(self, world, rng):
        self.world, self.random = world, rng
        self.folder = world.folder / ".shelfcast"
        self.kept = Path(tempfile.mkdtemp(prefix="shelfcast-state-"))
        self.older, self.newer = self.kept / "older", self.kept / "newer"
        world.settle("the first run")
        shutil.copytree(self.folder, self.older)
        # Killed: there is a log beside the database, and a batch on its way.
        world.tills.set({pair: world.tills.fresh(pair) for pair in world.tills.pairs()})
        process = world.start("sync")
        world.store.kill = ("applied", 3, process)
        expect(world.end(process).code == -signal.SIGKILL, "the store kills a run")
        world.store.kill = None
        world.history("what was killed")
        shutil.copytree(self.folder, self.newer)
        world.change()
        self.levels, self.keys = dict(world.store.levels), dict(world.store.keys)
        self.codes = collections.Counter()

    def files(self, ending):
        return next(path for path in (self.folder / "sync").iterdir() if path.name == f"web.{ending}")

    def digest(self):
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (self.folder / "sync").iterdir() if path.suffix in (".db", ".mark", ".db-wal")}

    def back(self):
        shutil.rmtree(self.folder)
        shutil.copytree(self.newer, self.folder)
        store = self.world.store
        store.levels, store.keys = dict(self.levels), dict(self.keys)
        store.log, self.world.checked, self.world.last = [], 0, {}

    def check(self, told, damage, harmless=False):
        """One damage, one run; where it may be one that nobody sees, all must be well after it."""
        self.back()
        damage()
        before, calls = self.digest(), self.world.store.writes()
        done = self.world.run("sync")
        if done.code == 8:
            self.codes["exit 8"] += 1
            expect(self.world.store.writes() == calls, f"{told}: something was sent")
            expect(self.digest() == before, f"{told}: files were changed: {before} / {self.digest()}")
            expect("web." in done.err, f"{told}: the file is not named: {done}")
            again = self.world.run("sync")
            expect(again.code == 8 and self.world.store.writes() == calls, f"{told}: the second run: {again}")
            return
        if not harmless or done.code not in (0, 3, 4):
            wrong(f"{told}: expected 8: {done}")
            return
        self.codes["harmless"] += 1
        self.world.settle(f"{told} (taken for harmless)")
        self.world.doctor(told)

    def all(self, rounds):
        rng = self.random

        def cut(ending, size):
            os.truncate(self.files(ending), size)

        def flip(ending, place, bit):
            path = self.files(ending)
            data = bytearray(path.read_bytes())
            data[place] ^= 1 << bit
            path.write_bytes(data)

        def swap(*endings):
            for ending in endings:
                shutil.copy(self.older / "sync" / f"web.{ending}", self.folder / "sync" / f"web.{ending}")

        def gone(*endings):
            for ending in endings:
                self.files(ending).unlink()

        sizes = {ending: self.files(ending).stat().st_size for ending in ("db", "db-wal", "mark")}
        for ending in ("db", "mark"):
            size = sizes[ending]
            for told, damage in (("zeroed", lambda: self.files(ending).write_bytes(bytes(size))), ("emptied", lambda: cut(ending, 0)), ("gone", lambda: gone(ending)),
                                 ("garbage", lambda: self.files(ending).write_bytes(rng.randbytes(size)))):
                self.check(f"web.{ending} {told}", damage)
        self.check("web.mark of an older run", lambda: swap("mark"))
        self.check("web.db and its log of an older run", lambda: swap("db", "db-wal"))
        self.check("web.db and its log gone", lambda: gone("db", "db-wal"))
        if sizes["db-wal"]:
            self.check("web.db-wal gone", lambda: gone("db-wal"))
        for number in range(rounds):
            ending = ("db", "db-wal", "mark")[number % 3]
            if sizes[ending] == 0:
                continue
            size, place, bit = rng.randrange(sizes[ending]), rng.randrange(sizes[ending]), rng.randrange(8)
            # The database proper may have been moved on in the log: then nobody reads the old page.
            self.check(f"web.{ending} cut at {size} of {sizes[ending]}", lambda: cut(ending, size), harmless=ending != "mark")
            self.check(f"web.{ending}, bit {bit} of byte {place}", lambda: flip(ending, place, bit), harmless=True)
        self.back()
        swap("db", "db-wal", "mark")
        self.world.settle("an older copy of all of it")
        self.world.doctor("an older copy of all of it")
        self.back()
        self.world.settle("what was not damaged")
        shown = ", ".join(f"{count} x {code}" for code, count in sorted(self.codes.items()))
        print(f"state damaged: {sum(self.codes.values())} times ({sizes['db']} bytes, log {sizes['db-wal']}, mark {sizes['mark']}): {shown}", flush=True)
        shutil.rmtree(self.kept)


def full(rng, limited, drawn):
    """A run without space for so many bytes, then one with."""
    codes = collections.Counter()
    disk = Path(tempfile.mkdtemp(prefix="shelfcast-disk-"))
    with World(rng, skus=30) as world:
        world.settle("before the disk is full")
        home = world.folder
        for number in drawn:
            world.change(1.0)
            told = f"{number} {'bytes a file' if limited else 'pages free'}"
            if limited:
                def limit(number=number):
                    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))

                # Where the program's words go is no file of a limited size.
                done = world.run("sync", preexec_fn=limit, restore_signals=False)
            else:
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=True)
                shutil.copytree(home, disk / "shop")
                world.folder, world.tills.path = disk / "shop", disk / "shop" / "tills.db"
                with open(disk / "filler", "wb") as filler:
                    filler.write(bytes((os.statvfs(disk).f_bavail - number) * PAGE))
                done = world.run("sync")
                (disk / "filler").unlink()
            codes[done.code] += 1
            expect(done.code in (0, 8, 3, 4), f"{told}: {done}")
            world.settle(f"{told}, then space")
            world.doctor(f"{told}, then space")
            if not limited:
                shutil.rmtree(home)
                shutil.copytree(disk / "shop", home)
                world.folder, world.tills.path = home, home / "tills.db"
                subprocess.run(["umount", str(disk)], check=True)
    disk.rmdir()
    expect(codes[8] > 0 and codes[0] + codes[3] > 0, f"some runs must lack space and some not: {dict(codes)}")
    shown = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    print(f"full disk, {'limited files' if limited else 'pages of a small file system'}: {sum(codes.values())} runs, exit codes {shown}", flush=True)


def may_mount():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return done.returncode == 0


def main():
    given = tills.options(20, 300)
    rng = random.Random(given.seed)
    with World(rng, skus=30) as world:
        Damage(world, rng).all(given.rounds)
    if may_mount():
        full(rng, False, list(range(0, 160, 2 if lamps.LONG else 12)))
    else:
        print("full disk: nothing may be mounted; the size of files is limited instead")
    full(rng, True, list(range(0, 400_000, 4096 if lamps.LONG else 32_768)))
    print(f"state: seed {given.seed}")
    lamps.end()


main()
