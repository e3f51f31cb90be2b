#!/usr/bin/env python3
"""Clock jumps: the machine's clock (a library that is loaded before the C library stands in for it) goes an hour back, a year on,
to 1970 and back again between publications, and `--now` does the same on its own. What was made is what stands, versions
and receipts keep their order, request channels get what changed and no less, `doctor` finds nothing.
"""
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import lamps
from lamps import SHOP, SOURCE, Server, Shop, expect, lamp

HOUR, DAY = 3600, 86_400
# Seconds that the clock is wrong by, one publication after the other.
JUMPS = [0, -HOUR, HOUR, 365 * DAY, 0, -30 * DAY, -1_700_000_000, 0, 10 * 365 * DAY, 1, 0]
NOWS = ["2026-11-22T10:00:00Z", "1970-01-01T00:00:00Z", "2027-11-22T10:00:00Z", "2026-10-25T00:59:59Z", "2026-10-25T01:00:00Z",
        "2016-12-31T23:59:60Z", "2026-03-29T01:30:00Z", "2026-11-22T10:00:00Z"]
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, at);
    const char *off = getenv("CLOCK_OFF_BY");
    if (result == 0 && off && clock == CLOCK_REALTIME) at->tv_sec += atoll(off);
    return result;
}
"""


def shim(folder):
    """The library, or nothing where no compiler makes it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source, library = Path(folder) / "clock.c", Path(folder) / "clock.so"
    source.write_text(SHIM)
    made = subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], capture_output=True)
    return library if made.returncode == 0 else None


def by_now():
    """`--now` goes to and fro; the feed is that of its own moment, and nothing else minds."""
    with Shop(SHOP + SOURCE + '[[feed]]\nname = "google"\nchannel = "google-products"\n[[feed.to]]\npath = "web/"\n') as shop:
        for number, now in enumerate(NOWS, 1):
            shop.catalog(lamp(n, title=f"Lampa nr {n} {number}") for n in range(1, 13))
            done = shop.run("publish", "--json", "--now", now)
            expect(done.code == 0 and done.line("feed").get("version") == number, f"--now {now}: {done}")
            expect(f"nr 3 {number}".encode() in shop.read("web/google.xml"), f"--now {now}: another version stands")
            again = shop.run("publish", "--json", "--now", now)
            expect(again.line("feed").get("outcome") == "unchanged", f"--now {now}, again: {again}")
        expect(shop.run("doctor").code == 0, "doctor")


def by_machine(library):
    """A folder and a channel that takes requests."""
    calls = []

    def answer(request):
        if request["path"] == "/auth/token":
            return 200, {"Content-Type": "application/json"}, b'{"access_token":"a","token_type":"bearer","expires_in":3600}'
        sku = json.loads(request["body"])["offerId"]
        calls.append((sku, json.loads(request["body"])["productAttributes"]["title"]))
        return 200, {"Content-Type": "application/json"}, json.dumps({"offerId": sku}).encode()

    server = Server(answer)
    feeds = ('[[feed]]\nname = "google"\nchannel = "google-products"\n[[feed.to]]\npath = "web/"\n'
             '[[feed]]\nname = "requests"\nchannel = "google-merchant-api"\n[feed.settings]\naccount = "1"\ndata_source = "2"\nfeed_label = "PL"\n'
             f'[[feed.to]]\nrequests = true\nurl = "{server.address}"\nfull_every = "3650d"\n[feed.to.secrets]\n'
             'client_id = "env:ID"\nclient_secret = "env:ID"\nrefresh_token = "env:ID"\n')
    with Shop(SHOP + SOURCE + feeds) as shop:
        text = (lamps.ROOT / "channels/google-merchant-api.toml").read_text()
        shop.write("channels/google-merchant-api.toml", text.replace("https://oauth2.googleapis.com/token", f"{server.address}/auth/token"))
        known, full = {}, 0
        for number, off in enumerate(JUMPS, 1):
            # Two titles go to and fro: what was sent two publications ago is what is made now.
            titles = {f"LMP-{n:03}": f"Lampa nr {n}" + (f" {number % 2}" if n <= 2 else "") for n in range(1, 7)}
            shop.catalog(lamp(n, title=titles[f"LMP-{n:03}"]) for n in range(1, 7))
            told = f"clock off by {off} s"
            done = shop.run("publish", "--json", environment={"LD_PRELOAD": str(library), "CLOCK_OFF_BY": str(off), "ID": "given"})
            expect(done.code == 0, f"{told}: {done}")
            outcomes = [line.get("outcome") for line in done.lines() if line.get("type") == "feed"]
            expect(outcomes == ["published", "published"], f"{told}: {outcomes}")
            expect(titles["LMP-001"].encode() in shop.read("web/google.xml"), f"{told}: another version stands")
            known.update(calls)
            full += len(calls) == 6
            calls.clear()
            expect(known == titles, f"{told}: the channel has {known}")
            for command in ("status", "history google", "doctor"):
                ran = shop.run(*command.split(), environment={"LD_PRELOAD": str(library), "CLOCK_OFF_BY": str(off), "ID": "given"})
                expect(ran.code in (0, 6) if command == "status" else ran.code == 0, f"{told}, {command}: {ran}")
        expect(full < len(JUMPS) - 2, f"everything was sent {full} times in {len(JUMPS)}")
        back = shop.run("rollback", "google", "--reason", "back", environment={"ID": "given"})
        expect(back.code == 0 and f"Lampa nr 1 {(len(JUMPS) - 1) % 2}".encode() in shop.read("web/google.xml"), f"rollback: {back}")
    server.stop()


def main():
    by_now()
    print(f"clock: --now at {len(NOWS)} moments to and fro", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        library = shim(folder)
        if library is None:
            print("skipped: the machine's clock: no C compiler")
        else:
            by_machine(library)
            print(f"clock: the machine's off by {JUMPS} s, {len(JUMPS)} publications of two feeds", flush=True)
    lamps.end()


main()
