"""`make bench`: measures every path of Sluice beside its peer in the same run, on real servers, and prints a table.

Figures of shared machines are ratios, never absolute promises. A path whose server is missing is skipped by name.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from paths import Bench  # noqa: E402
from servers import SLUICE, Kafka, Missing, Postgres, Search  # noqa: E402

PATHS = ["start", "to-file", "from-file", "to-postgres", "to-elasticsearch", "from-xml"]


def rows(bench, name, folder):
    if name == "start":
        yield from bench.start()
    elif name == "to-file":
        yield from bench.to_file()
    elif name == "from-file":
        yield from bench.from_file()
    elif name == "from-xml":
        yield from bench.from_xml()
    else:
        server = Postgres() if name == "to-postgres" else Search(folder / "search")
        try:
            yield from (bench.to_postgres(server) if name == "to-postgres" else bench.to_search(server))
        finally:
            server.close()


def show(row):
    peak = f"{row.peak:7.0f}" if row.peak else "       "
    cpu = f"{row.cpu:6.1f}" if row.cpu else "      "
    digits = 0 if row.peer > 100 else 2
    print(
        f"{row.path:40} {row.peer_name:24} {row.peer:12,.{digits}f} {row.ours:12,.{digits}f} {row.unit:10}"
        f" {row.ratio:6.2f} {row.target:6.2f} {row.ratio / row.target:7.0%} {peak} {cpu}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--paths", default=",".join(PATHS), help=f"some of {','.join(PATHS)}")
    parser.add_argument("--records", type=int, default=1_000_000, help="records per path")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-"))
    skipped, failed, kafka = [], [], None
    began = time.monotonic()
    try:
        kafka = Kafka(folder / "kafka")
        bench = Bench(kafka, folder, options.records)
        print(f"{SLUICE.name}: {SLUICE.stat().st_size / 1e6:.1f} MB; {options.records:,} records of about 200 bytes, 1 partition")
        print(f"{'path':40} {'peer':24} {'peer':>12} {'sluice':>12} {'':10} {'ratio':>6} {'target':>6} {'reached':>7}"
              f" {'peak MB':>7} {'CPU s/M':>6}")
        for name in options.paths.split(","):
            try:
                for row in rows(bench, name, folder):
                    show(row)
            except Missing as reason:
                skipped.append(f"{name}: {reason}")
            except Exception as reason:  # one path's failure must not hide the others
                failed.append(f"{name}: {reason}")
    except Missing as reason:
        skipped.append(f"everything: {reason}")
    finally:
        if kafka:
            kafka.close()
        shutil.rmtree(folder, ignore_errors=True)
    for line in skipped:
        print(f"skipped  {line}")
    for line in failed:
        print(f"FAILED   {line}")
    print(f"took {time.monotonic() - began:.0f} s")
    sys.exit(1 if failed else 0)


main()
