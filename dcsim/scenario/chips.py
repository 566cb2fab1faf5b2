"""Chip products and orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from dcsim.quantity import Quantity
from dcsim.scenario.bringup import Racks
from dcsim.scenario.constant import days, share
from dcsim.scenario.fields import Block, Days, Factor, FixedDollars, Id, Names, Number, Ref, Share, When, Whole, YesNo
from dcsim.scenario.vehicle import VendorFinance


class JointDevelopment(Block):
    """A development shared with partners, as a factor on the product's date."""

    partners: Names = Field(alias="with")
    delay_times: Factor
    """Factor on the delay until the product is available."""


class Product(Block):
    """A rack: its power and price come together."""

    supplier: Ref
    rack_power: Annotated[Quantity, Number("kW", minimum=0, exclusive=True, constant=True)]
    rack_price: Annotated[Quantity, Number("usd_m", minimum=0)]
    available: When | None = None
    """First date at which it can be delivered; always if left out."""
    replaces: Ref | None = None
    """The product that it succeeds."""
    joint_development: JointDevelopment | None = None
    life: Annotated[Quantity, Number("days", minimum=0, exclusive=True, constant=True, worse="low")] | None = None
    """Days in service; for good if left out. Written off in a straight line over them."""
    residual: Share = Field(default_factory=lambda: share(0))
    """Value at the end of its life, over the price."""
    value_falls: Annotated[Quantity, Number("fraction", minimum=0, maximum=1)] | None = None
    """What it loses of its market value a year after delivery, compound. If left out it is worth its price as security,
    and fetches what is owed on it when it is sold: nobody loses by it."""
    value_falls_at_successor: Annotated[Quantity, Number("fraction", minimum=0, maximum=1)] = Field(
        default_factory=lambda: share(0)
    )
    """What it loses besides, once, when a product that replaces it can be delivered."""
    margin: dict[Ref, Annotated[Quantity, Number("fraction", minimum=0, maximum=1, worse="low")]] = Field(
        default_factory=dict
    )
    """What parties earn on each dollar of its price (the supplier, a partner in its development)."""
    storage: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="price")] = Field(
        default_factory=lambda: share(0)
    )
    """Cost of keeping it in storage a year, insurance included, over its price."""


class Lead(Block):
    """Order when now >= forecast RFS - median lead time - buffer."""

    buffer: Annotated[Quantity, Number("days", constant=True)] = Field(default_factory=lambda: days(0))
    """Days by which chips should be early."""
    not_before: Names = ("lease_signed",)


class LeadPolicy(Block):
    """The `lead` order policy."""

    lead: Lead


def _which_policy(raw: object) -> str:
    return "lead" if isinstance(raw, LeadPolicy) or (isinstance(raw, Mapping) and "lead" in raw) else "when"


class Deliveries(Block):
    """How an order is shipped."""

    count: Annotated[Quantity, Number("count", minimum=1, whole=True, constant=True)] | None = None
    """Deliveries of equal size."""
    size: Racks | None = None
    """Or racks a delivery."""
    first: When | None = None
    """Date of the first; the order's lead time after the order if left out."""
    every: Days = Field(default_factory=lambda: days(0))
    """Days between deliveries."""
    slip: Days = Field(default_factory=lambda: days(0))
    """Days by which each delivery is late."""


class Allocate(Block):
    """Which phases get the racks."""

    to: Names = ("sites.*",)
    """Sites or phases: `sites.a`, `sites.a.p1`, `sites.@tag`."""
    by: Literal["earliest_rfs", "fixed", "pro_rata"] = "earliest_rfs"


class Defer(Block):
    """Right to postpone a delivery."""

    up_to: Days
    notice: Days = Field(default_factory=lambda: days(0))
    fee: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="price")] = Field(
        default_factory=lambda: share(0)
    )
    """Cost of a deferral a year, over the price of what is deferred; paid at once."""


class Rights(Block):
    """What the buyer may do with an order."""

    defer: Defer | None = None
    """Used when the forecast of RFS moves behind the delivery."""
    redirect: YesNo = False
    """Racks ordered for a phase that has ended go to other phases; otherwise they are cancelled."""
    cancel_fee: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="price")] = Field(
        default_factory=lambda: share(0)
    )
    """Owed on the price of what is cancelled; its deposit counts towards it, and what is above is returned."""


class OrderInitial(Block):
    """What has been delivered, and paid by the tenant, before the start."""

    delivered: Racks
    to: str | None = None
    """Phase (`site.phase`) where they are live; storage if left out."""


class Order(Block):
    """An order of racks."""

    tenant: Ref | None = None
    """Who orders; may be left out with one tenant."""
    product: Names
    """One product, or several: the last that can be delivered a median lead time after the order is placed."""
    racks: Racks | None = None
    amount: FixedDollars | None = None
    """Dollars instead of racks."""
    per: Literal["order", "phase"] = "order"
    """`phase`: one order a phase, sized to fill it."""
    ordered: Annotated[Annotated[When, Tag("when")] | Annotated[LeadPolicy, Tag("lead")], Discriminator(_which_policy)]
    """A date, a milestone with a delay, or the `lead` policy."""
    lead_time: Days = Field(default_factory=lambda: days(0))
    deliveries: Deliveries = Field(default_factory=Deliveries)
    allocate: Allocate = Field(default_factory=Allocate)
    priority: Whole = 0
    """Lower is served first by a supplier that shares by priority."""
    rights: Rights = Field(default_factory=Rights)
    deposit: Annotated[Quantity, Number("fraction", minimum=0, maximum=1, of="price")] = Field(
        default_factory=lambda: share(0)
    )
    """Paid at the order; the rest at delivery. Whoever else pays then gives the tenant its deposit back."""
    paid_by: Names = ("cash",)
    """`cash`, `vendor` (the terms below), or vehicles; the first that can take a delivery whole pays for it. If none
    can, the tenant pays cash."""
    vendor_finance: VendorFinance | None = None
    initial: OrderInitial | None = None


class Chips(Block):
    """Products and orders."""

    products: dict[Id, Product] = Field(default_factory=dict)
    orders: dict[Id, Order] = Field(default_factory=dict)
