#!/usr/bin/env python3
"""judge_catalogs.py [PROGRAM] [--only WORD] [--table FILE]

Every channel that ../shared/validators/check_feed.py knows, built from the sample shop and from real catalogs in
../shared/data (or $SHELFCAST_SHARED) of at least a hundred items each: `init --from` maps the catalog, the table below says
what it could not know. Each feed must be judged without an error. Of the sample shop, and of three real catalogs at least,
90 % of the records that the filters let pass must be written, a hundred items each (or all).

Prints a Markdown table: channel, catalog, how it was mapped, records let pass, written, errors. Exits 1 when a channel falls
short; what is missing is named and skipped.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from judge import KINDS, LEAST, NOW, ROOT, SHARED, Wrong, build, judged

CHECK = SHARED / "validators/check_feed.py"
ITEMS = 100
CATALOGS = 3

# What the merchant says: settings, and words that a channel wants in its own tree.
CATEGORIES = ["1=All"]
FEEDS = {
    "amazon-listings": 'settings = { seller_id = "A1B2C3D4E5", marketplace_id = "ATVPDKIKX0DER", product_type = "PRODUCT", language_tag = "en_US" }',
    "ebay-inventory": 'settings = { locale = "en_US" }',
    # In double braces twice: the text is formatted once.
    "yandex-yml": f'settings = {{ company = "Shop", categories = {CATEGORIES!r}, category_table = "one.csv" }}\nfields = {{ categoryId = "{{{{#if sku}}}}1{{{{/if}}}}" }}',
}

# A real catalog: its file, what `init` cannot know of it, and what single channels are told of it.
REAL = {
    "ImportPC (cs)": {
        "file": "feeds/google/importpc_cz.xml",
        "defaults": {"on_hand": "10"},
    },
    "Magento Luma (en)": {
        "file": "magento2-luma/products.csv",
        "shop": {"url": "https://luma.example", "currency": "USD", "country": "US", "timezone": "America/New_York"},
        "defaults": {"brand": "Luma"},
    },
    "Bath (ja)": {
        "file": "feeds/meta/facebook_ja.csv",
        "defaults": {"on_hand": "10", "category": "Bath"},
    },
    "Flipkart (en)": {
        "file": "flipkart-2016/flipkart_com-ecommerce_sample.csv",
        "shop": {"currency": "USD", "country": "US", "timezone": "America/New_York"},
        "defaults": {"on_hand": "10", "brand": "No brand"},
    },
    "Amazon India (en)": {
        "file": "amazon-in-2023/Amazon-Products.csv",
        "defaults": {"on_hand": "10", "brand": "No brand"},
    },
    # A feed of Yandex's own market: the other channel of its currency.
    "Islandgift (ru)": {
        "file": "feeds/yml/islandgift_ru.xml",
        "defaults": {"on_hand": "10", "brand": "Islandgift", "category": "Gifts"},
    },
}


def program(arguments):
    for word in arguments:
        return str(Path(word).resolve())
    for profile in ("release", "quick", "debug"):
        path = ROOT / "target" / profile / "shelfcast"
        if path.is_file():
            return str(path)
    sys.exit("judge_catalogs: no shelfcast in target/; build it, or name it")


def laid_out(binary, folder, name, about):
    """A project of a real catalog: mapped by `init`, put right by hand, every known channel as a feed."""
    project = folder / re.sub(r"\W+", "-", name)
    done = subprocess.run([binary, "--now", NOW, "init", str(project), "--from", str(SHARED / "data" / about["file"])], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Wrong(f"init ended with {done.returncode}: {done.stderr[:500]}")
    config = project / "shelfcast.toml"
    text = config.read_text(encoding="utf-8").split("[[feed]]")[0]
    for key, value in about.get("shop", {}).items():
        text, found = re.subn(rf'(?m)^{key} = .*$', f'{key} = "{value}"', text, count=1)
        assert found, key
    defaults = "".join(f'{key} = "{value}"\n' for key, value in about["defaults"].items())
    if "[source.defaults]" in text:
        text = re.sub(r"(?m)^(\[source\.defaults\].*\n)", lambda found: found[1] + defaults, text, count=1)
    else:
        text += f"[source.defaults]\n{defaults}"
    for channel in KINDS:
        text += f'\n[[feed]]\nname = "{channel}"\nchannel = "{channel}"\nmax_withheld = "100%"\n{FEEDS.get(channel, "")}\n'
    config.write_text(text, encoding="utf-8")
    (project / "one.csv").write_text("category,number\nAll,1\n", encoding="utf-8")
    how = "preset " + re.search(r'(?m)^preset = "([^"]+)"', text)[1] if re.search(r"(?m)^preset = ", text) else "init's own"
    by_hand = [*about.get("shop", {}), *(f"{key} where it has none" for key in about["defaults"])]
    return project, f"{how}; by hand {', '.join(by_hand)}"


def verdict(project, feed):
    """(errors, what is wrong) of a feed that was written."""
    try:
        said = judged(project, feed, KINDS[feed["channel"]])
        return 0, said
    except Wrong as error:
        found = re.search(r"(\d+) errors", str(error))
        return int(found[1]) if found else -1, str(error)


def main(arguments):
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    target = arguments[arguments.index("--table") + 1] if "--table" in arguments else None
    binary = program([word for word in arguments if not word.startswith("--") and word not in (only, target)])
    if not CHECK.is_file():
        print(f"judge_catalogs: skipped: {CHECK} is not there (set SHELFCAST_SHARED)")
        return 0
    lines = ["| channel | catalog | mapping | let pass | written | errors |", "| --- | --- | --- | --- | --- | --- |"]
    good = {channel: [] for channel in KINDS}
    failures, details = [], []
    with tempfile.TemporaryDirectory(prefix="shelfcast-judge-") as folder:
        folder = Path(folder)
        import shutil

        shutil.copytree(ROOT / "samples", folder / "samples", ignore=shutil.ignore_patterns("out", ".shelfcast"))
        every = folder / "samples/all-channels"
        projects = [("sample shop", lambda: (every, "the shop's own"))]
        for name, about in REAL.items():
            if not (SHARED / "data" / about["file"]).is_file():
                print(f"judge_catalogs: skipped {name}: {about['file']} is not there")
                continue
            projects.append((name, lambda name=name, about=about: laid_out(binary, folder, name, about)))
        for name, lay_out in projects:
            if only.lower() not in name.lower():
                continue
            project, how = lay_out()
            told = set()
            for feed in build(binary, project):
                channel = feed["channel"]
                if channel not in KINDS or channel in told:
                    continue
                told.add(channel)
                passed = feed["read"] - feed["filtered"]
                errors, said = verdict(project, feed) if feed["files"] else (0, "")
                lines.append(f"| {channel} | {name} | {how} | {passed} | {feed['written']} | {errors} |")
                if errors:
                    failures.append(f"{channel}, {name}: {said[:400]}")
                share = feed["written"] / max(1, passed)
                if errors == 0 and share >= LEAST and (name == "sample shop" or feed["written"] >= ITEMS):
                    good[channel].append(name)
                elif not errors:
                    details.append(f"{channel}, {name}: {feed['written']} of {passed} written {feed.get('reason') or ''}")
    if not only:
        for channel, names in good.items():
            if "sample shop" not in names:
                failures.append(f"{channel}: the sample shop falls short")
            real = [name for name in names if name != "sample shop"]
            if len(real) < CATALOGS:
                failures.append(f"{channel}: only {len(real)} real catalogs hold: {', '.join(real)}")
    text = "\n".join(lines) + "\n"
    print(text)
    for detail in details:
        print(f"short: {detail}")
    if target:
        Path(target).write_text(text, encoding="utf-8")
    for failure in failures:
        print(f"failed: {failure}")
    print("all as expected" if not failures else f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
