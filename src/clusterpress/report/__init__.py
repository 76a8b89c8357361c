"""One HTML file that tells what was measured: plots, tables, claims, and every run's origin."""

from clusterpress.report.page import write_report

__all__ = ["write_report"]
