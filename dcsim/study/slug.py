"""A free name as part of a directory's."""

from __future__ import annotations

import re
import unicodedata


def slug(name: str, otherwise: str = "scenario") -> str:
    """Small letters, digits, `-` and `_`, at most 60 of them; `otherwise` where nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain)[:60].strip("-") or otherwise
