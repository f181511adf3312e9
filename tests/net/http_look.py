"""Who looks at a daemon by HTTP, from within its namespace, and what metrics there are by the documents and the sources."""
import html.parser
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


# --- pages --------------------------------------------------------------------------------------------------------------

TAGS = {"html", "head", "meta", "link", "title", "body", "header", "strong", "nav", "a", "form", "input", "button", "main", "h1",
        "h2", "p", "dl", "dt", "dd", "div", "table", "thead", "tbody", "tr", "th", "td", "span", "bdi", "br", "footer"}
ATTRIBUTES = {"lang", "charset", "name", "content", "rel", "href", "aria-current", "action", "role", "type", "maxlength",
              "autocapitalize", "spellcheck", "aria-label", "placeholder", "value", "class", "scope"}
VOID = {"meta", "link", "input", "br"}


class Page(html.parser.HTMLParser):
    """What is on a page: its text, its links and its cells. Asserts that it is made of nothing but what we make pages of, and
    nested as it should be."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.words, self.rows = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open
        self.text = "".join(self.words)

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS, tag
        if tag in ("dt", "dd") and self.open[-1] in ("dt", "dd"):
            self.open.pop()
        for name, text in attrs:
            assert name in ATTRIBUTES, f"{tag} {name}={text}"
            if name in ("href", "action"):
                assert re.match(r"/[a-z.]*(\?[a-z]+=[A-Za-z0-9.:_~%-]*(&[a-z]+=[A-Za-z0-9.:_~%-]*)*)?$|http://[0-9a-z.:\[\]-]+/$",
                                text), text
                self.links.append(text)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag == "dl" and self.open[-1] == "dd":
            self.open.pop()
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_pi(self, data):
        raise AssertionError(data)


def page(ns, port, path="/"):
    status, headers, body = get(ns, port, path)
    assert status == 200, (path, status)
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    text = body.decode()
    assert text.startswith("<!DOCTYPE html>\n")
    return Page(text.removeprefix("<!DOCTYPE html>\n"))


def site(ns, port, most=200):
    """{path: Page} of every page of ours that can be reached by links, and that does not say that it is none."""
    found, todo = {}, ["/"]
    while todo and len(found) < most:
        path = todo.pop(0)
        if path in found or path in ("/metrics", "/style.css"):
            continue
        found[path] = page(ns, port, path)
        todo += [link for link in found[path].links if link.startswith("/")]
    return found


def browse(ns, port, path, screenshot=None, size="1280,900"):
    """The document as Chromium has it, after whatever would have run has run."""
    what = [f"--screenshot={screenshot}"] if screenshot else ["--dump-dom"]
    return ns.run("timeout", "60", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                  f"--window-size={size}", f"--user-data-dir={ns.scope.dir}/chromium", *what, f"http://127.0.0.1:{port}{path}")
