"""Many replications: run them, keep them, ask them."""
