"""Every path beside its peer, in the same run, on the same data. Each function gives rows of (what, peer, ours, unit)."""

import time

import data
from servers import Worker, run


class Row:
    """One comparison; `target` is the ratio that DESIGN.md asks for."""

    def __init__(self, path, unit, peer_name, peer, ours, target, worker=None, records=None, better="more"):
        self.path, self.unit, self.peer_name, self.peer, self.ours = path, unit, peer_name, peer, ours
        self.target, self.better = target, better
        self.peak, self.cpu = (None, None)
        if worker:
            self.peak, seconds = worker.figures()
            self.cpu = seconds / records * 1e6 if records else None

    @property
    def ratio(self):
        return self.ours / self.peer if self.better == "more" else self.peer / self.ours


class Bench:
    def __init__(self, kafka, folder, count):
        self.kafka, self.folder, self.count = kafka, folder, count
        self.lines, self.rows = data.records(folder, count)
        self.number = 0
        self.topic = "bench-records"
        self.produce_seconds = min(kafka.fill(self.topic, self.lines), kafka.fill("bench-warm", self.lines))

    def worker(self):
        self.number += 1
        return Worker(self.kafka.bootstrap, self.folder / f"worker-{self.number}")

    def measure(self, name, config, records):
        """Runs one connector in a fresh worker; its steady seconds and the worker, to be closed."""
        worker = self.worker()
        name = f"{name}-{self.number}"  # the consumer group belongs to the name: a second run must not go on after the first
        worker.put(name, config)
        return worker.watch(name, records), worker

    def to_file(self):
        seconds = []
        for attempt in range(3):
            out = self.folder / "kcat.out"
            start = time.monotonic()
            with open(out, "wb") as file:
                run("kcat", "-b", self.kafka.bootstrap, "-C", "-e", "-q", "-o", "beginning", "-t", self.topic,
                    stdout=file)
            seconds.append(time.monotonic() - start)
            out.unlink()
        peer = self.count / sorted(seconds)[1]
        for kind, keys in (("FileSink", {"directory": str(self.folder / "files")}),
                           ("FileStreamSink", {"file": str(self.folder / "stream.out"),
                                               "value.converter": "org.apache.kafka.connect.storage.StringConverter"})):
            took, worker = self.measure("to-file", {"connector.class": kind, "topics": self.topic, **keys}, self.count)
            yield Row(f"topic -> {kind}", "records/s", "kcat -C -e", peer, self.count / took, 2.5, worker, self.count)
            worker.close()

    def from_file(self):
        took, worker = self.measure("from-file", {
            "connector.class": "FileStreamSource", "file": str(self.lines), "topic": "bench-lines",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        }, self.count)
        yield Row("FileStreamSource -> topic", "records/s", "kcat -P", self.count / self.produce_seconds,
                  self.count / took, 1.3, worker, self.count)
        worker.close()

    def to_postgres(self, postgres):
        for mode, target in (("insert", 0.7), ("upsert", 0.8)):
            key = " primary key" if mode == "upsert" else ""
            create = f"create table {{}} ({data.TABLE.format(pk=key)})"
            postgres.sql(create.format("peer"), create.format("ours"), "checkpoint")
            start = time.monotonic()
            copy = f"\\copy {'stage' if key else 'peer'} from '{self.rows}'"
            if key:
                run("psql", "-X", "-q", postgres.url, "-c", "create temp table stage (like peer)", "-c", copy, "-c",
                    "insert into peer select * from stage on conflict (id) do update set (chain, store, itemcode, "
                    "itemname, price, quantity, updated) = row (excluded.chain, excluded.store, excluded.itemcode, "
                    "excluded.itemname, excluded.price, excluded.quantity, excluded.updated)")
            else:
                run("psql", "-X", "-q", postgres.url, "-c", copy)
            peer = self.count / (time.monotonic() - start)
            config = {"connector.class": "PostgresSink", "topics": self.topic, "connection.url": postgres.url,
                      "table.name.format": "ours", "insert.mode": mode}
            if key:
                config |= {"pk.mode": "record_value", "pk.fields": "id"}
            took, worker = self.measure("to-postgres", config, self.count)
            stored = postgres.sql("select count(*) from ours")
            if int(stored) != self.count:
                raise RuntimeError(f"PostgreSQL holds {stored} of {self.count} rows")
            name = "\\copy + ON CONFLICT" if key else "\\copy"
            yield Row(f"topic -> PostgreSQL, {mode}", "rows/s", name, peer, self.count / took, target, worker, self.count)
            worker.close()
            postgres.sql("drop table peer, ours")

    def to_search(self, search):
        count = min(self.count, 300_000)
        bodies = data.bulk_bodies(self.folder, self.lines, count, "peer")
        settings = '{"settings":{"number_of_shards":1,"number_of_replicas":0}}'
        for index in ("warm", "peer", self.topic):
            search.call("PUT", f"/{index}", settings)
        post = ["curl", "-s", "-f", "-o", "/dev/null", "-H", "Content-Type: application/x-ndjson"]
        for body in bodies[:5]:  # warms the server's JIT for both sides
            run(*post, "--data-binary", f"@{body}", f"{search.url}/warm/_bulk")
        start = time.monotonic()
        for body in bodies:
            run(*post, "--data-binary", f"@{body}", f"{search.url}/_bulk")
        peer = count / (time.monotonic() - start)
        topic = "bench-search"
        small = self.folder / "search.jsonl"
        with open(self.lines) as source, open(small, "w") as out:
            for _ in range(count):
                out.write(next(source))
        self.kafka.fill(topic, small)
        search.call("PUT", f"/{topic}", settings)
        took, worker = self.measure("to-search", {
            "connector.class": "ElasticsearchSink", "topics": topic, "connection.url": search.url,
            "key.ignore": "true", "schema.ignore": "true",
        }, count)
        search.call("POST", f"/{topic}/_refresh")
        stored = search.call("GET", f"/{topic}/_count")[1]["count"]
        if stored != count:
            raise RuntimeError(f"the index holds {stored} of {count} documents")
        yield Row("topic -> Elasticsearch", "docs/s", "curl _bulk", peer, count / took, 0.9, worker, count)
        worker.close()

    def from_xml(self):
        path, size, items = data.xml_gz(self.folder, 120)
        seconds = []
        for _ in range(3):
            start = time.monotonic()
            run("sh", "-c", f"gzip -dc '{path}' | xmllint --stream --noout -")
            seconds.append(time.monotonic() - start)
        inbox = self.folder / f"inbox-{self.number}"
        inbox.mkdir()
        (inbox / path.name).write_bytes(path.read_bytes())
        began = time.monotonic()
        worker = self.worker()
        worker.put("from-xml", {"connector.class": "SupermarketSource", "directory": str(inbox)})
        # From the connector's creation: a pass that only checks the file counts as work done.
        began = time.monotonic()
        worker.watch("from-xml", items)
        took = time.monotonic() - began
        yield Row("supermarket XML.gz -> topic", "MB/s", "gzip | xmllint --stream", size / 1e6 / sorted(seconds)[1],
                  size / 1e6 / took, 0.8, worker, items)
        worker.close()

    def start(self):
        """Ten connectors in the config directory: seconds until REST answers, until a record arrives; memory at rest."""
        inbox = self.folder / "ten"
        inbox.mkdir()
        connectors = []
        for number in range(10):
            (inbox / f"{number}.txt").write_text(f"line {number}\n")
            connectors.append((f"ten-{number}", {
                "connector.class": "FileStreamSource", "file": str(inbox / f"{number}.txt"), "topic": f"ten-{number}",
                "value.converter": "org.apache.kafka.connect.storage.StringConverter"}))
        # First, so that the brokers have their own topics for groups and transactions, as any Kafka in use has.
        idle = self.worker()
        time.sleep(6)  # what a worker holds once it has settled
        resident = idle.resident()
        idle.close()
        worker = Worker(self.kafka.bootstrap, self.folder / "worker-ten", connectors)
        rest = worker.rest_seconds
        began = worker.started
        while True:
            tasks = worker.get("/admin/tasks")
            if any(task["records_written"] for task in tasks):
                first = time.monotonic() - began
                break
            if time.monotonic() > began + 30:
                raise RuntimeError(f"no record in 30 s: {tasks}")
            time.sleep(0.005)
        worker.close()
        yield Row("start until REST answers, 10 connectors", "s", "target", 0.1, rest, 1, better="less")
        yield Row("start until the first record", "s", "target", 1.5, first, 1, better="less")
        yield Row("resident at rest, no connector", "MB", "target", 30, resident, 1, better="less")
