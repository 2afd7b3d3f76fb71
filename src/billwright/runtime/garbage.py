"""How often does a process look for reference cycles?"""

from __future__ import annotations

import gc


def collect_rarely() -> None:
    """Call it once, when a process has imported what it needs.

    Batches allocate hundreds of thousands of small values that no cycle holds; looking through them
    again and again took a quarter of a billing run's time (measured).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
