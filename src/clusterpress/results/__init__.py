"""Records -> statistics -> claims compared -> tables and figures. Never looks at a network."""

from clusterpress.results.claim_files import load_claims, load_papers
from clusterpress.results.claims import Claim, Paper
from clusterpress.results.compare import comparison
from clusterpress.results.console import console
from clusterpress.results.names import Names
from clusterpress.results.readme import update_readme
from clusterpress.results.records import DamagedRecordWarning, read_records
from clusterpress.results.statistics import Summary, summarize
from clusterpress.results.tidy import PROVENANCE, read_csv, write_csv
from clusterpress.results.write import stale, write_results

__all__ = [
    "PROVENANCE",
    "Claim",
    "DamagedRecordWarning",
    "Names",
    "Paper",
    "Summary",
    "comparison",
    "console",
    "load_claims",
    "load_papers",
    "read_csv",
    "read_records",
    "stale",
    "summarize",
    "update_readme",
    "write_csv",
    "write_results",
]
