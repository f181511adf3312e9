"""Random UPDATEs, each of them legal, through quelld: nothing is lost or changed on the way, and FRR 8.4 takes them all.

One peer sends what tests/interop/updates draws from a seed. FRR, with `profile: conservative`, must never send a
NOTIFICATION, and what it shows in the end must be what was sent last of every key. INTEROP_UPDATES says how many UPDATEs
FRR is to be told (default 20 000), INTEROP_SEED with what it begins."""
import os
import struct
import subprocess
import time

import pytest
from bgp_peer import NOTIFICATION, UPDATE, Peer
from evpn_wire import Table
from frr_view import differences, expected, seen
from lab.frr import Frr
from net_conftest import wait_until
from quelld_box import Quelld, inside

pytestmark = pytest.mark.needs("quelld", "tests/interop/updates")
COUNT, SEED = int(os.environ.get("INTEROP_UPDATES", 20000)), int(os.environ.get("INTEROP_SEED", 1))
KEYS = 16
RS, SENDER, RECEIVER, PE = "10.99.0.1", "10.99.0.3", "10.99.0.4", "10.99.0.200"

FRR = f"""frr defaults traditional
hostname pe
router bgp 65000
 bgp router-id {PE}
 no bgp default ipv4-unicast
 neighbor {RS} remote-as 65000
 neighbor {RS} timers connect 1
 address-family l2vpn evpn
  neighbor {RS} activate
 exit-address-family
exit
"""


@pytest.fixture
def rs(scope, build):
    """quelld, and a namespace beside it for FRR."""
    rs, pe = scope.netns("rs"), scope.netns("pe")
    scope.veth(rs, "up0", pe, "up0")
    rs.ip(f"addr add {RS}/24 dev up0", f"addr add {SENDER}/24 dev up0", f"addr add {RECEIVER}/24 dev up0",
          "link set up0 up")
    pe.ip(f"addr add {PE}/24 dev up0", "link set up0 up")
    q = Quelld(scope, rs, build, f"""router-id: {RS}
bgp:
  as: 65000
  defer-time: 1
  listen: [{RS}]
  import: {{sanity: false}}
  neighbors:
    - {{address: {PE}, client: true, passive: true, profile: conservative}}
    - {{address: {SENDER}, client: true, passive: true}}
    - {{address: {RECEIVER}, client: true, passive: true}}
""").start()
    return rs, pe, q


def peer(ns, address):
    with inside(ns):
        return Peer(RS, address).establish()


class Source:
    """Messages of the generator, as they come."""

    def __init__(self, build, seed, keys):
        self.process = subprocess.Popen([f"{build}/tests/interop/updates", str(seed), "100000000", str(keys), "65000", PE],
                                        stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def take(self, count):
        found = []
        for _ in range(count):
            head = self.process.stdout.read(19)
            found.append(head + self.process.stdout.read(struct.unpack_from("!H", head, 16)[0] - 19))
        return found


def drain(receiver, table, until, timeout=20):
    """Takes what comes until a condition holds of the table."""
    end = time.monotonic() + timeout
    while not until():
        try:
            got = receiver.receive(0.2)
        except TimeoutError:
            assert time.monotonic() < end, "not all came"
            continue
        assert got and got[0] != NOTIFICATION, f"session ended: {got}"
        if got[0] == UPDATE:
            table.take(got[1])


def reflected(table):
    """As a reflector passes them on: what it adds itself taken out of account, unknown attributes with Partial."""
    known = {1, 2, 4, 5, 6, 7, 8, 16, 22, 23, 25, 32, 35, 40}
    out = {}
    for key, (nlri, hop, attrs) in table.routes.items():
        kept = {t: (f if t in known else f | 0x20, v) for t, (f, v) in attrs.items() if t not in (9, 10)}
        clusters = attrs.get(10, (0, b""))[1]
        out[key] = (nlri, hop, kept, clusters)
    return out


def test_another_client_is_told_the_same(rs, build, figures):
    """Every octet of NLRI, next hop and attributes, read by hand at the other end; and withdrawn when the sender goes."""
    ns, _, q = rs
    sender, receiver = peer(ns, SENDER), peer(ns, RECEIVER)
    sent, heard = Table(), Table()
    with Source(build, SEED, KEYS) as source:
        for _ in range(min(COUNT, 20000) // 500):
            for m in source.take(500):
                sender.send(m)
                sent.take(m[19:])
            n = len(heard.routes)
            try:
                while True:
                    got = receiver.receive(0)
                    assert got and got[0] != NOTIFICATION, f"session ended: {got}"
                    if got[0] == UPDATE:
                        heard.take(got[1])
            except TimeoutError:
                pass
    want = reflected(sent)

    def same():
        if heard.routes.keys() != want.keys():
            return False
        return strip(heard) == want
    def strip(table):
        return {k: (n, h, a, c[4:]) for k, (n, h, a, c) in reflected(table).items()}
    drain(receiver, heard, same)
    assert all(a[10][1][:4] == bytes([10, 99, 0, 1]) and 9 in a for _, _, a in heard.routes.values())
    assert q.neighbor(SENDER)["routes_in"] == len(sent.routes)
    assert len(sent.routes) > 2000
    sender.close()
    drain(receiver, heard, lambda: not heard.routes)
    figures(f"random UPDATEs: {len(want)} routes came out octet for octet")


@pytest.mark.needs("frr")
def test_frr_takes_them_all(scope, rs, build, figures):
    ns, pe, q = rs
    f = Frr(scope, pe, FRR)
    f.start()
    sender = peer(ns, SENDER)
    wait_until(lambda: q.established(PE) and f.established(), 20, "FRR is up")
    sent, messages, begin = Table(), 0, time.monotonic()
    with Source(build, SEED, KEYS) as source:
        while q.neighbor(PE)["updates_out"] < COUNT:
            for _ in range(10):
                batch = source.take(200)
                sender.send(b"".join(batch))
                for m in batch:
                    sent.take(m[19:])
                messages += len(batch)
            assert sum(f.notifications().values()) == 0, f"FRR sent a NOTIFICATION after {messages} (seed {SEED})"
    took = time.monotonic() - begin
    want = expected(sent, SENDER, RS, PE)
    assert len(want) > 2000

    def different():
        return differences(want, seen(f.json("show bgp l2vpn evpn route detail")))
    end = time.monotonic() + 60
    while (lines := different()) and time.monotonic() < end:
        time.sleep(0.5)
    assert not lines, "\n".join([f"{len(lines)} differences"] + lines[:20])
    assert sum(f.notifications().values()) == 0
    out = q.neighbor(PE)
    figures(f"FRR 8.4 took {out['updates_out']} random UPDATEs without a NOTIFICATION ({took:.0f} s), {len(want)} routes "
            f"agree, {out['withheld']} announcements withheld")
    sender.close()
    end = time.monotonic() + 60
    while (left := seen(f.json("show bgp l2vpn evpn route detail"))) and time.monotonic() < end:
        time.sleep(1)
    assert not left, f"{len(left)} routes were not withdrawn, such as {list(left)[:5]}"
    assert q.established(PE) and sum(f.notifications().values()) == 0
