"""Whatever happens to developers' loans: what is drawn was paid by lenders and is owed, repaid, recovered or lost."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dcsim.engine.draws import Sampler
from dcsim.engine.streams import Streams
from dcsim.model.world import World, make_blueprint
from dcsim.scenario.scenario import parse
from dcsim.scenario.yaml_reader import write_yaml

maybe = st.booleans()
share = st.sampled_from([0, 0.1, 0.3])


@st.composite
def lenders(draw):
    terms = {
        "ltc": draw(st.sampled_from([0.5, 0.7, 0.9])),
        "rate": draw(st.sampled_from([0, 0.06, 0.12])),
        "upfront_fee": draw(st.sampled_from([0, 0.02])),
        "drawn": draw(st.sampled_from(["at_close", "as_spent"])),
    }
    if terms["drawn"] == "as_spent":
        terms["commitment_fee"] = draw(st.sampled_from([0, 0.01]))
    if draw(maybe):
        terms["capacity"] = draw(st.sampled_from([300, 900]))
    if draw(maybe):
        terms |= {"tenor": draw(st.sampled_from([400, 900])), "refinancing": {"chance": 0.5, "rate": 0.1}}
    return terms


@st.composite
def scenarios(draw):
    sites = {}
    for name in ("a", "b"):
        financing = {
            "lenders": draw(st.permutations(["bank", "bonds"])),
            "cost": draw(st.sampled_from([3, 8])),
            "cost_includes": draw(st.sampled_from(["everything", "works"])),
            "equity": 1,
            "equity_first": draw(maybe),
            "contingency": draw(share),
            "overrun": draw(st.sampled_from([-0.2, 0, 0.3])),
            "landlord_cost": draw(share),
            "sizing": {"over": "5 years", "shape": draw(st.sampled_from(["sculpted", "level"]))},
            "loss_given_default": {"uncovered": draw(share)},
        }
        if draw(maybe):
            financing["completion_guarantee"] = "rich"
        sites[name] = {
            "developer": f"dev-{name}",
            "phases": draw(st.sampled_from([[100], [60, 40]])),
            "financing": financing,
            "lease": {"rent": draw(st.sampled_from([20, 120])), "term": "6 years",
                      "relet": {"after": draw(st.sampled_from([0, 90])), "at": 0.5}},
            "construction": {
                "activities": {"x": {"duration": draw(st.sampled_from([0, 200]))}},
                "phase_gap": draw(st.sampled_from([0, 100])),
                "commissioning": {"duration": {"uniform": {"low": 0, "high": 150}}},
            },
        }  # fmt: skip
        if draw(maybe):
            sites[name]["initial"] = {
                "lease_signed": "2026-01-01",
                "financial_close": draw(st.sampled_from(["2026-06-10", "2027-04-20"])),
                "loan": 200,
            }
    shocks = {}
    for number in range(draw(st.integers(0, 3))):
        act = draw(st.sampled_from([
            {"default": "bank"}, {"stop_paying": "lab"}, {"default": "lab"}, {"default": "dev-a"},
            {"stop_paying": "rich"}, {"stop_paying": "dev-b"}, {"downgrade": "lab", "to": "B"},
        ]))  # fmt: skip
        year, month = draw(st.sampled_from([2027, 2028, 2029])), draw(st.integers(1, 9))
        shocks[f"s{number}"] = {"when": f"{year}-0{month}-11", **act}
    bank, bonds = draw(lenders()), draw(lenders())
    if draw(maybe):
        bank["min_rating"] = "A-"
    return {
        "version": 1, "name": "random", "start": "2027-01-01", "horizon": "2031-12-31",
        "seed": draw(st.integers(0, 1000)),
        "parties": {"lab": {"rating": "A"}, "dev-a": {}, "dev-b": {}, "rich": {},
                    "bank": {"lending": bank}, "bonds": {"lending": bonds}},
        "tenants": {"lab": {}},
        "shocks": shocks,
        "defaults": {"site": {"tenant": "lab", "loi": "day 0"}},
        "sites": sites,
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_nothing_is_made_or_lost(whole):
    scenario = parse(write_yaml(whole))
    blueprint, sampler = make_blueprint(scenario), Sampler(Streams(scenario.seed), scenario.binding.drivers)
    world = World(blueprint, sampler.replication(0), 0)
    history = world.run()
    paid = Paid(history)
    for id, site in world.sites.items():
        if site.financing.project is not None:
            check_site(site.financing.project, paid, new="initial" not in whole["sites"][id])
    if not any("initial" in site for site in whole["sites"].values()):
        for id in world.lenders:
            check_lender(world, paid, id)
    for record in history.loans:
        check_record(record)


class Paid:
    """Dollars by payer, payee and kind."""

    def __init__(self, history):
        self.total = Counter()
        for pair, dollars in zip(history.ledger.pair, history.ledger.dollars, strict=True):
            self.total[history.ledger.pairs[pair]] += int(dollars)

    def __call__(self, payer, payee, *kinds):
        return sum(
            dollars
            for who, dollars in self.total.items()
            if who.kind in kinds and payer in (None, who.payer) and payee in (None, who.payee)
        )


def check_site(project, paid, new):
    """What is in the account is what the ledger says; it adds up; and bounds hold."""
    developer, account = project.site.developer, project.account
    account.check()
    if new:
        assert paid(None, developer, "loan draw") == account.drawn + account.returned
        brought = paid(None, developer, "equity", "equity cure")
        alone = paid("rich", "outside", "construction") + paid("rich", None, "interest", "commitment fee")
        if alone == 0 and project.defaulted is None:
            assert brought == account.equity + account.cure
    assert project.peak_drawn >= account.drawn
    assert 0 <= project.contingency_left <= project.financing.contingency
    assert 0 <= project.recovered <= project.exposure


def check_lender(world, paid, id):
    """What it has lent, and interest that was late when a loan failed, is repaid, recovered, lost, or still owed."""
    loans = [loan for site in world.sites.values() if (project := site.financing.project) is not None
             for loan in project.loans if loan.lender == id]  # fmt: skip
    failed = sum(loan.late_interest for loan in loans if loan.site.financing.project.defaulted is not None)
    end = world.last_minute
    owed = sum(contract.at_stake(end) for contract in world.book.held("loan", id))
    late = sum(loan.late_principal for loan in loans if not loan.site.financing.project.over)
    back = paid(None, id, "principal") + paid(None, id, "recovery")
    assert paid(id, None, "loan draw") + failed == back + world.lenders[id].lost + owed + late


def check_record(record):
    assert record.amount > 0
    assert 0 <= record.ltc <= 1 + 1e-9
    assert (record.recovery is None) == (record.defaulted is None)
    assert record.recovery is None or 0 <= record.recovery <= 1
    assert record.contingency_left >= 0
    assert record.breakeven_delay_days is None or record.breakeven_delay_days >= 0
