#!/usr/bin/env python3
"""A disk that is full: at every page of a small file system in memory, else (nothing may be mounted) by a limit on the size of
files. The old feed stands whole, the exit code is 8, and the run after space was made completes.
"""
import collections
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import lamps
from lamps import SHOP, SOURCE, Shop, expect, lamp

FEED = SHOP + SOURCE + '[[feed]]\nname = "google"\nchannel = "google-products"\n[[feed.to]]\npath = "web/"\n'
PAGE = 4096
# Both versions, byte for byte.
WHOLE = set()


def second(shop):
    shop.catalog(lamp(n, title=f"Lampka nr {n}", description="Czerwona lampa " * 8) for n in range(1, 61))


def check(shop, told, first, limited, free):
    """A publication without space, then one with."""
    done = limited(shop)
    expect(done.code in (0, 8, 4, 3), f"{told}: {done}")
    stands = shop.read("web/google.xml")
    expect(stands in WHOLE, f"{told}: what stands is no published version")
    expect(done.code != 0 or stands != first, f"{told}: exit code 0, and the old version stands")
    free(shop)
    rerun = shop.run("publish")
    expect(rerun.code == 0, f"{told}, then space: {rerun}\n--- before\n{done}")
    expect(shop.read("web/google.xml") in WHOLE - {first}, f"{told}: the rerun does not complete")
    doctor = shop.run("doctor")
    expect(doctor.code == 0, f"{told}, then doctor: {doctor}")
    left = sorted(path.name for path in (shop.folder / "web").iterdir())
    expect(left == ["google.xml"], f"{told}: left in the folder: {left}")
    return done.code


def by_mount(ready, first):
    """Each amount of free space from none to plenty, a page at a time."""
    codes, disk = collections.Counter(), Path(tempfile.mkdtemp(prefix="shelfcast-disk-"))
    pages = list(range(0, 200))
    drawn = lamps.draw(pages, 2)
    plenty = 0
    for page in drawn:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], check=True)
        try:
            shutil.copytree(ready.folder, disk / "shop")
            shop = Shop(folder=disk / "shop")
            space = os.statvfs(disk)
            with open(disk / "filler", "wb") as filler:
                filler.write(bytes((space.f_bavail - page) * PAGE))
            code = check(shop, f"{page} pages free", first, lambda shop: shop.run("publish"), lambda _: (disk / "filler").unlink())
        finally:
            subprocess.run(["umount", str(disk)], check=True)
        codes[code] += 1
        plenty = plenty + 1 if code == 0 else 0
        if plenty == 3:
            break
    disk.rmdir()
    expect(codes[8] > 4 and codes[0] > 0, f"some runs must lack space and some not: {dict(codes)}")
    shown = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    print(f"full disk, pages of a small file system: {sum(codes.values())} runs, exit codes {shown}")


def by_limit(ready, first):
    """No file may grow beyond so many bytes: the feed, the state, what is kept."""
    codes = collections.Counter()
    sizes = lamps.draw(range(0, 120_000, 1024), 9)

    def one(size):
        with ready.copy() as shop:
            def limit():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

            code = check(shop, f"files of {size} bytes at most", first,
                         lambda shop: shop.run("publish", preexec_fn=limit, restore_signals=False), lambda _: None)
            codes[code] += 1

    lamps.each(one, sizes)
    expect(codes[8] > 4 and codes[0] > 0, f"some runs must lack space and some not: {dict(codes)}")
    shown = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    print(f"full disk, limited files: {sum(codes.values())} runs, exit codes {shown}")


def may_mount():
    """Whether a file system in memory can be had."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return done.returncode == 0


def main():
    with Shop(FEED) as ready:
        ready.catalog(lamp(n) for n in range(1, 61))
        published = ready.run("publish")
        expect(published.code == 0, str(published))
        first = ready.read("web/google.xml")
        second(ready)
        with ready.copy() as whole:
            expect(whole.run("publish").code == 0, "the second version is published")
            WHOLE.update({first, whole.read("web/google.xml")})
        if may_mount():
            by_mount(ready, first)
        else:
            print("full disk: nothing may be mounted; the size of files is limited instead")
        by_limit(ready, first)
    lamps.end()


main()
