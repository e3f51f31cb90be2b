#!/usr/bin/env python3
"""Each file and network call of one publication failed once (EIO, and ENOSPC where it writes) and killed once, by strace.

Whatever happens: what stands is a published version, byte for byte; the exit code is one that says what to do; no receipt is
there for what does not stand; the next run completes; `doctor` finds nothing.
"""
import collections
import re
import shutil
import subprocess

import lamps
from lamps import SHOP, SOURCE, Files, Shop, expect, lamp

FILE_CALLS = ("open openat creat read pread64 readv write pwrite64 writev fsync fdatasync sync_file_range ftruncate fallocate "
              "rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir link linkat symlink symlinkat chmod fchmod fchmodat "
              "chown fchown fchownat flock fcntl lseek getdents64 stat fstat newfstatat statx access faccessat faccessat2 "
              "copy_file_range sendfile utimensat").split()
NETWORK_CALLS = ("socket connect sendto recvfrom sendmsg recvmsg setsockopt getsockopt getpeername getsockname poll ppoll "
                 "epoll_create1 epoll_ctl epoll_wait shutdown").split()
WRITES = {"write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "fallocate", "openat", "mkdir", "rename", "copy_file_range"}
# Waiting for several connections at once never fails on a disk or a network; the process is only killed there.
WAITS = {"poll", "ppoll", "epoll_create1", "epoll_ctl", "epoll_wait"}
# Configuration, source, partly, not delivered, busy, own disk; done where the call did not matter.
CODES = {0, 2, 3, 4, 5, 7, 8}


def calls(shop, arguments, known):
    """The calls of a publication since it began to read the project: (call, how manyth of its thread)."""
    log = shop.folder.parent / f"{shop.folder.name}.strace"
    done = shop.run(*arguments, wrap=["strace", "-f", "-q", "-o", str(log), "-e", "trace=openat," + ",".join("?" + k for k in known)])
    expect(done.code == 0, f"the traced publication: {done}")
    counted, found, begun = collections.Counter(), {}, False
    for line in log.read_text(errors="replace").splitlines():
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match is None:
            continue
        thread, call = match.groups()
        counted[thread, call] += 1
        begun = begun or "shelfcast.toml" in line
        if begun and call in known:
            found.setdefault((call, counted[thread, call]))
    log.unlink()
    return list(found)


def scene(name, text, known, stands, put_back=None):
    """A project with version 1 published and version 2 in its catalog, and what is done to it. Where all runs share one
    server, `put_back` makes the first version stand there again, and one runs at a time."""
    with Shop(text) as ready:
        ready.catalog(lamp(n) for n in range(1, 13))
        first_run = ready.run("publish")
        if not expect(first_run.code == 0, f"{name}: the first publication: {first_run}"):
            return
        first = stands(ready)
        ready.catalog(lamp(n, title=f"Lampka nr {n}") for n in range(1, 13))
        arguments = ["publish", "--threads", "1", "--json", "--deadline", "20s"]
        with ready.copy() as whole:
            points = calls(whole, arguments, known)
            second = stands(whole)
        expect(first and second and first != second, f"{name}: two versions are needed")
        faults = []
        for call, nth in points:
            if call not in WAITS:
                faults.append((call, nth, "error=EIO"))
            if call in WRITES:
                faults.append((call, nth, "error=ENOSPC"))
            faults.append((call, nth, "signal=SIGKILL"))
        drawn = lamps.draw(faults, 23 if put_back is None else 3)
        codes, killed, failed = collections.Counter(), 0, 0

        def one(fault):
            nonlocal killed, failed
            call, nth, what = fault
            told = f"{name}: {call} number {nth}, {what}"
            with ready.copy() as shop:
                if put_back is not None:
                    put_back(first)
                # Injected for all threads; the log goes nowhere.
                done = shop.run(*arguments, wrap=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                                                  "-e", f"inject={call}:{what}:when={nth}"])
                if what == "signal=SIGKILL":
                    killed += done.code in (-9, 137)
                    expect(done.code in (-9, 137, 0), f"{told}: {done}")
                else:
                    failed += 1
                    codes[done.code] += 1
                    expect(done.code in CODES, f"{told}: {done}")
                now = stands(shop)
                expect(now in (first, second), f"{told}: what stands is no published version ({len(now or b'')} bytes)")
                if done.code == 0:
                    expect(now == second, f"{told}: exit code 0, and the new version does not stand")
                rerun = shop.run("publish", "--json")
                expect(rerun.code == 0, f"{told}, and run again: {rerun}\n--- before\n{done}")
                expect(stands(shop) == second, f"{told}: the rerun does not complete")
                doctor = shop.run("doctor")
                expect(doctor.code == 0, f"{told}, then doctor: {doctor}")
                left = [path.name for path in (shop.folder / "web").glob("*")] if (shop.folder / "web").exists() else ["google.xml"]
                expect(left == ["google.xml"], f"{told}: left in the folder: {left}")

        if put_back is None:
            lamps.each(one, drawn)
        else:
            for fault in drawn:
                one(fault)
        shown = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
        print(f"injected, {name}: {len(points)} calls, {len(drawn)} of {len(faults)} faults: {failed} failed (exit codes {shown}), "
              f"{killed} killed", flush=True)
        expect(killed > 0 and failed > 0, f"{name}: nothing was injected")


def main():
    if shutil.which("strace") is None:
        lamps.skip("strace is not installed")
    probe = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=write:error=EIO:when=1", "true"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if probe.returncode != 0:
        lamps.skip("ptrace is not permitted here: " + probe.stderr.decode(errors="replace").strip()[:200])
    feed = SHOP + SOURCE + '[[feed]]\nname = "google"\nchannel = "google-products"\n[[feed.to]]\n'
    scene("folder", feed + 'path = "web/"\n', FILE_CALLS, lambda shop: shop.read("web/google.xml"))
    files = Files()
    scene("web server", feed + f'url = "{files.server.address}/google.xml"\nretries = 1\ntimeout = "2s"\n', NETWORK_CALLS,
          lambda shop: files.kept.get("/google.xml"), lambda first: files.kept.update({"/google.xml": first}))
    lamps.end()


main()
