#!/usr/bin/env python3
"""reference_feeds.py [PROGRAM] [--only WORD] [--show]

Feeds that real shops publish, and reference cases with what came out of them, in ../shared/data (or $SHELFCAST_SHARED): each
is read as a catalog, the same channel is built from it, and every field of every item compared. What differs must be
explained in the tables below, each explanation must still be met, and the number of items that differ may not grow.

Differences are `gone` (they have it, we do not), `new` (we have it, they do not) and `other` (both, with another value).
Prints a line a case; exits 1 when a difference is not explained or an explanation not met. What is missing is skipped.
"""
import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SHELFCAST_SHARED", ROOT.parent / "shared"))
DATA = SHARED / "data"
NOW = "2026-11-22T10:00:00Z"
csv.field_size_limit(1 << 30)


def shop(url, currency, language, country, zone):
    return f'[shop]\nname = "Reference"\nurl = "{url}"\ncurrency = "{currency}"\nlanguage = "{language}"\ncountry = "{country}"\ntimezone = "{zone}"\n'


def local(tag):
    return tag.split("}")[-1] if isinstance(tag, str) else ""


def words(text):
    return " ".join((text or "").split())


def leaves(element, path=""):
    """Every text and attribute below an element: a path and a value; pairs of name and value are one."""
    children = [child for child in element if isinstance(child.tag, str)]
    for name, value in element.attrib.items():
        if not (path.endswith("a") and name == "name") and path != "param":
            yield f"{path}@{local(name)}", words(value)
    if path == "PARAM":
        yield f"PARAM {words(children[0].text)}", words(children[1].text)
        return
    if not children:
        value = words(element.text)
        name = element.get("name")
        if path and value:
            # Ceneo's names of attributes have underscores, which real feeds write as spaces too.
            yield (f"{path} {words(name.replace('_', ' '))}" if name else path), value
    for child in children:
        yield from leaves(child, f"{path}/{local(child.tag)}" if path else local(child.tag))


def markup(item, key):
    """Items of an XML feed by their key."""

    def read(path):
        from lxml import etree

        root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)).getroot()
        items = {}
        for element in root.iter():
            if local(element.tag) == item:
                fields = defaultdict(list)
                for name, value in leaves(element):
                    if value:
                        fields[name].append(value)
                for name in [name for name in fields if name == "DELIVERY" or name.startswith("DELIVERY/")]:
                    fields[name].sort()
                items.setdefault(fields[key][0] if fields[key] else f"without {key} {len(items)}", fields)
        return items

    return read


def table(key, delimiter=","):
    def read(path):
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), delimiter=delimiter)
        return {row[key]: {name: [words(value)] for name, value in row.items() if words(value)} for row in rows}

    return read


def jsonl(key):
    def read(path):
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return {item[key]: {name: [words(str(value))] for name, value in item.items() if words(str(value))} for item in items}

    return read


GOOGLE = markup("item", "id")
HEUREKA = markup("SHOPITEM", "URL")

# A plain CSV with the columns that the reference cases of a feed protocol write.
PROTOCOL = """name = "protocol"
title = "Reference protocol"
group = "website"
countries = ["*"]
spec = { url = "https://example.com/", read = "2026-11-22", certainty = "public code" }
records = "variants"
format = "csv"
[attributes.id]
value = "{{sku}}"
required = true
[attributes.title]
value = "{{title}}"
required = true
[attributes.description]
value = "{{description}}"
[attributes.link]
value = "{{url}}"
[attributes.availability]
value = "{{availability}}"
"""
PROTOCOL_FIELDS = '[source.fields]\nsku = "sku"\ntitle = "name"\ndescription = "description"\nurl = "url"\navailability = "availability"\n'
HUJER = """[source.fields]
sku = "{{default [CODE] (hash [URL] 12)}}"
title = "{{[PRODUCTNAME]}}{{#if [PRODUCTNAMEEXT]}} {{[PRODUCTNAMEEXT]}}{{/if}}"
description = "DESCRIPTION"
url = "URL"
image = "IMGURL"
price = "PRICE_VAT"
tax_rate = "VAT"
manufacturer = "MANUFACTURER"
category = "CATEGORIES/CATEGORY"
gtin = "EAN"
params = "PARAMETERS/PARAMETER"
delivery_days = "DELIVERY_DATE"
condition = '{{#if (eq [ITEM_TYPE] "bazaar")}}used{{else}}new{{/if}}'
[source.defaults]
availability = "in_stock"
"""

# name: what is read, how, what it is compared with, the channel; then each difference: field and kind, the most items it is
# met in, and why it is not ours to keep.
CASES = {}


def case(name, source, shop, fields, channel, read, feed="", expected=None, preset="", manifest=None, explained=()):
    CASES[name] = dict(source=source, shop=shop, fields=fields, channel=channel, read=read, feed=feed, expected=expected or source, preset=preset, manifest=manifest, explained={(field, kind): (most, why) for field, kind, most, why in explained})


exec((Path(__file__).with_name("reference_feeds.cases")).read_text(encoding="utf-8"))


def program(arguments):
    for word in arguments:
        return str(Path(word).resolve())
    for profile in ("release", "quick", "debug"):
        path = ROOT / "target" / profile / "shelfcast"
        if path.is_file():
            return str(path)
    sys.exit("reference_feeds: no shelfcast in target/; build it, or name it")


def same(one, other):
    """Whether two lists of values say the same: numbers as numbers, HTML entities and case of hexadecimal digits aside."""
    if len(one) != len(other):
        return False

    def value(text):
        plain = text.replace(",", ".")
        if re.fullmatch(r"-?\d+(\.\d+)?( [A-Z]{3})?", plain):
            number, *unit = plain.split(" ")
            return (float(number), *unit)
        return re.sub(r"%[0-9a-f]{2}", lambda found: found[0].upper(), text)

    return [value(text) for text in one] == [value(text) for text in other]


def compared(theirs, ours):
    """Differences: (field, kind) to the items it is met in, with an example."""
    found = defaultdict(list)
    for key, fields in theirs.items():
        if key not in ours:
            found["the item", "gone"].append((key, "", ""))
            continue
        for name in sorted({*fields, *ours[key]}):
            one, other = fields.get(name, []), ours[key].get(name, [])
            if one and not other:
                found[name, "gone"].append((key, one, other))
            elif other and not one:
                found[name, "new"].append((key, one, other))
            elif not same(one, other):
                found[name, "other"].append((key, one, other))
    for key in ours:
        if key not in theirs:
            found["the item", "new"].append((key, "", ""))
    return found


def run(binary, name, about, folder, show):
    project = folder / re.sub(r"\W+", "-", name)
    project.mkdir()
    text = about["shop"] + f'\n[[source]]\nname = "products"\npath = "{DATA / about["source"]}"\n' + about["preset"] + about["fields"]
    text += f'\n[[feed]]\nname = "feed"\nchannel = "{about["channel"]}"\nmax_withheld = "100%"\n' + about["feed"]
    (project / "shelfcast.toml").write_text(text, encoding="utf-8")
    if about["manifest"]:
        (project / "channels").mkdir()
        (project / f"channels/{about['channel']}.toml").write_text(about["manifest"], encoding="utf-8")
    (project / "one.csv").write_text("category,number\nx,1\n", encoding="utf-8")
    done = subprocess.run([binary, "--now", NOW, "--json", "build", "--project", str(project)], capture_output=True, text=True, check=False)
    feeds = [line for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "feed"]
    if not feeds or not feeds[0]["files"]:
        rules = re.findall(r'"rule":"([^"]+)".*?"column":"([^"]*)"', done.stdout)
        return [f"nothing was built: {set(rules)} {done.stderr[:600]}"], 0
    ours = {}
    for file in feeds[0]["files"]:
        ours.update(about["read"](project / file["path"]))
    theirs = about["read"](DATA / about["expected"])
    found, wrong = compared(theirs, ours), []
    for (field, kind), items in sorted(found.items()):
        most, why = about["explained"].get((field, kind), (0, ""))
        if not why and kind != "new":
            family = (re.sub(r" .*", " *", field), kind)
            most, why = about["explained"].get(family, (0, ""))
        elif not why:
            most, why = about["explained"].get((re.sub(r" .*", " *", field), kind), (0, ""))
        if show or len(items) > most:
            key, one, other = items[0]
            text = f"`{field}` {kind} in {len(items)} items, {most} explained; such as {key}: {str(one)[:160]} -> {str(other)[:160]}"
            (print(f"    {text}") if len(items) <= most else wrong.append(text))
    for (field, kind) in about["explained"]:
        met = any(kind == other and (field == name or (field.endswith(" *") and name.startswith(field[:-1]))) for name, other in found)
        if not met:
            wrong.append(f"`{field}` {kind} is explained and not met")
    return wrong, len(theirs)


def main(arguments):
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    binary = program([word for word in arguments if not word.startswith("--") and word != only])
    failed = 0
    with tempfile.TemporaryDirectory(prefix="shelfcast-reference-") as folder:
        for name, about in CASES.items():
            if only.lower() not in name.lower():
                continue
            if not (DATA / about["source"]).is_file():
                print(f"skipped {name}: {about['source']} is not there (set SHELFCAST_SHARED)")
                continue
            wrong, items = run(binary, name, about, Path(folder), "--show" in arguments)
            print(f"{'failed ' if wrong else 'as told'} {name}: {items} items, {len(about['explained'])} differences explained")
            for line in wrong:
                print(f"    {line}")
            failed += bool(wrong)
    print(f"{failed} failed" if failed else "all as told")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
