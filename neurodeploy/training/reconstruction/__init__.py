"""Parameter reconstruction: convex training of parallel (recurrent) threshold networks.

Ergen et al. 2023 (arXiv 2303.03382) and Udupi et al. 2026 (arXiv 2605.08022); what is theirs and
what is ours stands in `docs/reconstruction.md`.
"""

from neurodeploy.training.reconstruction.branches import Branches, Layer
from neurodeploy.training.reconstruction.estimator import ThresholdNetworkClassifier

__all__ = ["Branches", "Layer", "ThresholdNetworkClassifier"]
