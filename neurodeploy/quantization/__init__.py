"""Floats to integers within the target's limits; every scale explicit."""

from neurodeploy.quantization.layer import Arrival, LayerPlan, QuantizedLayer, quantize_layer

__all__ = ["Arrival", "LayerPlan", "QuantizedLayer", "quantize_layer"]
