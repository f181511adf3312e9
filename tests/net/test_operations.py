"""docs/operations.md, raised as it stands there: two route servers, a PE with FRR, a PE with quell, a member at each. Whoever follows
that page gets this exchange, without any other source; only paths are the test's own."""
import re
import shlex
import subprocess

import pytest
from conftest import TOP, wait_until
from lab.frr import Frr
from quelld_box import Quelld

pytestmark = [pytest.mark.needs("quelld", "quell-agent", "frr")]
PAGE = (TOP / "docs" / "operations.md").read_text()
ADDRESS = {"rs1": "10.99.0.1", "rs2": "10.99.0.2", "frr": "10.99.0.10", "pe": "10.99.0.11"}
MEMBERS = {"m1": ("pe", "02:00:5e:00:00:01", "198.18.0.1", "2001:db8:100::1"),
           "m2": ("frr", "02:00:5e:00:00:02", "198.18.0.2", "2001:db8:100::2")}


def files():
    """The page's blocks by the box and name that the comment above each says."""
    found = {}
    for box, name, block in re.findall(r"^<!-- file: (\S+) (\S+) -->\n((?:    .*\n|\n)+)", PAGE, re.M):
        found[box, name] = "".join(line[4:] or "\n" for line in block.rstrip("\n").splitlines(keepends=True)) + "\n"
    return found


FILES = files()


def test_the_page_has_its_files():
    assert set(FILES) == {("rs1", "quell.yaml"), ("frr", "frr.conf"), ("frr", "bridge.sh"), ("-", "beside-frr.yaml"),
                          ("pe", "quell.yaml"), ("pe", "members.yaml"), ("pe", "bridge.sh")}


@pytest.mark.parametrize("box, name", [f for f in FILES if f[1].endswith(".yaml") and f[1] != "members.yaml"])
def test_each_configuration_is_good(tmp_path, build, box, name):
    (tmp_path / "members.yaml").write_text(FILES["pe", "members.yaml"])
    (tmp_path / name).write_text(FILES[box, name].replace("/etc/quell", str(tmp_path)))
    p = subprocess.run([f"{build}/quell", "check", tmp_path / name], capture_output=True, text=True, timeout=10)
    assert p.returncode == 0, p.stdout + p.stderr


def sh(ns, script):
    """Its commands, without a shell: they are all of ip and bridge."""
    for line in script.splitlines():
        argv = shlex.split(line, comments=True)
        if argv:
            assert argv[0] in ("ip", "bridge"), line
            ns.run(*argv)


@pytest.fixture
def exchange(scope, build):
    """The four boxes and two members, all that operations.md says done, and nothing else."""
    underlay = scope.netns("ul")
    underlay.ip("link add ul0 mtu 1600 type bridge stp_state 0 mcast_snooping 0 forward_delay 0", "link set ul0 up")
    boxes = {}
    for name, address in ADDRESS.items():
        ns = boxes[name] = scope.netns(name)
        scope.veth(ns, "up0", underlay, name, "mtu 1600")
        underlay.ip(f"link set {name} master ul0 up")
        ns.ip(f"addr add {address}/24 dev up0", "link set up0 up")
    members = {}
    for name, (pe, mac, ip4, ip6) in MEMBERS.items():
        ns = members[name] = scope.netns(name)
        scope.veth(boxes[pe], "swp1", ns, "eth0")
        ns.ip(f"link set eth0 address {mac}", f"addr add {ip4}/21 dev eth0", f"addr add {ip6}/64 dev eth0 nodad",
              "link set eth0 up")
        boxes[pe].ip("link set swp1 up")
    for name in ("frr", "pe"):
        sh(boxes[name], FILES[name, "bridge.sh"])

    def quelld(box, config):
        members_file = scope.dir / "members.yaml"
        members_file.write_text(FILES["pe", "members.yaml"])
        config = config.replace("/etc/quell/members.yaml", str(members_file))
        return Quelld(scope, boxes[box], build, f"state-dir: {scope.dir}\npin-dir: {scope.bpffs()}/{box}\n{config}", name=box)

    rs1 = FILES["rs1", "quell.yaml"]
    daemons = {"rs1": quelld("rs1", rs1).start(),
               "rs2": quelld("rs2", rs1.replace("10.99.0.1\n", "10.99.0.2\n").replace("[10.99.0.1]", "[10.99.0.2]")).start(),
               "pe": quelld("pe", FILES["pe", "quell.yaml"]).start()}
    daemons["agent"] = boxes["pe"].spawn("quell-agent", [f"{build}/quell-agent", "-c", daemons["pe"].config])
    frr = daemons["frr"] = Frr(scope, boxes["frr"], FILES["frr", "frr.conf"])
    frr.start()
    _, mac, ip4, ip6 = MEMBERS["m2"]
    # The two lines that the page gives for one member.
    for command in re.findall(r"`((?:ip neigh|bridge fdb) replace [^`]*)`", " ".join(PAGE.split())):
        boxes["frr"].run(*command.split())
    boxes["frr"].run("ip", "neigh", "replace", ip6, "lladdr", mac, "dev", "br100", "nud", "permanent")
    return members, daemons


def sessions(daemon):
    got = daemon.show("neighbors")
    return got and [n["state"] for n in got["neighbors"]]


def reaches(ns, target):
    return subprocess.run([*ns.enter, "ping", "-c", "1", "-W", "1", target], capture_output=True, timeout=10).returncode == 0


def test_the_exchange_of_the_page(exchange):
    members, daemons = exchange
    for rs in ("rs1", "rs2"):
        wait_until(lambda: sessions(daemons[rs]) == ["Established"] * 2, 30, f"{rs} has both PEs")
    for asker, owner in (("m1", "m2"), ("m2", "m1")):
        for target in MEMBERS[owner][2:]:
            wait_until(lambda: reaches(members[asker], target), 30, f"{asker} reaches {target}")
    assert daemons["frr"].notifications() == {"10.99.0.1": 0, "10.99.0.2": 0}
