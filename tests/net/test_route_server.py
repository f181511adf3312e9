"""quelld as the route reflector of three FRR PEs: all that FRR sends must come out such that FRR takes it, for one that FRR
does not like takes down every PE at once."""
import pytest
from conftest import wait_until
from lab import measure
from lab.frr import FrrPE
from lab.quell import QuellRouteServer
from lab.topology import VNI, Lab

pytestmark = pytest.mark.needs("frr", "quelld", "lab/count")


@pytest.fixture
def lab(build):
    with Lab([FrrPE] * 3, QuellRouteServer, members=2, idle=0, build=build) as made:
        made.raise_()
        try:
            wait_until(made.converged, 30, "every FRR has every binding")
            yield made
            assert not any(sum(pe.frr.notifications().values()) for pe in made.pes), "FRR sent a NOTIFICATION"
        finally:
            print(made.route_server.box.quelld.said()[-3000:])


def remote_macs(pe):
    macs = pe.frr.json(f"show evpn mac vni {VNI}").get("macs", {})
    return {mac: m["remoteVtep"] for mac, m in macs.items() if m["type"] == "remote"}


def test_members_reach_each_other_by_its_routes(lab, figures):
    assert not measure.ping_all(lab).failed
    for pe in lab.pes:
        assert remote_macs(pe) == {m.mac: m.pe.vtep for m in lab.members if m.pe is not pe}


def test_a_binding_withdrawn_and_announced_again(lab):
    m = lab.member("m11")
    for present in (False, True):
        lab.pes[0].binding(m, present)
        wait_until(lambda: all((m.mac in remote_macs(pe)) == present for pe in lab.pes[1:]), 10,
                   f"{m.mac} {'back' if present else 'gone'}")


def test_a_pe_that_dies_takes_only_its_own_routes(lab):
    dead = lab.pes[2]
    for p in dead.frr.processes:
        p.kill()
    wait_until(lambda: all(set(remote_macs(pe).values()) == {other.vtep} for pe, other in
                           (lab.pes[:2], lab.pes[1::-1])), 15, "its routes are gone")
    assert all(pe.frr.established() for pe in lab.pes[:2])
    dead.frr.processes.clear()
    dead.frr.start()
    wait_until(lab.converged, 20, "and back")


def test_killed_it_comes_back_and_all_is_as_before(lab):
    box = lab.route_server.box
    box.quelld.kill()
    wait_until(lambda: not any(pe.frr.established() for pe in lab.pes), 10, "FRR sees it gone")
    box.start_quelld()
    wait_until(lab.converged, 30, "all bindings again")
    assert not measure.ping_all(lab).failed


@pytest.mark.needs("quell")
def test_what_it_shows(lab):
    neighbors = lab.route_server.box.show("neighbors")
    states = {n["address"]: n["state"].lower() for n in neighbors["neighbors"]}
    assert states == {pe.vtep: "established" for pe in lab.pes}
