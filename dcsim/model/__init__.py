"""The domain: what each noun of a scenario does as time passes."""
