"""Rewriting ONNX graphs once, when a pack is installed: same numbers, half the time.

Needs the `onnx` package (tens of MB of memory), so only `prepared.py` imports it, and only while it prepares.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper


def prepare(source: Path, target: Path, *, steps: tuple[Callable[[ModelProto], None], ...]) -> None:
    """Apply the steps to the model at `source`, check the result, write it to `target`."""
    model = onnx.load(source)
    for step in steps:
        step(model)
    onnx.checker.check_model(model)
    onnx.save(model, target)


def embedder_steps() -> tuple[Callable[[ModelProto], None], ...]:
    """For SFace and ArcFace networks."""
    return (strip_initialiser_inputs, free_batch_axis, rewrite_prelu)


def detector_steps() -> tuple[Callable[[ModelProto], None], ...]:
    """For YuNet and SCRFD: any height and width that is a multiple of 32."""
    return (strip_initialiser_inputs, free_size)


def rewrite_prelu(model: ModelProto) -> None:
    """PRelu(z) -> a*z + (1-a)*Relu(z), which is the same function (differs by 2e-6).

    ONNX Runtime's PRelu kernel is slow and keeps its neighbours out of the blocked (NCHWc) layout; without it
    MobileFaceNet takes 0.70 and SFace 0.56 of the time.
    """
    slopes = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "PRelu" and node.input[1] in slopes:
            nodes += _without_prelu(model, node, numpy_helper.to_array(slopes[node.input[1]]))
        else:
            nodes.append(node)
    _replace_nodes(model, nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def _without_prelu(model: ModelProto, node: NodeProto, slope: np.ndarray) -> list[NodeProto]:
    z, out = node.input[0], node.output[0]
    negative, positive = f"{out}_slope", f"{out}_rest"
    slope = slope.astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(slope, negative))
    model.graph.initializer.append(numpy_helper.from_array(1 - slope, positive))
    return [
        helper.make_node("Relu", [z], [f"{out}_relu"]),
        helper.make_node("Mul", [z, negative], [f"{out}_linear"]),
        helper.make_node("Mul", [f"{out}_relu", positive], [f"{out}_rectified"]),
        helper.make_node("Add", [f"{out}_linear", f"{out}_rectified"], [out]),
    ]


def strip_initialiser_inputs(model: ModelProto) -> None:
    """Weights that are also listed as inputs could be overridden, so ONNX Runtime would not fold them."""
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    del model.graph.input[:]
    model.graph.input.extend(inputs)


def free_batch_axis(model: ModelProto) -> None:
    """Let the first axis of inputs and outputs be any number (SFace fixes it to 1)."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del model.graph.value_info[:]


def free_size(model: ModelProto) -> None:
    """Let height and width of the picture be any multiple of 32 (YuNet fixes them to 640); outputs follow."""
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[2].dim_param = "height"
        value.type.tensor_type.shape.dim[3].dim_param = "width"
    for value in model.graph.output:
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.dim_value > 10 or dimension.dim_param:  # 1, 4 and 10 are per anchor; the rest counts anchors
                dimension.dim_param = f"{value.name}_{axis}"
    del model.graph.value_info[:]


def _replace_nodes(model: ModelProto, nodes: list[NodeProto]) -> None:
    del model.graph.node[:]
    model.graph.node.extend(nodes)
