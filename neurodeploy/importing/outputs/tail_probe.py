"""A classifier's tail computed alone by ONNX Runtime, on scores made for the purpose."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
from onnx import helper

__all__ = ["Probe"]

#: Random scores tried besides those in which each class wins once.
_TRIES = 192


class Probe:
    """The tail alone, to be tried on scores."""

    def __init__(
        self,
        model: ir.Model,
        behind: list[ir.Node],
        maker: ir.Node | None,
        scores: ir.Value,
        exit_value: ir.Value,
        batch: int,
        size: int,
    ) -> None:
        self.batch, self.size = batch, size
        nodes = [ir.serde.serialize_node(node) for node in behind]
        if maker is not None:
            nodes.insert(0, self._plain(maker))
        constants = {}
        for node in behind:
            for value in node.inputs:
                if value is not None and value.const_value is not None:
                    tensor = ir.serde.serialize_tensor(value.const_value)
                    tensor.name = value.name or ""
                    constants[tensor.name] = tensor
        entry = "neurodeploy scores" if maker is not None else str(scores.name)
        graph = helper.make_graph(
            nodes,
            "tail",
            [helper.make_tensor_value_info(entry, onnx.TensorProto.FLOAT, (batch, size))],
            [onnx.ValueInfoProto(name=exit_value.name or "")],
            list(constants.values()),
        )
        versions = {
            "" if domain == "ai.onnx" else domain: version
            for domain, version in model.opset_imports.items()
        }
        opsets = [helper.make_opsetid(domain, version) for domain, version in versions.items()]
        self.entry = entry
        self.model = helper.make_model(graph, ir_version=10, opset_imports=opsets)

    def _plain(self, maker: ir.Node) -> onnx.NodeProto:
        """The classifier with scores as its features, each its own score."""
        node = ir.serde.serialize_node(maker)
        kept = [a for a in node.attribute if a.name not in ("coefficients", "intercepts")]
        del node.attribute[:], node.input[:]
        node.attribute.extend(kept)
        eye = np.eye(self.size, dtype=np.float32).ravel().tolist()
        node.attribute.append(helper.make_attribute("coefficients", eye))
        node.attribute.append(helper.make_attribute("intercepts", [0.0] * self.size))
        node.input.append("neurodeploy scores")
        return node

    def _scores(self) -> np.ndarray:
        """Float32 (n, size), n a multiple of the batch: each class wins, then random ones."""
        rng = np.random.default_rng(0)
        noise = rng.standard_normal((_TRIES, self.size)) * rng.choice([0.3, 1, 2.5], (_TRIES, 1))
        winners = rng.uniform(-1, 1, (self.size, self.size)) + 2 * np.eye(self.size)
        made = np.concatenate([noise, winners, *([-winners] if self.size == 1 else [])])
        made = np.concatenate([made, made[: -len(made) % self.batch]])
        return made.astype(np.float32)

    def classes(self, factor: float) -> tuple[int | str, ...] | None:
        """Labels by score; empty if there are none; None if the tail does something else."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        made = np.float32(factor) * self._scores()
        try:
            session = ort.InferenceSession(
                self.model.SerializeToString(), options, ["CPUExecutionProvider"]
            )
            results = []
            for start in range(0, len(made), self.batch):
                (found,) = session.run(None, {self.entry: made[start : start + self.batch]})
                results.append(np.asarray(found).reshape(self.batch, -1))
            answers = np.concatenate(results)
        except Exception:  # not a tail that can be run: its nodes are judged one by one
            return None
        best = made.argmax(1) if self.size > 1 else (made[:, 0] > 0).astype(int)
        if answers.shape[1] == 1 and answers.dtype.kind != "f":
            return _labels(answers[:, 0], best, max(self.size, 2))
        return () if _same_order(answers, made, best) else None


def _labels(answers: np.ndarray, best: np.ndarray, count: int) -> tuple[int | str, ...] | None:
    """The label that goes with each score, if one does."""
    table: dict[int, int | str] = {}
    for index, answer in zip(best.tolist(), answers.tolist(), strict=True):
        label = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        if table.setdefault(index, label) != label:
            return None
    if len(table) != count or len(set(table.values())) != count:
        return None
    return tuple(table[index] for index in range(count))


def _same_order(answers: np.ndarray, made: np.ndarray, best: np.ndarray) -> bool:
    """Whether the largest probability is that of the largest score."""
    if answers.dtype.kind != "f" or not np.isfinite(answers).all():
        return False
    if answers.shape[1] == 1:  # the only probability rises with the only score, half at zero
        order = np.argsort(made[:, 0])
        rises = bool((np.diff(answers[order, 0]) >= 0).all())
        return made.shape[1] == 1 and rises and bool(((answers[:, 0] > 0.5) == best).all())
    return answers.shape[1] == max(made.shape[1], 2) and bool((answers.argmax(1) == best).all())
