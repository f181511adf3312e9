#!/usr/bin/python3
"""What the documents say is so: every file, function and test that docs/conformance.md names is there; every example of a
configuration is one that `quell check` takes; keys, operations and classes are those of the code; links lead somewhere."""
import json
import os
import re
import subprocess
import sys
import tempfile

SRC, BUILD = os.environ.get("srcdir", "."), os.environ.get("builddir", ".")
faults = []


def read(path):
    with open(os.path.join(SRC, path), encoding="utf-8") as f:
        return f.read()


def fault(text):
    faults.append(text)


# --- docs/conformance.md: | clause | level | what | code | test | status | ---------------------------------------------

CELL = re.compile(r'\s*([\w/.-]+):((?:[^;"]|"[^"]*")*)(?:;|$)')
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "SHALL", "SHALL NOT", "MAY", "RECOMMENDED", "NOT RECOMMENDED", "must",
          "recommended", "text", "rule"}
STATUS = re.compile(r"(yes|no|partly|partly, by design|by design|n/a|as RFC 7606 revised them)\b")
sources = {}


def source(base):
    """What stands in the files of that name, or None."""
    if base not in sources:
        found = [base + end for end in (".c", ".h", ".bpf.c", ".py", ".sh") if os.path.isfile(os.path.join(SRC, base + end))]
        text = "\n".join(map(read, found))
        # A table that several tests go through stands in a header of its own beside them.
        for header in re.findall(r'^#include "(\w*rows\.h)"', text, re.M):
            text += read(os.path.join(os.path.dirname(base), header))
        sources[base] = (text, set(re.findall(r"\w+", text))) if found else None
    return sources[base]


def check_names(where, folder, cell):
    at = 0
    while at < len(cell):
        m = CELL.match(cell, at)
        if not m:
            return fault(f"{where}: not of the form `file: name, ...`: {cell[at:]}")
        at = m.end()
        base, names = m.groups()
        found = source(folder + base)
        if not found:
            fault(f"{where}: no such file: {folder}{base}")
            continue
        text, words = found
        rows = re.findall(r'"[^"]*"', names)
        names = [n.strip() for n in re.sub(r'"[^"]*"', "", names).split(",") if n.strip()]
        if not rows and not names:
            fault(f"{where}: {base}: nothing is named")
        for row in rows:
            if row not in text:
                fault(f"{where}: {base} has no row {row}")
        for name in names:
            if name not in words:
                fault(f"{where}: {base} has no {name}")


def check_conformance():
    rows = set()
    for line in read("docs/conformance.md").splitlines():
        if not line.startswith("|"):
            continue
        cells = [c.strip() for c in line.strip("|").split("|")]
        if cells[0] in ("clause", "rule") or set(cells[0]) == {"-"} and len(cells[0]) > 1:
            continue
        where = f"conformance.md: {cells[0]}"
        if len(cells) != 6:
            fault(f"{where}: {len(cells)} cells, not 6")
            continue
        clause, level, what, code, test, status = cells
        where += f" ({what})"
        rows.add(clause.split(",")[0])
        if code != "-":
            check_names(where, "", code)
        if test != "no test":
            check_names(where, "tests/", test)
        if not set(level.split(", ")) <= LEVELS:
            fault(f"{where}: level {level}")
        if not STATUS.match(status):
            fault(f"{where}: status {status}")
        # Whoever claims something says where; whoever claims nothing says why.
        if status == "yes" and code == "-":
            fault(f"{where}: yes, but nowhere")
        if status in ("no", "partly", "by design", "n/a"):
            fault(f"{where}: {status}, and no reason")
    for name, last in (("9161-%02d", 51), ("9047-%02d", 13), ("N%d", 31)):
        for n in range(1, last + 1):
            if name % n not in rows:
                fault(f"conformance.md: no row {name % n}")


# --- configurations ----------------------------------------------------------------------------------------------------

def configurations():
    """The examples by where they stand: README in blocks indented by four, the manual between .Bd and .Ed."""
    blocks = re.findall(r"(?m)^    (?=router-id:|members:)(.*\n(?:(?:    .*)?\n)*)", read("README.md"))
    found = [("README.md", re.sub(r"(?m)^    ", "", b)) for b in blocks]
    found += [("quell.yaml(5)", b) for b in re.findall(r"(?ms)^\.Bd -literal.*?\n(.*?)^\.Ed", read("docs/quell.yaml.5"))]
    return found


def quell_check(path):
    return subprocess.run([os.path.join(BUILD, "quell"), "check", path], capture_output=True, text=True)


def check_configurations():
    found = configurations()
    registries = [text for _, text in found if text.startswith("members:")]
    configs = [(where, text) for where, text in found if text.startswith("router-id:")]
    if len(registries) != 1 or len(configs) < 4:
        return fault(f"README.md, quell.yaml(5): {len(configs)} configurations and {len(registries)} registries found")
    with tempfile.TemporaryDirectory() as folder:
        def put(name, text):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace("/etc/quell/", folder + "/"))
            return path
        put("pe.key", "secret\n")
        for i, (where, text) in enumerate(configs):
            put("members.yaml", registries[0])
            path = put(f"{i}.yaml", text)
            p = quell_check(path)
            if p.returncode:
                fault(f"{where}: {p.stdout}{p.stderr}")
            # The registry was read: it is not so with an address that is outside of the LAN.
            put("members.yaml", registries[0].replace("198.18.0.1", "203.0.113.1"))
            if "registry:" in text and quell_check(path).returncode == 0:
                fault(f"{where}: the registry is not read")


def check_manual():
    schema = set(re.findall(r'\b[A-Z_]+\(\s*"([a-z0-9-]+)",', read("config/schema.c") + read("registry/schema.c")))
    manual = set(re.findall(r"(?m)^\.It Cm ([a-z0-9-]+) :", read("docs/quell.yaml.5")))
    for key in sorted(schema - manual):
        fault(f"quell.yaml(5) does not know {key}")
    for key in sorted(manual - schema):
        fault(f"quell.yaml(5) has {key}, the configuration has not")
    rules = set(re.findall(r"(?m)^\.It ([a-z-]+) Ta", read("docs/quell.yaml.5")))
    for rule in re.findall(r'X\([A-Z_]+, "([a-z-]+)", \d+, "[^"]+"\)', read("proxyarp/class.h")):
        if rule not in rules:
            fault(f"quell.yaml(5) does not know the rule {rule}")


def check_reload():
    """What quell.yaml(5) says of a reload, and the table that does it."""
    section = read("docs/quell.yaml.5").split(".Sh RELOAD")[1].split(".Sh ")[0]
    named = set(re.findall(r"[a-z]+(?:-[a-z]+)*", " ".join(re.findall(r"(?m)^\.Cm (.*)$", section))))
    rows = re.findall(r'"([a-z.-]+)",\s*(?:[a-z_.]+,\s*)+([A-Z_]+)(?:,\s*([A-Z_]+))?\)', read("config/field.c"))
    for key, *effects in rows:
        severe = {"RESET", "ANEW", "RESTART", "LATER"} & set(effects)
        if severe and not {key, key.split(".")[0]} & (named | {"name"}):
            fault(f"quell.yaml(5): RELOAD does not name {key}: {severe.pop()}")
    if len(rows) < 70:
        fault(f"config/field.c: {len(rows)} rows found")


# --- the rest ------------------------------------------------------------------------------------------------------------

def check_links():
    readme = read("README.md")
    docs = sorted(f"docs/{name}" for name in os.listdir(os.path.join(SRC, "docs")) if name.endswith(".md"))
    for doc in docs:
        if f"]({doc})" not in readme:
            fault(f"README.md: no link to {doc}")
    for doc in ["README.md", "HACKING.md"] + docs:
        text = read(doc)
        for path in re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r"`([a-z]+/[a-z0-9_/]+\.(?:c|h|sh|md))`", text):
            if not any(os.path.exists(os.path.join(SRC, base, path)) for base in ("", os.path.dirname(doc))):
                fault(f"{doc}: no such file: {path}")
    headings = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-")
                for h in re.findall(r"(?m)^#+ (.*)$", read("docs/conformance.md"))}
    for anchor in re.findall(r"\]\(#([^)]+)\)", read("docs/conformance.md")):
        if anchor not in headings:
            fault(f"conformance.md: no heading #{anchor}")


def check_commands():
    usage = subprocess.run([os.path.join(BUILD, "quell"), "help"], capture_output=True, text=True).stdout
    for doc in ("README.md", "ChangeLog.md"):
        for names in re.findall(r"quell (?:show|check)((?: \|? ?[a-z]+)+)", read(doc)):
            for name in re.findall(r"[a-z]+", names):
                if not re.search(rf"\b{name}\b", usage):
                    fault(f"{doc}: quell does not know {name}")


def check_feed():
    text = read("docs/feed.md")
    daemons = "".join(read(f"daemon/{f}.c") for f in ("feed_server", "agent_feed", "control_show", "control_do",
                                                               "agent_control"))
    for line in re.findall(r"(?m)^    (\{.*)$", text):
        for part in re.split(r"\s{2,}", line):
            try:
                op = json.loads(part)["op"]
            except (ValueError, KeyError) as e:
                fault(f"feed.md: {part}: {e}")
                continue
            if f'"{op}"' not in daemons and f'\\"{op}\\"' not in daemons:
                fault(f"feed.md: no op {op} in the daemons")
    for show in re.findall(r'\{"show":"([a-z]+)"\}', text):
        if f'{{"{show}",' not in daemons:
            fault(f"feed.md: the daemons do not show {show}")
    for do in re.findall(r'\{"do":"([a-z-]+)"', text):
        if f'{{"{do}",' not in daemons:
            fault(f"feed.md: the daemons do not {do}")


def check_verdict():
    text = read("docs/verdict.md")
    words = set(re.findall(r'X\([A-Z0-9_]+, "([a-z0-9-]+)"', read("proxyarp/class.h")))
    for word in sorted(words - {"error", "sponged"}):  # outcomes that no verdict of today gives
        if f"`{word}`" not in text:
            fault(f"verdict.md does not name {word}")


for check in (check_conformance, check_configurations, check_manual, check_reload, check_commands, check_links, check_feed, check_verdict):
    check()
print("\n".join(faults))
sys.exit(bool(faults))
