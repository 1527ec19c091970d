"""One page that tells all about a program: `neurodeploy report`."""

from neurodeploy.reporting.page.making import Report, report

__all__ = ["Report", "report"]
