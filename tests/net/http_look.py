"""Who looks at a daemon by HTTP, from within its namespace, and what metrics there are by the documents and the sources."""
import http.client
import pathlib
import re

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from quelld_box import inside

TOP = pathlib.Path(__file__).resolve().parents[2]
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"


def get(ns, port, path="/metrics", headers=None, host="127.0.0.1", method="GET"):
    """(status, headers, body)"""
    with inside(ns):
        c = http.client.HTTPConnection(host, port, timeout=20)
        c.connect()
    c.request(method, path, headers=headers or {})
    r = c.getresponse()
    body = r.read()
    c.close()
    return r.status, dict(r.getheaders()), body


def scrape(ns, port):
    """{family: {frozenset of labels: value}}, as the strict parser of OpenMetrics has it; the older form says the same."""
    status, headers, body = get(ns, port, headers={"Accept": OPENMETRICS})
    assert status == 200 and headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {f.name: f for f in openmetrics(body.decode())}
    status, headers, old = get(ns, port)
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    # The parser names counters without _total, and the form has no info.
    assert {f.name.removesuffix("_info") for f in prometheus(old.decode())} == set(families)
    return families


def samples(families, name):
    """{tuple of (label, value): value} of one sample name."""
    return {tuple(sorted(s.labels.items())): s.value for f in families.values() for s in f.samples if s.name == name}


def value(families, name, /, **labels):
    return samples(families, name)[tuple(sorted(labels.items()))]


def documented():
    """{name of a sample or histogram: labels}, of docs/metrics.md."""
    rows = re.findall(r"(?m)^\| `([a-z0-9_]+)` \| (\w+) \|([^|]*)\|", (TOP / "docs/metrics.md").read_text())
    return {name: (kind, labels.strip()) for name, kind, labels in rows}


def in_sources():
    """{name as documented: type}"""
    found = {}
    for f in [*(TOP / "daemon").glob("metrics*.c"), TOP / "cli/ledger.c"]:
        for name, kind in re.findall(r'\{\s*"([a-z0-9_]+)", METRIC_(\w+),', f.read_text()):
            found[name + {"COUNTER": "_total", "INFO": "_info"}.get(kind, "")] = kind.lower()
    return found
