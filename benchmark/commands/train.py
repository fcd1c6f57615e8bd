"""`bench train`: from a data set to weights that `bench run` can use."""

from __future__ import annotations

import json as json_module
import shlex
import sys
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Self

from cyclopts import App, Parameter

from adapters import console
from benchmark.dataset import open_any
from benchmark.errors import RunError
from benchmark.training import Training
from benchmark.training import train as run_training

if TYPE_CHECKING:
    from rich.progress import TaskID

app = App(name="train", help="Train a segmenter, or the networks that make masks and textures.")
app.command(
    "generators.commands.train_masks:train_masks",
    name="masks",
    help="Train StyleGAN networks on masks.",
)
app.command(
    "generators.commands.train_textures:train_textures",
    name="textures",
    help="Train Pix2PixHD: pictures from label maps or pictures.",
)
app.command(
    "generators.commands.train_painter:train_painter",
    name="painter",
    help="Train a network that paints scenes like real images.",
)
app.command(
    "generators.commands.train_spots:train_spots",
    name="spots",
    help="Train a network that paints spots like real ones.",
)
app.command(
    "generators.commands.train_outlines:outlines",
    name="outlines",
    help="Fit the distribution of outlines to labelled images.",
)


@app.default
def train(
    algorithm: str,
    *,
    data: str,
    out: Path,
    split: str = "train",
    val_split: str = "val",
    target: str | None = None,
    epochs: int | None = None,
    settings: Annotated[tuple[str, ...], Parameter(name="--set", negative="")] = (),
    device: str = "cpu",
    threads: int | None = None,
    json: bool = False,
) -> None:
    """Train a segmenter through its own training interface.

    The same command continues a training that was interrupted. The result is used as
    `bench run --algorithms ALGORITHM:OUT`.

    Parameters
    ----------
    algorithm
        An algorithm that can be trained: `cellpose`, `u2net`, or a folder of your own.
    data
        A data set folder, any folder of images with labels, or `builtin`.
    out
        A new folder for the weights and their record.
    split
        The split to learn from.
    val_split
        The split to measure progress and result on.
    target
        What to segment; by default the data set's first target.
    epochs
        How long to train; by default what the algorithm's `train.py` says.
    settings
        Further options of its `train.py`, `--set learning_rate=0.001`; may be repeated.
    device
        Where the network runs: cpu, cuda, mps.
    threads
        Processor threads; by default one per processor.
    json
        Print the record as JSON instead of a summary.
    """
    options = dict(setting(text) for text in settings)
    if epochs is not None:
        options["epochs"] = epochs
    training = Training(algorithm, split, val_split, target, options, device, threads)
    with _Display() as display:
        record = run_training(
            training,
            open_any(data),
            out,
            command=shlex.join(["bench", *sys.argv[1:]]),
            tell=display.say,
            on_message=display.message,
        )
    if json:
        console.print_json(record)
        return
    validation = record["validation"]
    console.out.print(f"weights: {out / 'model.safetensors'}")
    console.out.print(
        f"AP50 {_figure(validation['ap50'])}, mean AP {_figure(validation['mean_ap'])} "
        f"on {validation['n']} images of split {validation['split']!r}"
    )
    console.out.print(f"use it:  bench run --algorithms {algorithm}:{out}")


def setting(text: str) -> tuple[str, Any]:
    """Read `key=value`; the value is a number, a truth value or else text."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise RunError(
            f"--set takes key=value, not {text!r}", mend="for example --set learning_rate=0.001"
        )
    try:
        return key, json_module.loads(value)
    except ValueError:
        return key, value


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


class _Display:
    """Progress on stderr: a bar on a terminal, a line per measured epoch elsewhere."""

    def __enter__(self) -> Self:
        self._bars = console.progress()
        self._bars.start()
        self._task: TaskID | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        console.err.print(text)

    def message(self, message: dict[str, Any]) -> None:
        """Show what the adapter reports: numbers by name."""
        epoch, epochs = message.get("epoch", 0), message.get("epochs")
        if self._task is None:
            self._task = self._bars.add_task("epochs", total=epochs)
        self._bars.update(self._task, completed=epoch)
        figures = {k: v for k, v in message.items() if k not in {"epoch", "epochs"}}
        if "val_loss" in figures or (figures and not console.err.is_terminal):
            shown = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
            console.err.print(f"epoch {epoch} of {epochs}: {shown}")
