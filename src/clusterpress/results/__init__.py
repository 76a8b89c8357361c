"""Records -> statistics -> claims compared -> tables and figures. Never looks at a network."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clusterpress.results.claim_files import load_claims as load_claims
    from clusterpress.results.claim_files import load_papers as load_papers
    from clusterpress.results.claims import Claim as Claim
    from clusterpress.results.claims import Paper as Paper
    from clusterpress.results.compare import comparison as comparison
    from clusterpress.results.names import Names as Names
    from clusterpress.results.readme import update_readme as update_readme
    from clusterpress.results.records import DamagedRecordWarning as DamagedRecordWarning
    from clusterpress.results.records import read_records as read_records
    from clusterpress.results.statistics import Summary as Summary
    from clusterpress.results.statistics import summarize as summarize
    from clusterpress.results.terminal import console as console
    from clusterpress.results.tidy import PROVENANCE as PROVENANCE
    from clusterpress.results.tidy import read_csv as read_csv
    from clusterpress.results.tidy import together as together
    from clusterpress.results.tidy import write_csv as write_csv
    from clusterpress.results.write import stale as stale
    from clusterpress.results.write import write_results as write_results

# Loaded when it is first asked for: to compare records needs no matplotlib, which takes a second.
_MODULES = {
    "claim_files": ("load_claims", "load_papers"),
    "claims": ("Claim", "Paper"),
    "compare": ("comparison",),
    "names": ("Names",),
    "readme": ("update_readme",),
    "records": ("DamagedRecordWarning", "read_records"),
    "statistics": ("Summary", "summarize"),
    "terminal": ("console",),
    "tidy": ("PROVENANCE", "read_csv", "together", "write_csv"),
    "write": ("stale", "write_results"),
}
_LAZY = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


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
    "together",
    "update_readme",
    "write_csv",
    "write_results",
]
