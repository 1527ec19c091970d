"""Orders beside their control on MNIST: one seed of the table in docs/fostdgd.md, constant current.

The table has three seeds and Poisson input: tools/compare_fractional_orders.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from neurodeploy.training.fostdgd.fitting import Settings, fit  # noqa: E402
from neurodeploy.training.fostdgd.inputs import read_training_samples  # noqa: E402
from neurodeploy.training.fractional_sgd import equivalent_factor  # noqa: E402

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.mark.skipif(not (DATA / "mnist_test.npz").exists(), reason="MNIST is not here")
def test_an_order_is_what_its_control_is():
    """10,000 images, 3 epochs; accuracy on 2,000 that the network never saw."""
    train, test = (
        read_training_samples(DATA / name, (784,), 10, "current", 20)
        for name in ("mnist_test.npz", "mnist_train_first2000.npz")
    )
    assert not {image.tobytes() for image in train.x} & {image.tobytes() for image in test.x}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def reached(order, lr):
        settings = Settings(
            "784-100-10", order, lr, schedule="constant", epochs=3, batch=50, seed=0
        )
        return fit(settings, train, test, evaluate="last").accuracies[-1]

    try:
        plain, fractional = reached(1.0, 1e-4), reached(1.9, 1e-4)
        control = reached(1.0, 1e-4 * equivalent_factor(1.9))
        tuned = reached(1.9, 2e-3)
    finally:
        torch.set_num_threads(threads)
    assert plain <= 50
    assert fractional >= 85
    assert abs(fractional - control) <= 1.5
    assert tuned >= 91
