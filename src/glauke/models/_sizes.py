"""What every network asks of its input and output."""

from glauke.errors import UsageError


def check_sizes(num_classes: int, in_channels: int) -> None:
    """`UsageError` unless there is a class and a channel."""
    if num_classes < 1 or in_channels < 1:
        raise UsageError(
            f"a network needs at least one class and one channel, not num_classes={num_classes} and "
            f"in_channels={in_channels}"
        )
