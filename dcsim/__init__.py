"""Simulates how an AI lab builds out leased data centers: dates, megawatts, dollars and probabilities."""
