"""The audit's reports as others read them: an XML parser, Python's csv and json, and Chromium without a display. They are those of a
made-up LAN (tests/audit/books.h), whose members have names that would break out of any form."""
import csv
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET

import pytest

HTML = "{http://www.w3.org/1999/xhtml}"
PAGES = ["pass", "fail", "single", "large", "ledger", "empty", "member-AS64500", "member-AS64503", "member-AS64504", "member-AS64510"]
chromium = pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium here")
writes = pytest.mark.needs("tests/audit/write_reports")


@pytest.fixture(scope="module")
def reports(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    subprocess.run([os.path.join(build, "tests/audit/write_reports"), folder], check=True, timeout=120)
    return folder


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def said(element):
    return " ".join("".join(element.itertext()).replace("\u202f", "").replace("\u00a0", " ").split())


@writes
@pytest.mark.parametrize("page", PAGES)
def test_html_is_well_formed_and_self_contained(reports, page):
    text = (reports / f"{page}.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 2_000_000
    root = ET.fromstring(text)
    assert root.tag == f"{HTML}html" and root.get("lang") == "en"
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    for e in root.iter():
        assert local(e) not in ("script", "iframe", "object", "embed", "link", "img", "image", "use", "form", "base"), local(e)
        for name, value in e.attrib.items():
            assert not name.startswith("on") and "src" not in name, name
            if name.endswith("href"):
                assert value[0] == "#" and value[1:] in ids, value
            if name in ("aria-labelledby",):
                assert all(i in ids for i in value.split()), value
            if "url(" in value:
                assert re.fullmatch(r"url\(#(p\d)\)", value) and value[5:-1] in ids, value
        if local(e) == "th":
            assert e.get("scope") in ("row", "col", "colgroup"), said(e)
        if local(e) == "svg" and e.get("role") == "img":
            assert [local(c) for c in list(e)[:2]] == ["title", "desc"] and all(said(c) for c in list(e)[:2])
    style = root.find(f".//{HTML}style").text
    assert "@import" not in style and "url(" not in style
    policy = [m.get("content") for m in root.iter(f"{HTML}meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    for table in root.iter(f"{HTML}table"):
        heads = [sum(int(c.get("colspan", 1)) for c in row) for row in table.iter(f"{HTML}tr")]
        assert len(set(heads)) == 1, (table.get("class"), heads)


@writes
def test_the_forms_agree(reports):
    """One figure is the same in JSON, CSV, HTML and text."""
    doc = json.loads((reports / "pass.json").read_text(encoding="utf-8"))
    assert (doc["format"], doc["version"], doc["verdict"]) == ("quell-audit", 1, "pass")
    with open(reports / "pass.csv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    root = ET.parse(reports / "pass.html").getroot()
    text = (reports / "pass.txt").read_text(encoding="ascii")
    assert doc["text"] in text and doc["text"].replace("3 010", "3010") in said(root.find(f".//{HTML}section"))
    # Ports: mean of before, of each.
    flood = {r["port"]: float(r["before_frames_per_second"]) for r in rows if r["section"] == "compare" and r["class"] == "flood"}
    assert flood == {r["port"]: pytest.approx(r["before"]["frames_per_second"], abs=1e-3)
                     for r in doc["compare"]["rows"] if r["class"] == "flood"}
    table = next(s for s in root.iter(f"{HTML}section") if s.get("id") == "ports").find(f".//{HTML}tbody")
    assert {said(r[0]): said(r[2]) for r in table} == {p: str(int(v + 0.5)) for p, v in flood.items()}
    # Senders: what they sent to everybody.
    group = {r["mac"]: int(r["frames"]) for r in rows if r["section"] == "sender" and r["class"] == "group" and r["side"] == "before"}
    assert group == {s["mac"]: s["group"]["frames"] for s in doc["before"]["senders"]}
    table = next(s for s in root.iter(f"{HTML}section") if s.get("id") == "senders").find(f".//{HTML}tbody")
    for row in table:
        assert int(said(row[3])) == group[said(row[0])]
    # Rules: who fails which, with how many frames.
    broken = {(r["asn"], r["rule"]): int(r["frames"]) for r in rows
              if r["section"] == "rule" and r["verdict"] == "fail" and r["side"] == "before"}
    assert broken == {(str(m["asn"] or ""), r["rule"]): r["frames"] for m in doc["before"]["members"] for r in m["rules"]
                      if r["verdict"] == "fail"}
    assert broken[("64501", "stp")] == 200
    # The course over time adds up to the count.
    for port in doc["before"]["ports"]:
        for cls, slots in port["series"]["received"].items():
            assert sum(slots["frames"]) == port["received"]["classes"][cls]["frames"]


@writes
def test_csv_as_a_spreadsheet_takes_it(reports):
    for path in sorted(reports.glob("*.csv")):
        raw = path.read_bytes()
        assert raw.endswith(b"\r\n") and raw.count(b"\n") == raw.count(b"\r\n")
        rows = list(csv.reader(raw.decode("utf-8").split("\r\n")[:-1], strict=True))
        assert {len(r) for r in rows} == {24}, path.name
        for row in rows[1:]:
            for i, cell in enumerate(row):
                assert not re.match(r"\s*[=+@|%]", cell) and (i == 23 or not cell.startswith("-")), cell


@writes
def test_members_names_are_text_in_every_form(reports):
    doc = json.loads((reports / "pass.json").read_text(encoding="utf-8"))
    names = {m["asn"]: m["member"] for m in doc["before"]["members"]}
    assert names[64503] == "<script>alert(\"x\")</script> & Sons <b>bold</b>"
    assert names[64505] == "Münchner Netz 東京 Straße"
    assert names[64506] == "\"Quoted\" 'Net' \ufffd[31mred\ufffd[0m Tab"
    assert names[64509] == "bad \ufffd\ufffd octets \ufffd"
    page = said(ET.parse(reports / "member-AS64503.html").getroot().find(f".//{HTML}dl"))
    assert names[64503] in page


# --- a browser ---------------------------------------------------------------------------------------------------------

MEASURE = """<!DOCTYPE html><html><body style="margin:0"><iframe id="f" style="border:0;width:%dpx;height:900px" src="%s"></iframe>
<script>
function colour(c) {
  const m = c.match(/[\\d.]+/g).map(Number);
  return {r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1};
}
function luminance(c) {
  const f = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); };
  return 0.2126 * f(c.r) + 0.7152 * f(c.g) + 0.0722 * f(c.b);
}
function behind(e, w) {
  for (; e; e = e.parentElement) {
    const c = colour(w.getComputedStyle(e).backgroundColor);
    if (c.a === 1) return c;
  }
  return {r: 255, g: 255, b: 255};
}
document.getElementById("f").onload = function () {
  const d = this.contentDocument, w = this.contentWindow, out = {small: [], faint: [], wide: []};
  out.scroll = d.documentElement.scrollWidth;
  out.client = d.documentElement.clientWidth;
  out.sentence = d.querySelector(".sentence").textContent;
  out.dark = w.matchMedia("(prefers-color-scheme: dark)").matches;
  const walk = d.createTreeWalker(d.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walk.nextNode()) {
    const t = walk.currentNode, e = t.parentElement;
    if (!t.textContent.trim() || seen.has(e) || e.closest("title, desc, style")) continue;
    seen.add(e);
    const s = w.getComputedStyle(e), box = e.getBoundingClientRect();
    if (box.width <= 1) continue;
    if (parseFloat(s.fontSize) < 12) out.small.push(e.tagName + " " + s.fontSize + " " + t.textContent);
    const ink = colour(e.closest("svg") ? s.fill : s.color), a = luminance(ink), b = luminance(behind(e, w));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5 && !e.closest("[aria-hidden]")) out.faint.push(contrast.toFixed(2) + " " + e.tagName + "." + e.className + " " + t.textContent);
    if (box.right > out.client + 1 && !e.closest(".scroll")) out.wide.push(e.tagName + " " + t.textContent);
  }
  out.bars = Array.from(d.querySelectorAll(".bar rect")).map(r => r.getBoundingClientRect().width);
  const paths = Array.from(d.querySelectorAll(".chart path")).map(p => p.getBBox());
  out.paths = paths.filter(p => p.width > 0 && p.height > 0).length;
  for (const k of ["small", "faint", "wide"]) out[k] = out[k].slice(0, 5);
  const pre = document.createElement("pre");
  pre.id = "measured";
  pre.textContent = JSON.stringify(out);
  document.body.appendChild(pre);
};
</script></body></html>"""


class Server:
    """Serves the reports and pages that measure them; notes what is asked for."""

    def __init__(self, folder):
        self.asked = asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def do_GET(self):
                asked.append(self.path)
                m = re.fullmatch(r"/measure/(\d+)/([\w.-]+)", self.path)
                if not m:
                    return super().do_GET()
                page = (MEASURE % (int(m[1]), f"/{m[2]}")).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def server(reports):
    s = Server(reports)
    yield s
    s.http.shutdown()
    s.http.server_close()


def browse(tmp_path, *args):
    """What Chromium prints, and what it says. No name but the server's address leads anywhere."""
    run = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                          "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                          f"--user-data-dir={tmp_path}/profile", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                          "--enable-logging=stderr", *args],
                         capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
    assert run.returncode == 0, run.stderr[-2000:]
    console = [line for line in run.stderr.splitlines() if ":CONSOLE" in line]
    assert not console, console
    return run.stdout


def measure(server, tmp_path, page, width, *args):
    dom = browse(tmp_path, f"--window-size={max(width, 500)},900", "--virtual-time-budget=10000", "--dump-dom", *args,
                 f"{server.url}/measure/{width}/{page}.html")
    found = re.search(r'<pre id="measured">(.*?)</pre>', dom, re.S)
    assert found, dom[:2000]
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


@chromium
@writes
@pytest.mark.parametrize("page", ["pass", "fail", "single", "ledger", "empty", "member-AS64510", "member-AS64507"])
def test_on_a_phone_and_on_a_screen(reports, server, tmp_path, page):
    """Nothing wider than the page but what scrolls by itself, nothing smaller than 12 px, nothing too faint (WCAG AA)."""
    for width, scheme in ((320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
        dark = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
        m = measure(server, tmp_path, page, width, *dark)
        assert m["dark"] == (scheme == "dark")
        assert m["scroll"] <= m["client"] == width, (width, m)
        assert not m["small"] and not m["faint"] and not m["wide"], (width, scheme, m)
        if page in ("pass", "fail"):
            assert m["paths"] >= 8 and max(m["bars"]) > 50
    own = {f"/{page}.html", "/favicon.ico"} | {f"/measure/{w}/{page}.html" for w in (320, 390, 1280)}
    assert set(server.asked) <= own, set(server.asked) - own


@chromium
@writes
def test_dom_has_the_figures(reports, server, tmp_path):
    """What the browser shows is what the JSON says."""
    doc = json.loads((reports / "fail.json").read_text(encoding="utf-8"))
    dom = browse(tmp_path, "--dump-dom", f"{server.url}/fail.html").replace("\u202f", " ").replace("\u00a0", " ")
    assert doc["text"] in dom
    row = next(r for r in doc["compare"]["rows"] if r["port"] == "swp7" and r["class"] == "flood")
    assert f">{row['after']['frames_per_second']:.1f}<" in dom
    assert set(server.asked) <= {"/fail.html", "/favicon.ico"}


@chromium
@writes
def test_on_paper(reports, server, tmp_path):
    """Printed: A4, few pages, no text cut at the edge."""
    for page, most in (("pass", 14), ("member-AS64501", 4)):
        pdf = tmp_path / f"{page}.pdf"
        browse(tmp_path, f"--print-to-pdf={pdf}", "--no-pdf-header-footer", f"{server.url}/{page}.html")
        data = pdf.read_bytes()
        assert data.startswith(b"%PDF")
        pages = len(re.findall(rb"/Type\s*/Page\b", data))
        assert 1 <= pages <= most, (page, pages)
        boxes = set(re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", data))
        assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}
