"""quelld and FRR 8.4, the peer that matters most: who calls whom, TCP MD5, GTSM, reflection between FRR PEs, and what
each does when the other dies. FRR resets sessions for almost anything odd, so that it has sent no NOTIFICATION is a
result of its own."""
import subprocess
import time

import pytest
from conftest import wait_until
from lab.frr import Frr, FrrPE
from lab.quell import QuellRouteServer
from lab.topology import AS, VNI, VXLAN, BRIDGE, Lab
from quelld_box import Quelld

pytestmark = [pytest.mark.needs("quelld", "frr")]
RS, PE = "10.99.0.1", "10.99.0.2"
MAC, IP = "02:00:5e:00:00:77", "198.18.0.77"


def frr_config(options=(), router_id=PE, peer=RS):
    lines = ["frr defaults traditional", "hostname pe", f"router bgp {AS}", f" bgp router-id {router_id}",
             " no bgp default ipv4-unicast", " coalesce-time 0", f" neighbor {peer} remote-as {AS}",
             f" neighbor {peer} timers 3 9", f" neighbor {peer} timers connect 1"]
    lines += [f" neighbor {peer} {o}" for o in options]
    lines += [" address-family l2vpn evpn", f"  neighbor {peer} activate", "  advertise-all-vni", " exit-address-family",
              "exit"]
    return "\n".join(lines) + "\n"


def quelld_config(listen=True, **neighbor):
    keys = {"address": PE, "client": "true", "connect-retry": 1, **neighbor}
    return f"router-id: {RS}\nbgp:\n  as: {AS}\n  defer-time: 1\n" + (f"  listen: [{RS}]\n" if listen else "") + \
        "  neighbors:\n    - {" + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}\n"


@pytest.fixture
def pair(scope):
    """The route server's namespace and that of an FRR PE with a bridge and a VXLAN device."""
    rs, pe = scope.netns("rs"), scope.netns("pe")
    scope.veth(rs, "up0", pe, "up0")
    rs.ip(f"addr add {RS}/24 dev up0", "link set up0 up")
    member = scope.netns("m")
    scope.veth(pe, "swp1", member, "eth0")
    member.sysctl({"net.ipv6.conf.eth0.disable_ipv6": 1})
    member.ip("link set eth0 up")
    pe.ip(f"addr add {PE}/24 dev up0", "link set up0 up", f"link add {BRIDGE} type bridge stp_state 0",
          f"link add {VXLAN} type vxlan id {VNI} local {PE} dstport 4789 nolearning", f"link set {VXLAN} master {BRIDGE}",
          f"link set swp1 master {BRIDGE}", "link set swp1 up",
          f"link set {VXLAN} up", f"link set {BRIDGE} up", f"addr add 198.18.7.202/21 dev {BRIDGE}")
    pe.bridge(f"link set dev {VXLAN} learning off")
    return rs, pe


def announce(pe):
    pe.bridge(f"fdb replace {MAC} dev swp1 master dynamic")
    pe.ip(f"neigh replace {IP} lladdr {MAC} dev {BRIDGE} nud reachable")


def start_frr(scope, pe, **kw):
    f = Frr(scope, pe, frr_config(**kw))
    f.start()
    return f


# Who may call; what else both are told; whether they meet.
SESSIONS = {
    "both call": ({}, (), True),
    "quelld waits": ({"passive": "true"}, (), True),
    "quelld calls": ({"listen": False}, ("passive",), True),
    "password, quelld waits": ({"passive": "true", "password-file": "{key}"}, ("password secret",), True),
    "password, quelld calls": ({"listen": False, "password-file": "{key}"}, ("passive", "password secret"), True),
    "another password": ({"password-file": "{key}"}, ("password wrong",), False),
    "no password": ({"password-file": "{key}"}, (), False),
    "gtsm, quelld waits": ({"passive": "true", "ttl-security": 1}, ("ttl-security hops 1",), True),
    "gtsm, quelld calls": ({"listen": False, "ttl-security": 1}, ("passive", "ttl-security hops 1"), True),
    "gtsm, all of it": ({"ttl-security": 1, "password-file": "{key}"}, ("ttl-security hops 1", "password secret"), True),
}


@pytest.mark.parametrize("case", SESSIONS)
def test_session(scope, pair, build, case):
    ours, theirs, meet = SESSIONS[case]
    rs, pe = pair
    key = scope.dir / "key"
    key.write_text("secret\n")
    key.chmod(0o600)
    ours = {k: str(v).format(key=key) if k != "listen" else v for k, v in ours.items()}
    q = Quelld(scope, rs, build, quelld_config(**ours)).start()
    f = start_frr(scope, pe, options=theirs)
    if not meet:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert not q.established(PE)
            time.sleep(0.1)
        return
    wait_until(lambda: q.established(PE) and f.established(), 15, f"{case}: {q.process.said()}")
    announce(pe)
    wait_until(lambda: [r for r in q.routes(type=2) if r.get("ip") == IP and r["mac"] == MAC], 10, "FRR's route")
    assert q.routes(type=3)[0]["next_hop"] == PE
    assert sum(f.notifications().values()) == 0


def test_dscp_and_ttl(scope, pair, build, capture):
    """As seen on the wire: CS6 and TTL 255 from the first packet on."""
    from scapy.layers.inet import IP as IPv4, TCP
    rs, pe = pair
    seen = capture(pe, "up0", "src", RS, "and", "tcp")
    q = Quelld(scope, rs, build, quelld_config()).start()
    start_frr(scope, pe)
    wait_until(lambda: q.established(PE), 15)
    packets = seen.stop()
    assert packets and {(p[IPv4].tos, p[IPv4].ttl) for p in packets if "R" not in p[TCP].flags} == {(0xc0, 255)}


def test_killed_quelld_comes_back(scope, pair, build):
    rs, pe = pair
    q = Quelld(scope, rs, build, quelld_config(passive="true")).start()
    f = start_frr(scope, pe)
    announce(pe)
    wait_until(lambda: q.established(PE) and q.routes(type=2, ip=IP), 15)
    q.process.kill()
    start = time.monotonic()
    q.start()
    wait_until(lambda: q.established(PE) and q.routes(type=2, ip=IP), 15)
    print(f"\nback with all routes {time.monotonic() - start:.1f} s after SIGKILL")
    assert sum(f.notifications().values()) == 0


def test_frr_hears_the_goodbye(scope, pair, build):
    rs, pe = pair
    q = Quelld(scope, rs, build, quelld_config(passive="true")).start()
    f = start_frr(scope, pe)
    wait_until(lambda: q.established(PE) and f.established(), 15)
    assert q.process.stop() == 0
    n = f.json(f"show bgp neighbors {RS}")[RS]
    assert n["lastErrorCodeSubcode"] == "0602"
    assert "Administrative Shutdown" in n.get("lastNotificationReason", "")


def test_a_dead_frr_is_withdrawn(scope, build):
    """Two FRR PEs through quelld: everything arrives, and goes when its PE dies."""
    with Lab([FrrPE, FrrPE, FrrPE], QuellRouteServer, build=build) as lab:
        lab.raise_()
        wait_until(lab.converged, 30, "every PE knows every member")
        one, two, three = lab.pes
        assert [sum(pe.frr.notifications().values()) for pe in lab.pes] == [0, 0, 0]
        # A change, and a change back.
        m = one.members[0]
        one.binding(m, False)
        wait_until(lambda: m.ip4 not in two.frr.json(f"show evpn arp-cache vni {VNI}"), 10, "it is withdrawn")
        one.binding(m, True)
        wait_until(lab.converged, 10)
        # bgpd dies without a word.
        for p in three.frr.processes:
            p.kill()
        gone = three.members[0]
        wait_until(lambda: gone.ip4 not in one.frr.json(f"show evpn arp-cache vni {VNI}"), 15, "a dead PE's routes go")
        assert all(m.ip4 in two.frr.json(f"show evpn arp-cache vni {VNI}") for m in one.members)
        assert [sum(pe.frr.notifications().values()) for pe in (one, two)] == [0, 0]


def test_busy_port(scope, pair, build):
    """FRR has the port: one line, exit 1, and FRR notices nothing."""
    rs, _ = pair
    f = Frr(scope, rs, frr_config(router_id=RS, peer=PE))
    f.start()
    q = Quelld(scope, rs, build, quelld_config())
    p = subprocess.run([*rs.enter, *map(str, q.argv)], capture_output=True, text=True, timeout=10)
    assert p.returncode == 1 and len(p.stderr.splitlines()) == 1
    assert f"{RS}:179: Address already in use (another BGP daemon?)" in p.stderr
    assert all(x.alive() for x in f.processes)
