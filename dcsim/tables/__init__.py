"""From the histories of replications to tidy tables in one directory, and back."""
