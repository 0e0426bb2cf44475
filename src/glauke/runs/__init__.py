"""The run folder: what a run was, how it went, and the plain files that say so. Never imports torch."""

from ._folder import list_runs as list_runs
from ._folder import new_run_folder as new_run_folder
from ._metrics import EpochRow as EpochRow
from ._metrics import read_metrics as read_metrics
from ._metrics import write_metrics as write_metrics
from ._range_curve import RangeCurve as RangeCurve
from ._range_curve import RateSuggestion as RateSuggestion
from ._record import DataFacts as DataFacts
from ._record import Hardware as Hardware
from ._record import RunRecord as RunRecord
from ._record import Score as Score
from ._record import SplitFacts as SplitFacts
from ._record import as_dict as as_dict
from ._record import read as read
from ._record import write as write
from ._toml import to_toml as to_toml
