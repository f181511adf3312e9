"""The peering LAN in namespaces: a route server, three PEs, members behind them.

    members m11 m12 m13 (m14 idle) -- PE1 --+                 +-- PE3 -- members m31 m32 m33 (m34 idle)
    members m21 m22 m23 (m24 idle) -- PE2 --+-- the underlay --+-- RS

Every PE has a bridge br100 and a VXLAN device vx100 (VNI 100) in it, and one veth a member port (swp1...). What runs on a
PE and how its bridge is set is its flavour: a small class here (Plain), in lab/frr.py (FRR) and in lab/quell.py.
A member is a namespace with a kernel stack: fixed MAC, IPv4 of 198.18.0.0/21, IPv6 of 2001:db8:100::/64 and the
link-local address that goes with its MAC. `known` are all members' addresses; nothing else in the LAN is assigned.
"""
import dataclasses
import ipaddress

from lab.netns import Scope

VNI = 100
BRIDGE, VXLAN = "br100", "vx100"
AS = 65000
RS_ADDRESS = "10.99.0.1"  # of the first; the second has the next one
LAN4, LAN6 = "198.18.0.0/21", "2001:db8:100::/64"
UNDERLAY_MTU = 9000


@dataclasses.dataclass
class Member:
    """One member router and the port it is on."""
    pe: "PE"
    number: int
    idle: bool = False

    def __post_init__(self):
        n, i = self.pe.number, self.number
        self.name = f"m{n}{i}"
        self.port = f"swp{i}"
        self.asn = 64500 + 10 * n + i
        self.mac = f"02:00:5e:00:{n:02x}:{i:02x}"
        self.ip4 = f"198.18.{n}.{i}"
        self.ip6 = f"2001:db8:100::{n:x}:{i:x}"
        self.link_local = f"fe80::5eff:fe00:{n * 256 + i:x}"
        self.home = (self.pe, self.port)
        self.ns = None

    @property
    def addresses(self):
        return [self.ip4, self.ip6, self.link_local]

    def flush(self):
        """Forgets every neighbour."""
        self.ns.run("sh", "-c", "ip -4 neigh flush all; ip -6 neigh flush all", check=False)


class PE:
    """A PE without anything on it: bridge, VXLAN device, member ports."""
    flavour = "none"
    vxlan_learning = False
    bridge_ipv6 = False

    def __init__(self, lab, number, members, idle):
        self.lab, self.number = lab, number
        self.name = f"pe{number}"
        self.vtep = f"10.99.0.{10 + number}"
        self.ns = None
        self.members = [Member(self, i + 1, i >= members) for i in range(members + idle)]

    def build(self):
        self.ns = ns = self.lab.scope.netns(self.name)
        ns.sysctl({"net.ipv6.conf.default.disable_ipv6": 1})
        self.lab.plug(ns, "up0", self.name, self.vtep)
        learning = "learning" if self.vxlan_learning else "nolearning"
        ns.ip(f"link add {BRIDGE} address 02:00:5e:99:00:{self.number:02x} type bridge stp_state 0 "
              f"mcast_snooping 0 forward_delay 0",
              f"link add {VXLAN} mtu 1500 type vxlan id {VNI} local {self.vtep} dstport 4789 {learning}",
              f"link set {VXLAN} master {BRIDGE}", f"link set {VXLAN} up", f"link set {BRIDGE} up")
        ns.bridge(f"link set dev {VXLAN} learning {'on' if self.vxlan_learning else 'off'}")
        if self.bridge_ipv6:
            ns.sysctl({f"net.ipv6.conf.{BRIDGE}.disable_ipv6": 0})

    def plug_port(self, port):
        self.ns.ip(f"link set {port} master {BRIDGE}", f"link set {port} up")

    def start(self):
        """What runs here; returns when it has started, not when it has converged."""

    def converged(self):
        return True

    def binding(self, member, present):
        """Tells the PE by hand who is behind its ports, where it does not learn that by itself."""


class Plain(PE):
    """(a): bridge and VXLAN with data-plane learning and a static flood list, nothing else."""
    flavour = "bridge"
    vxlan_learning = True

    def start(self):
        self.ns.bridge(*(f"fdb append 00:00:00:00:00:00 dev {VXLAN} dst {pe.vtep} self permanent"
                         for pe in self.lab.pes if pe is not self))


class RouteServer:
    """None: the plain set-up has no control plane."""
    flavour = "none"

    def __init__(self, lab, number=1):
        self.lab, self.name, self.ns = lab, "rs" if number == 1 else f"rs{number}", None
        self.address = f"10.99.0.{number}"

    def build(self):
        self.ns = self.lab.scope.netns(self.name)
        self.lab.plug(self.ns, "up0", self.name, self.address)

    def start(self):
        pass


class Lab:
    """One peering LAN. Use it as a context: it stands inside and is gone after."""

    def __init__(self, flavours, route_server=RouteServer, members=3, idle=1, kind="lab", build=None, route_servers=1):
        self.scope = Scope(kind)
        self.build_dir = build
        self.route_servers = [route_server(self, i + 1) for i in range(route_servers)]
        self.pes = [flavour(self, i + 1, members, idle) for i, flavour in enumerate(flavours)]
        self.underlay = None

    # --- who is there ---

    @property
    def route_server(self):
        return self.route_servers[0]

    @property
    def everyone(self):
        return [m for pe in self.pes for m in pe.members]

    @property
    def members(self):
        return [m for m in self.everyone if not m.idle]

    @property
    def idle(self):
        return [m for m in self.everyone if m.idle]

    def member(self, name):
        return next(m for m in self.everyone if m.name == name)

    # --- raising ---

    def plug(self, ns, ifname, role, address):
        """A leg of the underlay: one segment, no routing."""
        self.scope.veth(ns, ifname, self.underlay, role, f"mtu {UNDERLAY_MTU}")
        self.underlay.ip(f"link set {role} master ul0", f"link set {role} up")
        ns.ip(f"addr add {address}/24 dev {ifname}", f"link set {ifname} up")

    def build(self):
        self.underlay = self.scope.netns("ul")
        self.underlay.sysctl({"net.ipv6.conf.default.disable_ipv6": 1})
        self.underlay.ip(f"link add ul0 mtu {UNDERLAY_MTU} type bridge stp_state 0 mcast_snooping 0 forward_delay 0",
                         "link set ul0 up")
        for rs in self.route_servers:
            rs.build()
        for pe in self.pes:
            pe.build()
            for m in pe.members:
                self._build_member(m)
        (self.scope.dir / "neighbors").write_text(
            "".join(f"{m.mac} {m.ip4} {m.ip6}\n" for m in self.everyone))

    def _build_member(self, m):
        m.ns = self.scope.netns(m.name)
        self.cable(m, m.pe, m.port)

    def _addresses(self, m, ifname):
        return [f"addr add {m.ip4}/{LAN4.split('/')[1]} dev {ifname}",
                f"addr add {m.ip6}/{LAN6.split('/')[1]} dev {ifname} nodad"]

    def cable(self, m, pe, port, ifname="eth0"):
        """Connects a member to a new port of a PE."""
        self.scope.veth(pe.ns, port, m.ns, ifname)
        m.ns.ip(f"link set {ifname} address {m.mac}", *self._addresses(m, ifname))
        pe.plug_port(port)
        m.ns.ip(f"link set {ifname} up")

    def move(self, m, pe, port, dark=True):
        """Unplugs a member and plugs it in at another PE. Its old port stays: dark, or (a switch of the member's is still
        there) with carrier and silent. Back at a port where it was, the old cable is used again."""
        old, again = (f"at-{p.name}-{n}" for p, n in ((m.pe, m.port), (pe, port)))
        m.ns.ip("link set eth0 down", f"link set eth0 name {old}", f"addr flush dev {old}")
        if not dark:
            m.ns.sysctl({f"net.ipv6.conf.{old}.disable_ipv6": 1})
            m.ns.ip(f"link set {old} arp off up")
        m.pe, m.port = pe, port
        if any(link["ifname"] == again for link in m.ns.ip_json("link")):
            m.ns.sysctl({f"net.ipv6.conf.{again}.disable_ipv6": 0})
            m.ns.ip(f"link set {again} down arp on", f"link set {again} name eth0", *self._addresses(m, "eth0"),
                    "link set eth0 up")
        else:
            self.cable(m, pe, port)

    def start(self):
        for rs in self.route_servers:
            rs.start()
        for pe in self.pes:
            pe.start()

    def converged(self):
        return all(pe.converged() for pe in self.pes)

    def raise_(self):
        self.build()
        self.start()
        return self

    def close(self):
        self.scope.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def in_lan(address):
    ip = ipaddress.ip_address(address)
    return ip in ipaddress.ip_network(LAN4 if ip.version == 4 else LAN6)
