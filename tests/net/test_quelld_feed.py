"""A binding's way from one PE's agent to another's, with three quellds between them: feed -> PE -> route server -> PE -> feed.
The agents are of straw; they speak docs/feed.md."""
import socket
import statistics
import time

import pytest
from conftest import wait_until
from feed_lines import FeedLines
from quelld_box import Quelld

pytestmark = pytest.mark.needs("quelld")
RS, ONE, TWO = "10.99.0.1", "10.99.0.2", "10.99.0.3"


class Agent(FeedLines):
    def __init__(self, quelld, snapshot=(), end=True):
        self.conn = socket.socket(socket.AF_UNIX)
        self.conn.settimeout(10)
        self.conn.connect(str(quelld.run_dir / "feed.sock"))
        self.buf = b""
        assert self.line() == {"op": "hello", "version": 1, "program": "quelld"}
        self.say({"op": "hello", "version": 1, "program": "quell-agent"}, *snapshot)
        if end:
            self.say({"op": "end"})

    def until(self, timeout=10, **fields):
        """Reads until a line has these fields; returns all lines read, that one last."""
        seen = []
        while True:
            seen.append(self.line(timeout))
            assert seen[-1], f"closed after {seen}"
            if all(seen[-1].get(k) == v for k, v in fields.items()):
                return seen

    def close(self):
        self.conn.close()


def add(i, **more):
    return {"op": "add", "lan": "ixp", "mac": mac(i), "ip": f"198.18.{i >> 8}.{i & 255}", "claim": True, **more}


def mac(i):
    return f"02:00:5e:00:{i >> 8:02x}:{i & 255:02x}"


def pe_config(address):
    return (f"router-id: {address}\nbgp:\n  as: 65000\n  defer-time: 3\n  neighbors:\n"
            f"    - {{address: {RS}, connect-retry: 1}}\nlans:\n  - name: ixp\n    vni: 100\n"
            "    prefixes: [198.18.0.0/21, '2001:db8:100::/64']\n    agent: {bridge: br100, vxlan: vx100}\n")


@pytest.fixture
def fabric(scope, build):
    """Route server and two PEs; PEs' quellds are up, no agent is."""
    spaces = [scope.netns(n) for n in ("rs", "one", "two")]
    hub = scope.netns("hub")
    hub.ip("link add br0 type bridge stp_state 0 forward_delay 0", "link set br0 up")
    for ns, address in zip(spaces, (RS, ONE, TWO)):
        scope.veth(ns, "up0", hub, ns.role)
        hub.ip(f"link set {ns.role} master br0", f"link set {ns.role} up")
        ns.ip(f"addr add {address}/24 dev up0", "link set up0 up")
    neighbors = "".join(f"    - {{address: {a}, client: true, passive: true}}\n" for a in (ONE, TWO))
    rs = Quelld(scope, spaces[0], build, f"router-id: {RS}\nbgp:\n  as: 65000\n  listen: [{RS}]\n  defer-time: 3\n"
                f"  neighbors:\n{neighbors}", name="rs").start()
    one = Quelld(scope, spaces[1], build, pe_config(ONE), name="one").start()
    two = Quelld(scope, spaces[2], build, pe_config(TWO), name="two").start()
    wait_until(lambda: rs.established(ONE, TWO), 15, "sessions are up")
    return rs, one, two


def test_from_agent_to_agent(fabric):
    rs, one, two = fabric
    a, b = Agent(one), Agent(two)
    for agent in (a, b):
        agent.until(op="end")
    times = []
    for i in range(1, 61):
        start = time.monotonic()
        a.say(add(i))
        b.until(op="bind", ip=f"198.18.0.{i}")
        times.append(time.monotonic() - start)
    median, worst = statistics.median(times) * 1000, max(times) * 1000
    print(f"\nnew binding, agent to agent over three quellds: median {median:.2f} ms, worst {worst:.2f} ms")
    assert median < 10
    # What it says, and that it is taken back.
    there = {"ip": "2001:db8:100::77"}
    a.say(add(77, **there, router=True, override=True, immutable=True))
    line = b.until(op="bind", **there)[-1]
    assert line == {"op": "bind", "lan": "ixp", **there, "mac": mac(77), "vtep": ONE, "router": True,
                    "override": True, "immutable": True, "stale": False}
    a.say({**add(77, **there), "op": "del"})
    b.until(op="bind-del", **there)
    shown = two.show("lan")["lans"][0]
    assert shown["counts"]["bindings_remote"] == 60 and shown["flood"] == [ONE]


def test_snapshot_waits_for_the_sessions(fabric):
    """An agent that comes while its quelld has just started is not told to forget: `end` comes with the routes."""
    rs, one, two = fabric
    a = Agent(one, [add(i) for i in range(1, 4)])
    a.until(op="end")
    two.process.kill()
    two.start()
    b = Agent(two)
    seen = b.until(op="end")
    assert {line["ip"] for line in seen if line["op"] == "bind"} == {f"198.18.0.{i}" for i in range(1, 4)}


def test_reconnect_sweeps(fabric):
    rs, one, two = fabric
    a = Agent(one, [add(i) for i in range(1, 4)])
    b = Agent(two)
    b.until(op="bind", ip="198.18.0.3")
    a.close()
    wait_until(lambda: one.show("status")["feed"]["state"] == "absent", 5)
    # Away: nothing is taken back. Back with less: the rest goes at its end.
    a = Agent(one, [add(1), add(4)], end=False)
    b.until(op="bind", ip="198.18.0.4")
    assert two.show("lan")["lans"][0]["counts"]["bindings_remote"] == 4
    a.say({"op": "end"})
    gone = set()
    while len(gone) < 2:
        line = b.line()
        if line["op"] == "bind-del":
            gone.add(line["ip"])
    assert gone == {"198.18.0.2", "198.18.0.3"}
    wait_until(lambda: two.show("lan")["lans"][0]["counts"]["bindings_remote"] == 2, 5)


def test_a_move(fabric):
    """A MAC that is claimed elsewhere moves: the loser is told where it is now."""
    rs, one, two = fabric
    a, b = Agent(one, [add(1)]), Agent(two)
    b.until(op="bind", ip="198.18.0.1")
    b.say(add(1))
    line = a.until(op="mac", mac=mac(1))[-1]
    assert line["vtep"] == TWO and line["seq"] == 1
    a.say(add(1))
    line = b.until(op="mac", mac=mac(1))[-1]
    assert line["vtep"] == ONE and line["seq"] == 2


def test_stopping_quelld_leaves_the_agent_what_it_has(fabric):
    """A clean stop closes the feed before the sessions: no deletion is sent."""
    rs, one, two = fabric
    a, b = Agent(one, [add(1)]), Agent(two)
    b.until(op="bind", ip="198.18.0.1")
    assert two.process.stop() == 0
    while (line := b.line()) is not None:
        assert "del" not in line["op"], line
    two.start()
    b = Agent(two)
    assert any(line["op"] == "bind" for line in b.until(op="end"))


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_the_route_server_dies_and_comes_back(fabric, how):
    """Graceful restart between quellds, told or not: no agent hears of a deletion."""
    rs, one, two = fabric
    a, b = Agent(one, [add(1)]), Agent(two)
    seen = []
    while not {"bind", "end", "flood"} <= {line["op"] for line in seen}:
        seen.append(b.line())
    a.until(op="end")
    getattr(rs.process, how)()
    b.until(op="bind", stale=True)
    rs.start()
    seen = b.until(op="bind", stale=False)
    assert not [line for line in seen if "del" in line["op"]]
