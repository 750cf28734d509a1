"""The data that both sides of every comparison work on; made once per folder."""

import gzip
import json
import pathlib
import random

CHAINS = ["shufersal", "rami_levy", "super_pharm", "victory", "yohananof"]


def records(folder, count):
    """`count` JSON records of about 200 bytes, one per line, and the same as tab-separated rows."""
    lines, rows = folder / f"records-{count}.jsonl", folder / f"records-{count}.tsv"
    if lines.exists() and rows.exists():
        return lines, rows
    rng = random.Random(42)
    with open(lines, "w") as json_file, open(rows, "w") as row_file:
        for number in range(count):
            row = (
                number, CHAINS[number % 5], rng.randrange(1, 400), f"72900{rng.randrange(10**8):08d}",
                f"item name {rng.randrange(10**6)} with some words", rng.randrange(100, 99999) / 100,
                rng.randrange(1, 50), f"2026-08-{number % 28 + 1:02d} {number % 24:02d}:{number % 60:02d}:00",
            )
            keys = ("id", "chain", "store", "itemcode", "itemname", "price", "quantity", "updated")
            json_file.write(json.dumps(dict(zip(keys, row)), separators=(",", ":")) + "\n")
            row_file.write("\t".join(map(str, row)) + "\n")
    return lines, rows


TABLE = (
    "id bigint{pk}, chain text, store bigint, itemcode text, itemname text, price numeric, quantity bigint, updated text"
)


def xml_gz(folder, megabytes):
    """A PriceFull file of about that many MB of XML, compressed; its inflated size in bytes and its number of items."""
    name = "PriceFull7290027600007-001-202608240300.gz"
    path, about = folder / name, folder / "xml.json"
    if path.exists() and about.exists():
        known = json.loads(about.read_text())
        return path, known["bytes"], known["items"]
    rng, size, items = random.Random(7), 0, 0
    with gzip.open(path, "wb", compresslevel=6) as out:
        head = (
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Root><ChainId>7290027600007</ChainId><SubChainId>001</SubChainId>"
            "<StoreId>001</StoreId><BikoretNo>9</BikoretNo><DllVerNo>8.0.1.3</DllVerNo><Items>\n"
        ).encode()
        out.write(head)
        size += len(head)
        while size < megabytes << 20:
            code = rng.randrange(10**12)
            item = (
                f"<Item>\n<PriceUpdateDate>2026-08-2{items % 9} 0{items % 9}:00</PriceUpdateDate>\n"
                f"<ItemCode>{code:013d}</ItemCode>\n<ItemType>1</ItemType>\n<ItemName>מוצר מספר {code % 9973}</ItemName>\n"
                "<ManufacturerName>יצרן לדוגמה</ManufacturerName>\n<ManufactureCountry>IL</ManufactureCountry>\n"
                f"<ManufacturerItemDescription>תיאור של מוצר {items}</ManufacturerItemDescription>\n"
                "<UnitQty>גרם</UnitQty>\n<Quantity>100.00</Quantity>\n<UnitOfMeasure>100 גרם</UnitOfMeasure>\n"
                "<bIsWeighted>0</bIsWeighted>\n<QtyInPackage>0</QtyInPackage>\n"
                f"<ItemPrice>{code % 10000 / 100:.2f}</ItemPrice>\n<UnitOfMeasurePrice>{code % 1000 / 100:.2f}"
                "</UnitOfMeasurePrice>\n<AllowDiscount>1</AllowDiscount>\n<ItemStatus>0</ItemStatus>\n</Item>\n"
            ).encode()
            out.write(item)
            size += len(item)
            items += 1
        tail = b"</Items></Root>\n"
        out.write(tail)
        size += len(tail)
    about.write_text(json.dumps({"bytes": size, "items": items}))
    return path, size, items


def bulk_bodies(folder, lines, count, index):
    """The first `count` records as `_bulk` bodies of about 5 MB; the files."""
    paths, part, number = [], [], 0
    target = folder / "bulk"
    target.mkdir(exist_ok=True)
    with open(lines) as source:
        for number, line in enumerate(source):
            if number == count:
                break
            part.append(f'{{"index":{{"_index":"{index}","_id":"bench+0+{number}"}}}}\n{line}')
            if len(part) == 20000:
                paths.append(target / f"{len(paths)}.ndjson")
                paths[-1].write_text("".join(part))
                part = []
    if part:
        paths.append(target / f"{len(paths)}.ndjson")
        paths[-1].write_text("".join(part))
    return paths
