"""A small shop for tests that need more than the program itself: system calls that fail, full disks, servers.

Each script beside this one is `SCRIPT PROGRAM`, prints what it counted, and ends with 0, or 1 with what went wrong.
SHELFCAST_LONG=1 draws everything; without it a sample is drawn.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = "2026-11-22T10:00:00Z"
LONG = os.environ.get("SHELFCAST_LONG", "") not in ("", "0")
# The program of a build with debug assertions starts in some 50 ms, and waits for the disk most of it.
WORKERS = max(2, os.cpu_count() or 1)

SHOP = """
[shop]
name = "Lampy"
url = "https://lampy.example"
currency = "PLN"
language = "pl"
country = "PL"
"""
SOURCE = """
[[source]]
name = "products"
path = "catalog.csv"
"""
COLUMNS = ["sku", "title", "description", "price", "availability", "on_hand", "image", "url", "brand", "mpn", "condition", "gtin"]

problems = []
_lock = threading.Lock()


def program():
    """The program under test."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {Path(sys.argv[0]).name} PROGRAM")
    return str(Path(sys.argv[1]).resolve())


def wrong(text):
    """Something is not as promised."""
    with _lock:
        problems.append(text)
        print(f"WRONG: {text}", flush=True)


def expect(condition, text):
    """Says what is wrong when a condition does not hold."""
    if not condition:
        wrong(text)
    return bool(condition)


def skip(why):
    """Ends the script: what it needs is not there."""
    print(f"skipped: {why}")
    sys.exit(0)


def end():
    """Ends the script."""
    if problems:
        print(f"{len(problems)} wrong")
    sys.exit(1 if problems else 0)


def draw(things, every):
    """All of them, or every so-manyth in a run that is not long."""
    things = list(things)
    return things if LONG else things[::every]


def each(work, things):
    """Does something for each, a few at a time."""
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, things))


def lamp(number, **changes):
    """One product, by column."""
    values = {
        "sku": f"LMP-{number:03}",
        "title": f"Lampa biurkowa nr {number}",
        "description": "Żółta lampa",
        "price": f"{100 + number}.90",
        "availability": "in_stock",
        "on_hand": "5",
        "image": f"https://lampy.example/i/{number}.jpg",
        "url": f"https://lampy.example/{number}",
        "brand": "Lampy",
        "mpn": f"L{number}",
        "condition": "new",
        "gtin": "",
    }
    return values | changes


def csv_text(lamps, columns=COLUMNS, separator=","):
    """A catalog of them."""
    lines = [separator.join(columns)]
    lines += [separator.join(one[column] for column in columns) for one in lamps]
    return "\n".join(lines) + "\n"


class Shop:
    """A project in a folder of its own."""

    def __init__(self, text=None, folder=None):
        self.folder = Path(folder or tempfile.mkdtemp(prefix="shelfcast-test-"))
        if text is not None:
            self.write("shelfcast.toml", text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, path, content):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def read(self, path):
        """A file's bytes; none where it is not there."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def catalog(self, lamps):
        self.write("catalog.csv", csv_text(lamps))

    def copy(self):
        """The project as it is now, in another folder."""
        folder = tempfile.mkdtemp(prefix="shelfcast-test-")
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, symlinks=True)
        return Shop(folder=folder)

    def run(self, *arguments, wrap=(), environment=None, **more):
        """Runs the program in it."""
        environment = dict(os.environ, SHELFCAST_NOW=NOW, RUST_BACKTRACE="0") | (environment or {})
        environment.pop("SOURCE_DATE_EPOCH", None)
        return Done(subprocess.run(
            [*wrap, program(), *arguments], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=600, **more))


class Done:
    """How a run ended; a signal is a negative code."""

    def __init__(self, result):
        self.code = result.returncode
        self.out = result.stdout.decode(errors="replace")
        self.err = result.stderr.decode(errors="replace")

    def lines(self):
        """What it printed for programs."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    def line(self, kind):
        """The first line of a type."""
        return next((line for line in self.lines() if line.get("type") == kind), {})

    def __str__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}"


class Server:
    """A server on loopback: `answer(request)` gets method, path, headers and body, and gives status, headers and body."""

    def __init__(self, answer):
        self.seen = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else b""
                if not length and self.headers.get("Transfer-Encoding", "") == "chunked":
                    body = self.chunks()
                if body is None or len(body) < length:
                    # Cut: nothing of it is believed.
                    self.close_connection = True
                    return
                request = {"method": self.command, "path": self.path, "headers": self.headers, "body": body}
                with _lock:
                    server.seen.append(request)
                status, headers, content = answer(request)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def chunks(self):
                body = b""
                while True:
                    size = int(self.rfile.readline().strip() or b"-1", 16)
                    if size < 0:
                        return None
                    part = self.rfile.read(size)
                    self.rfile.readline()
                    if len(part) < size:
                        return None
                    if size == 0:
                        return body
                    body += part

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def taken(self):
        """What was asked since the last time."""
        with _lock:
            seen, self.seen = self.seen, []
        return seen

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Files:
    """What a plain web server that takes PUT keeps."""

    def __init__(self):
        self.kept = {}
        self.server = Server(self.answer)

    def answer(self, request):
        path = request["path"].split("?")[0]
        if request["method"] == "PUT":
            self.kept[path] = request["body"]
            return 201, {}, b""
        if path not in self.kept:
            return 404, {}, b""
        return 200, {"Content-Type": "application/octet-stream"}, self.kept[path]
