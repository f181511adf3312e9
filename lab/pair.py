"""Two route servers, and what is lost when one of them dies: nothing, at quell PEs and at FRR PEs.

Every PE has a session with both, and holds each route twice. One route server is killed without a word while the LAN is
flooded, members at all PEs ask for each other, and a PE learns and forgets a member; it returns; then the other one. Held
against what is promised: no binding goes at any PE, no request stays without an answer, no frame of the flood reaches an
idle port of a quell PE.
"""
import pathlib
import time

from lab import measure, netns
from lab.topology import BRIDGE, VXLAN

REQUESTS = 200  # a second, from one member of each PE
DOWN_S = 3


class NeighborWatch:
    """What the kernel of an FRR PE is told to forget: `ip monitor` and `bridge monitor`, so that nothing between two looks
    is missed."""

    def __init__(self, lab, pe):
        self.lab, self.pe = lab, pe
        self.logs = []
        for name, argv in (("neigh", ["ip", "monitor", "neigh", "dev", BRIDGE]), ("fdb", ["bridge", "monitor", "fdb"])):
            p = pe.ns.spawn(f"watch-{name}-{time.monotonic_ns()}", argv)
            self.logs.append((name, p))

    def forgotten(self, members):
        """Deletions of what belongs to these members."""
        macs = {m.mac for m in members}
        out = []
        for name, p in self.logs:
            for line in pathlib.Path(p.log).read_text().splitlines():
                if line.startswith("Deleted") and any(m in line for m in macs) and (name == "neigh" or VXLAN in line):
                    out.append(f"{self.pe.name}: {line}")
        return out

    def stop(self):
        for _, p in self.logs:
            p.stop()
            self.pe.ns.scope.forget(p)


class AgentWatch:
    """What quelld has its agent forget on a quell PE: looked at often, for nothing else is told apart from a change."""

    def __init__(self, pe, members):
        self.pe, self.want = pe, {a for m in members if m.pe is not pe for a in (m.ip4, m.ip6)}
        self.missed = set()

    def look(self):
        known = self.pe.bindings()
        self.missed |= {f"{self.pe.name}: {a}" for a in self.want if a not in known}


def sessions_up(lab, servers):
    """Whether these route servers, and the PEs' ends, are established."""
    for rs in servers:
        shown = rs.box.show("neighbors")
        if not shown or any(n["state"] != "Established" for n in shown["neighbors"]):
            return False
    return True


def all_told(lab, rs):
    """This route server has the routes of all PEs."""
    shown = rs.box.show("neighbors")
    return bool(shown) and all(n["routes_in"] > 1 for n in shown["neighbors"])


def lose_one(lab, rs, rate, say=lambda text: None):
    """Kills one route server in the middle of it all, and has it back. What came of it, as plain values."""
    changing = next(m for m in lab.idle if m.pe.flavour == "frr")
    steady = [m for m in lab.everyone if m is not changing]
    idle = {m.name: measure.Counter(lab, m) for m in lab.idle if m.pe.flavour == "quell"}
    before = {c: c.read() for c in idle.values()}
    watches = [NeighborWatch(lab, pe) for pe in lab.pes if pe.flavour == "frr"]
    agents = [AgentWatch(pe, steady) for pe in lab.pes if pe.flavour == "quell"]
    seconds = DOWN_S + 12
    flood = measure.Flood(lab, lab.members[1:], rate, seconds)
    asks = [measure.AskRate(lab, pe.members[0], REQUESTS, seconds, [m for m in steady if m is not pe.members[0]])
            for pe in lab.pes if pe.flavour == "quell"]
    time.sleep(1)
    rs.box.quelld.kill()
    lab.scope.forget(rs.box.quelld)
    start = time.monotonic()
    changed = False
    while time.monotonic() - start < DOWN_S:
        for a in agents:
            a.look()
        if not changed:
            changing.pe.binding(changing, False)
            changed = True
    pings = measure.ping_all(lab)
    gone = [pe.name for pe in lab.pes if pe.flavour == "quell" and changing.ip4 in pe.bindings()]
    say(f"  {rs.name} is dead: {pings.ok} of {pings.tried} pings with flushed caches; a withdrawal"
        f" {'does not get through' if gone else 'gets through'}")
    rs.box.start_quelld()
    netns.wait_until(lambda: sessions_up(lab, [rs]) and all_told(lab, rs), 20, f"{rs.name} is back", every=0.05)
    back_s = time.monotonic() - start - DOWN_S
    changing.pe.binding(changing, True)
    netns.wait_until(lab.converged, 20, "and everybody knows everybody")
    for a in agents:
        a.look()
    said = [a.wait() for a in asks]
    flood.wait()
    for w in watches:
        w.stop()
    leaked = {name: sum(f for f, _ in measure.minus(measure.arrived(c.read()), measure.arrived(before[c])).values())
              for name, c in idle.items()}
    for c in idle.values():
        c.stop()
    return {"killed": rs.name, "pings": {"tried": pings.tried, "failed": pings.failed},
            "asked": sum(s["asked"] for s in said), "unanswered": sum(s["unanswered"] for s in said),
            "forgotten": [line for w in watches for line in w.forgotten([m for m in steady if m.pe is not w.pe])],
            "missed": sorted(m for a in agents for m in a.missed), "not_withdrawn": gone, "leaked": leaked,
            "back_s": back_s}


def broken(r):
    """What was promised and did not hold."""
    out = [f"{r['killed']}: no answer: {p}" for p in r["pings"]["failed"][:8]]
    if r["unanswered"]:
        out.append(f"{r['killed']}: {r['unanswered']} of {r['asked']} requests without an answer")
    out += [f"{r['killed']}: forgotten: {line}" for line in r["forgotten"][:8]]
    out += [f"{r['killed']}: missed: {m}" for m in r["missed"][:8]]
    out += [f"{r['killed']}: {pe} still has what was withdrawn" for pe in r["not_withdrawn"]]
    out += [f"{r['killed']}: the idle port {name} received {n} frames" for name, n in r["leaked"].items() if n]
    return out
