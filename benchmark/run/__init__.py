"""Runs: a plan, carried out image by image, that survives a kill and continues."""

from benchmark.run.execute import Outcome, Progress, execute, run_folder
from benchmark.run.plan import Entry, Plan, make_plan
from benchmark.run.results import results_table, scores_table, write_objects, write_table

__all__ = [
    "Entry",
    "Outcome",
    "Plan",
    "Progress",
    "execute",
    "make_plan",
    "results_table",
    "run_folder",
    "scores_table",
    "write_objects",
    "write_table",
]
