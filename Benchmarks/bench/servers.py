"""Real servers for the benchmarks: Kafka, PostgreSQL, Elasticsearch, and the Sluice worker under test."""

import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLUICE = ROOT / "build" / "sluice"


class Missing(Exception):
    """A server that this machine does not have; the path is skipped by name."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, **options)


def shared(name):
    """A test server's folder beside the repository, or None."""
    for folder in [ROOT, *ROOT.parents]:
        candidate = folder.parent / "shared" / name
        if candidate.exists():
            return candidate
    return None


class Kafka:
    """One real broker: BENCH_BOOTSTRAP (running), KAFKA_HOME (an ordinary download), or ../shared/kafka."""

    def __init__(self, folder):
        self.folder, self.stop_command, self.process = folder, None, None
        if os.environ.get("BENCH_BOOTSTRAP"):
            self.bootstrap = os.environ["BENCH_BOOTSTRAP"]
            return
        port = free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        if os.environ.get("KAFKA_HOME"):
            self._start_download(pathlib.Path(os.environ["KAFKA_HOME"]), port)
        elif shared("kafka"):
            tool = shared("kafka") / "kafka"
            settings = ["group.initial.rebalance.delay.ms=0", "log.retention.hours=24"]
            extra = [word for setting in settings for word in ("--set", setting)]
            port = random.randrange(20000, 40000, 10)
            self.bootstrap = f"127.0.0.1:{port}"
            run(tool, "start", "--dir", folder, "--port", port, "--heap", "1g", *extra, stdout=subprocess.DEVNULL)
            self.stop_command = [tool, "stop", "--dir", folder]
        else:
            raise Missing("no real Kafka: set KAFKA_HOME to an Apache Kafka download, or BENCH_BOOTSTRAP to a broker")

    def _start_download(self, home, port):
        controller = free_port()
        properties = self.folder / "server.properties"
        self.folder.mkdir(parents=True)
        properties.write_text(
            "process.roles=broker,controller\nnode.id=1\n"
            f"controller.quorum.voters=1@127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n"
            f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n"
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
            f"log.dirs={self.folder}/data\noffsets.topic.replication.factor=1\n"
            "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
            "group.initial.rebalance.delay.ms=0\n"
        )
        cluster = run(home / "bin/kafka-storage.sh", "random-uuid", capture_output=True, text=True).stdout.strip()
        run(home / "bin/kafka-storage.sh", "format", "-t", cluster, "-c", properties, stdout=subprocess.DEVNULL)
        log = open(self.folder / "broker.log", "wb")
        self.process = subprocess.Popen([home / "bin/kafka-server-start.sh", properties], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while subprocess.run(["kcat", "-b", self.bootstrap, "-L", "-m", "1"], capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise Missing(f"Kafka of KAFKA_HOME did not start; see {self.folder}/broker.log")

    def fill(self, topic, file):
        """Creates a topic of one partition and produces one record per line; the seconds it took."""
        start = time.monotonic()
        run("kcat", "-b", self.bootstrap, "-P", "-t", topic, "-l", file, stderr=subprocess.DEVNULL)
        return time.monotonic() - start

    def close(self):
        if self.stop_command:
            subprocess.run([str(word) for word in self.stop_command], stdout=subprocess.DEVNULL)
        if self.process:
            self.process.terminate()
            self.process.wait(30)


class Postgres:
    """A private PostgreSQL in a temporary folder, with settings of an ordinary server."""

    def __init__(self):
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        if not versions:
            raise Missing("no PostgreSQL server is installed")
        self.bin = versions[-1]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-pg-"))
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.user:
            shutil.chown(self.folder, "postgres")
        self.port = free_port()
        self.url = f"postgresql://bench@127.0.0.1:{self.port}/postgres"
        data = self.folder / "data"
        self._as_user(self.bin / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C")
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder}"
        options += " -c max_wal_size=4GB -c shared_buffers=256MB"
        self._as_user(self.bin / "pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start")

    def _as_user(self, *command):
        run(*self.user, *command, stdout=subprocess.DEVNULL)

    def sql(self, *statements):
        words = [word for statement in statements for word in ("-c", statement)]
        answer = run("psql", "-X", "-q", "-t", "-A", self.url, *words, capture_output=True, text=True)
        return answer.stdout.strip()

    def close(self):
        self._as_user(self.bin / "pg_ctl", "-D", self.folder / "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.folder)


class Search:
    """Elasticsearch: ELASTICSEARCH_URL, or ../shared/search."""

    def __init__(self, folder):
        self.tool = None
        self.url = os.environ.get("ELASTICSEARCH_URL")
        if self.url:
            return
        if not shared("search"):
            raise Missing("no search server: set ELASTICSEARCH_URL")
        self.tool, self.folder = shared("search") / "search", folder
        answer = run(
            self.tool, "start", "elasticsearch", "--port", "0", "--dir", folder, capture_output=True, text=True
        )
        self.url = answer.stdout.strip().split()[-1]

    def call(self, method, path, body=None, kind="application/json"):
        host = self.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request(method, path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")

    def close(self):
        if self.tool:
            run(self.tool, "stop", "--dir", self.folder, stdout=subprocess.DEVNULL)


class Worker:
    """A Sluice worker on a config directory of its own, with what the kernel says of its memory and CPU."""

    def __init__(self, bootstrap, folder, connectors=(), wait=True):
        self.folder = pathlib.Path(folder)
        config = self.folder / "config"
        config.mkdir(parents=True)
        for name, body in connectors:
            (config / f"{name}.json").write_text(json.dumps({"name": name, "config": body}))
        group = f"bench-{random.randrange(1 << 40):x}"
        (config / "worker.properties").write_text(
            f"bootstrap.servers={bootstrap}\ngroup.id={group}\noffset.flush.interval.ms=5000\n"
            + "".join(f"{kind}.storage.topic={group}-{kind}s\n" for kind in ("config", "status"))
            + f"offset.storage.topic={group}-offsets\n"
            "key.converter=org.apache.kafka.connect.storage.StringConverter\n"
            "value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false\n"
        )
        self.port = free_port()
        self.connection = None
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [SLUICE, "worker", "--config-dir", config, "--properties", config / "worker.properties",
             "--listeners", f"http://127.0.0.1:{self.port}"],
            stderr=open(self.folder / "worker.log", "wb"),
        )
        self.rest_seconds = self._until_rest() if wait else None

    def _until_rest(self):
        while True:
            try:
                self.get("/")
                return time.monotonic() - self.started
            except OSError:
                if self.process.poll() is not None or time.monotonic() > self.started + 20:
                    raise RuntimeError(f"the worker did not start; see {self.folder}/worker.log") from None
                time.sleep(0.002)

    def call(self, method, path, body=None):
        # One connection for all questions: asking must not take much of the two cores that are measured.
        self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                    {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            raise
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text or b"null")

    def get(self, path):
        return self.call("GET", path)

    def put(self, name, config):
        """Creates a connector; while the worker is still starting or nobody leads yet it is asked again."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return self.call("PUT", f"/connectors/{name}/config", config)
            except RuntimeError as refused:
                waits = any(status in str(refused) for status in (" 503 ", " 409 "))
                if not waits or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def figures(self):
        """Resident peak in MB and CPU seconds so far."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(peak.split()[1]) / 1024, (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def watch(self, connector, records, limit=120):
        """Seconds from the first record written to the last, sampled; raises when the task fails or time is over."""
        first = before = None
        deadline = time.monotonic() + limit
        while True:
            now = time.monotonic()
            tasks = [task for task in self.get("/admin/tasks") if task["id"]["connector"] == connector]
            failed = [task for task in tasks if task["state"] == "FAILED"]
            if failed:
                raise RuntimeError(f"{connector} failed: {self.get(f'/connectors/{connector}/status')}")
            written = sum(task["records_written"] for task in tasks)
            if written and first is None:
                first = (before or now, 0)
            if written >= records:
                return time.monotonic() - first[0]
            if now > deadline:
                raise RuntimeError(f"{connector}: {written} of {records} records after {limit} s: {tasks}")
            before = now
            time.sleep(0.02)

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError("the worker did not stop in 40 s") from None
