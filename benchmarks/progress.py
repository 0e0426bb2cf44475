"""What showing progress costs: the events of a run and the bar, against the time of a step.

    python benchmarks/progress.py [--step-seconds 0.7]

A training step of the `quick` recipe takes `--step-seconds` (see benchmarks/step.py). The script sends the same events
as a run does, at that pace, to a bar on a pretended terminal, and prints the share of the time that went into it.
"""

import argparse
import io
import time

from glauke.cli._progress import ProgressView
from glauke.cli._screen import Screen
from glauke.training import Plan, Stepped


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step-seconds", type=float, default=0.7)
    parser.add_argument("--steps", type=int, default=30)
    arguments = parser.parse_args()
    plan = Plan(epochs=1, batch_sizes=(128,), steps=(arguments.steps,), peak_step=1.0, sizes=(64,), eval_size=64)
    spent = 0.0
    with Screen(Terminal()) as screen:
        view = ProgressView(screen)
        for step in range(1, arguments.steps + 1):
            time.sleep(arguments.step_seconds)
            start = time.perf_counter()
            view(Stepped(step=step, plan=plan, lr=0.1, loss=2.0, accuracy=lambda: 0.5, pictures=128, seconds_left=9.0))
            spent += time.perf_counter() - start
    share = spent / (arguments.steps * arguments.step_seconds)
    print(f"{spent / arguments.steps * 1000:.2f} ms a step, {share:.2%} of a step of {arguments.step_seconds} s")


if __name__ == "__main__":
    main()
