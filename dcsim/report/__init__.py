"""Texts for people, made from tables and statistics alone."""
