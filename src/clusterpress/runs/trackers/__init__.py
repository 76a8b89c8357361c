"""Who is told of a run besides its record: CSV files, TensorBoard, Weights & Biases, or others."""

from clusterpress.runs.trackers.base import Session, TrackedRun, Tracker, Training
from clusterpress.runs.trackers.csv_files import CsvTracker
from clusterpress.runs.trackers.tensorboard_files import TensorBoardTracker
from clusterpress.runs.trackers.wandb_runs import WandbTracker

__all__ = [
    "CsvTracker",
    "Session",
    "TensorBoardTracker",
    "TrackedRun",
    "Tracker",
    "Training",
    "WandbTracker",
]
