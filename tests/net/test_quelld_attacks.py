"""What a peer or an agent may do to quelld that no honest one does, where it once hurt."""
import socket
import time

import pytest
from bgp_peer import END_OF_RIB, Peer, macip, update, withdraw
from conftest import wait_until
from quelld_box import Quelld, inside
from test_quelld_feed import Agent, add, mac

pytestmark = pytest.mark.needs("quelld")
PE, PEER = "10.99.0.2", "10.99.0.9"
CONFIG = f"""router-id: {PE}
bgp:
  as: 65000
  listen: [{PE}]
  defer-time: 1
  neighbors:
    - {{address: {PEER}, passive: true, name: peer}}
lans:
  - name: ixp
    vni: 100
    prefixes: [198.18.0.0/21]
    route-target: "65000:100"
    agent: {{bridge: br100, vxlan: vx100}}
"""


@pytest.fixture
def wire(scope):
    pe, peers = scope.netns("pe"), scope.netns("peers")
    scope.veth(pe, "up0", peers, "up0")
    pe.ip(f"addr add {PE}/24 dev up0", "link set up0 up")
    peers.ip(f"addr add {PEER}/24 dev up0", "link set up0 up")
    return pe, peers


@pytest.fixture
def quelld(scope, wire, build):
    made = Quelld(scope, wire[0], build, CONFIG).start()
    yield made
    assert made.process.alive(), made.process.said()[-4000:]


def peer(wire):
    with inside(wire[1]):
        p = Peer(PE, PEER).establish()
    p.send(END_OF_RIB)
    return p


def shown(quelld, what, name):
    return [e for e in quelld.show("lan")["lans"][0][what] if name in (e.get("ip"), e["mac"])]


def test_a_peer_speaks_under_our_own_rd(quelld, wire):
    """Then its routes and ours are one key of the RIB, and what we originate changes what the LAN has imported."""
    a = Agent(quelld, [add(1)])
    wait_until(lambda: quelld.routes(mac=mac(1)), 5)
    rd, number = quelld.routes(mac=mac(1))[0]["rd"].rsplit(":", 1)
    p = peer(wire)
    theirs = {i: [macip(rd, int(number), mac(i)), macip(rd, int(number), mac(i), f"198.18.0.{i}")]
              for i in range(1, 6)}
    for round in range(3):
        # Theirs first, then ours, which takes it back; then ours goes, and theirs is there again.
        p.send(update(theirs[2], "10.99.0.1"))
        wait_until(lambda: shown(quelld, "macs", mac(2)), 5)
        a.say(add(2))
        wait_until(lambda: [e for e in shown(quelld, "bindings", "198.18.0.2") if e["local"]], 5)
        a.say({**add(2), "op": "del"})
        wait_until(lambda: [e for e in shown(quelld, "bindings", "198.18.0.2") if not e["local"]], 5)
        # Ours first.
        a.say(add(3))
        wait_until(lambda: shown(quelld, "bindings", "198.18.0.3"), 5)
        p.send(update(theirs[3], "10.99.0.1"))
        time.sleep(0.2)
        p.send(withdraw(theirs[3]))
        a.say({**add(3), "op": "del"})
        wait_until(lambda: not shown(quelld, "bindings", "198.18.0.3"), 5)
        p.send(withdraw(theirs[2]))
        wait_until(lambda: not shown(quelld, "macs", mac(2)), 5)
        wait_until(lambda: not quelld.routes(mac=mac(2)) and not quelld.routes(mac=mac(3)), 5)


def test_askers_who_do_not_wait(quelld):
    """Who asks, or connects as the agent, and goes without having read keeps no place."""
    for i in range(60):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(quelld.run_dir / "quelld.sock"))
            s.sendall(b'{"show": "routes"}\n' * (1 + i % 2))
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(quelld.run_dir / "feed.sock"))
            s.sendall(b'{"op": "hello", "version": 1, "program": "quell-agent"}\n' + b'7\n' * (i % 2))
        if i % 10 == 9:
            wait_until(lambda: "pid" in (quelld.show("status") or {}), 5)
    wait_until(lambda: quelld.show("status")["feed"]["state"] == "absent", 5)
    Agent(quelld, [add(1)]).close()
    assert quelld.process.said().count("\n") < 100


def test_callers_from_afar(scope, wire, build):
    """All neighbours are on the link: who is not does not even get an answer to his SYN."""
    Quelld(scope, wire[0], build, CONFIG.replace("name: peer", "ttl-security: 1")).start()
    for ttl in (64, 255):
        with inside(wire[1]), socket.socket() as s:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            s.settimeout(1)
            s.bind((PEER, 0))
            if ttl == 255:
                s.connect((PE, 179))
                assert s.recv(19)[:16] == b"\xff" * 16
            else:
                with pytest.raises(TimeoutError):
                    s.connect((PE, 179))
