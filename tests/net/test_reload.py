"""A file that changes under a quelld that goes on: what is shown, what is done, what is refused; and a bystander, who
sees nothing of all this but what concerns it."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from bgp_peer import END_OF_RIB, KEEPALIVE, NOTIFICATION, UPDATE, Peer, macip, message, update, withdraw
from conftest import wait_until
from quelld_box import Quelld, inside

pytestmark = pytest.mark.needs("quelld", "quell")
RS, A, B, C = "10.99.0.1", "10.99.0.2", "10.99.0.3", "10.99.0.4"


def config(neighbors, lans="", bgp="", top=""):
    rows = "".join(f"    - {{address: {a}, client: true, passive: true{', ' + more if more else ''}}}\n"
                   for a, more in neighbors.items())
    return (f"{top}router-id: {RS}\nbgp:\n  as: 65000\n  listen: [{RS}]\n  defer-time: 1\n{bgp}"
            f"  neighbors:\n{rows}" + (f"lans:\n{lans}" if lans else ""))


BASE = {A: "", B: ""}


def mac(i):
    return f"02:00:5e:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"


class Box(Quelld):
    def write(self, text):
        self.config.write_text(f"run-dir: {self.run_dir}\nuser: nobody\ngroup: nogroup\n{text}")

    def reload(self, *args, code=0):
        """What `quell reload` says, both streams."""
        ran = subprocess.run([os.path.join(self.build, "quell"), "reload", "--socket-dir", self.run_dir, *args],
                             capture_output=True, text=True, timeout=30)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(next(line.split()[1] for line in f if line.startswith("VmRSS")))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@pytest.fixture
def wire(scope):
    rs, pes = scope.netns("rs"), scope.netns("pes")
    scope.veth(rs, "up0", pes, "up0")
    rs.ip(f"addr add {RS}/24 dev up0", "addr add 10.99.0.9/24 dev up0", "link set up0 up",
          "link set lo up")
    pes.ip(*(f"addr add 10.99.0.{i}/24 dev up0" for i in range(2, 9)), "link set up0 up")
    return rs, pes


@pytest.fixture
def quelld(scope, wire, build):
    return Box(scope, wire[0], build, config(BASE)).start()


def connect(wire, source, to=RS, **kw):
    with inside(wire[1]):
        return Peer(to, source, **kw)


class Talker(threading.Thread):
    """A PE that keeps its session up and remembers what it is told."""

    def __init__(self, wire, address):
        super().__init__(daemon=True)
        self.peer = connect(wire, address).establish()
        self.peer.send(END_OF_RIB)
        self.over, self.end, self.updates, self.withdrawals = False, None, 0, 0
        self.lock = threading.Lock()
        self.start()

    def run(self):
        while not self.over:
            try:
                got = self.peer.receive(1)
            except TimeoutError:
                self.say(message(KEEPALIVE))
                continue
            except OSError:
                break
            if got is None or got[0] == NOTIFICATION:
                self.end = got
                break
            if got[0] == UPDATE and len(got[1]) > 4 + 7:  # not End-of-RIB
                withdrawal = got[1][5] == 15
                if withdrawal and socket.inet_aton(self.peer.router_id) in got[1]:
                    continue  # of its own, which it may hear while it is new
                self.updates += 1
                self.withdrawals += withdrawal
        self.over = True

    def say(self, octets):
        with self.lock:
            self.peer.send(octets)

    def close(self):
        self.over = True
        self.peer.close()
        self.join()


@pytest.fixture
def talkers(quelld, wire):
    """A and B are up, and each has told three routes."""
    made = {}
    for n, address in enumerate((A, B)):
        made[address] = Talker(wire, address)
        made[address].say(update([macip(address, 100, mac(10 * n + i), f"198.18.0.{10 * n + i}") for i in range(3)],
                                 address))
    wait_until(lambda: len(quelld.routes()) == 6, 5, "all routes are there")
    wait_until(lambda: made[A].updates and made[B].updates, 5, "and were reflected")
    yield made
    for t in made.values():
        t.close()


def test_what_is_shown_is_what_is_done(quelld, talkers):
    quelld.write(config({A: "max-routes: 500, name: one", C: "hold-time: 30"}))
    want = [f"- neighbor {B} (in place)",
            f"~ neighbor {A} name none -> one (in place)",
            f"~ neighbor {A} max-routes none -> 500 (in place)",
            f"+ neighbor {C} remote-as 65000 client true passive true hold-time 30 (in place)"]
    assert quelld.reload("--dry-run").splitlines() == [*want, "quelld: 4 changes, not done: only looked at"]
    assert quelld.neighbor(A)["max_routes"] == 0 and quelld.established(A, B) and not quelld.neighbor(C)
    assert quelld.reload().splitlines() == [*want, "quelld: 4 changes done"]
    assert (quelld.neighbor(A)["name"], quelld.neighbor(A)["max_routes"]) == ("one", 500)
    assert quelld.neighbor(C)["state"] == "Active"
    assert not quelld.neighbor(B)
    wait_until(lambda: talkers[B].over, 5, "B's session ended")
    assert talkers[B].end[1][:2] == b"\x06\x03", "Peer De-configured"
    wait_until(lambda: len(quelld.routes()) == 3, 5, "its routes are gone")
    assert quelld.established(A) and not talkers[A].over
    assert quelld.reload() == "quelld: nothing has changed\n"
    assert json.loads(quelld.reload("--json"))["quelld"] == {"changes": [], "applied": True}


def test_a_new_neighbor_comes_up(quelld, talkers, wire):
    quelld.write(config({**BASE, C: ""}))
    quelld.reload()
    c = Talker(wire, C)
    wait_until(lambda: quelld.established(C), 5)
    wait_until(lambda: c.updates, 5, "C is told what there is")
    c.close()


def test_a_reset_leaves_the_others_alone(quelld, talkers, wire):
    told = talkers[A].updates
    quelld.write(config({A: "", B: "hold-time: 9"}))
    assert quelld.reload().splitlines()[0] == f"~ neighbor {B} hold-time none -> 9 (session is reset)"
    wait_until(lambda: talkers[B].over, 5)
    assert talkers[B].end[1][:2] == b"\x06\x06", "Other Configuration Change"
    again = Talker(wire, B)
    wait_until(lambda: quelld.established(B) and again.updates, 5)
    assert quelld.neighbor(B)["hold_sec"] == 9
    assert not talkers[A].over
    # B has no graceful restart, so its routes went, and that is all that A may have heard.
    assert talkers[A].updates <= told + 1
    again.close()


BAD = [
    (config(BASE).replace("as: 65000", "as: none"), r":6:7: expected a number"),
    (config({A: "hold-time: 1", B: ""}), r":10:.*hold-time: 1: expected 0 or 3"),
    (config(BASE) + "  frob: 1\n", "frob"),
    (config({A: "", B: "password-file: /nonexistent/key"}), "password-file.*No such file"),
    (config(BASE).split("bgp:")[0], "no bgp section"),
]


@pytest.mark.parametrize("text,error", BAD)
def test_a_bad_file_changes_nothing(quelld, talkers, build, text, error):
    import re
    quelld.write(text)
    said = quelld.reload(code=1)
    assert re.search(error, said), said
    if "no bgp" not in error:
        checked = subprocess.run([os.path.join(build, "quell"), "check", quelld.config], capture_output=True, text=True)
        assert {line.removeprefix("quelld: ") for line in said.splitlines()} == \
            {line.removeprefix("quell: ") for line in checked.stderr.splitlines()}
    assert quelld.established(A, B) and not talkers[A].over
    quelld.write(config(BASE))
    assert quelld.reload() == "quelld: nothing has changed\n"


def test_what_needs_a_restart_is_refused_whole(quelld, talkers):
    quelld.write(config({A: "max-routes: 9"}).replace("as: 65000", "as: 65001"))
    said = quelld.reload(code=1)
    assert "~ bgp as 65000 -> 65001 (needs a restart)" in said and "nothing was changed" in said, said
    assert quelld.established(A, B) and quelld.neighbor(A)["max_routes"] == 0


def test_listening_elsewhere(quelld, talkers, wire):
    """Port 179 is out of reach by now: refused whole, sockets and neighbors as they were. The other way round it can be
    done: an address less."""
    quelld.write(config({A: "max-routes: 9"}).replace(f"listen: [{RS}]", f"listen: [{RS}, 10.99.0.9]"))
    said = quelld.reload(code=1)
    assert "10.99.0.9:179: Permission denied" in said and "restart quelld" in said, said
    assert quelld.neighbor(A)["max_routes"] == 0
    quelld.write(config({**BASE, C: ""}).replace(f"listen: [{RS}]", "listen: []"))
    assert f"~ bgp listen [{RS}] -> [] (in place)" in quelld.reload()
    with pytest.raises(OSError):
        connect(wire, C)
    assert quelld.established(A, B)


def test_listening_elsewhere_on_a_high_port(scope, wire, build):
    text = config({C: ""}, bgp="  port: 1790\n")
    box = Box(scope, wire[0], build, text).start()
    box.write(text.replace(f"listen: [{RS}]", "listen: [10.99.0.9]"))
    box.reload()
    c = connect(wire, C, "10.99.0.9", port=1790).establish()
    wait_until(lambda: box.established(C), 5)
    with pytest.raises(OSError):
        connect(wire, C, port=1790)
    c.close()


def test_passwords(quelld, talkers, wire):
    key = quelld.dir / "b.key"
    quelld.write(config({A: "", B: f"password-file: {key}"}))
    key.write_text("first\n")
    key.chmod(0o600)
    said = quelld.reload(code=1)
    assert f"password-file: {key}: Permission denied" in said and ":11:" in said, said
    assert quelld.established(A, B)
    key.chmod(0o644)
    assert f"~ neighbor {B} password-file none -> {key} (session is reset)" in quelld.reload()
    wait_until(lambda: talkers[B].over, 5)
    assert talkers[B].end[1][:2] == b"\x06\x06"
    with pytest.raises(OSError):
        connect(wire, B, timeout=0.5)

    def with_key(text):
        with inside(wire[1]):
            return Peer(RS, B, timeout=0.5, md5=text)
    p = with_key("first").establish()
    wait_until(lambda: quelld.established(B), 5)
    key.write_text("other\n")
    said = quelld.reload()
    assert f"~ neighbor {B} password-file {key} -> {key} (another password) (session is reset)" in said
    assert "first" not in said and '"other"' not in said
    while (got := p.receive())[0] != NOTIFICATION:
        pass
    p.close()
    with pytest.raises(OSError):
        with_key("first")
    p = with_key("other").establish()
    wait_until(lambda: quelld.established(B), 5)
    assert not talkers[A].over
    p.close()


def test_sighup_is_a_reload(quelld, talkers):
    quelld.write(config({A: "max-routes: 77", B: ""}))
    quelld.process.signal(signal.SIGHUP)
    wait_until(lambda: quelld.neighbor(A)["max_routes"] == 77, 5)
    assert f"~ neighbor {A} max-routes none -> 77 (in place)" in quelld.process.said()
    quelld.config.write_text("router-id: x\n")
    quelld.process.signal(signal.SIGHUP)
    wait_until(lambda: "expected" in quelld.process.said(), 5)
    assert quelld.established(A, B)


def test_only_root_and_its_own_user_may(scope, quelld, talkers):
    scope.dir.chmod(0o755)
    quelld.write(config({A: "max-routes: 77", B: ""}))
    ask = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
           "s.sendall(b'{\"do\":\"reload\"}\\n'); print(s.makefile().readline())")

    def asked_by(uid):
        return subprocess.run(["setpriv", f"--reuid={uid}", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", ask,
                               str(quelld.run_dir / "quelld.sock")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True).stdout
    assert "only root and the user" in asked_by(12345)
    assert quelld.neighbor(A)["max_routes"] == 0
    assert '"applied":true' in asked_by(65534).replace(" ", "")


LAN = "  - {{name: {}, vni: {}, route-target: '65000:{}'}}\n"


def test_lans(quelld, talkers):
    quelld.write(config(BASE, LAN.format("ixp", 100, 100)))
    assert "+ lan ixp vni 100 route-target 65000:100 (in place)" in quelld.reload()

    def known(lan="ixp"):
        return {m["mac"] for x in quelld.show("lan")["lans"] if x["name"] == lan for m in x["macs"]}
    everything = {mac(10 * n + i) for n in range(2) for i in range(3)}
    wait_until(lambda: known() == everything, 5, "the RIB is given to the new LAN")
    # Another route target: none of them is for it any more; and back.
    quelld.write(config(BASE, LAN.format("ixp", 100, 200) + LAN.format("two", 101, 100)))
    said = quelld.reload()
    assert "~ lan ixp route-target 65000:100 -> 65000:200 (in place)" in said
    wait_until(lambda: not known() and known("two") == everything, 5)
    quelld.write(config(BASE, LAN.format("two", 101, 100)))
    assert "- lan ixp (in place)" in quelld.reload()
    assert [x["name"] for x in quelld.show("lan")["lans"]] == ["two"]
    assert quelld.established(A, B) and not talkers[A].withdrawals


def test_many_reloads_under_churn(quelld, talkers, figures):
    """200 reloads while A announces and withdraws without end: no session ends, B sees each change of A's and no other,
    nothing is leaked."""
    over, said = threading.Event(), []

    def churn():
        i = 0
        while not over.is_set():
            n = macip(A, 100, mac(1000 + i // 2 % 50))
            talkers[A].say(withdraw([n]) if i % 2 else update([n], A))
            said.append(i % 2)
            i += 1
            time.sleep(0.001)
    thread = threading.Thread(target=churn)
    texts = [config({A: "", B: "max-routes: 5000, name: x", C: ""}, LAN.format("ixp", 100, 100)),
             config({A: "", B: "connect-retry: 9"}, LAN.format("ixp", 100, 100) + LAN.format("two", 101, 101),
                    top="log: warning\n")]
    for text in texts * 3:
        quelld.write(text)
        quelld.ask(do="reload")
    before = quelld.rss_kb(), quelld.descriptors()
    thread.start()
    worst = 0
    for i in range(200):
        quelld.write(texts[i % 2] if i % 10 else "rubbish: [\n")
        start = time.monotonic()
        answer = quelld.ask(do="reload")
        worst = max(worst, time.monotonic() - start)
        assert answer["applied"] == bool(i % 10), answer
    # The reloads may be over before the other thread has had its turns.
    wait_until(lambda: len(said) > 100 and talkers[B].withdrawals > 20, 20)
    over.set()
    thread.join()
    assert quelld.established(A, B)
    assert quelld.neighbor(B)["flaps"] == 0 and quelld.neighbor(A)["flaps"] == 0
    after = quelld.rss_kb(), quelld.descriptors()
    figures(f"200 reloads under churn: the longest {worst * 1000:.1f} ms, RSS {before[0]} -> {after[0]} kB")
    assert after[1] <= before[1] + 1
    assert after[0] < before[0] + 2048
    # What was said was reflected, whatever went on besides.
    wait_until(lambda: quelld.neighbor(B)["updates_out"] > 0, 5)
    assert len(said) > 100 and talkers[B].withdrawals > 20
