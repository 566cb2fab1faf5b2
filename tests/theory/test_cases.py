"""Which of the theory cases are simulated on the engine, and why the others are not.

All cases of the families queue, network, gate and arrival, and Q6 and N11 of the family deterministic, run through
Clock, Pool, Work and ActivityNetwork; D2 (metamorphic) is in test_invariances.py as far as an engine can show it.

Not here:

- D3 (conservation) speaks of chips, cash and contracts, which the engine does not know; that a pool neither loses nor
  makes anything is tested in tests/engine/test_pool.py. D4 (calendar) is about dates, and the engine has none.
- S1-S5 (statistics) are about estimates from replications, F3, F5 and F7 about graphs and rare events: nothing in
  them waits, queues or takes time.
"""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
ELSEWHERE = {"D3_conservation", "D4_calendar"}
FAMILIES = {"queue", "deterministic", "network", "gate", "arrival", "metamorphic", "conservation"}


def test_every_case_about_queues_networks_gates_and_arrivals_is_simulated():
    cases = json.loads((HERE.parent / "data" / "theory_cases.json").read_text(encoding="utf-8"))["cases"]
    sources = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py") if path != Path(__file__))
    wanted = {case["id"] for case in cases if case["family"] in FAMILIES} - ELSEWHERE
    assert len(wanted) == 18
    assert {case for case in wanted if f'"{case}"' not in sources} == set()
