"""The error ledger: which layer loses what between the ANN and its spiking program, and why."""

from neurodeploy.ledger.explaining import explain
from neurodeploy.ledger.report import Attempt, Blame, Explanation, Row, Summary
from neurodeploy.ledger.trial import Trial

__all__ = ["Attempt", "Blame", "Explanation", "Row", "Summary", "Trial", "explain"]
