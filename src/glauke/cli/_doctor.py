"""`glauke doctor`."""

from ._output import show, show_json
from ._train import Switch


def doctor(*, json: Switch = False) -> int:
    """Say what is installed, which device and precision a run would use, and which optional part is missing.

    Parameters
    ----------
    json
        Print it as one JSON object.
    """
    from glauke.jobs import machine

    facts = machine.doctor()
    if json:
        show_json(facts)
        return 0
    optional = facts.pop("optional")
    width = max(len(name) for name in (*facts, *optional))
    for name, value in (*facts.items(), *optional.items()):
        show(f"{name.replace('_', ' '):{width}}  {value}")
    return 0
