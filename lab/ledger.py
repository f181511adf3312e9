"""The ledger held against the members' side of the cables.

A port's ledger balances when, class by class and to the frame, what its member sent is what the port received (every
frame under exactly one outcome), what the port says it let out is what the member received, and it sent as many
answers as it says it has answered (`unseen` names the classes that a plane leaves out). The two sides cannot be read in one instant, so a reading counts only when the
ledger says the same before and after the members' counters were read.
"""
from lab.measure import arrived
from lab.netns import LabError, wait_until

WENT_ON = {"forwarded", "flooded", "local"}
ANSWERED = {"answered", "sponged"}
POLICED = {"policed-in", "policed-out"}
LEFT = {"delivered", "answer", "probe"}


def _flat(direction):
    return {(cls, outcome): fo[0] for cls, outcomes in direction.items() for outcome, fo in outcomes.items() if fo[0]}


def _minus(after, before):
    keys = set(after) | set(before)
    return {k: after.get(k, 0) - before.get(k, 0) for k in keys if after.get(k, 0) != before.get(k, 0)}


def _by_class(rows, outcomes=None):
    out = {}
    for (cls, outcome), n in rows.items():
        if outcomes is None or outcome in outcomes:
            out[cls] = out.get(cls, 0) + n
    return out


def _sum(rows, outcomes=None):
    return sum(n for (_, outcome), n in rows.items() if outcomes is None or outcome in outcomes)


class Books:
    """The ledgers of all quell PEs and the counters of all their members."""

    def __init__(self, lab, counters, unseen=()):
        self.unseen = unseen
        self.pes = [pe for pe in lab.pes if pe.flavour == "quell"]
        self.counters = counters

    def _ledger(self, pe):
        shown = pe.box.show("ledger")
        if shown is None:
            raise LabError(f"{pe.name} shows no ledger")
        return {p["name"]: {"in": _flat(p["in"]), "out": _flat(p["out"])} for p in shown["ports"]}

    def _read(self, pe):
        def steady():
            ledger = self._ledger(pe)
            reports = {m.name: self.counters[m.name].read() for m in pe.members}
            return (ledger, reports) if self._ledger(pe) == ledger else None
        return wait_until(steady, 20, f"{pe.name} is quiet for long enough to read it")

    def open(self):
        self.before = {pe.name: self._read(pe) for pe in self.pes}

    def close(self):
        """{ports: [...], wrong: [sentences]}."""
        ports, wrong = [], []
        for pe in self.pes:
            ledger0, reports0 = self.before[pe.name]
            ledger1, reports1 = self._read(pe)
            for m in pe.members:
                p, w = self._port(pe, m, [ledger0.get(m.port, {"in": {}, "out": {}}), ledger1[m.port]],
                                  [reports0[m.name], reports1[m.name]])
                ports.append(p)
                wrong += w
        return {"ports": ports, "wrong": wrong}

    def _port(self, pe, m, ledgers, reports):
        came, left = (_minus(ledgers[1][d], ledgers[0][d]) for d in ("in", "out"))
        sent, received = ({cls: fo[0] for cls, fo in side(reports[1]).items()} for side in (lambda r: r["out"], arrived))
        for cls, fo in reports[0]["out"].items():
            sent[cls] = sent.get(cls, 0) - fo[0]
        for cls, fo in arrived(reports[0]).items():
            received[cls] = received.get(cls, 0) - fo[0]
        wrong = []

        def compare(what, ledger, wire):
            for cls in sorted((set(ledger) | set(wire)).difference(self.unseen)):
                if ledger.get(cls, 0) != wire.get(cls, 0):
                    wrong.append(f"{pe.name} {m.port}: {what} of {cls}: ledger {ledger.get(cls, 0)}, "
                                 f"member {wire.get(cls, 0)}")

        compare("frames in", _by_class(came), sent)
        compare("frames out", _by_class(left, LEFT), received)
        answered, answers = _sum(came, ANSWERED), _sum(left, {"answer"})
        if answered != answers:
            wrong.append(f"{pe.name} {m.port}: answered {answered}, answers {answers}")
        outcomes = {}
        for (_, outcome), n in came.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + n
        if not self.unseen and sum(sent.values()) != _sum(came):
            wrong.append(f"{pe.name} {m.port}: {_sum(came)} frames have an outcome, {sum(sent.values())} came")
        row = {"pe": pe.name, "port": m.port, "sent": sum(sent.values()), "in": _sum(came), "answered": answered,
               "dropped": _sum(came) - _sum(came, WENT_ON | ANSWERED | POLICED), "policed": _sum(came, POLICED),
               "went_on": _sum(came, WENT_ON), "out": _sum(left, LEFT), "arrived": sum(received.values()),
               "outcomes": outcomes, "held_back": {o: _sum(left, {o}) for _, o in left if o not in LEFT}, "balances": not wrong}
        return row, wrong
