#!/usr/bin/env python3
"""A source cut at every byte, in each format: never published as whole.

A cut that the format shows stops the run before anything is compared. One that it cannot show (a CSV or NDJSON at the end of a
line, or a CSV within the last cell of one) is counted here; from more than 10 % of the items lost on, the gate `removed` holds the feed.
"""
import collections
import gzip
import io
import json
import queue
import zipfile
from xml.sax.saxutils import escape

import lamps
from lamps import SHOP, Shop, csv_text, expect, lamp

COLUMNS = ["sku", "title", "description", "price", "availability", "image", "url", "brand", "mpn", "condition"]
ITEMS = 20
# What the gate lets pass: 10 % of 20.
LOST = 2


def rows(count=ITEMS):
    return [{column: lamp(n)[column] for column in COLUMNS} for n in range(1, count + 1)]


def project(name, gate=""):
    return (SHOP + f'[[source]]\nname = "products"\npath = "{name}"\n[[feed]]\nname = "google"\nchannel = "google-products"\n{gate}'
            '[[feed.to]]\npath = "web/"\n')


def workbook(lamps_):
    """The least workbook that is one, its cells texts within the sheet."""
    def row(number, cells):
        return f'<row r="{number}">' + "".join(
            f'<c r="{chr(65 + place)}{number}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for place, cell in enumerate(cells)) + "</row>"

    main, package = "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    sheet = [row(1, COLUMNS)] + [row(n + 2, one.values()) for n, one in enumerate(lamps_)]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="products" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(sheet)}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), '<?xml version="1.0" encoding="UTF-8"?>' + content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def catalogs():
    """File name = its whole content."""
    all_ = rows()
    xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<products>\n" + "".join(
        "<product>" + "".join(f"<{column}>{escape(value)}</{column}>" for column, value in one.items()) + "</product>\n"
        for one in all_) + "</products>\n"
    csv = csv_text(all_, COLUMNS).encode()
    return {
        "catalog.csv": csv,
        "catalog.tsv": csv_text(all_, COLUMNS, "\t").encode(),
        "catalog.json": json.dumps(all_, ensure_ascii=False, indent=0).encode() + b"\n",
        "catalog.ndjson": "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in all_).encode(),
        "catalog.xml": xml.encode(),
        "catalog.xlsx": workbook(all_),
        "catalog.csv.gz": gzip.compress(csv, mtime=0),
    }


def place(name, whole, cut):
    """What a cut leaves at its end, as the format sees it."""
    kept = whole[:cut]
    if name.endswith((".csv", ".tsv", ".ndjson")):
        if kept.endswith(b"\n") or whole[cut:cut + 1] == b"\n":
            return "at a line's end"
        separator = b"\t" if name.endswith(".tsv") else b","
        if not name.endswith(".ndjson") and kept.split(b"\n")[-1].count(separator) == len(COLUMNS) - 1:
            return "in a line's last cell"
    elif whole[cut:].strip() == b"":
        return "after the end"
    return "elsewhere"


def cut_one_format(name, whole):
    # So few items that the gate would not look at them by itself.
    with Shop(project(name, "[feed.gate]\nat_least = 1\n")) as ready:
        ready.write(name, whole)
        done = ready.run("publish", "--json")
        if not expect(done.code == 0 and done.line("feed").get("version") == 1, f"{name}: {done}"):
            return
        first = ready.read("web/google.xml")
        expect(first.count(b"<item>") == ITEMS, f"{name}: {first.count(b'<item>')} items")
        idle = queue.SimpleQueue()
        for _ in range(lamps.WORKERS):
            idle.put(ready.copy())
        seen, lost = collections.Counter(), collections.Counter()

        def one(cut):
            shop = idle.get()
            shop.write(name, whole[:cut])
            done = shop.run("publish", "--json")
            stands = shop.read("web/google.xml")
            where, told = place(name, whole, cut), f"{name} cut at byte {cut} of {len(whole)}"
            if done.code == 6:
                kind = "held"
                gates = {gate["gate"] for gate in done.line("feed").get("gates", [])}
                expect("removed" in gates or where == "in a line's last cell", f"{told}: held by {gates}")
            elif done.code == 0:
                gone = ITEMS - stands.count(b"<item>")
                kind = "published" if stands != first else "unchanged"
                lost[gone] += 1
                expect(gone <= LOST, f"{told}: {gone} of {ITEMS} items lost and published")
                expect(where != "elsewhere", f"{told}: published as if it were whole, {gone} items lost: {whole[max(0, cut - 40):cut]!r}")
            else:
                kind = "refused"
                expect(done.code in (1, 2, 7), f"{told}: {done}")
            if done.code != 0:
                expect(stands == first, f"{told}: exit code {done.code}, and the feed is another")
            seen[kind, where] += 1
            if stands != first:
                shop.__exit__()
                shop = ready.copy()
            idle.put(shop)

        cuts = sorted(set(lamps.draw(range(len(whole)), 61)) | set(range(max(0, len(whole) - 8), len(whole))))
        if not lamps.LONG and name.endswith((".csv", ".ndjson")):
            ends = [at + 1 for at, byte in enumerate(whole) if byte == 10]
            cuts = sorted({*cuts, *ends[-5:-1]})
        lamps.each(one, cuts)
        while not idle.empty():
            idle.get().__exit__()
    total = collections.Counter()
    for (kind, _), count in seen.items():
        total[kind] += count
    shown = ", ".join(f"{total[kind]} {kind}" for kind in ("refused", "held", "published", "unchanged"))
    silent = ", ".join(f"{count} {kind} {where}" for (kind, where), count in sorted(seen.items()) if kind != "refused")
    print(f"cut, {name}: {len(cuts)} of {len(whole)} places: {shown}" + (f" (not shown by the format: {silent})" if silent else ""), flush=True)


def cut_at_line_ends(name, whole):
    """Fifty items and the gates as they are by themselves: five may go, six may not."""
    with Shop(project(name)) as ready:
        ready.write(name, whole)
        expect(ready.run("publish").code == 0, f"{name} is published")
        lines = whole.splitlines(keepends=True)
        verdicts = {}

        def one(gone):
            with ready.copy() as shop:
                shop.write(name, b"".join(lines[:len(lines) - gone]))
                done = shop.run("publish", "--json")
                verdicts[gone] = done.code
                expect(done.code == (6 if gone > 5 else 0), f"{name}, {gone} of 50 lines cut off: {done}")
                expect(gone <= 5 or shop.read("web/google.xml") == ready.read("web/google.xml"), f"{name}, {gone} cut off: the feed is another")

        lamps.each(one, range(1, 50))
    held = sum(code == 6 for code in verdicts.values())
    print(f"cut, {name}, at line ends only: {len(verdicts)} places: {held} held, {len(verdicts) - held} published (10 % of the items or less)")


for file, content in catalogs().items():
    cut_one_format(file, content)
cut_at_line_ends("catalog.csv", csv_text(rows(50), COLUMNS).encode())
cut_at_line_ends("catalog.ndjson", "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows(50)).encode())
lamps.end()
