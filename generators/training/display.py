"""How far a training is, on stderr: a bar on a terminal, a line a tick elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from adapters import console

if TYPE_CHECKING:
    from rich.progress import TaskID

    from generators.training.statistics import History, Line


class Display:
    """Shows a training while it goes; a context manager.

    Parameters
    ----------
    what
        What stands before the bar.
    quiet
        Whether nothing is shown.
    """

    def __init__(self, what: str, *, quiet: bool = False) -> None:
        self._what, self._quiet = what, quiet
        self._bars = console.progress()
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if not self._quiet:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._quiet:
            self._bars.stop()

    def step(self, done: int, total: int) -> None:
        """Show how many pictures of all are done."""
        if self._task is None:
            self._task = self._bars.add_task(self._what, total=total, completed=done)
        self._bars.update(self._task, completed=done)

    def tick(self, history: History) -> None:
        """Print the last line of the statistics."""
        console.err.print(told(history.lines[-1]), soft_wrap=True)


def told(line: Line) -> str:
    """Return a line of statistics as text.

    Examples
    --------
    >>> timing = {"seconds": 60.0, "pictures_per_second": 33.4, "seconds_left": 4000.0}
    >>> told({"tick": 1, "pictures": 2000, "figures": {"real": 0.5}, "timing": timing})
    'tick 1, 2 kimg, 33.4 pictures/s, 1:06:40 left: real 0.5'
    """
    timing, metrics = line["timing"], line.get("metrics", {})
    figures = ", ".join(
        f"{name} {value:.4g}" for name, value in (line["figures"] | metrics).items()
    )
    return (
        f"tick {line['tick']}, {line['pictures'] / 1000:g} kimg,"
        f" {timing['pictures_per_second']:.3g} pictures/s,"
        f" {duration(timing['seconds_left'])} left: {figures}"
    )


def duration(seconds: float) -> str:
    """Return a time as hours, minutes and seconds.

    Examples
    --------
    >>> duration(59.6), duration(3661)
    ('0:01:00', '1:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
