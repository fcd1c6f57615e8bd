"""Carry out a plan: predict, store, score, record; image by image, algorithm by algorithm.

Nothing an algorithm does stops a run. A failed image is a record with its reason; it is tried
again when the same command runs again, and until then counts as no detection. Algorithms run one
after another, so that their times can be compared.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from filelock import FileLock, Timeout

from adapters.environments import ensure
from adapters.errors import (
    AdapterError,
    BenchError,
    BuildError,
    WeightsUnavailableError,
    WorkerCrashedError,
    WorkerError,
    WorkerMemoryError,
    WorkerTimeoutError,
)
from adapters.worker import Limits, Prediction, Worker
from benchmark.errors import RunError
from benchmark.files import clear_attempts, is_attempt, write_bytes
from benchmark.run.journal import Journal, Record
from benchmark.run.predictions import digest, read_prediction, write_prediction
from benchmark.scoring import SCORER_VERSION, Score, score

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmark.run.plan import Entry, Plan

# After so many deaths in a row the rest of the images is not tried: an algorithm that hangs on
# every image of a large set would otherwise take its deadline times the number of images. The row
# is that of the plan, so a run that was interrupted gives up where an uninterrupted one does.
DEATHS_IN_A_ROW = 5


class Progress(Protocol):
    """What a run tells while it works."""

    def start(self, name: str, total: int, done: int) -> None:
        """Begin an algorithm, so many of whose samples were finished earlier."""

    def say(self, text: str) -> None:
        """Tell something worth a line."""

    def advance(self) -> None:
        """Count one more sample as finished."""


_DEATHS = (WorkerCrashedError, WorkerTimeoutError, WorkerMemoryError)


@dataclass(frozen=True)
class Outcome:
    """What became of one entry.

    Parameters
    ----------
    entry
        Algorithm, model and parameters.
    records
        One a sample, in the plan's order, without the tables of objects.
    journal
        Where the tables are, of the samples that were finished.
    """

    entry: Entry
    records: tuple[Record, ...]
    journal: Journal


@contextmanager
def run_folder(plan: Plan, out: Path) -> Iterator[None]:
    """Hold a folder for one run: nobody else writes there, and `run.json` says what it is.

    Raises
    ------
    RunError
        If the folder holds a run of other data or anything else, or another run is writing there.
    """
    _refuse_foreign(out)
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            "another run is writing here", where=out, mend="wait for it, or choose another --out"
        ) from None
    with lock:
        _claim(plan, out)
        clear_attempts(out)
        yield


def execute(plan: Plan, out: Path, *, limits: Limits, progress: Progress) -> list[Outcome]:
    """Run every entry of a plan, continuing what is there.

    Parameters
    ----------
    plan
        What to do.
    out
        The run folder, held by `run_folder`.
    limits
        Deadline and memory of each segmentation.
    progress
        Told what happens.

    Returns
    -------
    list of Outcome
        One an entry, in the plan's order.

    Raises
    ------
    RunError
        If the disk is full.
    DatasetError
        If a sample of the data set cannot be read.
    """
    return [_run_entry(plan, entry, out, limits, progress) for entry in plan.entries]


def _refuse_foreign(out: Path) -> None:
    """Refuse a folder whose files a run would overwrite, or be mixed with."""
    if not out.exists():
        return
    if not out.is_dir():
        raise RunError("there is a file at this place", where=out, mend="choose another --out")
    others = {path.name for path in out.iterdir() if not is_attempt(path)} - {".lock"}
    if others and "run.json" not in others:
        raise RunError(
            "the folder holds something else than a run", where=out, mend="choose another --out"
        )


def _claim(plan: Plan, out: Path) -> None:
    """Write `run.json`, unless the folder belongs to another data set or split."""
    path = out / "run.json"
    described = plan.describe()
    if path.exists():
        try:
            earlier = dict(json.loads(path.read_text(encoding="utf-8"))["dataset"])
        except (ValueError, KeyError, TypeError):
            raise RunError(
                "the file that says what this run is cannot be read",
                where=path,
                mend="choose another --out, or remove the folder",
            ) from None
        for name in ("digest", "split", "target"):
            if earlier.get(name) != described["dataset"][name]:
                raise RunError(
                    f"the folder holds a run with another {name}: {earlier.get(name)}",
                    where=out,
                    mend="choose another --out",
                )
    text = json.dumps({**described, "scorer": SCORER_VERSION}, indent=2, sort_keys=True)
    write_bytes(path, text.encode() + b"\n")


def _run_entry(plan: Plan, entry: Entry, out: Path, limits: Limits, progress: Progress) -> Outcome:
    with Journal(out / "journal" / f"{entry.key}.jsonl") as journal:
        return _EntryRun(plan, entry, out, limits, progress, journal).run()


@dataclass(frozen=True)
class _EntryRun:
    """One algorithm at work in a run folder."""

    plan: Plan
    entry: Entry
    out: Path
    limits: Limits
    progress: Progress
    journal: Journal

    def run(self) -> Outcome:
        self._rescore()
        samples = self.plan.samples
        finished = {sample for sample in samples if self._finished(sample)}
        self.progress.start(self.entry.name, len(samples), len(finished))
        failures = self._predict(finished) if len(finished) < len(samples) else {}
        records = tuple(failures.get(s) or self.journal.records[s] for s in samples)
        return Outcome(self.entry, records, self.journal)

    def _finished(self, sample: str) -> bool:
        record = self.journal.records.get(sample)
        if record is None:
            return False
        try:
            return bool(digest(read_prediction(self._path(sample))) == record["digest"])
        except Exception:  # noqa: BLE001 - whatever is wrong with the file, it is to be made again
            return False

    def _path(self, sample: str) -> Path:
        return self.out / "predictions" / self.entry.key / f"{sample}.tif"

    def _rescore(self) -> None:
        """Score again what an older scorer scored; its predictions stay."""
        for sample in self.plan.samples:
            record = self.journal.records.get(sample)
            if record and record["scorer"] != SCORER_VERSION and self._finished(sample):
                labels = read_prediction(self._path(sample))
                self.journal.append({**record, **self._scored(sample, labels)})

    def _predict(self, finished: set[str]) -> dict[str, Record]:
        """Segment what is not finished; return the records of the samples that failed.

        Failures are not journalled: what failed is tried again by the next run.
        """
        todo = [sample for sample in self.plan.samples if sample not in finished]
        targets = self.entry.adapter.targets
        if self.plan.target not in targets:
            reason = f"segments {', '.join(targets)}, not {self.plan.target}"
            return self._failures(todo, "skipped", reason)
        if self.entry.problem:
            return self._failures(todo, "failed", self.entry.problem)
        with ExitStack() as stack:
            try:
                try:
                    worker = self._started(stack)
                except WorkerCrashedError:  # once more: it may be nobody's fault here
                    worker = self._started(stack)
            except WeightsUnavailableError as error:
                return self._failures(todo, "skipped", str(error))
            except (BuildError, WorkerError) as error:
                return self._failures(todo, _status(error), self._reason(error))
            return self._segment_all(worker, finished)

    def _started(self, stack: ExitStack) -> Worker:
        worker = Worker(
            self.entry.adapter,
            self.entry.model,
            ensure(self.entry.adapter, progress=self.progress.say),
            parameters=self.entry.parameters,
            device=self.plan.device,
            limits=self.limits,
            log=self.out / self._log,
            identity=self.entry.identity,
        )
        stack.enter_context(worker)
        worker.start()
        return worker

    @property
    def _log(self) -> str:
        return f"logs/{self.entry.adapter.name}-{self.entry.key}.log"

    def _reason(self, error: BenchError) -> str:
        """Say what went wrong; where a worker did, in words that are the same in any folder."""
        return f"{error.what}; see {self._log}" if isinstance(error, WorkerError) else str(error)

    def _segment_all(self, worker: Worker, finished: set[str]) -> dict[str, Record]:
        failures: dict[str, Record] = {}
        deaths = 0
        for position, sample in enumerate(self.plan.samples):
            if sample in finished:
                deaths = 0
                continue
            if deaths == DEATHS_IN_A_ROW:
                rest = [s for s in self.plan.samples[position:] if s not in finished]
                reason = f"not tried: the worker died {deaths} times in a row"
                self.progress.say(f"{self.entry.name}: {len(rest)} samples {reason}")
                return failures | self._failures(rest, "skipped", reason)
            try:
                prediction = self._segment(worker, sample)
            except (WorkerError, AdapterError) as error:
                deaths = deaths + 1 if isinstance(error, _DEATHS) else 0
                failures |= self._failures([sample], _status(error), self._reason(error))
                self.progress.say(f"{self.entry.name} {sample}: {error.what}")
            else:
                deaths = 0
                self._keep(sample, prediction)
            self.progress.advance()
        return failures

    def _segment(self, worker: Worker, sample: str) -> Prediction:
        """Segment a sample; once more if the worker died, which may be nobody's fault here."""
        dataset = self.plan.dataset
        image = (
            dataset.read_labels(sample, self.plan.target)[np.newaxis]
            if self.entry.adapter.needs_truth
            else dataset.read_image(sample)
        )
        try:
            return worker.segment(image)
        except WorkerCrashedError:
            return worker.segment(image)

    def _keep(self, sample: str, prediction: Prediction) -> None:
        """Store the labels, and only then the record that says so."""
        written = write_prediction(self._path(sample), prediction.labels)
        self.journal.append(
            {
                "sample": sample,
                "status": "ok",
                "message": None,
                "seconds": prediction.seconds,
                "start_seconds": prediction.start_seconds,
                "peak_mb": prediction.peak_mb,
                "digest": written,
                **self._scored(sample, prediction.labels),
            }
        )

    def _failures(self, samples: list[str], status: str, reason: str) -> dict[str, Record]:
        """Return records of failed images: scored as empty predictions, and saying so."""
        return {
            sample: {
                "sample": sample,
                "status": status,
                "message": reason,
                "seconds": None,
                "start_seconds": None,
                "peak_mb": None,
                "digest": None,
                "scorer": SCORER_VERSION,
                "score": score_of(self.plan, sample, None).to_dict(objects=False),
            }
            for sample in samples
        }

    def _scored(self, sample: str, labels: NDArray[np.unsignedinteger]) -> Record:
        scores = score_of(self.plan, sample, labels).to_dict()
        return {"scorer": SCORER_VERSION, "score": scores}


def score_of(plan: Plan, sample: str, labels: NDArray[np.unsignedinteger] | None) -> Score:
    """Score labels against a sample's truth, None as an image in which nothing was found.

    Distances are in micrometres where the data set says how large a pixel is, else in pixels.
    """
    truth = plan.dataset.read_labels(sample, plan.target)
    found = np.zeros_like(truth) if labels is None else labels
    return score(truth, found, spacing=plan.dataset.manifest.pixel_size_um)


def _status(error: Exception) -> str:
    return "timeout" if isinstance(error, WorkerTimeoutError) else "failed"
