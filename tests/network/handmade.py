"""A small network by hand: a lab leases a hall from oak, which a bank financed; a cloud maker guarantees the rent.

lab --lease, 60 due in the year--> oak --loan, 200 owed, 40 due in the year, 30 % lost on default--> bank
cloud --guarantee of up to 25--> oak
"""

from __future__ import annotations

from dataclasses import replace

from dcsim.network.snapshot import Paid, PartyState, PhaseState, Snapshot, Standing

LAB = PartyState("lab", ("tenant",), "The lab", rating="BB")
OAK = PartyState("oak", ("developer",), "oak", rating="B")
BANK = PartyState("bank", ("lender",), "bank", rating="A", equity=100)
CLOUD = PartyState("cloud", ("guarantor", "cloud"), "cloud", group="maker", rating="AA", limit=70)
PARTIES = (LAB, OAK, BANK, CLOUD)

LEASE = Standing("lease", "lease:lake", "lab", "oak", due=60, size=5000, site="lake", tenant="lab")
LOAN = Standing(
    "loan", "loan:lake:bank", "oak", "bank", amount=200, due=40, size=210, site="lake", guarantor="cloud", loss=0.3
)
GUARANTEE = Standing(
    "guarantee", "guarantee:lake", "cloud", "oak", amount=25, size=30, covers="lease:lake", site="lake", tenant="lab"
)
HALL = PhaseState(
    "lake", "hall", "lab", "oak", mw=5.0, state="ready", live_mw=2.0, region="south", planned_ready=0,
    lenders=("bank",), guarantors=("cloud",), suppliers=("chips",), needs_guarantor=True,
)  # fmt: skip


def snapshot(*contracts, parties=PARTIES, phases=(HALL,), paid=(), **fields):
    """A snapshot of these contracts (of the three above if none are named), a year before the horizon."""
    base = {"minute": 1000, "horizon": 1000 + 525_960, "replication": 0, **fields}
    return Snapshot(parties=parties, contracts=contracts or (LEASE, LOAN, GUARANTEE), phases=phases, paid=paid, **base)


def having(**changes):
    """The four parties, some of them changed: `having(bank={"equity": 50})`."""
    return tuple(replace(party, **changes.get(party.id, {})) for party in PARTIES)


def payments(*flows):
    """(payer, payee, kind, dollars) as they are kept."""
    return tuple(Paid(*flow) for flow in flows)
