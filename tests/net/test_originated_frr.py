"""What quelld originates, as FRR 8.4 takes it: every kind of route in zebra's and the kernel's tables, a MAC that moves
there and back by its sequence, and not one NOTIFICATION. quelld is the PE 10.99.0.1 with an agent of straw; FRR calls it
directly."""
import pytest
from conftest import wait_until
from lab.topology import BRIDGE, VNI, VXLAN
from quelld_box import Quelld
from test_quelld_feed import Agent
from test_quelld_frr import PE, RS, pair, start_frr  # noqa: F401  (a fixture)

pytestmark = pytest.mark.needs("quelld", "frr")


def mac(i):
    return f"02:00:5e:00:01:{i:02x}"


def add(i, ip=None, **more):
    line = {"op": "add", "lan": "ixp", "mac": mac(i), "router": False, "override": False, "immutable": False,
            "sticky": False, "claim": True, **more}
    return {**line, "ip": ip} if ip else line


# Every kind of route that we can say.
SAID = [
    add(1), add(1, "198.18.0.1"), add(1, "2001:db8:100::1"), add(1, "fe80::1"),
    add(2, sticky=True, claim=False), add(2, "198.18.0.2", sticky=True, immutable=True),
    add(3, "2001:db8:100::3", router=True),
    add(4, "2001:db8:100::4", router=True, override=True, immutable=True),
    add(5, "198.18.0.5", immutable=True),
]


@pytest.fixture
def pes(scope, pair, build):  # noqa: F811
    ours, theirs = pair
    q = Quelld(scope, ours, build, f"router-id: {RS}\nbgp:\n  as: 65000\n  defer-time: 1\n  listen: [{RS}]\n  neighbors:\n"
               f"    - {{address: {PE}, passive: true}}\nlans:\n  - name: ixp\n    vni: {VNI}\n"
               "    prefixes: [198.18.0.0/21, '2001:db8:100::/64']\n    agent: {bridge: br100, vxlan: vx100}\n").start()
    f = start_frr(scope, theirs)
    agent = Agent(q, SAID)
    wait_until(lambda: q.established(PE) and f.established(), 15, q.process.said())
    yield q, agent, f, theirs
    assert sum(f.notifications().values()) == 0
    n = q.neighbor(PE)
    assert [n[k] for k in ("treat_as_withdraw", "attr_discard", "nlri_discard", "nlri_withdraw")] == [0, 0, 0, 0]


def remote_mac(f, m):
    found = f.json(f"show evpn mac vni {VNI} mac {m}").get(m, {})
    return found if found.get("remoteVtep") or found.get("type") == "remote" else {}


def test_every_kind_is_taken(pes):
    q, agent, f, pe = pes
    wanted = {line["ip"]: line["mac"] for line in SAID if "ip" in line}

    def taken():
        cache = f.json(f"show evpn arp-cache vni {VNI}")
        return all(cache.get(ip, {}).get("mac") == m and cache[ip].get("type") == "remote" for ip, m in wanted.items())
    wait_until(taken, 10, "zebra has every binding")
    cache = f.json(f"show evpn arp-cache vni {VNI}")
    assert {cache[ip]["remoteVtep"] for ip in wanted} == {RS}
    assert {ip for ip in wanted if cache[ip].get("routerFlag") or "Router" in str(cache[ip])} <= {
        "2001:db8:100::3", "2001:db8:100::4"}
    for i in range(1, 6):
        assert remote_mac(f, mac(i)), f"zebra has {mac(i)}"
    fdb = pe.bridge(f"fdb show dev {VXLAN}")
    assert all(f"{mac(i)} dst {RS}" in fdb for i in range(1, 6))
    assert f"00:00:00:00:00:00 dst {RS}" in fdb  # the type-3 route: floods come to us
    routes = f.vtysh("show bgp l2vpn evpn route detail")
    assert "sticky MAC" in routes and "ND:Router Flag" in routes and "Default" not in routes
    # Taken back: the bindings, then the rest of that MAC.
    for line in SAID[1:4]:
        agent.say({**line, "op": "del"})
    wait_until(lambda: "198.18.0.1" not in f.json(f"show evpn arp-cache vni {VNI}"), 10)
    assert remote_mac(f, mac(1))
    agent.say({**SAID[0], "op": "del"})
    wait_until(lambda: f"{mac(1)} dst" not in pe.bridge(f"fdb show dev {VXLAN}"), 10, "the MAC is gone from the kernel")


def test_a_member_moves_and_comes_back(pes):
    q, agent, f, pe = pes
    wait_until(lambda: remote_mac(f, mac(1)) and remote_mac(f, mac(5)), 10)
    agent.until(op="end")
    for turn in range(2):
        pe.bridge(f"fdb replace {mac(1)} dev swp1 master dynamic")
        line = agent.until(op="mac", mac=mac(1))[-1]
        assert (line["vtep"], line["seq"]) == (PE, 2 * turn + 1)
        wait_until(lambda: not q.routes(mac=mac(1), type=2) or
                   {r["from"] for r in q.routes(mac=mac(1), type=2)} == {PE}, 5, "our claim is withdrawn")
        # Named, but not seen: nothing. Seen: it is ours again.
        agent.say(add(1, claim=False))
        agent.say(add(1), add(1, "198.18.0.1"))
        wait_until(lambda: remote_mac(f, mac(1)), 10, "FRR gives it back")
        wait_until(lambda: {r["from"] for r in q.routes(mac=mac(1), type=2)} == {"local"}, 5)
        assert f"MM:{2 * turn + 2}" in q.routes(mac=mac(1), type=2)[0]["communities"]


def test_a_sticky_mac_stays(pes):
    """FRR learns a MAC that we announced as sticky: it is not let go, and the alarm is counted."""
    q, agent, f, pe = pes
    wait_until(lambda: remote_mac(f, mac(2)), 10)
    before = {r["text"] for r in q.routes(mac=mac(2)) if r["from"] == "local"}
    pe.bridge(f"fdb replace {mac(2)} dev swp1 master dynamic")
    pe.ip(f"neigh replace 198.18.0.9 lladdr {mac(9)} dev {BRIDGE} nud reachable")
    pe.bridge(f"fdb replace {mac(9)} dev swp1 master dynamic")
    agent.until(op="bind", ip="198.18.0.9")  # what FRR said after it is here, so what it had to say is here
    assert {r["text"] for r in q.routes(mac=mac(2)) if r["from"] == "local"} == before
