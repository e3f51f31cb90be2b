#!/usr/bin/env python3
"""Secrets: a canary in every slot, all commands at the highest verbosity, failing and succeeding, with `--json` and without.
Everything printed and every file written is searched: no canary is ever in it, nor a canary in base64 or percent signs.
"""
import base64
import itertools
import socket
import subprocess
import urllib.parse

import lamps
from lamps import SHOP, SOURCE, Files, Server, Shop, expect, lamp

_count = itertools.count(1)
CANARIES = {}


def canary(slot):
    """A value that stands nowhere else; its slot is kept to tell where it came from."""
    value = f"k4n4ry{next(_count):02d}Zq7-{slot.replace('_', '-')}"
    CANARIES[value] = slot
    return value


def private_key():
    """Lines as a private key has them, unreadable as one."""
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{canary('key')}\n-----END OPENSSH PRIVATE KEY-----\n"


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def destination(lines):
    return '[[feed]]\nname = "google"\nchannel = "google-products"\n[[feed.to]]\nretries = 1\ntimeout = "2s"\n' + lines


def environment(**slots):
    """Variables with canaries, by slot."""
    return {name: canary(slot) for name, slot in slots.items()}


def reflecting(request):
    """A server that says everything it was told, in an error."""
    headers = "; ".join(f"{name}: {value}" for name, value in request["headers"].items())
    body = f"{request['path']} {headers} {request['body'][:400].decode(errors='replace')}".encode()
    status = 401 if request["method"] != "GET" else 500
    return status, {"X-Reflected": headers.replace("\n", " ")}, body


def scenes(server, closed, files):
    """Name, project, environment, files that hold secrets."""
    reflect = server.address
    for name, place in (("works", files.server.address), ("reflects", reflect), ("closed", f"http://127.0.0.1:{closed}")):
        yield (f"https token, {name}", destination(f'url = "{place}/google.xml"\ntoken = "env:TOKEN"\nheaders = {{ "X-Key" = "env:HEADER" }}\n'),
               environment(TOKEN="token", HEADER="headers"), {})
        yield (f"https password, {name}", destination(f'url = "{place}/google.xml"\nuser = "lampy"\npassword = "file:secret.txt"\nheaders = {{ "X-Key" = "file:header.txt" }}\n'),
               {}, {"secret.txt": canary("password"), "header.txt": canary("header_file")})
        if name != "works":
            yield (f"s3, {name}", destination(f's3url\naccess_key = "env:AK"\nsecret_key = "env:SK"\ntoken = "env:ST"\nendpoint = "{place}"\nregion = "eu-central-1"\n'
                                              .replace("s3url", 'url = "s3://bucket/feeds/"')),
                   environment(AK="access_key", SK="secret_key", ST="session_token"), {})
            yield (f"az, {name}", destination(f'url = "az://container/feeds/"\naccount = "lampy"\naccess_key = "env:AK"\nendpoint = "{place}"\n'),
                   {"AK": encoded("az_key")}, {})
            yield (f"gs, {name}", destination(f'url = "gs://bucket/feeds/"\ntoken = "env:GT"\nendpoint = "{place}"\n'), environment(GT="gs_token"), {})
            yield (f"gs key, {name}", destination(f'url = "gs://bucket/feeds/"\nkey = "file:service.json"\nendpoint = "{place}"\n'),
                   {}, {"service.json": f'{{"type":"service_account","private_key":"{canary("service_key")}","private_key_id":"1","client_email":"a@b.example","token_uri":"{place}/t"}}'})
            port = place.rsplit(":", 1)[1]
            for scheme in ("sftp", "ftps"):
                yield (f"{scheme} password, {name}", destination(f'url = "{scheme}://lampy@127.0.0.1:{port}/feeds/"\npassword = "env:PW"\n'), environment(PW=f"{scheme}_password"), {})
            yield (f"sftp key, {name}", destination(f'url = "sftp://lampy@127.0.0.1:{port}/feeds/"\nkey = "file:id"\nkey_passphrase = "env:PHRASE"\n'),
                   environment(PHRASE="key_passphrase"), {"id": private_key()})
            yield (f"meta, {name}", '[[feed]]\nname = "google"\nchannel = "meta-items-batch"\n[feed.settings]\ncatalog_id = "1"\n[[feed.to]]\nretries = 1\nrequests = true\n'
                   f'url = "{place}"\n[feed.to.secrets]\ntoken = "env:META"\n', environment(META="feed.to.secrets"), {})
    yield ("secrets written in place of references", destination(f'url = "{reflect}/google.xml"\ntoken = "{canary("value_for_reference")}"\n'), {}, {})
    yield ("a secret in an address", destination(f'url = "sftp://lampy:{canary("password_in_address")}@127.0.0.1:{closed}/feeds/"\n'), {}, {})
    yield ("notify", '[notify]\nurl = "env:HOOK"\n' + destination(f'url = "{reflect}/google.xml"\n'), {"HOOK": f"{reflect}/hook/{canary('notify_url')}"}, {})
    yield ("notify, closed", '[notify]\nurl = "env:HOOK"\n' + destination(f'url = "{reflect}/google.xml"\n'),
           {"HOOK": f"http://127.0.0.1:{closed}/hook/{canary('notify_url_closed')}"}, {})
    yield ("notify, works", '[notify]\nurl = "env:HOOK"\n' + destination('path = "web/"\n'), {"HOOK": f"{files.server.address}/hook/{canary('notify_url_works')}"}, {})
    for kind in ("postgres", "mysql"):
        yield (f"database, {kind}", "DATABASE" + destination('path = "web/"\n'),
               {"DB": f"{kind}://lampy:{canary(kind)}@127.0.0.1:{closed}/shop"}, {})
    yield ("database, no address", "DATABASE" + destination('path = "web/"\n'), {"DB": canary("database_nonsense")}, {})


def encoded(slot):
    """A canary that is base64, as Azure's keys are."""
    value = base64.b64encode(canary(slot).encode()).decode()
    CANARIES[value] = slot
    return value


COMMANDS = [
    ["check"], ["build"], ["plan"], ["plan", "--report", "plan.html"], ["publish", "--dry-run"], ["publish"], ["publish", "--now", "2026-11-23T10:00:00Z"],
    ["status"], ["doctor"], ["history", "google"], ["show", "google@1"], ["audit"], ["audit", "--log"], ["diff", "google"],
    ["rollback", "google", "--reason", "back"], ["publish", "--unpin"], ["preview"], ["explain", "LMP-001"],
    ["publish", "--plan", "abcdef123456"], ["publish", "nobody"], ["channel", "list"],
]

# What is run where not everything is drawn.
SOME = [["plan"], ["publish"], ["publish", "--now", "2026-11-23T10:00:00Z"], ["doctor"]]


def search(text, told, own):
    """Looks for canaries, as they are and disguised."""
    for value in own:
        for kind, shape in (("", value), (" in base64", base64.b64encode(value.encode()).decode().rstrip("=")), (" in percent signs", urllib.parse.quote(value, safe=""))):
            expect(shape not in text, f"{told}: the secret of `{CANARIES[value]}`{kind} is there")


def one(scene):
    name, feeds, given, held = scene
    counts = [0, 0, 0]
    source = '[[source]]\nname = "products"\ndatabase = "env:DB"\nquery = "SELECT 1"\n' if feeds.startswith("DATABASE") else SOURCE
    feeds = feeds.removeprefix("DATABASE")
    own = [value for value in CANARIES if any(value in text for text in (*given.values(), *held.values(), feeds))]
    # Values for the file of variables have a way of their own.
    for by_file in (False, True):
        if by_file and not given:
            continue
        notify, feed = feeds.split("[[feed]]", 1)
        with Shop(SHOP + notify + source + "[[feed]]" + feed) as shop:
            shop.catalog(lamp(n) for n in range(1, 13))
            secret_files = {"shelfcast.toml", *held}
            for path, text in held.items():
                shop.write(path, text)
                (shop.folder / path).chmod(0o600)
            more = []
            if by_file:
                secret_files.add("secrets.env")
                shop.write("secrets.env", "".join(f"{key}={value}\n" for key, value in given.items()))
                (shop.folder / "secrets.env").chmod(0o600)
                more = ["--env-file", "secrets.env"]
            for place, command in enumerate(COMMANDS if lamps.LONG else SOME):
                for json in ([], ["--json"]) if lamps.LONG else ([["--json"], []][place % 2],):
                    done = shop.run(*command, *json, "-vvv", *more, environment={} if by_file else given)
                    counts[0] += 1
                    counts[1] += done.code == 0
                    told = f"{name}: `{' '.join([*command, *json])}` (exit code {done.code})"
                    expect(done.code >= 0 and done.code != 101, f"{told}: {done}")
                    search(done.out + done.err, told, own)
            for path in shop.folder.rglob("*"):
                if path.is_file() and path.relative_to(shop.folder).as_posix() not in secret_files:
                    counts[2] += 1
                    search(path.read_bytes().decode("latin-1"), f"{name}: {path.relative_to(shop.folder)}", own)
                    search(unpacked(path), f"{name}: {path.relative_to(shop.folder)}, unpacked", own)
    return counts


def unpacked(path):
    """What a compressed file holds, where something can take it out."""
    if path.suffix != ".zst":
        return ""
    try:
        return subprocess.run(["zstd", "-dc", str(path)], capture_output=True).stdout.decode("latin-1")
    except OSError:
        return ""


def main():
    server, files = Server(reflecting), Files()
    made = list(scenes(server, closed_port(), files))
    totals = [0, 0, 0]

    def counted(scene):
        for place, count in enumerate(one(scene)):
            totals[place] += count

    lamps.each(counted, made)
    arrived = [value for value in CANARIES if any(value in str(request["headers"].items()) or value in request["path"] for request in server.seen + files.server.seen)]
    expect(len(arrived) >= 4, f"secrets that are never used prove nothing: {arrived}")
    print(f"secrets: {len(CANARIES)} canaries in {len(made)} scenes, {totals[0]} runs ({totals[1]} succeeded), {totals[2]} files searched, "
          f"{len(arrived)} seen by a server")
    lamps.end()


main()
