#!/usr/bin/env python3
"""judge.py PROGRAM [PROJECT]

Builds a project (samples/shop, in a temporary copy; try samples/all-channels) with PROGRAM and judges every feed twice: by a parser of its format
that is not ours, which must find as many items as the program says it wrote, and by the checks in ../shared/validators
(or $SHELFCAST_SHARED) where they know the channel. At least 90 % of the records that the filter lets pass must be written.

Prints a line a feed and `N passed, N failed, N skipped`; exits 1 when one failed. Needs python3-lxml for XML and HTML.
"""
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SHELFCAST_SHARED", ROOT.parent / "shared"))
NOW = "2026-11-22T10:00:00Z"
LEAST = 0.9

# Which of the shared checks judges which channel.
KINDS = {
    "google-products": "google-rss",
    "google-products-tsv": "google-tsv",
    "meta-catalog": "meta-csv",
    "sitemap-products": "sitemap",
    "shopify-products": "shopify-csv",
    "woocommerce-products": "woocommerce-csv",
    "amazon-listings": "amazon-listings",
    "ceneo": "ceneo",
    "heureka": "heureka",
    "openai-products": "openai-feed",
    "schema-org": "schemaorg",
    "yandex-yml": "yml",
    "ebay-inventory": "ebay-inventory",
    "acp-feed": "acp-feed",
}

# The shared check of OpenAI's feed knows the names of 2025; the channel writes those of 2026.
NAMES_OF_2025 = {
    "item_id": "id",
    "url": "link",
    "image_url": "image_link",
    "additional_image_urls": "additional_image_link",
    "is_eligible_search": "enable_search",
    "is_eligible_checkout": "enable_checkout",
}

csv.field_size_limit(1 << 30)


class Wrong(Exception):
    pass


def markup(path):
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    return etree.parse(str(path), parser).getroot()


def elements(name):
    """Counts elements of a name, whatever the namespace."""
    return lambda path: len(markup(path).xpath(f"//*[local-name()='{name}']"))


def rows(delimiter, quoted, key=None):
    """Counts rows under a header, each as wide as it; with a key, how many values it has."""

    def count(path):
        text = path.read_bytes().decode("utf-8-sig")
        quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True))
        header, body = table[0], table[1:]
        if len(set(header)) != len(header):
            raise Wrong("two columns of one name")
        for number, row in enumerate(body, 2):
            if len(row) != len(header):
                raise Wrong(f"record {number} has {len(row)} of {len(header)} cells")
        return len({row[header.index(key)] for row in body} - {""}) if key else len(body)

    return count


def refuse(word):
    raise Wrong(f"`{word}` is no JSON")


def strict(text):
    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Wrong(f"a member stands twice: {names}")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=members, parse_constant=refuse)


def lines(path):
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if strict(line) is not None)


def messages(path):
    return len(strict(path.read_text(encoding="utf-8"))["messages"])


def articles(path):
    from lxml import html

    page = html.parse(str(path), html.HTMLParser(encoding="utf-8")).getroot()
    bars = [bar for bar in page.iter("svg") if not len(bar)]
    if bars:
        raise Wrong(f"{len(bars)} empty drawings")
    return len(page.findall(".//article"))


def catalogue(path):
    """As above; a heading for each category, once, in order."""
    from lxml import html

    page = html.parse(str(path), html.HTMLParser(encoding="utf-8")).getroot()
    headings = [heading.text_content() for heading in page.iter("h2")]
    if len(set(headings)) != len(headings):
        raise Wrong("a category has two headings")
    if len(page.findall(".//section")) != len(headings) or page.xpath("//article[not(parent::section)]"):
        raise Wrong("a product stands outside its category")
    return articles(path)


def pages(folder):
    """A folder of pages: each one product, in a language, with a JSON-LD that names it."""
    from lxml import html

    files = sorted(folder.glob("*.html"))
    for file in files:
        page = html.parse(str(file), html.HTMLParser(encoding="utf-8")).getroot()
        said = strict(page.xpath("string(//script[@type='application/ld+json'])"))
        heading = page.xpath("string(//h1)").split()
        if not page.get("lang") or said["@type"] not in ("Product", "ProductGroup") or said["name"].split() != heading:
            raise Wrong(f"{file.name}: language, JSON-LD and heading do not agree")
        offers = [one["offers"]["price"] for one in said.get("hasVariant", [said])]
        if len(offers) != len(page.xpath("//table[@class='offers']/tr")):
            raise Wrong(f"{file.name}: {len(offers)} offers in the JSON-LD, others in the table")
    return len(files)


def woocommerce(path):
    """Products: every row but the variations."""
    text = path.read_bytes().decode("utf-8-sig")
    rows(",", True)(path)
    return sum(1 for row in csv.DictReader(io.StringIO(text, newline="")) if row["Type"] != "variation")


def members(*names):
    """Counts the elements of a JSON array: the document itself, or what stands under these names."""

    def count(path):
        document = strict(path.read_text(encoding="utf-8"))
        for name in names:
            document = document[name]
        if not isinstance(document, list):
            raise Wrong(f"{type(document).__name__} where a list should be")
        return len(document)

    return count


def labels(path):
    """ZPL: as many ends as beginnings, and no command inside a text."""
    text = path.read_text(encoding="utf-8")
    found = text.count("^XA")
    if text.count("^XZ") != found or text.count("^FD") != text.count("^FS"):
        raise Wrong("a label or a field that does not end")
    return found


def interchange(path):
    """EDIFACT by its own rules: UNA, released characters, and what UNT and UNZ count. Counts the lines (LIN)."""
    text = path.read_text(encoding="utf-8")
    if not text.startswith("UNA:+.? '"):
        raise Wrong("no UNA, or other separators")
    segments, segment, element, part = [], [], [], ""
    letters = iter(text[9:])
    for letter in letters:
        if letter == "?":
            part += next(letters)
        elif letter in ":+'":
            element, part = element + [part], ""
            if letter != ":":
                segment, element = segment + [element], []
            if letter == "'":
                segments, segment = segments + [segment], []
        elif letter not in "\r\n" or part or element or segment:
            part += letter
    if part or element or segment:
        raise Wrong("the last segment does not end")
    tags = [segment[0][0] for segment in segments]
    if any(len(tag) != 3 or not tag.isalnum() or not tag.isupper() for tag in tags):
        raise Wrong(f"no tags: {[tag for tag in tags if len(tag) != 3][:3]}")
    # What a colon parts is parted, not released: syntax, the day's time, type and release of the message.
    if [len(segments[0][1]), len(segments[0][4]), len(segments[tags.index("UNH")][2])] != [2, 2, 5]:
        raise Wrong("a composite of the envelope has other parts")
    begin, end = tags.index("UNH"), tags.index("UNT")
    if tags[0] != "UNB" or tags[-1] != "UNZ" or tags.count("UNH") != 1 or segments[0][5] != segments[-1][2]:
        raise Wrong("the envelope does not fit")
    if segments[end][1] != [str(end - begin + 1)] or segments[end][2] != segments[begin][1]:
        raise Wrong(f"UNT says {segments[end][1]}, the message has {end - begin + 1} segments")
    if segments[-1][1] != ["1"]:
        raise Wrong("UNZ counts one message otherwise")
    numbers = [segment[1][0] for segment in segments if segment[0] == ["LIN"]]
    if numbers != [str(number) for number in range(1, len(numbers) + 1)]:
        raise Wrong("the lines are not numbered from 1")
    return len(numbers)


def pictures(path):
    """A row a picture: SKUs, each once."""
    return rows(",", True, "sku")(path)


# What reads each channel, and counts its items.
PARSERS = {
    "bigcommerce-stock": members(),
    "google-local-stock": members(),
    "http-json-stock": members(),
    "magento-stock": members(),
    "prestashop-stock": members(),
    "medusa-stock": members(),
    "shopify-2025-stock": members(),
    "shopify-stock": members(),
    "square-stock": members(),
    "vendure-stock": members(),
    "woocommerce-stock": members(),
    "acp-feed": lines,
    "allegro-offers": lines,
    "amazon-price-quantity": rows("\t", False),
    "barcode-lookup": members(),
    "bol-offers": lines,
    "criteo": rows("\t", True),
    "ebay-inventory": members("requests"),
    "ebay-mip": rows(",", True),
    "empik": elements("offer"),
    "erli": members(),
    "esl-json": members(),
    "etsy": lines,
    "geizhals": rows(";", True),
    "google-supplemental": rows("\t", True),
    "google-merchant-api": lines,
    "gs1-invrpt": interchange,
    "gs1-pricat": interchange,
    "idealo": rows(";", True),
    "kaufland": lines,
    "kelkoo": rows("\t", True),
    "lazada": lines,
    "lightspeed-x": rows(",", True),
    "line-shopping": lines,
    "llm-products": lines,
    "low-stock": lines,
    "magento-products": rows(",", True),
    "meta-catalog-xml": elements("item"),
    "meta-items-batch": members("requests"),
    "microsoft-merchant": rows("\t", True),
    "mirakl-offers": rows(";", True),
    "nokaut": elements("offer"),
    "otto": members(),
    "pinterest": rows("\t", True),
    "prestashop-products": rows(";", True),
    "prisjakt": elements("item"),
    "shopee": rows(",", True, "ps_sku_parent_short"),
    "shopify-inventory": rows(",", True),
    "skapiec": elements("item"),
    "skroutz": elements("product"),
    "snapchat": rows(",", True),
    "tiki": lines,
    "tiktok-shop": lines,
    "vendure-products": rows(",", True, "slug"),
    "visual-search": pictures,
    "walmart-inventory": members("Inventory"),
    "walmart-items": members("MPItem"),
    "yandex-yml": elements("offer"),
    "zalando-inventory": members("items"),
    "zalando-prices": members("product_prices"),
    "zalo-shop": lines,
    "zbozi": elements("SHOPITEM"),
    "zpl-labels": labels,
    "google-merchant-api": lines,
    "meta-items-batch": members("requests"),
    "google-products": elements("item"),
    "google-products-tsv": rows("\t", False),
    "google-local-inventory": rows("\t", False),
    "meta-catalog": rows(",", True),
    "tiktok-catalog": rows(",", True),
    "schema-org": lines,
    "sitemap-products": elements("url"),
    "shopify-products": rows(",", True, "Handle"),
    "woocommerce-products": woocommerce,
    "amazon-listings": messages,
    "ceneo": elements("o"),
    "heureka": elements("SHOPITEM"),
    "openai-products": lines,
    "square-catalog": rows(",", True),
    "shelf-labels": rows(",", True),
    "shelf-labels-print": articles,
    "print-catalogue": catalogue,
    "product-pages": pages,
}


def build(program, project):
    done = subprocess.run([program, "build", "--json", "--project", str(project), "--now", NOW], capture_output=True, text=True, encoding="utf-8", check=False)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode not in (0, 1, 3):
        sys.exit(f"judge: the build ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return [line for line in told if line["type"] == "feed"]


def parsed(project, feed):
    """What a strange parser says of a feed."""
    share = feed["written"] / max(1, feed["read"] - feed["filtered"])
    if feed["exit"] != 0:
        raise Wrong(f"not written: {feed.get('reason')}")
    if share < LEAST:
        raise Wrong(f"only {share:.0%} written")
    if feed["channel"] not in PARSERS:
        raise Wrong("nothing here reads this channel: add it to PARSERS")
    found = sum(PARSERS[feed["channel"]](project / file["path"]) for file in feed["files"])
    if found != feed["written"]:
        raise Wrong(f"{found} items found, {feed['written']} told")
    return f"{found} items, {share:.0%} written"


def of_2025(path):
    """The same feed under the names of 2025, in a file beside it."""
    renamed = path.with_suffix(".2025.jsonl")
    with renamed.open("w", encoding="utf-8") as out:
        for line in path.read_text(encoding="utf-8").splitlines():
            item = {NAMES_OF_2025.get(name, name): value for name, value in strict(line).items()}
            for name in ("enable_search", "enable_checkout"):
                item[name] = str(item.get(name, False)).lower()
            out.write(json.dumps(item, ensure_ascii=False) + "\n")
    return renamed


def judged(project, feed, kind):
    """What the shared checks say of a feed."""
    said = []
    for file in feed["files"]:
        path = project / file["path"]
        path = of_2025(path) if kind == "openai-feed" else path
        command = [sys.executable, str(SHARED / "validators/check_feed.py"), kind, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
        if done.returncode != 0:
            raise Wrong(f"{kind}: {(done.stdout + done.stderr).strip()[:1500]}")
        said.append(done.stdout.splitlines()[0])
    return f"{kind}: {'; '.join(said)}"


def main(arguments):
    if not arguments:
        sys.exit(__doc__.strip())
    program = str(Path(arguments[0]).resolve())
    sample = Path(arguments[1]) if len(arguments) > 1 else ROOT / "samples/shop"
    counts = {"passed": 0, "failed": 0, "skipped": 0}

    def tell(outcome, feed, text):
        counts[outcome] += 1
        print(f"judge: {outcome:7} {feed}: {text}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        # With what lies beside it: samples/all-channels reads the catalog of samples/shop.
        beside = Path(folder) / "samples"
        shutil.copytree(sample.resolve().parent, beside, ignore=shutil.ignore_patterns("out", ".shelfcast"), symlinks=True)
        project = beside / sample.resolve().name
        feeds = build(program, project)
        if not feeds:
            sys.exit("judge: the project has no feeds")
        for feed in feeds:
            name = feed["feed"]
            try:
                tell("passed", name, parsed(project, feed))
            except ImportError as error:
                tell("skipped", name, f"cannot be parsed: {error}; install python3-lxml")
            except Exception as error:  # whatever a parser has against a feed
                tell("failed", name, f"{type(error).__name__}: {error}")
            kind = KINDS.get(feed["channel"])
            if kind is None or not feed["files"]:
                continue
            if not (SHARED / "validators/check_feed.py").is_file():
                tell("skipped", name, f"{kind}: {SHARED} is not there")
                continue
            try:
                tell("passed", name, judged(project, feed, kind))
            except Wrong as error:
                tell("failed", name, str(error))
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
