"""What the lab does with a LAN: floods it, pings across it, and counts what arrives at its ports.

Counting is done on the members' side of the cable by the `count` program, so that what a PE says of itself can be held
against it. Rates are the means of the idle ports over the time of the flood.
"""
import dataclasses
import json
import pathlib
import signal
import time

from lab.netns import LabError, wait_until


class Counter:
    """A `count` at one member's interface."""

    def __init__(self, lab, member, ifname="eth0", pcap=None):
        self.member = member
        self.process = member.ns.spawn(f"count-{time.monotonic_ns()}", [
            f"{lab.build_dir}/lab/count", "--iface", ifname, "--out", "--registry", lab.scope.dir / "neighbors",
            *(["--pcap", pcap] if pcap else [])])
        self.seen = 0
        wait_until(lambda: self._lines()[:1] == ["ready"], 5, f"count at {member.name} is ready", every=0.005)

    def _lines(self):
        return pathlib.Path(self.process.log).read_text().split("\n")[:-1]

    def read(self):
        """What has arrived so far: {own, group, other, out: {class: [frames, octets]}, lost, seconds}."""
        n = len(self._lines())
        self.process.signal(signal.SIGUSR1)
        wait_until(lambda: len(self._lines()) > n, 5, f"count at {self.member.name} answers", every=0.002)
        return self._checked()

    def _checked(self):
        report = json.loads(self._lines()[-1])
        if report["lost"]:
            raise LabError(f"count at {self.member.name} lost {report['lost']} frames")
        if report["wrong"]:
            raise LabError(f"{self.member.name} was told {report['wrong']} times of a MAC that is not the registered one")
        return report

    def stop(self):
        self.process.stop()
        self.member.ns.scope.forget(self.process)
        return self._checked()


def add(total, classes):
    for cls, (frames, octets) in classes.items():
        f, o = total.get(cls, (0, 0))
        total[cls] = (f + frames, o + octets)
    return total


def arrived(report):
    """Everything that came in, by class."""
    total = {}
    for whose in ("own", "group", "other"):
        add(total, report[whose])
    return total


def minus(after, before):
    """Difference of two {class: [frames, octets]}, without the classes where nothing happened."""
    out = {}
    for cls, (frames, octets) in after.items():
        f, o = before.get(cls, (0, 0))
        if frames - f:
            out[cls] = (frames - f, octets - o)
    return out


def flood_command(lab, member, **options):
    options = {"iface": "eth0", "mac": member.mac, "ip4": member.ip4, "ip6": member.ip6,
               "neighbors": lab.scope.dir / "neighbors", **options}
    return [f"{lab.build_dir}/lab/flood"] + [str(a) for k, v in options.items() for a in (f"--{k}", v)]


class Flood:
    """The mix, offered by several members at once, each its share of the bit rate."""

    def __init__(self, lab, members, rate_bps, seconds):
        self.seconds = seconds
        self.started = time.monotonic()
        self.processes = [
            m.ns.spawn(f"flood-{time.monotonic_ns()}", flood_command(lab, m, rate=rate_bps / len(members),
                                                                     seconds=seconds, seed=i + 1))
            for i, m in enumerate(members)]

    def running(self):
        return any(p.alive() for p in self.processes)

    def wait(self):
        """Sent in all: frames, octets, and frames by kind."""
        total = {"frames": 0, "octets": 0, "sent": {}}
        for p in self.processes:
            if p.wait(self.seconds + 30):
                raise LabError(f"{p.name}: {p.said()}")
            said = json.loads(p.said())
            total["frames"] += said["frames"]
            total["octets"] += said["octets"]
            for kind, n in said["sent"].items():
                total["sent"][kind] = total["sent"].get(kind, 0) + n
        return total


class AskRate:
    """A member that asks for known neighbours at a steady rate and counts what is not answered."""

    def __init__(self, lab, member, rate, seconds, targets=None):
        neighbors = lab.scope.dir / f"neighbors-{member.name}"
        neighbors.write_text("".join(f"{m.mac} {m.ip4} {m.ip6}\n" for m in targets or lab.everyone if m is not member))
        self.process = member.ns.spawn(f"ask-{time.monotonic_ns()}", flood_command(
            lab, member, neighbors=neighbors, mode="arp-rate", rate=rate, seconds=seconds))
        self.seconds = seconds

    def wait(self):
        if self.process.wait(self.seconds + 30):
            raise LabError(f"{self.process.name}: {self.process.said()}")
        return json.loads(self.process.said())


# One member pings all others in turn, each neighbour forgotten before: no answer may come from a cache. No second
# request goes out within the second that ping waits, so the first must have been answered.
PING_ALL = """
for a in %s; do
    ip neigh flush to ${a%%?eth0} dev eth0 2>/dev/null
    ping -n -q -c 1 -W 1 $a >/dev/null 2>&1 || echo $a
done
"""


@dataclasses.dataclass
class Pings:
    tried: int = 0
    failed: list = dataclasses.field(default_factory=list)

    @property
    def ok(self):
        return self.tried - len(self.failed)


def ping_all(lab, members=None, link_local=False):
    """All pairs, IPv4 and IPv6, caches flushed before; all sources at once."""
    members = members or lab.members
    result, running = Pings(), []
    for m in members:
        m.flush()
    for m in members:
        targets = [a for other in members if other is not m
                   for a in (other.ip4, other.ip6, *([f"{other.link_local}%eth0"] if link_local else []))]
        result.tried += len(targets)
        running.append((m, m.ns.spawn(f"ping-{time.monotonic_ns()}", ["sh", "-c", PING_ALL % " ".join(targets)])))
    for m, p in running:
        p.wait(120)
        result.failed += [f"{m.name} -> {a}" for a in p.said().split()]
        m.ns.scope.forget(p)
    return result


@dataclasses.dataclass
class Arrivals:
    """What idle ports received during a flood: class -> frames/s and bits/s, means over the ports."""
    ports: list
    seconds: float
    classes: dict

    @property
    def frames(self):
        return sum(f for f, _ in self.classes.values())

    @property
    def rates(self):
        n = len(self.ports) * self.seconds
        return {c: (f / n, o * 8 / n) for c, (f, o) in self.classes.items()}


def captured(reports):
    """Arrivals at the ports of whole readings {port: report}: over the time from the first frame to the last of each, as
    `quell audit` has it of their captures."""
    total, seconds = {}, 0
    for r in reports.values():
        add(total, arrived(r))
        seconds += r["span"] / len(reports)
    return Arrivals(list(reports), seconds or 1, total)


def arrivals(counters, before, seconds):
    total = {}
    for c in counters:
        add(total, minus(arrived(c.read()), arrived(before[c])))
    return Arrivals([c.member.name for c in counters], seconds, total)
