"""Activations of a few levels as exporters write them: one ReLU with levels, the same values."""

import numpy as np
import onnxruntime as ort
import pytest

from neurodeploy.importing import check, load_network
from neurodeploy.network import Activation
from neurodeploy.network.evaluate import Evaluator

LAMBDA, LEVELS, CHANNELS = 1.7, 4, 3
STEP = LAMBDA / LEVELS
WIDE = np.array([0.6, 1.1, 2.3], np.float32).reshape(CHANNELS, 1, 1)
NUMBERS = {
    "zero": 0.0,
    "half": 0.5,
    "one": 1.0,
    "two": 2.0,
    "four": float(LEVELS),
    "lam": LAMBDA,
    "step": STEP,
    "minus": -STEP,
    "low": -2.0,
    "seven": 7.0,
    "five": 5.0,
    "inverse": 1 / STEP,
    "nearly": 3.3,
}
#: What comes before the rounding, and behind it, from ``h`` to ``q``.
FORMS = {
    "straight-through": """
        Div h lam d; Clip d zero one c; Mul c four m; Add m half a; Floor a f; Div f four e;
        Sub e c s; Add c s t; Mul lam t q""",
    "straight-through, turned": """
        Div h lam d; Clip d zero one c; Mul c four m; Add m half a; Floor a f; Div f four e;
        Sub e c s; Add s c t; Mul t lam q""",
    "straight-through, twice negated": """
        Div h lam d; Clip d zero one c; Mul c four m; Round m f; Div f four e;
        Sub c e s; Sub c s t; Mul t lam q""",
    "two clips": """
        Div h lam d; Clip d zero one c; Clip d zero one g; Mul c four m; Round m f; Div f four e;
        Sub e g s; Add s c t; Mul t lam q""",
    "clip behind": """
        Mul h four m; Div m lam d; Add d half a; Floor a f; Div f four e; Clip e zero one c;
        Mul c lam q""",
    "round": "Clip h zero lam c; Div c step d; Round d f; Mul f step q",
    "relu and min": "Relu h r; Min r lam m; Mul m inverse d; Round d f; Mul f step q",
    "max and min": "Min lam h m; Max m zero r; Div r step d; Add half d a; Floor a f; Mul f step q",
    "one a channel": """
        Div h wide d; Clip d zero one c; Mul c four m; Add m half a; Floor a f; Div f four e;
        Sub e c s; Add c s t; Mul wide t q""",
    "one a channel, as limits": "Max h zero r; Min r wide c; Div c fine d; Round d f; Mul f fine q",
    "without a shift": "Clip h zero lam c; Div c step d; Floor d f; Mul f step q",
    "up": "Clip h zero lam c; Div c step d; Sub d half e; Ceil e f; Mul f step q",
    "falling": "Clip h zero lam c; Div c minus d; Round d f; Mul f step q",
    "with a zero point": "Div h step d; Round d f; Add f two g; Clip g zero seven c; Sub c two e; "
    "Mul e step q",
    "cast": "Clip h zero lam c; Mul c inverse m; Add m half a; Cast a i; Cast i f; Mul f step q",
}  # fmt: skip
#: Steps without an end, between the ends, or not the same for all channels.
REFUSED = {
    "no clip": "Div h step d; Round d f; Mul f step q",
    "no upper end": "Relu h r; Div r step d; Round d f; Mul f step q",
    "clip between two steps": "Div h step d; Round d f; Clip f zero nearly c; Mul c step q",
    "levels by channel": "Max h zero r; Min r wide c; Div c step d; Round d f; Mul f step q",
}


def nodes(text):
    found = []
    for line in text.split(";"):
        kind, *words = line.split()
        attributes = {"to": 7 if words[-1] == "i" else 1} if kind == "Cast" else {}
        found.append((kind, " ".join(words[:-1]), words[-1], attributes))
    return found


def built(model, text, reader="q", seed=0, opset=17):
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    used = set(text.replace(";", " ").split())
    constants = {k: np.float32(v) for k, v in NUMBERS.items() if k in used}
    constants |= {k: v for k, v in (("wide", WIDE), ("fine", WIDE / 4)) if k in used}
    body = [("Conv", "x w b", "h"), *nodes(text), ("Conv", f"{reader} v", "y")]
    weights = {"w": normal(CHANNELS, 2, 3, 3) / 2, "b": normal(CHANNELS), "v": normal(2, 3, 2, 2)}
    return model(body, (2, 7, 7), opset=opset, **constants, **weights)


def outputs(made, x):
    session = ort.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def staircases(imported):
    return [n for n in imported.network if isinstance(n, Activation) and n.levels is not None]


@pytest.mark.parametrize("form", list(FORMS))
def test_same_values(model, save, form):
    made = built(model, FORMS[form])
    imported = load_network(save(made))
    x = np.random.default_rng(1).standard_normal((8, 2, 7, 7)).astype(np.float32)
    expected = outputs(made, x)
    np.testing.assert_allclose(Evaluator(imported.network).run(x)["output"], expected, atol=2e-5)
    assert np.abs(expected).std() > 0.1
    (stairs,) = staircases(imported)
    assert stairs.levels == (7 if form == "with a zero point" else LEVELS)
    assert sum(isinstance(n, Activation) for n in imported.network) == 1
    verdicts = {f.op_type: f for f in check(save(made)).findings}
    assert not {f.verdict for f in verdicts.values()} - {"converts", "folds"}
    if form in ("straight-through", "round", "relu and min", "clip behind"):
        assert stairs.maximum == np.float32(LAMBDA)  # the clip's own
        assert len(imported.network) == 5  # nothing but the layers and the activation


@pytest.mark.parametrize("text", list(REFUSED.values()), ids=list(REFUSED))
def test_no_staircase(model, save, text):
    report = check(save(built(model, text)))
    assert [f.op_type for f in report.refused] == ["Round"]


def test_clip_by_attributes_and_what_else_reads_the_base(model, save):
    text = "Div h lam d; Mul d four m; Round m f; Div f four e; Mul e lam g"
    body = built(model, text, "q", opset=9)
    del body.graph.node[:]
    made = model(
        [
            ("Conv", "x w b", "h"),
            ("Clip", "h", "c", {"min": 0.0, "max": LAMBDA}),
            ("Div", "c step", "d"),
            ("Add", "d half", "a"),
            ("Floor", "a", "f"),
            ("Mul", "f step", "q"),
            ("Relu", "h", "r"),
            ("Add", "q r", "s"),
            ("Conv", "s v", "y"),
        ],
        (2, 7, 7),
        opset=9,
        step=np.float32(STEP),
        half=np.float32(0.5),
        **{t.name: np.frombuffer(t.raw_data, np.float32).reshape(tuple(t.dims))
           for t in body.graph.initializer if t.name in "wbv"},
    )  # fmt: skip
    imported = load_network(save(made))
    x = np.random.default_rng(1).standard_normal((8, 2, 7, 7)).astype(np.float32)
    found = Evaluator(imported.network).run(x)["output"]
    np.testing.assert_allclose(found, outputs(made, x), atol=2e-5)
    assert len(staircases(imported)) == 1
    assert sum(isinstance(n, Activation) for n in imported.network) == 2


def test_a_staircase_of_a_staircase(model, save):
    text = (
        "Clip h zero lam c; Div c step d; Round d f; Mul f step q; "
        "Clip q zero lam k; Div k step l; Round l n; Mul n step o"
    )
    made = built(model, text, "o")
    imported = load_network(save(made))
    x = np.random.default_rng(1).standard_normal((4, 2, 7, 7)).astype(np.float32)
    found = Evaluator(imported.network).run(x)["output"]
    np.testing.assert_allclose(found, outputs(made, x), atol=2e-5)
