"""The counterparty network: who owes, guarantees, lends, supplies."""
