"""What a guarantor does when it is called: pay as the rent falls due, pay the fee, or take the lease over."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Election: TypeAlias = Literal["pay", "terminate", "assume"]


class Costs(NamedTuple):
    """What each choice costs the guarantor at the demand, in dollars of then; None: it is not to be had (several
    guarantors cannot take one lease over)."""

    pay: float
    terminate: float
    assume: float | None

    @property
    def cheapest(self) -> Election:
        """The least; of equal ones the first in this order: pay, terminate, assume."""
        choices: list[tuple[float, Election]] = [(self.pay, "pay"), (self.terminate, "terminate")]
        if self.assume is not None:
            choices.append((self.assume, "assume"))
        return min(choices, key=lambda choice: choice[0])[1]

    def elect(self, fixed: Literal["cheaper", "pay", "terminate", "assume"]) -> Election:
        """What the terms fix, or the cheapest; what is not to be had is paid for instead."""
        if fixed == "cheaper":
            return self.cheapest
        return "pay" if fixed == "assume" and self.assume is None else fixed


def costs(
    *, cap_left: int, fee: int, arrears: int, rent: float, discount: float = 0.0, use: float | None = None
) -> Costs:
    """What the choices cost.

    `cap_left`: dollars that may still be called. `fee`: for ending the lease, before that bound. `arrears`: rent due
    and unpaid. `rent`: present value of the rent to come, at the guarantor's rate; `discount`: what it is let off of
    it if it takes the lease over; `use`: present value of the hall to it, or on the market (None: it cannot).
    """
    assume = None if use is None else arrears + rent * (1 - discount) - use
    return Costs(min(cap_left, arrears + rent), min(cap_left, fee), assume)
