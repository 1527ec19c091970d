"""The error ledger: which layer loses what between the ANN and its spiking program, and why."""

from neurodeploy.ledger.explaining import explain
from neurodeploy.ledger.report import Blame, Explanation, Row, Summary
from neurodeploy.ledger.trial import Trial

__all__ = ["Blame", "Explanation", "Row", "Summary", "Trial", "explain"]
