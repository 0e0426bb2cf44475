"""`glauke doctor`."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ._output import amount, show, show_json, table
from ._screen import Screen
from ._train import Switch


def doctor(*, bench: Switch = False, json: Switch = False) -> int:
    """Say what is installed, which device and precision a run would use, and which optional part is missing.

    Parameters
    ----------
    bench
        Measure the machine too, in about half a minute: arithmetic, memory, decoding, a training step.
    json
        Print it as one JSON object.
    """
    from glauke.jobs import machine

    facts = machine.doctor()
    limits = None
    if bench:
        from ._progress import ProgressView

        with Screen() as screen:
            limits = machine.measure(watch=ProgressView(screen))
    if json:
        show_json(facts if limits is None else {**facts, "limits": asdict(limits)})
        return 0
    optional, problem = facts.pop("optional"), facts.pop("cache_problem")
    facts["hardware"] = _hardware(facts["hardware"])
    if problem is not None:
        facts["cache"] += f" (cannot be used: {problem}; set GLAUKE_CACHE to another folder)"
    width = max(len(name) for name in (*facts, *optional))
    for name, value in (*facts.items(), *optional.items()):
        show(f"{name.replace('_', ' '):{width}}  {value}")
    if limits is not None:
        rows = [(row.what, row.value, row.means) for row in machine.meanings(limits)]
        show("\n" + table(("measured", "here", "what it means for a run"), rows))
    return 0


def _hardware(facts: Mapping[str, Any]) -> str:
    memory = f"{facts['memory_gib']:.1f} GiB" if facts["memory_gib"] else None  # not every system tells
    parts = (facts["cpu"], amount(facts["cores"], "core"), memory, facts["gpu"])
    return ", ".join([*(part for part in parts if part), *facts["features"]])
