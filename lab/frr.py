"""FRR as a PE, set up as its best users do: zebra and bgpd 8.4 in a namespace, advertise-all-vni, the kernel's
neigh_suppress on the VXLAN port, an address on the bridge, and the bindings of all members behind its ports in the
kernel's neighbour table and FDB, from where zebra announces them as MAC/IP routes.

FRR ignores a line of its configuration that it cannot read and goes on, so what runs is compared with what was written.
"""
import json
import os
import pathlib

from lab.netns import LabError, run, wait_until
from lab.topology import AS, BRIDGE, PE, VNI, VXLAN, RouteServer

DAEMONS = "/usr/lib/frr"


def available():
    """None, or why there is no FRR here."""
    for name in ("zebra", "bgpd"):
        if not os.access(f"{DAEMONS}/{name}", os.X_OK):
            return f"no {DAEMONS}/{name} (package frr)"
    return None


class Frr:
    """zebra and bgpd of one namespace."""

    def __init__(self, scope, ns, config):
        self.scope, self.ns, self.config = scope, ns, config
        self.processes = []

    def start(self):
        name = self.ns.name
        self.scope.directory(f"/run/frr/{name}", "frr")
        conf = self.scope.dir / f"{self.ns.role}-frr.conf"
        conf.write_text(self.config)
        log = self.scope.dir / f"{self.ns.role}-frr.log"
        for daemon, options in (("zebra", ["-s", "16777216"]), ("bgpd", [])):
            # A killed one's socket would look like a started one. No -d: in the foreground they stay our children.
            pathlib.Path(f"/run/frr/{name}/{daemon}.vty").unlink(missing_ok=True)
            self.processes.append(self.ns.spawn(daemon, [
                f"{DAEMONS}/{daemon}", "-N", name, "-P", "0", "-f", conf, "--log", "stdout", "--log-level",
                "informational", *options]))
            wait_until(lambda d=daemon: os.path.exists(f"/run/frr/{name}/{d}.vty"), 10, f"{daemon} of {name} starts")
        self._check_config()
        return log

    def _check_config(self):
        running = {line.strip() for line in self.vtysh("show running-config").splitlines()}
        missing = [line for line in self.config.splitlines()
                   if line.strip() and line.strip() not in running and not line.startswith(("!", "frr ", "log "))]
        if missing:
            raise LabError(f"FRR of {self.ns.name} did not take: {missing}")

    def vtysh(self, *commands):
        args = [a for c in commands for a in ("-c", c)]
        return run("vtysh", "-N", self.ns.name, *args)

    def json(self, command):
        return json.loads(self.vtysh(command + " json") or "{}")

    def established(self):
        peers = self.json("show bgp l2vpn evpn summary").get("peers", {})
        return bool(peers) and all(p.get("state") == "Established" for p in peers.values())

    def notifications(self):
        """NOTIFICATIONs that this FRR has sent, by neighbour."""
        out = {}
        for address, n in self.json("show bgp neighbors").items():
            out[address] = n.get("messageStats", {}).get("notificationsSent", 0)
        return out

    def stop(self):
        for p in reversed(self.processes):
            p.stop()


def _config(hostname, router_id, neighbors, pe):
    lines = [f"hostname {hostname}", f"router bgp {AS}", f" bgp router-id {router_id}",
             " no bgp default ipv4-unicast", " coalesce-time 0"]
    for n in neighbors:
        lines += [f" neighbor {n} remote-as {AS}", f" neighbor {n} timers 3 9", f" neighbor {n} timers connect 1"]
    lines.append(" !\n address-family l2vpn evpn")
    for n in neighbors:
        lines.append(f"  neighbor {n} activate")
        if not pe:
            lines.append(f"  neighbor {n} route-reflector-client")
    if pe:
        lines.append("  advertise-all-vni")
    lines += [" exit-address-family", "exit"]
    return "frr defaults traditional\n" + "\n".join(lines) + "\n"


class FrrPE(PE):
    flavour = "frr"
    bridge_ipv6 = True  # zebra cannot install IPv6 neighbours on a bridge without

    def build(self):
        super().build()
        self.ns.ip(f"addr add 198.18.7.{200 + self.number}/21 dev {BRIDGE}",
                   f"addr add 2001:db8:100::ff:{self.number:x}/64 dev {BRIDGE} nodad")
        self.ns.bridge(f"link set dev {VXLAN} neigh_suppress on")

    def start(self):
        self.frr = Frr(self.lab.scope, self.ns, _config(self.name, self.vtep, [rs.address for rs in self.lab.route_servers],
                                                        True))
        self.frr.start()
        for m in self.members:
            self.binding(m, True)

    def binding(self, m, present):
        """Who is taken away does not come back by itself: a member's kernel still reports its groups for a while after it
        has come up, and one such frame would teach the bridge its MAC anew, and FRR the others."""
        if present:
            self.ns.bridge(f"link set dev {m.port} learning on", f"fdb replace {m.mac} dev {m.port} master dynamic")
            self.ns.ip(*(f"neigh replace {a} lladdr {m.mac} dev {BRIDGE} nud reachable" for a in m.addresses))
        else:
            self.ns.bridge(f"link set dev {m.port} learning off")
            self.ns.ip(*(f"neigh del {a} dev {BRIDGE}" for a in m.addresses), force=True)
            self.ns.bridge(f"fdb del {m.mac} dev {m.port} master", force=True)

    def converged(self):
        """Every other PE's members are in zebra's tables."""
        vni = self.frr.json(f"show evpn vni {VNI}")
        remote = [m for m in self.lab.everyone if m.pe is not self]
        cache = self.frr.json(f"show evpn arp-cache vni {VNI}")
        return vni.get("numMacs", 0) >= len(remote) and all(
            a in cache and cache[a].get("type") == "remote" for m in remote for a in (m.ip4, m.ip6))


class FrrRouteServer(RouteServer):
    flavour = "frr"

    def start(self):
        self.frr = Frr(self.lab.scope, self.ns,
                       _config(self.name, self.address, [pe.vtep for pe in self.lab.pes], False))
        self.frr.start()
