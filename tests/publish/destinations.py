#!/usr/bin/env python3
"""Real destinations through the program: publish, change, publish, rollback, status and doctor on SFTP, FTPS and S3 servers
(those that `tests/services` started), and channels that take requests against a server that answers as theirs do.
"""
import base64
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import lamps
from lamps import ROOT, SHOP, SOURCE, Server, Shop, expect, lamp

LAMPS = 12


def catalog(shop, left_out=(), **titles):
    """Twelve lamps; some with another title, some not there."""
    shop.catalog(lamp(n, title=titles.get(f"n{n}", f"Lampa nr {n}")) for n in range(1, LAMPS + 1) if n not in left_out)


def round_of(name, lines, read, secrets=None):
    """One feed's life at a place: `read` gives what stands there."""
    secrets = secrets or {}
    feed = SHOP + SOURCE + f'[[feed]]\nname = "google"\nchannel = "google-products"\n[[feed.to]]\n{lines}'
    with Shop(feed) as shop:
        catalog(shop)

        def ran(*arguments, code=0):
            done = shop.run(*arguments, "--json", environment=secrets)
            expect(done.code == code, f"{name}: `{' '.join(arguments)}`: {done}")
            return done

        first = ran("publish")
        stands = read()
        files = first.line("feed").get("destinations", [{}])
        expect(stands is not None and stands.count(b"<item>") == LAMPS, f"{name}: the first version does not stand: {first}")
        expect(len(files) == 1 and files[0].get("outcome") == "delivered", f"{name}: {files}")
        again = ran("publish")
        expect(again.line("feed").get("outcome") == "unchanged" and again.line("feed").get("destinations") == [], f"{name}: sent again: {again}")
        catalog(shop, n3="Lampka trzecia")
        second = ran("publish")
        expect(second.line("feed").get("version") == 2, f"{name}: {second}")
        changed = read()
        expect("Lampka trzecia".encode() in (changed or b""), f"{name}: the second version does not stand")
        ran("rollback", "google", "--reason", "back")
        expect(read() == stands, f"{name}: rolled back, and other bytes stand")
        ran("publish", code=6)
        ran("publish", "--unpin")
        expect(read() == changed, f"{name}: no longer pinned, and the second version does not stand")
        status = ran("status")
        expect("google" in status.out, f"{name}: {status}")
        ran("doctor")
    print(f"destination, {name}: published, unchanged, changed, rolled back, unpinned", flush=True)


def from_folder(folder, name="google.xml"):
    path = Path(folder) / name
    # What other tests left there is not ours.
    before = {entry.name for entry in path.parent.iterdir()}

    def read():
        left = sorted(entry.name for entry in path.parent.iterdir() if entry.name not in before)
        expect(left == [name], f"{path.parent}: left there: {left}")
        return path.read_bytes() if path.exists() else None
    return read


def clear(served):
    for entry in Path(served).iterdir():
        if entry.is_file():
            entry.unlink()


def on_servers():
    """The servers that are there."""
    here = Path(os.environ.get("SHELFCAST_TEST_SFTP", "/nonexistent"))
    if here.exists():
        user, usual, bare, _ = (here / "address").read_text().split()
        for name, port in (("SFTP by key", usual), ("SFTP without posix-rename and fsync", bare)):
            clear(here / "served")
            round_of(name, f'url = "sftp://{user}@127.0.0.1:{port}{here}/served/"\nkey = "file:{here}/id_ed25519"\nknown_hosts = "{here}/known_hosts"\n',
                     from_folder(here / "served"))
        if (here / "password").exists():
            clear(here / "served")
            round_of("SFTP by password", f'url = "sftp://{user}@127.0.0.1:{usual}{here}/served/google.xml"\npassword = "file:{here}/password"\nknown_hosts = "{here}/known_hosts"\n',
                     from_folder(here / "served"))
        clear(here / "served")
    else:
        print("skipped: no SFTP server (SHELFCAST_TEST_SFTP)")
    here = Path(os.environ.get("SHELFCAST_TEST_FTPS", "/nonexistent"))
    if here.exists():
        user, explicit, implicit, _ = (here / "address").read_text().split()
        for scheme, port in (("ftps", explicit), ("ftps+implicit", implicit)):
            clear(here / "served")
            round_of(scheme.upper(), f'url = "{scheme}://{user}@127.0.0.1:{port}/"\npassword = "env:FTP_PASSWORD"\nca = "{here}/ca.pem"\n',
                     from_folder(here / "served"), {"FTP_PASSWORD": (here / "password").read_text().strip()})
        clear(here / "served")
    else:
        print("skipped: no FTPS server (SHELFCAST_TEST_FTPS)")
    endpoint = os.environ.get("SHELFCAST_TEST_S3")
    if endpoint:
        bucket = f"lampy-{os.getpid()}"
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"}
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT", headers=signed)).read()

        def read():
            try:
                return urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}/feeds/google.xml", headers=signed)).read()
            except urllib.error.HTTPError:
                return None
        round_of("S3", f'url = "s3://{bucket}/feeds/"\nendpoint = "{endpoint}"\nregion = "us-east-1"\naccess_key = "env:AK"\nsecret_key = "env:SK"\n', read,
                 {"AK": "test", "SK": "test-secret"})
    else:
        print("skipped: no S3-compatible server (SHELFCAST_TEST_S3)")


class Channel:
    """A server for all three channels. `refused` and `unknown` are SKUs; `calls` what came: (verb, SKU)."""

    def __init__(self):
        self.refused, self.unknown, self.calls, self.uploads = set(), set(), [], {}
        self.server = Server(self.answer)

    def taken(self):
        calls, self.calls = self.calls, []
        return sorted(calls)

    def answer(self, request):
        path, body = urllib.parse.urlsplit(request["path"]).path, request["body"]

        def says(status, value):
            return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

        if path == "/auth/token":
            return says(200, {"access_token": "token-of-an-hour", "token_type": "bearer", "expires_in": 3600})
        if path.startswith("/products/"):
            return self.google(request, path, body, says)
        if "/items_batch" in path or "check_batch" in path:
            return self.meta(request, body, says)
        return self.amazon(request, path, body, says)

    def google(self, request, path, body, says):
        if request["method"] == "DELETE":
            name = path.rsplit("/", 1)[1]
            self.calls.append(("delete", base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode().split("~")[2]))
            return says(200, {})
        sku = json.loads(body)["offerId"]
        self.calls.append(("put", sku))
        if sku in self.refused:
            return says(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "the GTIN is restricted"}})
        if sku in self.unknown:
            return says(200, {"offerId": "ANOTHER"})
        return says(200, {"name": f"accounts/1/productInputs/{sku}", "offerId": sku})

    def meta(self, request, body, says):
        if request["method"] == "GET":
            wrong = [{"id": sku, "message": "the image cannot be fetched"} for sku in self.batch if sku in self.refused]
            lost = sum(sku in self.unknown for sku in self.batch)
            return says(200, {"data": [{"handle": "h1", "status": "finished", "errors_total_count": len(wrong) + lost, "errors": wrong}]})
        self.batch = []
        for one in json.loads(body)["requests"]:
            sku = one["data"]["id"]
            self.batch.append(sku)
            self.calls.append(("delete" if one["method"] == "DELETE" else "put", sku))
        return says(200, {"handles": ["h1"], "validation_status": []})

    def amazon(self, request, path, body, says):
        verb = request["method"]
        if verb == "POST" and path.endswith("/documents"):
            return says(201, {"feedDocumentId": "doc-in", "url": f"{self.server.address}/store/in?X-Amz-Signature=s"})
        if verb == "PUT" and path == "/store/in":
            self.feed = json.loads(body)
            return 200, {}, b""
        if verb == "POST":
            for one in self.feed["messages"]:
                self.calls.append(("delete" if one["operationType"] == "DELETE" else "put", one["sku"]))
            return says(202, {"feedId": "4711"})
        if path.endswith("/feeds/4711"):
            return says(200, {"processingStatus": "DONE", "resultFeedDocumentId": "doc-out"})
        if path.endswith("/doc-out"):
            return says(200, {"feedDocumentId": "doc-out", "url": f"{self.server.address}/store/out"})
        messages = self.feed["messages"]
        issues = [{"messageId": one["messageId"], "code": "90220", "severity": "ERROR", "message": "'brand' is required"}
                  for one in messages if one["sku"] in self.refused]
        lost = sum(one["sku"] in self.unknown for one in messages)
        return says(200, {"issues": issues, "summary": {"messagesProcessed": len(messages) - lost, "messagesAccepted": len(messages) - lost - len(issues)}})


SETTINGS = {
    "google-merchant-api": ('account = "1234567"\ndata_source = "7654321"\nfeed_label = "PL"\n', ("client_id", "client_secret", "refresh_token")),
    "meta-items-batch": ('catalog_id = "123456789012345"\n', ("token",)),
    "amazon-listings": ('seller_id = "A1EXAMPLE"\nmarketplace_id = "A1C3SOZRARQ6R3"\nproduct_type = "HOME"\nlanguage_tag = "pl_PL"\n',
                        ("client_id", "client_secret", "refresh_token")),
}


def own_channel(shop, name, server):
    """The built-in channel in the project, its tokens from the test's server, and asked sooner whether it has finished."""
    text = (ROOT / "channels" / f"{name}.toml").read_text()
    text = text.replace("https://oauth2.googleapis.com/token", f"{server.address}/auth/token")
    text = text.replace('kind = "amazon-lwa"\n', f'kind = "amazon-lwa"\nurl = "{server.address}/auth/token"\n')
    text = re.sub(r'every = "\d+s"', 'every = "1s"', text)
    text = text.replace('pace = { requests = 5, per = "5m" }', 'pace = { requests = 5, per = "1s" }')
    shop.write(f"channels/{name}.toml", text)
    for template in re.findall(r'(?m)^template = "([^"]+)"', text):
        source = ROOT / "templates" / template
        if source.exists():
            shop.write(f"templates/{template}", source.read_bytes())


def requests(name):
    """Only what changed is sent; what is gone is deleted; refused is a finding; what nobody knows is sent again."""
    settings, secrets = SETTINGS[name]
    channel = Channel()
    given = {f"SECRET_{secret.upper()}": f"given-{secret}" for secret in secrets}
    feed = (SHOP + SOURCE + f'[[feed]]\nname = "shop"\nchannel = "{name}"\n[feed.settings]\n{settings}[feed.gate]\nremoved = "off"\n[[feed.to]]\nrequests = true\n'
            f'url = "{channel.server.address}"\n[feed.to.secrets]\n' + "".join(f'{secret} = "env:SECRET_{secret.upper()}"\n' for secret in secrets))
    with Shop(feed) as shop:
        own_channel(shop, name, channel.server)

        def ran(*codes):
            done = shop.run("publish", "--json", "--deadline", "60s", environment=given)
            expect(done.code in codes, f"{name}: {done}")
            return done, channel.taken()

        def receipts():
            return shop.run("history", "shop", "--json").out.count("verdicts:")

        catalog(shop)
        done, calls = ran(0)
        all_ = sorted(("put", f"LMP-{n:03}") for n in range(1, LAMPS + 1))
        expect(calls == all_, f"{name}: the first time: {calls}: {done}")
        done, calls = ran(0)
        expect(calls == [], f"{name}: unchanged, and sent: {calls}")
        catalog(shop, left_out=[5], n3="Lampka trzecia")
        done, calls = ran(0)
        expect(calls == [("delete", "LMP-005"), ("put", "LMP-003")], f"{name}: one changed, one gone: {calls}: {done}")
        channel.refused = {"LMP-007"}
        catalog(shop, left_out=[5], n3="Lampka trzecia", n7="Lampka siódma", n8="Lampka ósma")
        done, calls = ran(0, 1)
        expect(calls == [("put", "LMP-007"), ("put", "LMP-008")], f"{name}: two changed: {calls}")
        found = [line for line in done.lines() if line.get("rule") == "refused-by-channel"]
        expect(len(found) == 1 and "LMP-007" in json.dumps(found), f"{name}: refused, and no finding on its SKU: {done}")
        expect(done.line("feed").get("outcome") == "published", f"{name}: a refused item keeps the receipt away: {done}")
        channel.refused, channel.unknown = set(), {"LMP-002"}
        catalog(shop, left_out=[5], n3="Lampka trzecia", n7="Lampka siódma", n8="Lampka ósma", n2="Lampka druga")
        done, calls = ran(3, 4)
        expect(("put", "LMP-002") in calls, f"{name}: {calls}")
        channel.unknown = set()
        done, calls = ran(0)
        expect(("put", "LMP-002") in calls, f"{name}: nobody knew, and it is not sent again: {calls}: {done}")
        done, calls = ran(0)
        expect(calls == [], f"{name}: all is settled, and sent: {calls}")
        doctor = shop.run("doctor")
        expect(doctor.code == 0, f"{name}: {doctor}")
        said = [name for call in channel.server.seen for name, value in call["headers"].items() if value in given.values()]
        expect(said == [], f"{name}: secrets in headers: {said}")
    channel.server.stop()
    print(f"requests, {name}: {len(channel.server.seen)} calls: all, nothing, one changed and one gone, one refused, one unknown and sent again", flush=True)


on_servers()
lamps.each(requests, SETTINGS)
lamps.end()
