"""The sponge on real kernels: hosts that ask for what nobody has fall silent, whoever comes is not kept from his address, and
those who were told otherwise are told the truth."""
import json
import os
import subprocess
import time

import pytest
import wire
from agent_box import MACS, Agent, entry, ip4, ip6
from conftest import wait_until

pytestmark = pytest.mark.needs("quell-agent")
SPONGE = "02:71:75:00:00:64"
NEW = "02:00:5e:00:00:09"
QUICK = "{queries: 2, window: 10, probes: 1, learn: 0}"
FREE = {4: ip4(9), 6: ip6(9)}


class Lan:
    """Members 1 and 2 are registered; behind port 3, and port 4 of some tests, is whoever comes. All have real stacks."""

    def __init__(self, scope, build, *entries, ports=3, **options):
        self.box = Agent(scope, build, ports=ports)
        self.box.write(*(entries or (entry(1), entry(2))),
                       **{"unknown-target": "sponge", "sponge": QUICK, **options})
        for n in (1, 2):
            self.address(n, n)

    def address(self, n, host, mac=None, dad=False):
        m = self.box.members[n]
        m.sysctl({"net.ipv6.conf.eth0.disable_ipv6": 0, "net.ipv6.conf.eth0.accept_dad": int(dad),
                  "net.ipv6.conf.eth0.router_solicitations": 0, "net.ipv4.neigh.eth0.ucast_solicit": 2,
                  "net.ipv6.neigh.eth0.ucast_solicit": 2})
        if mac:
            m.ip("link set eth0 down", f"link set eth0 address {mac}", "link set eth0 up")
        m.ip(f"addr add {ip4(host)}/21 dev eth0", f"addr add {ip6(host)}/64 dev eth0" + ("" if dad else " nodad"))

    def start(self):
        """With a quelld that knows of nobody: without one nothing is sponged for as long as one may come."""
        self.straw = self.box.feed()
        self.box.start()
        self.straw.accept().snapshot()
        self.straw.say({"op": "end"})
        wait_until(self.box.open, 10, "the ports are taken")
        return self

    def ask(self, n, target):
        """Member n goes on asking, as a router with a session does."""
        return self.box.members[n].spawn(f"ping-{n}-{target[-2:].strip(':.')}", ["ping", "-n", "-i", "0.3", target])

    def cached(self, n, target):
        rows = [r for r in self.box.members[n].ip_json("neigh", "show", "to", target) if r.get("lladdr")]
        return rows[0]["lladdr"] if rows else None

    def state(self, target):
        row = self.rows().get(target)
        return row and row["state"]

    def rows(self):
        return {r["ip"]: r for r in self.box.show("sponge", all=True)["sponge"]}

    def ping(self, n, target, count=1):
        r = subprocess.run(["ip", "netns", "exec", self.box.members[n].name, "ping", "-n", "-q", "-c", str(count), "-i", "0.2",
                            "-W", "1", target], capture_output=True)
        return r.returncode == 0

    def callers(self):
        return self.box.show("callers")["callers"]

    def sponged(self, target):
        wait_until(lambda: self.state(target) == "sponged", 30, f"{target} is sponged")


def requests(box, port):
    """What a port was told of requests for nobody, so far: (unknown-target, sponged)."""
    row = box.show("ledger", port=port)["ports"][0]["in"]
    return tuple(sum(row.get(c, {}).get(o, [0])[0] for c in ("arp-request", "ns")) for o in ("unknown-target", "sponged"))


@pytest.fixture
def lan(scope, build):
    made = []

    def make(*entries, **options):
        made.append(Lan(scope, build, *entries, **options))
        return made[-1]
    yield make
    for m in made:
        m.box.close()


@pytest.mark.parametrize("family", [4, 6])
def test_a_storm_goes_quiet(lan, capture, family):
    """Members ask for an address that nobody has; then they have the sponge's MAC, and ask no more. An idle port sees nothing
    of all of it."""
    l = lan().start()
    target = FREE[family]
    idle = capture(l.box.members[2], "eth0", "ether src not " + MACS[2])
    asks = l.ask(1, target)
    l.sponged(target)
    wait_until(lambda: l.cached(1, target) == SPONGE, 10, "the asker believes in the sponge")
    row = l.rows()[target]
    assert row["answered"] and row["askers"][0]["mac"] == MACS[1] and row["askers"][0]["port"] == "swp1"
    assert row["askers"][0]["member"] == "AS64501 Member 1"
    before = requests(l.box, "swp1")
    wait_until(lambda: l.rows()[target]["trapped"] >= 3, 15, "what it sends is trapped")
    after = requests(l.box, "swp1")
    assert after[0] == before[0] and after[1] - before[1] <= 3, "it goes on asking"
    asks.kill()
    assert idle.stop() == []
    assert not l.ping(1, target)
    status = l.box.show("sponge")["lans"][0]
    assert status["mac"] == SPONGE and status["on"] and status["sponged"] == 1 and not status["paused"]


@pytest.mark.parametrize("family", [4, 6])
def test_a_new_host_is_not_blocked_and_heard(lan, figures, family):
    """It probes for its address (ARP probe, DAD) while that is sponged: nobody answers; it speaks, and within a second the asker
    has its MAC."""
    l = lan().start()
    target = FREE[family]
    asks = l.ask(1, target)
    l.sponged(target)
    wait_until(lambda: l.cached(1, target) == SPONGE, 10, "the asker believes in the sponge")
    m = l.box.members[3]
    if family == 4:
        m.ip("link set eth0 down", f"link set eth0 address {NEW}", "link set eth0 up")
        with wire.Port(m) as p:
            p.send(wire.Ether(src=NEW, dst=wire.BROADCAST) / wire.ARP(op=1, hwsrc=NEW, psrc="0.0.0.0", pdst=target))
            assert p.await_frame(wire.is_arp_reply(target), 1) is None, "the sponge has answered a probe"
        assert l.state(target) != "sponged"
        l.address(3, 9)
        with wire.Port(m) as p:
            p.send(wire.garp(NEW, target))
    else:
        l.address(3, 9, NEW, dad=True)
        wait_until(lambda: any(a["local"] == target and "tentative" not in a and "dadfailed" not in a
                               for a in m.ip_json("addr", "show", "dev", "eth0")[0]["addr_info"]), 10, "DAD is over")
        with wire.Port(m) as p:
            p.send(wire.neighbor_advertisement(NEW, target))
    start = time.monotonic()
    wait_until(lambda: l.cached(1, target) == NEW, 3, "the asker knows better")
    took = time.monotonic() - start
    assert took < 1, f"{took:.2f} s"
    figures(f"sponge, IPv{family}: the asker has the true MAC {took * 1000:.0f} ms after the new host spoke, at most")
    assert l.ping(1, target, 3)
    asks.kill()
    wait_until(lambda: l.state(target) is None, 5, "the sponge has forgotten it")
    assert l.box.rows("bindings", "ip")[target]["mac"] == NEW


def test_a_member_of_another_pe(lan):
    """Its routes come while its address is sponged here."""
    l = lan().start()
    asks = {f: l.ask(1, FREE[f]) for f in (4, 6)}
    for f in (4, 6):
        l.sponged(FREE[f])
        wait_until(lambda: l.cached(1, FREE[f]) == SPONGE, 10, "the asker believes in the sponge")
    l.straw.say({"op": "mac", "lan": "ixp", "mac": NEW, "vtep": "10.99.0.3", "seq": 0, "sticky": False, "stale": False},
              *({"op": "bind", "lan": "ixp", "ip": FREE[f], "mac": NEW, "vtep": "10.99.0.3", "router": True, "override": True,
                 "immutable": True, "stale": False} for f in (4, 6)))
    for f in (4, 6):
        wait_until(lambda: l.cached(1, FREE[f]) == NEW, 5, "the asker knows better")
        asks[f].kill()


def test_one_that_goes_on_sending_to_the_sponge(lan):
    """Its cache was not repaired (an entry that somebody made by hand): whenever it sends, it is told."""
    l = lan().start()
    asks = l.ask(1, FREE[4])
    l.sponged(FREE[4])
    asks.kill()
    l.address(3, 9, NEW)
    with wire.Port(l.box.members[3]) as p:
        p.send(wire.garp(NEW, FREE[4]))
    wait_until(lambda: l.box.where(FREE[4]) == "port", 5, "it is learned")
    with l.box.port(2) as p:
        p.send(wire.Ether(src=MACS[2], dst=SPONGE) / wire.IP(src=ip4(2), dst=FREE[4]) / wire.ICMP())
        f = p.await_frame(wire.is_arp_reply(FREE[4], NEW), 2)
        assert f and f[:6] == wire.mac_bytes(MACS[2]) and f[38:42] == wire.v4(ip4(2))


def test_a_silent_host_is_found_before_it_is_sponged(lan, capture):
    """Nobody has heard of it; but when it is asked for, and before anything is sponged, it is asked itself, as if there were
    nobody between."""
    l = lan()
    l.address(3, 9, NEW)
    questions = capture(l.box.members[3], "eth0", "arp[6:2] = 1 and arp[24:4] = 0xc6120009")
    l.start()
    asks = [l.ask(1, FREE[f]) for f in (4, 6)]
    for f in (4, 6):
        wait_until(lambda: l.box.where(FREE[f]) == "port", 20, "it is found")
    assert l.ping(2, FREE[4]) and l.ping(2, FREE[6])
    for a in asks:
        a.kill()
    asked = questions.stop()
    assert asked and all((f.src, f.dst, f.hwsrc, f.psrc) == (MACS[1], wire.BROADCAST, MACS[1], ip4(1)) for f in asked)
    assert l.box.show("sponge")["lans"][0]["sponges"] == 0


def test_scanning_and_looping_sponge_nothing(lan):
    l = lan(sponge="{queries: 20, window: 60, probes: 1, learn: 0}").start()
    with l.box.port(1) as p:
        for _ in range(6):
            for n in range(50, 150):
                p.send(wire.who_has(MACS[1], ip4(1), ip4(n)))
            end = time.monotonic() + 1.1
            while (left := end - time.monotonic()) > 0:
                p.await_frame(lambda f: False, left)
    st = l.box.show("sponge")["lans"][0]
    assert st["sponged"] == 0 and st["looping"] >= 1 and st["ignored"] > 50
    assert st["addresses"] <= 10


def test_a_sweep_finds_who_is_silent(lan):
    l = lan(sponge="{sweep: 1, learn: 0}")
    l.address(3, 9, NEW)
    l.start()
    wait_until(lambda: l.box.where(FREE[4]) == "port", 15, "it is found")
    st = l.box.show("sponge")["lans"][0]
    assert st["swept"] and st["sponged"] == 0


def test_a_restart_that_brings_the_owner(lan):
    """The registry names somebody for what was sponged: who was told otherwise before the restart is told after it."""
    l = lan().start()
    asks = l.ask(1, FREE[4])
    l.sponged(FREE[4])
    wait_until(lambda: l.cached(1, FREE[4]) == SPONGE, 10, "the asker believes in the sponge")
    assert l.box.process.stop() == 0
    l.box.write(entry(1), entry(2), entry(9, "swp3", macs=[MACS[3]]), **{"unknown-target": "sponge", "sponge": QUICK})
    l.box.start()
    wait_until(l.box.open, 10, "the ports are taken")
    with wire.Port(l.box.members[3]) as p:
        p.send(wire.garp(MACS[3], FREE[4]))
    wait_until(lambda: l.cached(1, FREE[4]) == MACS[3], 5, "the asker knows better")
    asks.kill()


@pytest.mark.parametrize("family", [4, 6])
def test_the_packet_plane_too(lan, family):
    """It does not see what is sent to the sponge; but it answers for it, and hears who comes."""
    l = lan(plane="packet").start()
    target = FREE[family]
    asks = l.ask(1, target)
    l.sponged(target)
    wait_until(lambda: l.cached(1, target) == SPONGE, 10, "the asker believes in the sponge")
    with wire.Port(l.box.members[3]) as p:
        p.send(wire.garp(MACS[3], target) if family == 4 else wire.neighbor_advertisement(MACS[3], target))
    wait_until(lambda: l.cached(1, target) == MACS[3], 5, "the asker knows better")
    asks.kill()


def test_dry_run_sends_nothing(lan, capture):
    l = lan(**{"dry-run": "true"}).start()
    told = capture(l.box.members[1], "eth0", "ether src " + SPONGE)
    asks = l.ask(1, FREE[4])
    l.sponged(FREE[4])
    wait_until(lambda: l.box.show("ledger", port="swp1")["ports"][0]["would"]["in"].get("arp-request", {}).get("sponged"), 10,
               "it would be sponged")
    asks.kill()
    assert told.stop() == [] and l.cached(1, FREE[4]) is None


# --- dead members -------------------------------------------------------------------------------------------------------


SYN = {"sport": 40000, "dport": 179, "flags": "S"}


@pytest.mark.parametrize("policy", ["silent", "answer", "sponge"])
def test_a_dead_member_and_who_calls_it(lan, policy):
    l = lan(**{"dead-members": f"{{policy: {policy}}}"}).start()
    target = ip4(2)
    assert l.box.answered(1, target) == MACS[2]
    l.box.members[2].ip("link set eth0 down")
    wait_until(lambda: l.box.rows("ports", "name")["swp2"]["state"] == "down", 5, "its port is down")
    want = {"silent": None, "answer": MACS[2], "sponge": SPONGE}[policy]
    wait_until(lambda: l.box.answered(1, target, 0.5) == want, 5, "the policy is done")
    assert l.box.answered(1, ip6(2), 0.5) == want
    if policy == "sponge":
        with l.box.port(1) as p:
            p.send(wire.Ether(src=MACS[1], dst=SPONGE) / wire.IP(src=ip4(1), dst=target) / wire.TCP(**SYN))
            p.send(wire.Ether(src=MACS[1], dst=SPONGE) / wire.IP(src=ip4(1), dst="192.0.2.1") / wire.UDP(dport=53))

    def called():
        rows = {r["target"]: r for r in l.callers()}
        r = rows.get(target)
        return r and r["arp"] and rows.get(ip6(2), {}).get("ns") and (policy != "sponge" or (r["bgp"] and None in rows)) and r
    r = wait_until(called, 5, "the caller is known")
    assert r["mac"] == MACS[1] and r["port"] == "swp1" and r["member"] == "AS64501 Member 1"
    assert r["what"] == "dead" and r["target_member"] == "AS64502 Member 2"
    text = subprocess.run([os.path.join(l.box.build, "quell"), "show", "callers", "--target", target, "--socket-dir",
                           l.box.run_dir], capture_output=True, text=True).stdout
    assert "AS64501 Member 1" in text and "dead: AS64502 Member 2" in text
    dead = [r for r in l.box.show("sponge")["sponge"] if r["state"] == "dead"]
    assert {r["ip"] for r in dead} == ({target, ip6(2)} if policy == "sponge" else set())
    if policy == "answer":
        return
    asks = l.ask(1, target)
    if policy == "sponge":
        wait_until(lambda: l.cached(1, target) == SPONGE, 5, "the caller believes in the sponge")
    l.box.members[2].ip("link set eth0 up")
    with wire.Port(l.box.members[2]) as p:
        wait_until(lambda: p.send(wire.garp(MACS[2], target)) or l.cached(1, target) == MACS[2], 5,
                   "the caller knows that it is back")
    asks.kill()
    assert l.ping(1, target)
    assert target not in {r["target"] for r in l.callers()}


# --- the operator, and restarts --------------------------------------------------------------------------------------------


def quell(box, *words):
    return subprocess.run([os.path.join(box.build, "quell"), *words, "--socket-dir", box.run_dir], capture_output=True, text=True)


def test_the_operators_word(lan):
    l = lan().start()
    for target in FREE.values():
        assert quell(l.box, "sponge", "add", target).returncode == 0
        assert l.state(target) == "static" and l.box.answered(1, target) == SPONGE
    assert quell(l.box, "sponge", "add", FREE[4]).returncode == 1
    for bad in (ip4(1), "192.0.2.1", "fe80::1", ip4(0)):
        r = quell(l.box, "sponge", "add", bad)
        assert r.returncode == 1 and "quell:" in r.stderr, bad
    assert "static" in quell(l.box, "show", "sponge").stdout
    for target in FREE.values():
        assert quell(l.box, "sponge", "del", target).returncode == 0
        assert l.box.answered(1, target, 0.3) is None
    assert quell(l.box, "sponge", "del", FREE[4]).returncode == 1


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_restart_keeps_it(lan, how):
    l = lan().start()
    box = l.box
    asks = l.ask(1, FREE[4])
    l.sponged(FREE[4])
    asks.kill()
    assert quell(box, "sponge", "add", FREE[6]).returncode == 0
    file = box.dir / "sponge-ixp.json"
    if how == "stopped":
        assert box.process.stop() == 0
    else:
        wait_until(lambda: file.exists() and FREE[6] in file.read_text() and FREE[4] in file.read_text(), 25, "it is written")
        box.kill()
    assert box.answered(1, FREE[4]) == SPONGE and box.answered(1, FREE[6]) == SPONGE
    box.start()
    wait_until(box.open, 10, "the ports are taken")
    assert l.state(FREE[4]) == "sponged" and l.state(FREE[6]) == "static"
    assert l.rows()[FREE[4]]["askers"][0]["mac"] == MACS[1]
    assert box.answered(1, FREE[4]) == SPONGE and box.answered(1, FREE[6]) == SPONGE
    # Who asked the former agent is told by this one.
    with l.box.port(1) as asker, wire.Port(box.members[3]) as p:
        p.send(wire.garp(MACS[3], FREE[4]))
        assert asker.await_frame(wire.is_arp_reply(FREE[4], MACS[3]), 2)


@pytest.mark.parametrize("what", ["gone", "damaged", "old"])
def test_a_restart_with_a_bad_file(lan, what):
    """What was found out goes; what is answered is what is known, and nothing else."""
    l = lan().start()
    box = l.box
    asks = l.ask(1, FREE[4])
    l.sponged(FREE[4])
    asks.kill()
    assert quell(box, "sponge", "add", FREE[6]).returncode == 0
    assert box.process.stop() == 0
    file = box.dir / "sponge-ixp.json"
    kept = json.loads(file.read_text())
    assert kept["lan"] == "ixp" and len(kept["addresses"]) == 2
    if what == "gone":
        file.unlink()
    elif what == "damaged":
        file.write_text(file.read_text()[:-20])
    else:
        kept["written"] -= 7200
        file.write_text(json.dumps(kept))
    box.start()
    wait_until(box.open, 10, "the ports are taken")
    assert l.state(FREE[4]) is None and box.answered(1, FREE[4], 0.3) is None
    assert l.state(FREE[6]) == ("static" if what == "old" else None)
    assert (box.answered(1, FREE[6], 0.3) == SPONGE) == (what == "old")
    assert {"gone": "", "damaged": "not read", "old": "too old"}[what] in box.process.said()


def test_a_reload_switches_it_off_and_on(lan):
    l = lan().start()
    asks = l.ask(1, FREE[4])
    l.sponged(FREE[4])
    l.box.write(entry(1), entry(2), **{"unknown-target": "drop", "sponge": QUICK})
    r = quell(l.box, "reload")
    assert "unknown-target" in r.stdout, r
    wait_until(lambda: l.state(FREE[4]) is None, 5, "nothing is sponged")
    assert l.box.answered(2, FREE[4], 0.3) is None
    l.box.write(entry(1), entry(2), **{"unknown-target": "sponge", "sponge": QUICK})
    quell(l.box, "reload")
    l.box.members[1].ip("neigh flush dev eth0")
    l.sponged(FREE[4])
    asks.kill()


def test_network_addresses(lan):
    l = lan(sponge="{network: true, learn: 0}").start()
    with l.box.port(1) as p:
        for target in (ip4(0), "198.18.7.255"):
            p.send(wire.who_has(MACS[1], ip4(1), target))
            assert p.await_frame(wire.is_arp_reply(target, SPONGE), 1)
