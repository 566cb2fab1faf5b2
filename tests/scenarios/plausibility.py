"""Holds the shipped scenarios against what is public: deals, build times, letters, costs. Prints Markdown tables.

    python tests/scenarios/plausibility.py [--replications N] [--seed S]

What the model says is read from the tables of runs (`loans`, `exposure`, `ledger`, `milestones`, `events`,
`outcomes`), not from the files. Where a number is an input of the file and agrees for that reason, the table says so.
Public facts carry the ids of `sources:` in scenarios/backstop-precedents.yaml and scenarios/anthropic-2026.yaml.
"""

from __future__ import annotations

import argparse
import math

import build_times
import portfolio
import precedents
from spreads import Row, number, shown, table

import dcsim

KINDS = {"input": "input", "follows": "follows from inputs", "result": "result"}

WHY = {
    "debt": "the bond is 8.9m a MW, as much as the building cost that the developer gave as its guidance; loan to cost"
    " stops it below",
    "debt per MW": "as the debt",
    "backstop": "as large as the loan, which is smaller",
    "abernathy debt": "as near as one cover for all bonds comes",
    "cover by ten years' rent of the debt published": "the cover published for one bond is that of its later,"
    " stabilised income; by ten years from the start all three have less, and the file takes 1.20",
    "loan closes": "where cost is drawn high, the loan and equity of 30 % fall short; or a party defaults first",
    "ready lake-mariner": "building starts at the close of the bond; this developer had begun before, on a campus under"
    " way since 2024",
    "ready": "fit-out from close and commissioning take longer than was promised",
    "greenfield": "as the data",
    "approved": "the building comes last, at the sum of three steps and the region's labour",
    "bridged": "one letter; with gas engines, power comes last in the fewest cases",
    "in study": "works start without power, whose line takes 36 months in the median; builders of the data presumably"
    " had it agreed",
    "brownfield": "ready for service about when those sites were live; then bring-up, and in a third of phases chips"
    " that are late",
    "owned in": "most MW live by then are Ironwood at US$21m a MW on leases with a residual value; the public figure is"
    " for GB200",
    "owned to": "halls and chips that idle, and racks renewed at a dearer price",
    "cloud": "the prices of the file, of which Amazon's is a guess",
    "campus": "letters are smaller than the campuses of the data",
}
"""Likely reasons, in one line each, for where the model is off."""


def heading(result: dcsim.Result, text: str) -> str:
    """A heading, and the run below it."""
    run = result.manifest
    return f"#### {text}\n\n{run['scenario']['name']}, {result.replications:,} replications, seed {run['seed']}."


def of_rows(rows: list[Row], first: str) -> str:
    """A Markdown table of rows."""
    lines = [
        [row.what, row.measure, row.unit, shown(row.model), row.reported, row.verdict, KINDS[row.kind]] for row in rows
    ]
    return table([first, "measure", "unit", "model P50 (P10-P90)", "public", "in range", "in the model"], lines)


def reason(*names: str) -> str:
    """The first reason that is known under one of these names, or whose own name begins one of them."""
    exact = [key for name in names for key in WHY if name == key]
    found = exact or [key for name in names for key in WHY if name.startswith(key)]
    return WHY[found[0]] if found else "not known"


def reasons(off: list[tuple[str, str]]) -> str:
    """A line for each reason; `off` are pairs of what is off and why."""
    found: dict[str, list[str]] = {}
    for what, why in off:
        found.setdefault(why, []).append(what)
    lines = [f"- Off: {', '.join(what)}. Likely why: {why}." for why, what in found.items()]
    return "\n".join(lines) or "Nothing is off."


def off_rows(rows: list[Row]) -> str:
    """The reasons for the rows that are off."""
    names = [(f"{row.what} {row.measure}", row) for row in rows if row.inside is False]
    return reasons([(name, reason(name, row.measure, row.what)) for name, row in names])


def first_table(deals: dcsim.Result) -> str:
    """The precedents."""
    rows, ready = precedents.money(deals), precedents.dates(deals)
    lines, off = [], list[tuple[str, str]]()
    for one in ready:
        promised = "not public" if one.promised is None else f"{one.promised} ({number(one.due)})"
        late = "–" if one.promised is None else f"{one.model.p50 - one.due:+.1f}"
        kept = "–" if one.promised is None else f"{100 * one.kept:.0f} %"
        inside = {None: "–", True: "yes", False: "no"}[one.inside]
        lines.append([one.what, promised, one.known or "–", shown(one.model), late, kept, inside])
        if one.inside is False:
            off.append((one.what, reason(f"ready {one.what}")))
    heads = ["phase", "promised (months)", "known since", "model P50 (P10-P90)", "median late by"]
    heads += ["chance of the promise", "promise within P10-P90"]
    return "\n\n".join([
        heading(deals, "The precedents: rent, debt, backstop, cost"),
        "Rent: paid in the first calendar month in which no phase commences, over the MW that have (`ledger`). Rent of"
        " the base term: owed at signing (`exposure`). Debt, and cost as loan over loan-to-cost: `loans`, at close."
        " Backstop: cover committed at the end of that month (`exposure`). Works: `construction` paid (`ledger`)."
        " Cover: what the lender asks for, times the loan sized by it, over the one published. A figure published as"
        " one number counts as the range that rounds to it.",
        of_rows(rows, "site"),
        off_rows(rows),
        heading(deals, "The precedents: months from signing to ready for service"),
        table(heads, lines),
        reasons(off),
    ])  # fmt: skip


def second_table(letters: dcsim.Result) -> str:
    """Build times."""
    lines, notes = [], []
    for row in portfolio.build_time_rows(letters):
        ready = "–" if row.ready is None else shown(row.ready)
        late = "–" if math.isnan(row.off) else f"{row.off:+.1f}"
        counts = [str(row.live.n), str(row.live.censored)]
        lines.append([row.whose, *counts, shown(row.live), ready, late, row.last or "–"])
        if not math.isnan(row.off):
            kind = row.whose.removeprefix("model: ")
            notes.append(f"- {kind.capitalize()}, {row.off:+.1f} months: {reason(kind)}.")
    heads = ["whose", "n", "censored", "to first live MW, P50 (P10-P90)", "to ready for service", "median less data"]
    heads.append("last before commissioning")
    lead = portfolio.early_lead(portfolio.site_times(letters))
    return "\n\n".join([
        heading(letters, "Months from the start of site works to the first live MW"),
        "Model: from the first `started` event of a building activity of a letter's site (`events`; greenfield: site"
        f" works, mostly as early works from `lease_signed`, {number(lead)} months before `notice_to_proceed` in the"
        " median; brownfield: fit-out, from `notice_to_proceed`) to the first `first_live` of its phases"
        " (`milestones`). A site that ends before, or is not live by the horizon, is censored there. Data: a site's"
        " first phase, `started` to `live` (an operating building, which may be nearer to ready for service), censored"
        " at `observed_until`. Quantiles by the product-limit estimate. `Median less data`: greenfield against"
        " the sites that never mined coins, brownfield against those that did. Durations of steps are inputs; the"
        " totals are results.",
        table(heads, lines),
        "\n".join(notes),
    ])  # fmt: skip


def in_percent(share: float, low: float, high: float) -> str:
    """A share with its interval."""
    return f"{100 * share:.0f} % ({100 * low:.0f}-{100 * high:.0f})"


def third_table(letters: dcsim.Result) -> str:
    """Letters and growth."""
    shares = [[row.whose, str(row.letters), in_percent(*row.leased), in_percent(*row.live)]
              for row in portfolio.letter_shares(letters)]  # fmt: skip
    growing = portfolio.campus_growth(letters)
    return "\n\n".join([
        heading(letters, "Letters that become leases"),
        "Mean share with its 95 % interval.",
        table(["letters", "how many", "leased", "ever live"], shares),
        'Public: no count of conversions. Negotiated statements of qualification become leases "close to 100 %" (TD'
        " Cowen, 2025-02-21); Microsoft let above 1 GW of letters lapse in 2024-25; Nvidia's letter with OpenAI over"
        " 10 GW came to nothing after five months. A letter before diligence lies between; the gates' chances are"
        " guesses.",
        heading(letters, "Growth of a campus after its first live MW"),
        "Letters with two live phases, by the first live MW of each; data: sites with two live phases, facility MW"
        f" over {build_times.FACILITY_OVER_IT}. Growth: MW of the phases after the first over the months from the first"
        " to the last. The range is P10 to P90 of the data. Campuses of the data are hyperscalers' and larger.",
        of_rows(growing, "of"),
        off_rows(growing),
    ])  # fmt: skip


def fourth_table(letters: dcsim.Result) -> str:
    """Owned against cloud."""
    rows = portfolio.cost_rows(letters)
    return "\n\n".join([
        heading(letters, "Owned against cloud, US$m per live MW-year"),
        "All that owned compute costs, idle or not, over what is live (`owned_cost_per_mw_month` times twelve), beside"
        " what the same MW would have cost at the clouds' average price.",
        of_rows(rows, "compute"),
        off_rows(rows),
    ])  # fmt: skip


def all_tables(replications: int, seed: int | None = None) -> str:
    """Everything, as Markdown."""
    deals, letters = precedents.run(replications, seed), portfolio.run(replications, seed)
    parts = (first_table(deals), second_table(letters), third_table(letters), fourth_table(letters))
    return "\n\n".join(parts)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--replications", type=int, default=300, help="of each scenario [300]")
    parser.add_argument("--seed", type=int, help="in place of the scenarios' own")
    asked = parser.parse_args()
    print(all_tables(asked.replications, asked.seed))


if __name__ == "__main__":
    main()
