"""Rewritten graphs compute the same numbers, and prepared files repair themselves."""

from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from plugin.domain import Float32Array
from plugin.vision import graph, prepared, tflite
from plugin.vision.prepared import Role


def small_network() -> onnx.ModelProto:
    """Conv and PRelu with a fixed batch of one, its weights listed as inputs, as SFace's file has it."""
    random = np.random.default_rng(1)
    kernel = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    slope = random.normal(size=(4, 1, 1)).astype(np.float32)
    fixed = helper.make_tensor_value_info
    inputs = [
        fixed("data", TensorProto.FLOAT, [1, 3, 64, 64]),
        fixed("kernel", TensorProto.FLOAT, [4, 3, 3, 3]),
        fixed("slope", TensorProto.FLOAT, [4, 1, 1]),
    ]
    nodes = [
        helper.make_node("Conv", ["data", "kernel"], ["z"], kernel_shape=[3, 3]),
        helper.make_node("PRelu", ["z", "slope"], ["y"]),
    ]
    weights = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(slope, "slope")]
    network = helper.make_graph(nodes, "small", inputs, [fixed("y", TensorProto.FLOAT, [1, 4, 62, 62])], weights)
    return helper.make_model(network, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)


def run(path: Path, batch: Float32Array) -> Float32Array:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"data": batch})[0])


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    onnx.save(small_network(), path)
    return path


def test_a_prepared_embedder_computes_the_same_without_prelu(original: Path, tmp_path: Path) -> None:
    picture = np.random.default_rng(2).normal(size=(1, 3, 64, 64)).astype(np.float32)
    target = tmp_path / "prepared.onnx"
    graph.prepare(original, target, steps=graph.embedder_steps())
    assert run(target, picture) == pytest.approx(run(original, picture), abs=1e-5)
    assert "PRelu" not in {node.op_type for node in onnx.load(target).graph.node}


def test_a_prepared_embedder_takes_any_number_of_crops(original: Path, tmp_path: Path) -> None:
    crops = np.random.default_rng(2).normal(size=(3, 3, 64, 64)).astype(np.float32)
    target = tmp_path / "prepared.onnx"
    graph.prepare(original, target, steps=graph.embedder_steps())
    one_by_one = np.concatenate([run(original, crop[None]) for crop in crops])
    assert run(target, crops) == pytest.approx(one_by_one, abs=1e-5)


def test_a_prepared_detector_takes_any_size(original: Path, tmp_path: Path) -> None:
    target = tmp_path / "prepared.onnx"
    graph.prepare(original, target, steps=graph.detector_steps())
    assert run(target, np.zeros((1, 3, 96, 32), np.float32)).shape == (1, 4, 94, 30)
    assert [value.name for value in onnx.load(target).graph.input] == ["data"]


def test_a_prepared_file_knows_when_it_is_missing_or_damaged_and_is_made_again(original: Path) -> None:
    assert not prepared.is_prepared(original)
    path = prepared.prepare(original, Role.EMBEDDER)
    assert prepared.is_prepared(original)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert not prepared.is_prepared(original)
    prepared.prepare(original, Role.EMBEDDER)
    assert path.read_bytes() == whole


def test_a_preparation_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    original = tmp_path / "broken.onnx"
    original.write_bytes(b"no model")
    with pytest.raises(Exception, match="rror"):
        prepared.prepare(original, Role.EMBEDDER)
    assert [path.name for path in tmp_path.iterdir()] == ["broken.onnx"]


def test_an_unknown_operation_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = MagicMock()
    model.Subgraphs.return_value.OperatorsLength.return_value = 1
    model.Subgraphs.return_value.Tensors.return_value.Name.return_value = b"softmax_1"
    model.OperatorCodes.return_value.BuiltinCode.return_value = 25
    model.OperatorCodes.return_value.DeprecatedBuiltinCode.return_value = 25
    monkeypatch.setattr("tflite.Model.GetRootAsModel", lambda content, offset: model)
    (tmp_path / "other.tflite").write_bytes(b"")
    with pytest.raises(ValueError, match="operation 25 of softmax_1 is not known"):
        tflite.convert(tmp_path / "other.tflite", tmp_path / "other.onnx")
    assert not (tmp_path / "other.onnx").exists()
