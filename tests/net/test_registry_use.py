"""The exchange's registry in quelld, as PEs and the operator meet it: what is not in it is refused, or flagged and let in; who
is announced by a PE that is not the member's; that a reload lets in what was registered meanwhile, that a bad file changes
nothing, and that FRR as a PE notices nothing of all that but the routes."""
import json
import subprocess

import pytest
from bgp_peer import END_OF_RIB, Peer, macip, withdraw
from conftest import wait_until
from lab.topology import VNI
from quelld_box import Quelld, inside
from test_policy import A, B, RS, announce, mac, refused, rejected, wire  # noqa: F401  (a fixture)
from test_quelld_frr import PE, pair, start_frr  # noqa: F401  (a fixture)

pytestmark = pytest.mark.needs("quelld")
WORDS = ("unregistered-mac", "unregistered-ip", "wrong-ip-for-mac", "wrong-pe")


def config(policy, registry, more=""):
    return f"""router-id: {RS}
bgp:
  as: 65000
  listen: [{RS}]
  defer-time: 1
  neighbors:
    - {{address: {A}, client: true, passive: true}}
    - {{address: {B}, client: true, passive: true}}
lans:
  - name: ixp
    vni: {VNI}
    prefixes: [198.18.0.0/21]
    registry: [{registry}]
    registry-routes: {policy}
{more}"""


def member(asn, *ports):
    return f"  - asn: {asn}\n    name: Member {asn}\n    ports:\n" + "".join(f"      - {{{p}}}\n" for p in ports)


MEMBERS = member(64501, f"port: swp1, pe: {A}, macs: ['{mac(1)}', '{mac(11)}'], ipv4: [198.18.0.1]") + \
    member(64502, f"port: swp1, pe: {B}, macs: ['{mac(2)}'], ipv4: [198.18.0.2]") + \
    member(64503, f"macs: ['{mac(3)}'], ipv4: [198.18.0.3]") + \
    member(64504, f"port: swp4, pe: {A}, macs: ['{mac(4)}'], ipv4: [198.18.0.4], status: disabled")

# Of A: route, what is against it.
WRONG = [
    (macip(A, 2, mac(99)), "unregistered-mac"),
    (macip(A, 2, mac(99), "198.18.0.1"), "unregistered-mac"),
    (macip(A, 2, mac(1), "198.18.0.77"), "unregistered-ip"),
    (macip(A, 2, mac(1), "198.18.0.3"), "wrong-ip-for-mac"),
    (macip(A, 2, mac(2), "198.18.0.2"), "wrong-pe"),
    (macip(A, 2, mac(2)), "wrong-pe"),
    (macip(A, 2, mac(4), "198.18.0.4"), "unregistered-mac"),
]
RIGHT = [macip(A, 2, mac(1), "198.18.0.1"), macip(A, 2, mac(1)), macip(A, 2, mac(11), "198.18.0.1"),
         macip(A, 2, mac(3), "198.18.0.3")]


class Registered(Quelld):
    def __init__(self, scope, ns, build, policy, members=MEMBERS, more=""):
        self.registry = scope.dir / "members.yaml"
        super().__init__(scope, ns, build, config(policy, self.registry, more))
        self.members(members)

    def members(self, text):
        self.registry.write_text("members:\n" + text)
        self.registry.chmod(0o644)

    def policy(self, policy, more=""):
        head = self.config.read_text().split("router-id:")[0]
        self.config.write_text(head + config(policy, self.registry, more))

    def reload(self, *args, code=0):
        ran = subprocess.run([f"{self.build}/quell", "reload", "--socket-dir", self.run_dir, *args],
                             capture_output=True, text=True)
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def flagged(self):
        return {r["text"]: r["flagged"] for r in self.ask(show="routes", flagged=True)["routes"]}

    def counts(self):
        return self.show("lan")["lans"][0]["counts"]["flagged"]

    def alarms(self, what):
        return [a for a in self.show("alarms")["alarms"] if what in a["what"]]


@pytest.fixture
def start(scope, wire, build):  # noqa: F811
    made = []

    def start(policy, **kw):
        q = Registered(scope, wire[0], build, policy, **kw).start()
        peers = {}
        for address in (A, B):
            with inside(wire[1]):
                peers[address] = Peer(RS, address).establish()
            made.append(peers[address])
        for p in peers.values():
            p.send(END_OF_RIB)
        for p in peers.values():
            p.until_end_of_rib()
        made.append(q)
        return q, peers

    yield start
    for m in made:
        if isinstance(m, Quelld):
            assert m.process.alive(), m.process.said()[-4000:]
        else:
            m.close()


def say_all(peers):
    for nlri, _ in WRONG:
        peers[A].send(announce(nlri, A))
    for nlri in RIGHT:
        peers[A].send(announce(nlri, A))


def test_refused_by_reason_and_told_to_nobody(start):
    q, peers = start("refuse")
    say_all(peers)
    wait_until(lambda: len(q.routes()) == len(WRONG) + len(RIGHT), 5, "all are there")
    assert sorted(rejected(q).values()) == sorted(reason for _, reason in WRONG)
    wanted = {w: [r for _, r in WRONG].count(w) for w in WORDS}
    assert {w: refused(q, A)[w] for w in WORDS} == wanted
    # What B hears is the right ones, and nothing else.
    heard = b""
    while not all(n in heard for n in RIGHT):
        heard += peers[B].receive()[1]
    assert not any(n in heard for n, _ in WRONG)
    assert not q.flagged() and not q.counts()
    told = q.alarms("from a PE that is not the member's")
    assert {(a["mac"], a["ip"], a["vtep"]) for a in told} == {(mac(2), "198.18.0.2", A), (mac(2), None, A)}
    # The member's own PE may.
    own = macip(B, 2, mac(2), "198.18.0.2")
    peers[B].send(announce(own, B))
    peers[A].until_update(own)


def test_flagged_by_reason_and_let_in(start):
    q, peers = start("flag")
    say_all(peers)
    heard = b""
    while not all(n in heard for n in RIGHT + [n for n, _ in WRONG]):
        heard += peers[B].receive()[1]
    assert not rejected(q)
    assert sorted(q.flagged().values()) == sorted(reason for _, reason in WRONG)
    assert q.counts() == {w: [r for _, r in WRONG].count(w) for w in WORDS}
    assert len(q.alarms("the registry")) + len(q.alarms("the member's")) == len(WRONG)
    quell = [f"{q.build}/quell", "--socket-dir", q.run_dir, "show", "routes", "--flagged"]
    shown = subprocess.run(quell, check=True, capture_output=True, text=True).stdout
    assert all(w in shown for w in WORDS)
    assert len(json.loads(subprocess.run([*quell, "--json"], check=True, capture_output=True).stdout)["routes"]) == len(WRONG)


def test_off_reads_no_registry(start):
    q, peers = start("off", members="nonsense")
    say_all(peers)
    wait_until(lambda: len(q.routes()) == len(WRONG) + len(RIGHT), 5, "all are there")
    assert not rejected(q) and not q.flagged() and not q.alarms("registry")


def test_a_reload_registers_and_forgets(start):
    """Refused routes come in without the PE's saying them again; flagged ones are looked at anew; and what is no longer
    registered goes."""
    q, peers = start("refuse")
    new, kept = macip(A, 2, mac(9), "198.18.0.9"), RIGHT[0]
    peers[A].send(announce(new, A))
    peers[A].send(announce(kept, A))
    peers[B].until_update(kept)
    assert list(rejected(q).values()) == ["unregistered-mac"]
    ninth = member(64509, f"port: swp9, pe: {A}, macs: ['{mac(9)}'], ipv4: [198.18.0.9]")
    q.members(MEMBERS + ninth)
    want = f"+ registry ixp swp9 at {A} AS64509 macs [{mac(9)}] addresses [198.18.0.9] name Member 64509 (in place)"
    looked = q.reload("--dry-run")
    assert want in looked and "only looked at" in looked and rejected(q)
    assert want in q.reload()
    peers[B].until_update(new)
    assert not rejected(q)
    assert q.reload() == "quelld: nothing has changed\n"
    # The other way round, and with the policy changed, too.
    q.members(ninth)
    q.reload()
    wait_until(lambda: list(rejected(q).values()) == ["unregistered-mac"], 5)
    assert kept not in json.dumps(q.flagged()).encode()
    q.policy("flag")
    assert "~ lan ixp registry-routes refuse -> flag (in place)" in q.reload()
    peers[B].until_update(kept)
    assert list(q.flagged().values()) == ["unregistered-mac"] and not rejected(q)
    q.members(MEMBERS)
    q.reload()
    assert {t: f for t, f in q.flagged().items() if mac(9) in t} == q.flagged() and len(q.flagged()) == 1
    q.policy("off")
    q.reload()
    assert not q.flagged() and not rejected(q)
    assert q.established(A, B)


def test_a_vtep_that_is_not_the_router_id(start):
    q, peers = start("refuse", more=f"    pe-vteps:\n      - {{pe: {A}, vtep: 10.98.0.1}}\n      - {{pe: {A}, vtep: 10.98.0.2}}\n")
    for vtep, wrong in (("10.98.0.1", 0), ("10.98.0.2", 0), (A, 1)):
        peers[A].send(announce(macip(A, 2, mac(1), "198.18.0.1"), vtep))
        wait_until(lambda: (q.routes() or [{}])[0].get("next_hop") == vtep, 5, vtep)
        assert list(rejected(q).values()) == ["wrong-pe"] * wrong, vtep
    q.policy("refuse")
    assert "~ lan ixp pe-vteps [" in q.reload()
    wait_until(lambda: not rejected(q), 5)
    peers[A].send(withdraw([macip(A, 2, mac(1), "198.18.0.1")]))
    wait_until(lambda: not q.routes(), 5)


def test_a_bad_registry_changes_nothing(start):
    q, peers = start("refuse")
    kept, new = RIGHT[0], macip(A, 2, mac(9))
    peers[A].send(announce(kept, A))
    peers[A].send(announce(new, A))
    peers[B].until_update(kept)
    for text, error in [(MEMBERS + member(64509, f"macs: ['{mac(9)}'], ipv4: [198.18.0.1]"), "198.18.0.1"),
                        (MEMBERS + member(64509, "macs: ['01:00:5e:00:00:01']"), "01:00:5e:00:00:01"),
                        (MEMBERS[:-10], "members.yaml")]:
        q.members(text)
        said = q.reload(code=1)
        assert error in said and "members.yaml:" in said, said
        assert list(rejected(q).values()) == ["unregistered-mac"]
    # Root wrote it for itself: the user that quelld runs as cannot read it.
    q.members(MEMBERS + member(64509, f"macs: ['{mac(9)}']"))
    q.registry.chmod(0o600)
    said = q.reload(code=1)
    assert "Permission denied" in said and "the user that quelld runs as" in said, said
    assert list(rejected(q).values()) == ["unregistered-mac"] and q.established(A, B)
    q.registry.chmod(0o644)
    q.reload()
    peers[B].until_update(new)


def ixf(*members):
    """An IX-F member export 1.0: (asn, address, MACs)."""
    return json.dumps({
        "version": "1.0", "timestamp": "2026-01-01T00:00:00Z",
        "ixp_list": [{"ixp_id": 1, "shortname": "X", "vlan": [{"id": 4, "ipv4": {"prefix": "198.18.0.0", "mask_length": 21}}]}],
        "member_list": [{"asnum": asn, "name": f"Member {asn}", "member_type": "peering", "connection_list": [
            {"ixp_id": 1, "state": "active", "vlan_list": [{"vlan_id": 4, "ipv4": {"address": ip, "mac_addresses": macs}}]}]}
            for asn, ip, macs in members]})


def test_an_export_as_it_is(start):
    """Without quell registry import: the file of the exchange's own tools, read again by a quelld without rights."""
    q, peers = start("refuse")
    q.registry.write_text(ixf((64501, "198.18.0.1", [mac(1)])))
    q.reload()
    right, wrong, new = (macip(A, 2, mac(n), f"198.18.0.{n}") for n in (1, 2, 9))
    for nlri in (right, wrong, new):
        peers[A].send(announce(nlri, A))
    peers[B].until_update(right)
    wait_until(lambda: list(rejected(q).values()) == ["unregistered-mac"] * 2, 5)
    q.registry.write_text(ixf((64501, "198.18.0.1", [mac(1)]), (64509, "198.18.0.9", [mac(9)])))
    assert "AS64509" in q.reload()
    peers[B].until_update(new)
    q.registry.write_text(ixf((64501, "198.18.0.1", [mac(1)]))[:-20])
    assert "members.yaml" in q.reload(code=1)
    assert len(rejected(q)) == 1 and q.established(A, B)


def test_a_bad_registry_at_the_start(scope, wire, build):  # noqa: F811
    q = Registered(scope, wire[0], build, "flag", members=MEMBERS + MEMBERS)
    q.start(up=False)
    wait_until(lambda: not q.process.alive(), 5)
    assert "members.yaml:" in q.process.said() and "given already" in q.process.said()
    ran = subprocess.run([f"{build}/quelld", "-n", "-c", q.config], capture_output=True, text=True)
    assert ran.returncode != 0 and "given already" in ran.stderr


@pytest.mark.needs("frr")
def test_frr_announces_a_wrong_mac(scope, pair, build):  # noqa: F811
    """FRR as the PE of a member whose router has been replaced without a word: refused, an alarm, and in as soon as the
    exchange has registered it."""
    rs, pe = pair
    swp1 = f"port: swp1, pe: {PE}, macs: ['{mac(1)}'], ipv4: [198.18.0.1]"
    q = Registered(scope, rs, build, "refuse", members=member(64501, swp1)).start()
    f = start_frr(scope, pe)
    wait_until(lambda: q.established(PE) and f.established(), 20, q.process.said())
    sessions = q.neighbor(PE)["flaps"]

    def behind(m, ip=None):
        pe.bridge(f"fdb replace {m} dev swp1 master dynamic")
        if ip:
            pe.ip(f"neigh replace {ip} lladdr {m} dev br100 nud reachable")

    def seen(m):
        return {(r.get("ip"), r.get("refused")) for r in q.routes(mac=m)}

    behind(mac(1), "198.18.0.1")
    wait_until(lambda: seen(mac(1)) == {(None, None), ("198.18.0.1", None)}, 10, "the registered one is in")
    behind(mac(8), "198.18.0.1")
    wait_until(lambda: ("198.18.0.1", "unregistered-mac") in seen(mac(8)) and (None, "unregistered-mac") in seen(mac(8)), 10,
               "the other is not")
    behind(mac(1), "198.18.0.66")
    wait_until(lambda: ("198.18.0.66", "unregistered-ip") in seen(mac(1)), 10, "a wrong address")
    assert any(a["mac"] == mac(8) for a in q.alarms("a MAC that the registry does not have"))
    assert any(a["ip"] == "198.18.0.66" for a in q.alarms("an address that the registry does not have"))
    q.members(member(64501, swp1.replace(f"['{mac(1)}']", f"['{mac(8)}', '{mac(1)}']")))
    q.reload()
    wait_until(lambda: ("198.18.0.1", None) in seen(mac(8)), 10, "registered: it is in")
    assert any(b["ip"] == "198.18.0.1" and b["mac"] == mac(8) for b in q.show("lan")["lans"][0]["bindings"])
    assert q.neighbor(PE)["flaps"] == sessions and sum(f.notifications().values()) == 0
