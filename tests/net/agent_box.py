"""One quell-agent in a namespace with a bridge, a vxlan device and member ports, and a quelld of straw on its feed."""
import json
import os
import socket
import time

import wire
from feed_lines import FeedLines
from lab.netns import LabError, wait_until

VTEP, OTHER = "10.99.0.1", "10.99.0.3"
MACS = {1: "02:00:5e:00:00:01", 2: "02:00:5e:00:00:02", 3: "02:00:5e:00:00:03"}


def ip4(n):
    return f"198.18.0.{n}"


def ip6(n):
    return f"2001:db8:100::{n:x}"


def entry(n, port=None, status="active", macs=None):
    return (f"  - asn: {64500 + n}\n    name: Member {n}\n    ports:\n      - port: {port or f'swp{n}'}\n        pe: {VTEP}\n"
            f"        macs: [{', '.join(macs or [MACS[n]])}]\n        ipv4: [{ip4(n)}]\n        ipv6: [\"{ip6(n)}\"]\n"
            f"        status: {status}\n")


class Straw(FeedLines):
    """quelld's end of the feed."""

    def __init__(self, path):
        if path.exists():
            path.unlink()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.conn, self.buf = None, b""

    def accept(self, timeout=10, hello=True):
        self.listener.settimeout(timeout)
        self.conn, self.buf = self.listener.accept()[0], b""
        if hello:
            self.say({"op": "hello", "version": 1, "program": "quelld"})
            assert self.line() == {"op": "hello", "version": 1, "program": "quell-agent"}
        return self

    def snapshot(self):
        """The agent's: {(mac, ip or None): line}."""
        seen = {}
        while (line := self.line()) != {"op": "end"}:
            assert line["op"] == "add"
            seen[line["mac"], line.get("ip")] = line
        return seen

    def until(self, timeout=10, **fields):
        """Reads until a line has these fields, and returns it."""
        end = time.monotonic() + timeout
        while True:
            line = self.line(max(0, end - time.monotonic()))
            assert line, "closed"
            if all(line.get(k) == v for k, v in fields.items()):
                return line

    def hang_up(self):
        self.conn.close()
        self.conn = None

    def close(self):
        if self.conn:
            self.conn.close()
        self.listener.close()


class Agent:
    def __init__(self, scope, build, ports=3, **options):
        self.scope, self.build = scope, build
        self.dir = scope.dir / "agent"
        self.run_dir = self.dir / "run"
        self.run_dir.mkdir(parents=True)
        self.config, self.registry = self.dir / "quell.yaml", self.dir / "registry.yaml"
        self.straws, self.process, self.started = [], None, 0
        self.ns = scope.netns("pe")
        self.ns.sysctl({"net.ipv6.conf.default.disable_ipv6": 1, "net.ipv6.conf.all.disable_ipv6": 1})
        self.ns.ip("link set lo up", f"addr add {VTEP}/32 dev lo",
                   f"link add vx100 type vxlan id 100 local {VTEP} dstport 4789 nolearning")
        self.make_bridge()
        self.members = {}
        for n in range(1, ports + 1):
            m = self.members[n] = scope.netns(f"m{n}")
            m.sysctl({"net.ipv6.conf.default.disable_ipv6": 1, "net.ipv6.conf.all.disable_ipv6": 1})
            scope.veth(self.ns, f"swp{n}", m, "eth0")
            m.ip(f"link set eth0 address {MACS[n]}", "link set eth0 up")
            self.plug(f"swp{n}")
        self.write(entry(1), entry(2), **options)

    def make_bridge(self):
        self.ns.ip("link add br100 address 02:00:5e:99:00:01 type bridge stp_state 0 mcast_snooping 0 forward_delay 0",
                   "link set br100 up", "link set vx100 master br100", "link set vx100 up")
        self.ns.bridge("link set dev vx100 learning off")

    def plug(self, port):
        self.ns.ip(f"link set {port} master br100", f"link set {port} up")

    def write(self, *entries, **options):
        self.registry.write_text("members:\n" + "".join(entries) if entries else "members: []\n")
        options = {"bridge": "br100", "vxlan": "vx100", "ports": "[all]", "unregistered-ports": "learn", **options}
        plane, more = options.pop("plane", os.environ.get("QUELL_TEST_PLANE", "bpf")), options.pop("more", "")
        self.config.write_text(
            f"router-id: {VTEP}\nrun-dir: {self.run_dir}\npin-dir: {self.scope.bpffs()}/agent\nstate-dir: {self.dir}\n"
            f"plane: {plane}\nlans:\n  - name: ixp\n    vni: 100\n    prefixes: [198.18.0.0/21, \"2001:db8:100::/64\"]\n"
            f"    route-target: \"65000:100\"\n    registry: [{self.registry}]\n    agent:\n"
            + "".join(f"      {k}: {v}\n" for k, v in options.items()) + more)

    @property
    def argv(self):
        return [os.path.join(self.build, "quell-agent"), "-c", self.config]

    def feed(self):
        """A quelld of straw, listening."""
        self.straws.append(Straw(self.run_dir / "feed.sock"))
        return self.straws[-1]

    def start(self, *options, up=True):
        self.started += 1
        self.process = self.ns.spawn(f"agent{self.started}", [*self.argv, "-d", "info", *options])
        if up:
            wait_until(lambda: self.show("status") or not self.process.alive(), 10, "the agent starts")
            if not self.process.alive():
                raise LabError(self.process.said())
        return self.process

    def begin(self):
        """Started, with a quelld of straw that has had its say: .straw; the ports are closed."""
        self.straw = self.feed()
        self.start()
        self.straw.accept().snapshot()
        self.straw.say({"op": "end"})
        wait_until(self.open, 15, "the ports are taken")
        return self

    def kill(self):
        self.process.kill()
        self.scope.forget(self.process)

    def ask(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(str(self.run_dir / "agent.sock"))
            s.sendall(line + b"\n")
            with s.makefile("rb") as lines:
                return json.loads(lines.readline())

    def show(self, what, **more):
        try:
            return self.ask(json.dumps({"show": what, **more}).encode())
        except (OSError, ValueError):
            return None

    def rows(self, what, key):
        return {r[key]: r for r in self.show(what)[what]}

    def where(self, ip):
        row = self.rows("bindings", "ip").get(ip)
        return row and row["where"]

    def lan(self):
        return self.show("status")["lans"][0]

    def open(self):
        return self.lan()["open"] and all(p["attached"] for p in self.show("ports")["ports"])

    def holds_back(self, port):
        """What judges a port's frames stands at both its ways."""
        if os.environ.get("QUELL_TEST_PLANE") == "packet":
            return self.ns.run("nft", "list", "ruleset").count(f'device "{port}"') == 2
        return all("quell_member" in self.ns.run("tc", "filter", "show", "dev", port, way) for way in ("ingress", "egress"))

    def port(self, n):
        return wire.Port(self.members[n])

    def answered(self, n, target, timeout=1.0):
        """The MAC that member n is answered with, by ARP or NS; None if it is not."""
        with self.port(n) as p:
            if ":" in target:
                p.send(wire.neighbor_solicitation(MACS[n], ip6(n), target))
                f = p.await_frame(wire.is_na(target), timeout)
                return f and f[80:86].hex(":")
            p.send(wire.who_has(MACS[n], ip4(n), target))
            f = p.await_frame(wire.is_arp_reply(target), timeout)
            return f and f[22:28].hex(":")

    def fdb(self, mac):
        return [e for e in self.ns.bridge_json("fdb", "show") if e["mac"] == mac]

    def traces(self):
        """Everything an agent does to the box."""
        knobs = [{k: v for k, v in link.items() if k not in ("state", "cost")} for link in
                 self.ns.bridge_json("-d", "link")]
        filters = self.ns.run("sh", "-c", "for i in vx100 swp1 swp2 swp3; do tc filter show dev $i ingress; "
                                          "tc filter show dev $i egress; tc qdisc show dev $i; done")
        ours = [e for e in self.ns.bridge_json("fdb", "show") if "sticky" in e.get("flags", []) or "dst" in e]
        pins = sorted(p.name for p in self.scope.bpffs().iterdir() if not p.name.endswith(".debug"))
        return knobs, filters, ours, pins

    def close(self):
        for s in self.straws:
            s.close()
