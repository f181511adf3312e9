"""`quell registry`: what is fetched takes the place of the registry in force only if all of it came, makes sense, and does not take
too much away; whatever goes wrong, the file stays as it is and one line says why. The key goes to its host alone, and is shown nowhere."""
import json
import os
import pathlib
import re
import socket
import shutil
import stat
import subprocess
import tempfile
import threading

import pytest
from conftest import wait_until
from ixp_manager import KEY, NEW, OLD, Exchange, Reply, Server

pytestmark = pytest.mark.needs("quell", "openssl")

HTML = b"<!DOCTYPE html><html><title>Login</title></html>"


class Box:
    """A configuration, a key, an IXP Manager, and the command."""

    def __init__(self, folder, build, server):
        self.folder, self.build, self.server, self.env, self.user = folder, build, server, {}, None
        self.into, self.key = folder / "ixp.yaml", folder / "key"
        self.key.write_text(KEY + "\n")
        self.key.chmod(0o600)
        self.write()

    def write(self, lan="", **fetch):
        keys = {"url": self.server.url, "key-file": self.key, "ca-file": getattr(self.server, "ca", None),
                "switches": "[{name: sw1.fra, pe: 10.99.0.1}]", "addresses": 2, "timeout": 5, **fetch}
        fetches = "".join(f"      {k}: {v}\n" for k, v in keys.items() if v is not None)
        (self.folder / "quell.yaml").write_text(
            f"router-id: 10.99.0.1\nrun-dir: {self.folder}/run\nlans:\n  - name: ixp\n    vni: 100\n    vlan: 10\n"
            f"    prefixes: [198.18.0.0/21, '2001:db8:100::/64']\n    registry: [{self.into}]\n{lan}    fetch:\n{fetches}")

    def start(self, *args):
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | self.env
        return subprocess.Popen([f"{self.build}/quell", "registry", *map(str, args)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=env,
                                user=self.user, group=self.user)

    def quell(self, *args, code=0):
        p = self.start(*args)
        out, err = p.communicate(timeout=60)
        assert p.returncode == code, (args, p.returncode, out, err)
        assert KEY not in out + err
        return out, err

    def fetch(self, *args, code=0):
        return self.quell("fetch", "-c", self.folder / "quell.yaml", *args, code=code)

    def outcome(self, *args, code=0):
        return json.loads(self.fetch("--json", *args, code=code)[0])["lans"][0]

    def refused(self, *args):
        """The error, of a fetch that left everything as it was."""
        before, last = self.into.read_bytes(), last_of(self.into)
        out, err = self.fetch(*args, code=1)
        assert self.into.read_bytes() == before and last_of(self.into) == last
        assert f"{self.into} stays as it is" in err
        assert not list(self.folder.glob("*.new"))
        return err


def last_of(path):
    last = pathlib.Path(f"{path}.last")
    return last.read_bytes() if last.exists() else None


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    return tmp_path_factory.mktemp("tls")


@pytest.fixture
def serve(certificates):
    servers = []

    def start(**kinds):
        servers.append(Server(certificates, **kinds))
        return servers[-1]

    yield start
    for s in servers:
        s.close()


@pytest.fixture
def box(tmp_path, build, serve):
    return Box(tmp_path, build, serve())


# --- the good days -----------------------------------------------------------------------------------------------------

def test_first_fetch_makes_a_registry(box):
    out, err = box.fetch()
    assert "20 members, 20 ports, 40 bindings" in out and "is written" in out and "quell reload" in out
    text = box.into.read_text()
    assert text.startswith("# Written by quell registry fetch")
    assert stat.S_IMODE(box.into.stat().st_mode) == 0o644
    members = json.loads(box.quell("show", box.into, "--json")[0])
    assert len(members["members"]) == 20 and len(members["unassigned"]) == 39
    first = members["members"][0]
    assert first["asn"] == 64501 and first["name"] == "Member 1" and first["contacts"] == ["noc@m1.example"]
    assert first["ports"] == [{"port": "swp1", "pe": "10.99.0.1", "switch": "sw1.fra", "speed": 10000, "status": "active",
                               "router": True, "macs": ["02:00:5e:00:00:01"], "former-macs": [],
                               "addresses": ["198.18.0.1", "2001:db8:100::1"]}]
    for path, _, headers in box.server.asked:
        assert headers["X-IXP-Manager-API-Key"] == KEY and KEY not in path
    # What is kept for the next time is for nobody else.
    cache = box.folder / "ixp.yaml.cache"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert not any(KEY in f.read_text() for f in cache.iterdir())


def test_nothing_new_costs_nothing(box):
    box.fetch()
    before = box.into.stat()
    box.server.asked.clear()
    out, err = box.fetch()
    assert [s for _, s, _ in box.server.asked] == [304, 304, 304]
    assert "nothing has changed" in out and "quell reload" not in out
    assert box.into.stat().st_ino == before.st_ino and last_of(box.into) is None
    assert box.outcome()["result"] == "unchanged"


def test_one_that_changed_is_joined_with_those_kept(box):
    box.fetch()
    old = box.into.read_bytes()
    box.server.exchange.members[3]["status"] = "quarantine"
    box.server.asked.clear()
    told = box.outcome()
    assert sorted(s for _, s, _ in box.server.asked) == [200, 304, 304]
    assert told["result"] == "changed" and told["written"]
    assert [(c["op"], c["key"], c["from"], c["to"]) for c in told["changes"]] == [("changed", "status", "active", "quarantine")]
    assert last_of(box.into) == old


def test_a_broken_cache_is_fetched_again(box):
    box.fetch()
    for f in (box.folder / "ixp.yaml.cache").iterdir():
        f.write_text(f.read_text()[:100])
    box.server.asked.clear()
    box.fetch()
    assert [s for _, s, _ in box.server.asked] == [200, 200, 200]


def test_a_mac_that_is_replaced_stays_good(box):
    box.fetch()
    box.server.exchange.members[5]["macs"] = ["02:00:5e:00:01:05"]
    out, err = box.fetch()
    port = json.loads(box.quell("show", box.into, "--json", "--asn", "AS64505")[0])["members"][0]["ports"][0]
    assert port["macs"] == ["02:00:5e:00:01:05"] and port["former-macs"] == ["02:00:5e:00:00:05"]
    assert "~ swp5 at 10.99.0.1 AS64505 " in out and "good until silent" in out


def test_what_conflicts_is_left_out_and_told(box):
    box.fetch()
    box.server.exchange.members[4]["macs"] = box.server.exchange.members[5]["macs"]
    # Who had the MAC all along would lose it, since he comes later in the file: not by itself.
    err = box.refused()
    assert "it contradicts itself, and 2 bindings would go to somebody else by it" in err
    out, err = box.fetch("--force")
    assert re.search(r"conflict: sw1.fra: layer2interfaces\[4\]\S* '02:00:5e:00:00:05': given already in", err)
    assert "~ swp5 at 10.99.0.1 AS64505 addresses [198.18.0.5, 2001:db8:100::5] -> []" in out
    out, err = box.fetch()  # a timer does not say it again
    assert err == "" and "nothing has changed" in out and "in the books, which --dry-run lists" in out
    assert "conflict: sw1.fra" in box.fetch("--dry-run")[1]


def test_before_7_1(tmp_path, build, serve):
    box = Box(tmp_path, build, serve(old=True))
    box.fetch()
    assert box.server.paths() == [f"{OLD}/member-export/ixf/1.0",
                                  f"{NEW}/provisioner/layer2interfaces/switch-name/sw1.fra.json",
                                  f"{OLD}/provisioner/layer2interfaces/switch-name/sw1.fra.json",
                                  f"{NEW}/vlan/2/ip-addresses", f"{OLD}/vlan/2/ip-addresses"]
    box.server.asked.clear()
    box.fetch()  # and that is remembered
    assert len(box.server.asked) == 3 and not any(NEW in p for p in box.server.paths())
    box.server.old = False  # until the upgrade
    box.fetch()
    assert any(NEW in p for p in box.server.paths())


def test_a_key_without_tls_stays_here(tmp_path, build, serve):
    box = Box(tmp_path, build, serve(tls=False))
    box.fetch()
    box.write(url="http://localhost:1")
    assert "the key would go in clear" in box.quell("fetch", "-c", tmp_path / "quell.yaml", code=1)[1]


def test_a_proxy_sees_no_key(tmp_path, build, serve):
    """What is not TLS goes round it."""
    proxy = serve(tls=False)
    secure, clear = Box(tmp_path, build, serve()), serve(tls=False)
    secure.env = {"https_proxy": proxy.url, "http_proxy": proxy.url, "ALL_PROXY": proxy.url}
    assert secure.fetch(code=1)[1].startswith("ixp: failed: ")
    assert proxy.asked == [] and secure.server.asked == []  # it has no CONNECT
    secure.write(url=clear.url)
    secure.fetch()
    assert proxy.asked == [] and len(clear.asked) == 3


def test_owner_and_link_stay(box):
    (box.folder / "members.yaml").write_text("members: [{asn: 64500, ports: [{port: swp1}]}]\n")
    real = box.folder / "real.yaml"
    box.into.symlink_to(real)
    assert "Link has been severed" in box.fetch(code=1)[1] and box.into.is_symlink()
    box.quell("import", "-o", real, box.folder / "members.yaml")
    box.fetch("--force")
    os.chown(real, 65534, 65534)
    box.server.exchange.members[2]["status"] = "quarantine"
    box.fetch()
    assert box.into.is_symlink() and real.stat().st_uid == 65534 and stat.S_IMODE(real.stat().st_mode) == 0o644
    assert last_of(real) and not last_of(box.into)


@pytest.fixture
def nobodys():
    """A directory that pytest does not hide from other users."""
    with tempfile.TemporaryDirectory(prefix="quell-registry-") as folder:
        os.chown(folder, 65534, 65534)
        yield pathlib.Path(folder)


def test_root_follows_no_links_of_others(nobodys, box):
    target = box.folder / "roots.yaml"
    (box.folder / "members.yaml").write_text("members: [{asn: 64500, ports: [{port: swp1}]}]\n")
    box.quell("import", "-o", target, box.folder / "members.yaml")
    before = target.read_bytes()
    box.into = nobodys / "ixp.yaml"
    box.into.symlink_to(target)
    os.chown(box.into, 65534, 65534, follow_symlinks=False)
    box.write()
    assert "Operation not permitted" in box.fetch("--force", code=1)[1]
    assert target.read_bytes() == before and not last_of(target)
    box.into.unlink()
    elsewhere = box.folder / "elsewhere"
    elsewhere.mkdir()
    (nobodys / "ixp.yaml.cache").symlink_to(elsewhere)
    box.fetch()
    assert not list(elsewhere.iterdir())


def test_a_timer_goes_on_where_root_began(nobodys, build, serve):
    shutil.copy(f"{build}/quell", nobodys)
    box = Box(nobodys, nobodys, serve())
    shutil.copy(box.server.ca, nobodys / "ca.pem")
    (nobodys / "ca.pem").chmod(0o644)
    box.write(**{"ca-file": nobodys / "ca.pem"})
    os.chown(box.key, 0, 65534)
    box.key.chmod(0o640)
    box.fetch()
    box.server.exchange.members[2]["status"] = "quarantine"
    box.server.asked.clear()
    box.user = 65534
    assert box.outcome()["result"] == "changed"
    assert sorted(s for _, s, _ in box.server.asked) == [200, 304, 304]
    assert {f.stat().st_uid for f in (box.folder / "ixp.yaml.cache").iterdir()} == {65534}


def test_only_looked_at(box):
    box.fetch()
    files = {f: f.read_bytes() for f in box.folder.rglob("*") if f.is_file()}
    box.server.exchange.members[2]["status"] = "quarantine"
    out, err = box.fetch("--dry-run")
    assert "~ swp2" in out and "would be written: only looked at" in out
    assert {f: f.read_bytes() for f in box.folder.rglob("*") if f.is_file()} == files


# --- the bad ones ------------------------------------------------------------------------------------------------------

IXF, LAYER2, ADDRESSES = "ixf/1.0", "sw1.fra.json", "ip-addresses"
LARGE = b'{"layer2interfaces": [' + b" " * (33 << 20) + b"]}"

FAULTS = {
    "expired": (LAYER2, Reply(401, b"API key expired", "text/html; charset=UTF-8"), r"the key is not taken \(401: API key expired\)"),
    "forbidden": (LAYER2, Reply(403, HTML, "text/html"), r"a superuser's is needed \(403\)"),
    "no switch": (LAYER2, Reply(404, HTML, "text/html"), r"there is none \(404\).*does IXP Manager know a switch 'sw1.fra'"),
    "no VLAN": (ADDRESSES, Reply(404, HTML, "text/html"), r"is 2 the id of the VLAN"),
    "no IXP Manager": (IXF, Reply(404, HTML, "text/html"), r"is this the base of an IXP Manager"),
    "too often": (LAYER2, Reply(429, b"", headers={"Retry-After": "60"}), r"asked too often \(429\): again after 60 s"),
    "maintenance": (IXF, Reply(503, HTML, "text/html"), r"trouble of its own \(503\)"),
    "teapot": (IXF, Reply(418, b"\x1b[31mshort and stout"), r"unexpected answer \(418: \\x1b\[31mshort and stout\)"),
    "slow": (LAYER2, Reply(200, b'{"layer2interfaces": []}', delay=4), r"timed out, after 1 s \(10 octets had come\)"),
    "cut": (LAYER2, Reply(200, b'{"layer2interfaces": [', length=5000), r"cut short: "),
    "login": (LAYER2, Reply(302, b"", headers={"Location": "/login"}), r"sends us on to \S+/login \(302\).*the key is not taken"),
    "page": (LAYER2, Reply(200, HTML, "text/html"), r"a web page and not JSON"),
    "empty": (LAYER2, Reply(200, b""), r"the answer is empty"),
    "text": (LAYER2, Reply(200, b"hello", "text/plain"), r"expected layer2interfaces, found 5 octets of something else, text/plain"),
    "other": (LAYER2, Reply(200, json.dumps(Exchange().ixf()).encode()), r"expected layer2interfaces, found an IX-F member export"),
    "broken": (LAYER2, Reply(200, b'{"layer2interfaces": [{"type": "edge"'), r"sw1.fra\b.*"),
    "large": (LAYER2, Reply(200, LARGE), r"more than 32 MB"),
    "large, unsaid": (LAYER2, Reply(200, LARGE, length="chunked"), r"more than 32 MB"),
    "304 unasked": (LAYER2, Reply(304), r"unexpected answer \(304\)"),
    "all gone": (LAYER2, Reply(200, b'{"layer2interfaces": []}'), r"refused: "),
}


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_goes_wrong_the_last_good_one_stays(box, name):
    box.write(timeout=1)
    box.fetch()
    box.server.exchange.members[2]["status"] = "quarantine"
    end, reply, line = FAULTS[name]
    box.server.faults[end] = reply
    if name == "304 unasked":
        for f in (box.folder / "ixp.yaml.cache").iterdir():
            f.unlink()
    assert re.search(line, box.refused())
    # And it is forgotten when it is over.
    box.server.faults.clear()
    assert box.outcome()["result"] == "changed"


def test_no_other_host_gets_the_key(box, serve):
    box.fetch()
    other = serve(tls=False)
    box.server.faults[LAYER2] = Reply(302, b"", headers={"Location": other.url + "/x.json"})
    assert re.search(rf"sends us on to {other.url}/x.json \(302\), which is not followed: the key is for this host alone",
                     box.refused())
    assert not other.asked


def test_a_server_that_nobody_vouches_for(box):
    box.fetch()
    asked = len(box.server.asked)
    box.write(**{"ca-file": None})
    assert re.search(r"not to be trusted: .*self-signed certificate", box.refused())
    box.write(**{"ca-file": "/nowhere.pem"})
    assert "ca-file /nowhere.pem: No such file or directory" in box.refused()
    box.write(url=box.server.url.replace("127.0.0.1", "localhost"))  # a certificate of somebody else
    assert "not to be trusted: " in box.refused()
    assert len(box.server.asked) == asked


def test_nobody_there(box):
    box.fetch()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        box.write(url=f"https://127.0.0.1:{s.getsockname()[1]}")
        assert "Failed to connect" in box.refused()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        box.write(url=f"https://127.0.0.1:{s.getsockname()[1]}", timeout=1)
        assert "timed out, after 1 s" in box.refused()


@pytest.mark.parametrize("spoil, line", [
    (lambda key: key.unlink(), "No such file or directory"),
    (lambda key: key.chmod(0o644), "everybody on this machine can read or change it .*chmod o="),
    (lambda key: key.write_text("\n"), "it is empty"),
    (lambda key: key.write_text("one\ntwo\n"), "expected one line, the API key alone"),
    (lambda key: key.write_text("x" * 300), "longer than any API key"),
    (lambda key: (key.unlink(), key.mkdir(0o700)), "not a regular file"),
])
def test_a_key_file_that_is_none(box, spoil, line):
    box.fetch()
    asked = len(box.server.asked)
    spoil(box.key)
    assert re.search(f"key-file {box.key}: {line}", box.refused())
    assert len(box.server.asked) == asked


# --- too much at once --------------------------------------------------------------------------------------------------

def test_too_much_at_once_is_refused(box):
    box.fetch()
    for n in (3, 4, 5):
        del box.server.exchange.members[n]
    out, err = box.fetch(code=1)
    assert re.search(r"ixp: refused: .*6.*40.*--force", err)
    assert [line for line in out.splitlines() if line.startswith("- ")] == [
        f"- swp{n} at 10.99.0.1 AS{64500 + n}" for n in (3, 4, 5)]
    box.refused()
    box.write(**{"max-removed": 20})
    box.fetch()
    del box.server.exchange.members[6]  # one member may always leave, but where nobody may
    box.write(**{"max-removed": 0})
    box.refused()
    box.write(**{"max-removed": 1})
    box.fetch()
    box.server.exchange = Exchange(10)
    box.refused()
    box.fetch("--force")
    assert len(json.loads(box.quell("show", box.into, "--json")[0])["members"]) == 10


def test_a_hand_written_one_is_not_overwritten(box):
    hand = "members:\n  - {asn: 64500, ports: [{port: swp1, macs: ['02:00:5e:00:00:01'], ipv4: [198.18.0.1]}]}\n"
    box.into.write_text(hand)
    assert "was not written by quell registry, perhaps by hand: --force replaces it" in box.refused()
    box.fetch("--force")
    assert last_of(box.into) == hand.encode()


def test_nobody_of_this_lan(box):
    box.write()
    text = (box.folder / "quell.yaml").read_text()
    (box.folder / "quell.yaml").write_text(text.replace("vlan: 10", "vlan: 11"))
    out, err = box.fetch(code=1)
    assert "the switches have nothing of this LAN: is its vlan right?" in err and not box.into.exists()


def test_it_must_get_on_with_the_others(box):
    other = box.folder / "hand.yaml"
    other.write_text("members:\n  - {asn: 64999, ports: [{port: swp99, macs: ['02:00:5e:00:00:99'], ipv4: [198.18.7.9]}]}\n")
    text = (box.folder / "quell.yaml").read_text()
    (box.folder / "quell.yaml").write_text(text.replace(f"registry: [{box.into}]", f"registry: [{box.into}, {other}]"))
    box.fetch()
    other.write_text(other.read_text().replace("198.18.7.9", "198.18.0.7"))
    box.server.exchange.members[2]["status"] = "quarantine"
    err = box.refused("--force")
    assert "198.18.0.7" in err and "quell-agent would not take it beside the other files of this LAN" in err


def test_two_at_once(box):
    box.fetch()
    release = threading.Event()
    box.server.faults[LAYER2] = Reply(503, b"", release=release)
    asked = len(box.server.asked)
    first = box.start("fetch", "-c", box.folder / "quell.yaml")
    wait_until(lambda: len(box.server.asked) > asked + 1, 10, "the first one is at it")
    assert "somebody else is at it" in box.fetch(code=1)[1]
    release.set()
    assert first.wait(20) == 1
    box.server.faults.clear()
    box.fetch()
    first.stdout.close()
    first.stderr.close()


# --- taking it over ----------------------------------------------------------------------------------------------------

class Daemon(threading.Thread):
    """Says yes to every reload."""

    def __init__(self, path):
        super().__init__()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen()
        self.asked = []

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer, peer.makefile("rw") as f:
                request = json.loads(f.readline())
                self.asked.append(request)
                done = not request["dry_run"]
                f.write(json.dumps({"changes": [{"op": "changed", "text": "registry", "effect": "in place"}], "errors": [],
                                    "applied": done}) + "\n")
                f.flush()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self.socket.close()


def test_reload_is_made_up_for(box):
    (box.folder / "run").mkdir()
    assert "neither quelld nor quell-agent is running" in box.fetch("--reload", code=1)[1]
    daemon = Daemon(box.folder / "run" / "agent.sock")
    daemon.start()
    try:
        out, _ = box.fetch("--reload")  # what could not be taken over the last time
        assert "nothing has changed" in out and [r["dry_run"] for r in daemon.asked] == [True, False]
        daemon.asked.clear()
        box.fetch("--reload")
        assert daemon.asked == []
        box.server.exchange.members[2]["status"] = "quarantine"
        box.fetch("--reload")
        assert [r["dry_run"] for r in daemon.asked] == [True, False]
        # In two steps: the second does nothing unless the first did.
        daemon.asked.clear()
        box.server.exchange.members[2]["status"] = "connected"
        config = ["-c", box.folder / "quell.yaml"]
        box.fetch()
        assert daemon.asked == [] and "1 change done" in box.quell("reload", *config)[0]
        assert len(daemon.asked) == 2 and box.quell("reload", *config)[0] == "nothing new to take over\n"
        box.fetch()
        assert box.quell("reload", *config)[0] == "nothing new to take over\n" and len(daemon.asked) == 2
    finally:
        daemon.close()


# --- files alone -------------------------------------------------------------------------------------------------------

@pytest.fixture
def files(tmp_path, build, serve):
    box = Box(tmp_path, build, serve())
    for name, document in (("ixf", Exchange().ixf()), ("sw1", Exchange().layer2()), ("addresses", Exchange().addresses())):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    return box


def test_import_is_the_same_as_fetch(files):
    names = [files.folder / "ixf.json", f"{files.folder}/sw1.json@10.99.0.1,sw1.fra", files.folder / "addresses.json"]
    config = ["-c", files.folder / "quell.yaml"]
    files.fetch()
    fetched = files.into.read_text()
    text, err = files.quell("import", *config, *names)

    def body(of):
        return [line for line in of.splitlines() if not line.startswith("#")]

    assert body(text) == body(fetched)
    out = files.folder / "out.yaml"
    files.quell("import", *config, *names, "-o", out)
    assert out.read_text() == text
    assert files.quell("diff", files.into, out)[0] == "the same\n"
    assert json.loads(files.quell("diff", files.into, out, "--json")[0]) == {"changes": []}
    # Less of it: refused.
    less = Exchange(5)
    (files.folder / "ixf.json").write_text(json.dumps(less.ixf()))
    (files.folder / "sw1.json").write_text(json.dumps(less.layer2()))
    _, err = files.quell("import", *config, *names, "-o", out, code=1)
    assert "refused" in err and out.read_text() == text
    files.quell("import", *config, *names, "-o", out, "--force")
    assert last_of(out) == text.encode()
    changes = files.quell("diff", files.into, out)[0].splitlines()
    assert len(changes) == 15 and all(line.startswith("- swp") for line in changes)


def test_check_says_what_is_wrong(files):
    config = ["-c", files.folder / "quell.yaml", "--lan", "ixp"]
    names = [files.folder / "ixf.json", f"{files.folder}/sw1.json@10.99.0.1"]
    assert files.quell("check", *config, *names)[0].startswith("good: 20 members, 20 ports")
    assert json.loads(files.quell("check", *config, *names, "--json")[0])["counts"]["members"] == 20
    bad = Exchange()
    bad.members[7]["macs"] = ["01:00:5e:00:00:07"]
    (files.folder / "sw1.json").write_text(json.dumps(bad.layer2()))
    out, err = files.quell("check", *config, *names, code=1)
    assert re.search(r"sw1.json: layer2interfaces\[6\]\.\S*mac\S*: '01:00:5e:00:00:07'", err)
    told = json.loads(files.quell("check", *config, *names, "--json", code=1)[0])
    assert not told["ok"] and told["findings"]
    assert "No such file" in files.quell("check", files.folder / "none.json", code=1)[1]
    assert "expected FILE@PE" in files.quell("check", f"{files.folder}/sw1.json@sw1", code=1)[1]


def test_show_finds(files):
    files.fetch()
    config = ["-c", files.folder / "quell.yaml"]
    out, _ = files.quell("show", *config)
    assert out.count("AS645") == 20 and re.search(r"AS64501 +Member 1 +peering +swp1 +10.99.0.1 +sw1.fra +10G +active +"
                                                  r"02:00:5e:00:00:01 +198.18.0.1\n +2001:db8:100::1\n", out)
    for option, value in (("--asn", "64507"), ("--mac", "0200.5e00.0007"), ("--ip", "2001:db8:100::7"), ("--port", "swp7")):
        out, _ = files.quell("show", "ixp", *config, option, value)
        assert out.count("AS645") == 1 and "AS64507" in out
    out, _ = files.quell("show", *config, "--ip", "198.18.0.40")
    assert out.startswith("nobody\n") and "given to nobody" in out
    assert "no such LAN" in files.quell("show", "frob", *config, code=1)[1]
