"""quell on a route server (quelld) and on a PE (quelld and quell-agent), with the registry of the lab's members.

Each box has its own run, pin and state directories below the lab's, so that any number of them live on one machine. The
bridge of a quell PE has no address: nothing on a PE needs one.
"""
import json
import os
import pathlib
import subprocess

from lab.netns import LabError
from lab.topology import AS, BRIDGE, LAN4, LAN6, PE, VNI, VXLAN, RouteServer

LAN = "ixp"
PROGRAMS = ("quelld", "quell-agent", "quell")


def registry_text(members):
    """The exchange's own books, as registry/registry.h describes them."""
    lines = ["members:"]
    for m in members:
        pe, port = m.home
        lines += [f"  - asn: {m.asn}", f"    name: Member {m.name}", "    ports:", f"      - port: {port}",
                  f"        pe: {pe.vtep}", f"        macs: [{m.mac}]", f"        ipv4: [{m.ip4}]",
                  f"        ipv6: [\"{m.ip6}\"]", f"        link-local: [\"{m.link_local}\"]"]
    return "\n".join(lines) + "\n"


class Box:
    """The programs of quell in one namespace."""

    def __init__(self, lab, ns, address, neighbors, agent=None, listen=False, options=None):
        self.lab, self.ns, self.scope = lab, ns, lab.scope
        self.dir = pathlib.Path(self.scope.dir) / ns.role
        self.run_dir = self.dir / "run"
        self.run_dir.mkdir(parents=True)
        (self.dir / "state").mkdir()
        self.config = self.dir / "quell.yaml"
        self.quelld = self.agent = None
        self.config.write_text(self._config(address, neighbors, agent or {}, listen, options or {}))

    def _config(self, address, neighbors, agent, listen, options):
        lines = [f"router-id: {address}", f"run-dir: {self.run_dir}", f"state-dir: {self.dir}/state",
                 f"pin-dir: {self.scope.bpffs()}/{self.ns.role}", "user: nobody", "group: nogroup",
                 *(f"{k}: {v}" for k, v in options.items()), "bgp:", f"  as: {AS}"]
        if listen:
            lines.append(f"  listen: [{address}]")
        lines.append("  neighbors:")
        for n in neighbors:
            lines += ["    - " + "\n      ".join(f"{k}: {v}" for k, v in n.items())]
        lines += ["lans:", f"  - name: {LAN}", f"    vni: {VNI}", f"    prefixes: [{LAN4}, \"{LAN6}\"]",
                  f"    route-target: \"{AS}:{VNI}\""]
        if agent:
            registry = self.scope.dir / "registry.yaml"
            lines += [f"    vtep: {address}", f"    registry: [{registry}]", "    agent:"]
            lines += [f"      {k}: {v}" for k, v in agent.items()]
        return "\n".join(lines) + "\n"

    def program(self, name):
        return os.path.join(self.lab.build_dir, name)

    def start_quelld(self):
        self.quelld = self.ns.spawn("quelld", [self.program("quelld"), "-c", self.config])
        return self.quelld

    def start_agent(self):
        self.agent = self.ns.spawn("quell-agent", [self.program("quell-agent"), "-c", self.config])
        return self.agent

    def show(self, *what):
        """`quell show ... --json` of this box; None while it does not answer."""
        p = subprocess.run([self.program("quell"), "-c", str(self.config), "show", *what, "--json"],
                           capture_output=True, text=True, timeout=10)
        try:
            return json.loads(p.stdout) if p.returncode == 0 else None
        except ValueError:
            return None

    def check_alive(self):
        for p in (self.quelld, self.agent):
            if p and not p.alive():
                raise LabError(f"{p.name} ended with {p.popen.returncode}:\n{p.said()[-2000:]}")


class QuellPE(PE):
    flavour = "quell"
    agent_options = {}  # more keys of the LAN's `agent`
    options = {}  # more keys of the file

    def build(self):
        super().build()
        # One file for all PEs, whole before the first agent reads it.
        (self.lab.scope.dir / "registry.yaml").write_text(registry_text(self.lab.everyone))

    def start(self):
        agent = {"bridge": BRIDGE, "vxlan": VXLAN, "ports": "[all]", **self.agent_options}
        servers = [{"address": rs.address, "remote-as": AS} for rs in self.lab.route_servers]
        self.box = Box(self.lab, self.ns, self.vtep, servers, agent, options=self.options)
        self.box.start_quelld()
        self.box.start_agent()

    def bindings(self):
        """What the agent answers for: {ip: row}."""
        shown = self.box.show("bindings")
        return {b["ip"]: b for b in shown["bindings"]} if shown else {}

    def converged(self):
        """Every member's IPv4 and IPv6 address is in the data plane."""
        self.box.check_alive()
        known = self.bindings()
        return all(a in known for m in self.lab.everyone for a in (m.ip4, m.ip6))


class QuellRouteServer(RouteServer):
    flavour = "quell"

    def start(self):
        neighbors = [{"address": pe.vtep, "remote-as": AS, "client": "true", "name": pe.name,
                      **({"profile": "conservative"} if pe.flavour == "frr" else {})}
                     for pe in self.lab.pes]
        self.box = Box(self.lab, self.ns, self.address, neighbors, listen=True)
        self.box.start_quelld()


def missing_programs(build):
    return [p for p in PROGRAMS if not os.access(os.path.join(build, p), os.X_OK)]
