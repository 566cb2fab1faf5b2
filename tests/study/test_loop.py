"""A closed loop as a whole scenario: the network, its loops and a failure, with what contracts and payments came to be.

130 MW, of which 80 through a lessee, at $130/kW-month; 1,300 racks of $2m, 800 of them through a vehicle that the maker
owns a fifth of and supports for four fifths; 50 MW rented for $500m a year from the guarantor, who invests $1bn.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import dcsim

FILE = Path(__file__).parents[1] / "data" / "finance" / "loop.yaml"
M = 1_000_000


@pytest.fixture(scope="module")
def loop():
    return dcsim.load(FILE)


@pytest.fixture(scope="module")
def network(loop):
    return dcsim.snapshot(loop, "2029-12-31", 0)


def of(network, id):
    return network.snapshot.contract[id]


def test_what_falls_due_in_a_year(network):
    """Rent 80,000 x 130 x 12 = $124.8m, passed through the lessee, and $78m; the cloud's $500m, billed as it runs."""
    assert of(network, "lease:lake").due == of(network, "sublease:lake").due == 124_800_000
    assert (of(network, "sublease:lake").source, of(network, "sublease:lake").target) == ("lab", "front")
    assert of(network, "lease:hill").due == 78 * M
    assert of(network, "cloud:rented").due == 500 * M
    rent = of(network, "hardware_lease:spv:lab").due
    returned = [of(network, f"vehicle:spv:lab:{name}").due for name in ("capital", "maker")]
    assert sum(returned) == pytest.approx(rent, abs=24)
    assert returned[1] == pytest.approx(0.2 * rent, abs=12)


def test_who_stands_behind_what(network):
    """Guarantees of the loans' amounts, stepped down; letters of three months' rent; support of 80 % of the lease."""
    lease, support = of(network, "hardware_lease:spv:lab"), of(network, "residual:spv:lab:maker")
    assert (support.kind, support.covers) == ("residual_value_guarantee", lease.id)
    assert support.amount == pytest.approx(0.8 * lease.amount, abs=1)
    guarantee = of(network, "guarantee:lake")
    assert (guarantee.source, guarantee.target, guarantee.covers) == ("web", "oak", "lease:lake")
    assert guarantee.active
    letters = [c for c in network.snapshot.of("guarantee") if c.source == "bank"]
    assert [c.amount for c in letters] == [31_200_000, 19_500_000]
    web = next(g for g in network.guarantors if g.guarantor == "web")
    assert web.committed == web.active == sum(c.amount for c in network.snapshot.of("guarantee") if c.source == "web")
    assert web.headroom == 2000 * M - web.committed
    loans = [c for c in network.snapshot.of("loan") if c.target == "bank"]
    assert [(c.source, c.site, c.loss) for c in loans] == [("oak", "lake", 0.2), ("oak", "hill", 0.2)]
    assert all(0 < c.amount < c.size for c in loans)  # partly repaid


def test_what_happens_on_the_first_is_not_of_the_day_before(loop):
    """The guarantor's $1bn comes at 00:00 of 2028; the bills of December are of December, 23:59."""
    eve, day = (dcsim.snapshot(loop, date, 0) for date in ("2027-12-31", "2028-01-01"))
    paid = [{p.kind: p.dollars for p in n.snapshot.paid if "web" in (p.payer, p.payee)} for n in (eve, day)]
    assert paid[0] == {"cloud": pytest.approx(500 * M)}
    assert paid[1] == {"cloud": pytest.approx(500 * M), "equity round": 1000 * M}
    for n in (eve, day):
        moved = sum(p.dollars * ((p.payee == "lab") - (p.payer == "lab")) for p in n.snapshot.paid)
        assert n.snapshot.party["lab"].cash == 3000 * M + moved


def test_loops(network):
    """$1bn that the guarantor put into the lab came back as rent for its cloud, $320m of the maker's as the price of
    racks: 2 x 1,000 + 2 x 320 of all payments. As contracts stand the smaller tie is the cloud's $500m."""
    assert [(c.parties, c.weight) for c in network.payment_loops] == [
        (("lab", "web"), 1000 * M),
        (("maker", "spv"), 320 * M),
    ]
    assert network.circulation.total == pytest.approx(2640 * M)
    largest = network.loops[0]
    assert (largest.parties, largest.weight) == (("lab", "web"), 500 * M)


def test_the_makers_sales(network):
    """$2,600m of racks: $1,440m from the vehicle, a fifth of whose money is the maker's and four fifths of the rest
    supported by it; $1,160m from the lab, which got $160m of deposits back from the vehicle and had billions else."""
    maker, web = network.suppliers
    assert (maker.sales, maker.lent) == (2600 * M, 320 * M)
    bought = {buyer: (dollars, cash, credit) for buyer, dollars, cash, credit in maker.sold_to}
    assert bought["spv"] == (1440 * M, pytest.approx(0.2), pytest.approx(0.64))
    assert bought["lab"][0] == 1160 * M
    assert bought["lab"][1] < 0.01
    assert maker.cash_funded == pytest.approx((1440 * 0.2 + 1160 * bought["lab"][1]) / 2600)
    assert web.sales == pytest.approx(1500 * M)
    assert web.lent == 1000 * M
    assert 0.05 < web.cash_funded < 0.2


def test_the_lab_fails(loop, network):
    """Letters pay $50.7m of the year's rents, the guarantor the other $152.1m, and it loses $500m of the cloud's.

    Of the vehicle's rent the maker pays 80 %; of the 20 % that lacks, the funders lose what was due to them, 4 to 1.
    The lessee and the vehicle, which only pass on, default; the developer and its lender are paid in full.
    """
    rent = of(network, "hardware_lease:spv:lab").due / M
    lab = dcsim.stress(loop, "lab@2030-01-01", replications=1)["lab"]
    loss = {h.party: h.loss.value for h in lab.hurt}
    assert loss == {
        "web": pytest.approx(500 + 152.1),
        "maker": pytest.approx(0.8 * rent + 0.2 * 0.2 * rent, abs=1e-4),
        "capital": pytest.approx(0.8 * 0.2 * rent, abs=1e-4),
        "bank": pytest.approx(50.7),
        "front": 0,
        "spv": 0,
    }
    assert {h.party for h in lab.hurt if h.defaults.value == 1} == {"front", "spv"}
    assert lab.loans.value == 0
    assert lab.hanging_mw.value == 130
    assert lab.stalled_mw_years is not None
    assert lab.stalled_mw_years.value == pytest.approx(lab.hanging_mw_years.value, rel=0.01)  # all that was live


def test_the_guarantor_fails(loop):
    """While halls are being built, nothing is called and nobody loses; but draws may stop: MW hang on it."""
    web = dcsim.stress(loop, "web@2027-06-01", replications=1, rerun=False)["web"]
    assert web.hurt == ()
    assert web.hanging_mw.value == 130
