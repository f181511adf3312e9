"""One of two route servers is killed, and returns, and then the other one: nobody loses anything, FRR included."""
import pytest
from conftest import wait_until
from lab import pair
from lab.frr import FrrPE
from lab.quell import QuellPE, QuellRouteServer
from lab.topology import Lab

pytestmark = pytest.mark.needs("frr", "quelld", "quell-agent", "quell", "lab/count", "lab/flood")


@pytest.fixture
def lab(build):
    with Lab([QuellPE, FrrPE, FrrPE], QuellRouteServer, build=build, route_servers=2) as made:
        made.raise_()
        try:
            wait_until(made.converged, 30, "every binding everywhere")
            wait_until(lambda: pair.sessions_up(made, made.route_servers), 20, "every session with both")
            yield made
            assert not any(sum(pe.frr.notifications().values()) for pe in made.pes[1:]), "FRR sent a NOTIFICATION"
        finally:
            for rs in made.route_servers:
                print(rs.box.quelld.said()[-2000:])


def test_either_of_two_is_killed(lab, figures):
    for rs in lab.route_servers:
        wait_until(lambda: all(pair.all_told(lab, r) for r in lab.route_servers), 20, "both know everything")
        result = pair.lose_one(lab, rs, 1.5e6)
        figures(f"{rs.name} of two killed: {result['asked']} requests, {result['unanswered']} unanswered, "
                f"{result['pings']['tried']} pings, {len(result['pings']['failed'])} failed, "
                f"back with all routes {result['back_s']:.1f} s after its start")
        assert not pair.broken(result)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_with_one_route_server_frr_forgets_at_once(build, how, figures):
    """Why it takes two where a PE is FRR 8.4: it says that it restarts gracefully for EVPN, and drops the routes the moment
    the session ends, told (Cease 6/2, not hard) or not."""
    with Lab([FrrPE, FrrPE], QuellRouteServer, members=1, idle=0, build=build) as lab:
        lab.raise_()
        wait_until(lab.converged, 30, "every binding everywhere")
        far = lab.pes[1].members
        watch = pair.NeighborWatch(lab, lab.pes[0])
        getattr(lab.route_server.box.quelld, how)()
        wait_until(lambda: watch.forgotten(far), 5, "FRR drops what was behind the other PE")
        lab.scope.forget(lab.route_server.box.quelld)
        lab.route_server.box.start_quelld()
        wait_until(lab.converged, 30, "and has it again")
        watch.stop()
