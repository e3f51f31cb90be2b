#!/usr/bin/env python3
"""Readers in a loop while publications come and are killed, at named points and at any time. In a folder they follow an index to
its parts: it never names a part that is missing, and every part read is one that was published, byte for byte. On an SFTP
server every byte string read is a published version.
"""
import os
import random
import re
import subprocess
import threading
import time
from pathlib import Path

import lamps
from lamps import NOW, ROOT, SHOP, SOURCE, Shop, expect, lamp, program, wrong

ROUNDS = int(os.environ.get("SHELFCAST_ROUNDS") or (500 if lamps.LONG else 20))
POINTS = ["P5", "P6", "P7", "P8", "P9:2", "P10:2", "P11:3", "P12", "P13", "P14", "P14:2", "M1", "M2", "M3"]
SEED = 20261122


def named(index):
    """The parts that an index names."""
    return [name.decode() for name in re.findall(rb"<loc>[^<]*/([^/<]+)</loc>", index)]


class Readers:
    """Eight that read the index and then each part it names."""

    def __init__(self, folder, index):
        self.folder, self.index, self.over = folder, index, False
        self.followed, self.parts = [0] * 8, set()
        self.threads = [threading.Thread(target=self.loop, args=(n,)) for n in range(8)]
        for thread in self.threads:
            thread.start()

    def loop(self, number):
        while not self.over:
            try:
                index = (self.folder / self.index).read_bytes()
            except FileNotFoundError:
                wrong("the index is away")
                continue
            for name in named(index):
                try:
                    self.parts.add((name, (self.folder / name).read_bytes()))
                except FileNotFoundError:
                    # It may have gone with the index that named it; never while that index stands.
                    if (self.folder / self.index).read_bytes() == index:
                        wrong(f"the index names {name}, which is not there")
            self.followed[number] += 1
            time.sleep(0.002)

    def stop(self):
        self.over = True
        for thread in self.threads:
            thread.join()


def killed(shop, number, chance, point):
    """One publication that is killed at a point, or where none is given at any time, and one that completes it."""
    environment = dict(os.environ, SHELFCAST_NOW=NOW) | ({"SHELFCAST_KILL_AT": point} if point else {})
    child = subprocess.Popen([program(), "publish"], cwd=shop.folder, env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if point is None:
        time.sleep(chance.uniform(0, 0.25))
        child.kill()
    died = child.wait() < 0
    rerun = shop.run("publish")
    expect(rerun.code == 0, f"round {number}, killed at {point or 'a random time'}: {rerun}")
    return died


def on_sftp():
    """One file on an SFTP server, read where the server keeps it."""
    here = Path(os.environ.get("SHELFCAST_TEST_SFTP", "/nonexistent"))
    if not here.exists():
        print("skipped: no SFTP server (SHELFCAST_TEST_SFTP)")
        return
    chance = random.Random(SEED)
    user, port = (here / "address").read_text().split()[:2]
    served = here / "served" / f"readers-{os.getpid()}.xml"
    feed = (SHOP + SOURCE + '[[feed]]\nname = "google"\nchannel = "google-products"\n[[feed.to]]\n'
            f'url = "sftp://{user}@127.0.0.1:{port}{served}"\nkey = "file:{here}/id_ed25519"\nknown_hosts = "{here}/known_hosts"\n')
    with Shop(feed) as shop:
        def edition(number):
            shop.catalog(lamp(n, title=f"Lampa nr {n} {number}") for n in range(1, 31))

        edition(0)
        if not expect((done := shop.run("publish")).code == 0, str(done)):
            return
        versions, seen, over, reads = {served.read_bytes()}, set(), [], [0] * 8

        def loop(reader):
            while not over:
                try:
                    seen.add(served.read_bytes())
                except FileNotFoundError:
                    wrong("the file on the server is away")
                reads[reader] += 1
                time.sleep(0.002)

        readers = [threading.Thread(target=loop, args=(n,)) for n in range(8)]
        for reader in readers:
            reader.start()
        kills = 0
        for number in range(1, ROUNDS + 1):
            edition(number)
            kills += killed(shop, number, chance, ["P8", "P9", "P10", "P11", "P12"][number // 2 % 5] if number % 2 else None)
            versions.add(served.read_bytes())
        over.append(True)
        for reader in readers:
            reader.join()
        expect(seen <= versions, "something was read that was never published")
        expect(len(versions) == ROUNDS + 1, f"{len(versions)} versions in {ROUNDS} rounds")
        expect(kills > ROUNDS // 4, f"only {kills} kills in {ROUNDS} rounds")
        print(f"readers, SFTP: {sum(reads)} reads, {len(versions)} versions, {kills} kills (seed {SEED})", flush=True)
    served.unlink()
    left = [path.name for path in served.parent.iterdir() if path.stem.startswith(f".readers-{os.getpid()}")]
    expect(not left, f"left on the server: {left}")


def in_folder():
    chance = random.Random(SEED)
    feed = (SHOP + SOURCE + '[[feed]]\nname = "sitemap"\nchannel = "small-sitemap"\n[feed.settings]\nbase_url = "https://lampy.example/maps"\n'
            '[feed.gate]\nremoved = "off"\nadded = "off"\nbytes = "off"\n[[feed.to]]\npath = "web/"\n')
    with Shop(feed) as shop:
        text = (ROOT / "channels/sitemap-products.toml").read_text()
        text = text.replace('name = "sitemap-products"', 'name = "small-sitemap"').replace("items = 50_000", "items = 5")
        shop.write("channels/small-sitemap.toml", text)
        for template in ("sitemap-products.hbs", "sitemap-index.hbs"):
            shop.write(f"templates/{template}", (ROOT / "templates" / template).read_bytes())

        def edition(number):
            # Parts come and go from edition to edition.
            shop.catalog(lamp(n, image=f"https://lampy.example/i/{number}/{n}.jpg") for n in range(1, 7 + (number * 7) % 24))

        edition(0)
        done = shop.run("publish")
        if not expect(done.code == 0, str(done)):
            return
        web = shop.folder / "web"
        index = [path.name for path in web.iterdir() if b"<sitemapindex" in path.read_bytes()]
        if not expect(len(index) == 1, f"no index in {sorted(path.name for path in web.iterdir())}"):
            return
        index, published, kills, fewest, most = index[0], set(), 0, 99, 0

        def keep():
            names = named((web / index).read_bytes())
            published.update((name, (web / name).read_bytes()) for name in names)
            left = {path.name for path in web.iterdir()} - {index, *names}
            expect(not left, f"parts that no index names stay: {sorted(left)}")
            return len(names)

        keep()
        readers = Readers(web, index)
        for number in range(1, ROUNDS + 1):
            edition(number)
            point = POINTS[number // 2 % len(POINTS)] if number % 2 else None
            kills += killed(shop, number, chance, point)
            count = keep()
            fewest, most = min(fewest, count), max(most, count)
        readers.stop()
        doctor = shop.run("doctor")
        expect(doctor.code == 0, str(doctor))
        strange = {name for name, _ in readers.parts - published}
        expect(not strange, f"parts that were read and never published: {sorted(strange)}")
        expect(kills > ROUNDS // 4, f"only {kills} kills in {ROUNDS} rounds")
        print(f"readers, index and parts: {sum(readers.followed)} times followed, {len(readers.parts)} parts seen, {ROUNDS + 1} publications of {fewest} to {most} "
              f"parts, {kills} kills (seed {SEED})", flush=True)


in_folder()
on_sftp()
lamps.end()
