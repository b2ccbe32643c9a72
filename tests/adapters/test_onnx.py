"""An ONNX model seen by its tensors."""

import numpy as np
import pytest

import simnet
from simnet.adapters.onnx import OnnxModel

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RNG = np.random.default_rng(0)
WEIGHTS = {
    name: RNG.standard_normal(shape).astype(np.float32) for name, shape in {"a": (6, 5), "b": (5, 4), "c": (5, 4)}.items()
}


def small_model():
    """x → h = relu(x a); p = tanh(h b); q = h c; y = p + q."""
    make = onnx.helper
    nodes = [
        make.make_node("MatMul", ["x", "a"], ["xa"]),
        make.make_node("Relu", ["xa"], ["h"]),
        make.make_node("MatMul", ["h", "b"], ["hb"]),
        make.make_node("Tanh", ["hb"], ["p"]),
        make.make_node("MatMul", ["h", "c"], ["q"]),
        make.make_node("Add", ["p", "q"], ["y"]),
    ]
    value = make.make_tensor_value_info
    graph = make.make_graph(
        nodes,
        "small",
        [value("x", onnx.TensorProto.FLOAT, ["n", 6])],
        [value("y", onnx.TensorProto.FLOAT, ["n", 4])],
        [onnx.numpy_helper.from_array(w, name) for name, w in WEIGHTS.items()],
    )
    return make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)


def test_layers_edges_and_activations():
    model = OnnxModel(small_model().SerializeToString())
    rules = model.rules()
    assert {rule.name: rule.inputs for rule in rules} == {"h": (), "p": ("h",), "y": ("p", "h")}
    x = RNG.standard_normal((7, 6)).astype(np.float32)
    adapter = model.adapter({"x": x})
    runs = adapter.executions(model.read(rules, {"x": x}))
    h = np.maximum(x @ WEIGHTS["a"], 0.0)
    truth = {"h": h, "p": np.tanh(h @ WEIGHTS["b"]), "y": np.tanh(h @ WEIGHTS["b"]) + h @ WEIGHTS["c"]}
    sketcher = simnet.Sketcher(adapter.network, 64, seed=3)
    for run, sketch in enumerate(sketcher.encode(runs)):
        found = adapter.activations(sketcher.decode(sketch, runs[run].structure, "least_squares"))
        exact = adapter.activations(runs[run])
        for name, y in truth.items():
            assert np.abs(found[name] - exact[name]).max() < 1e-8
            np.testing.assert_allclose(exact[name], y[run], atol=1e-5)  # the model computes in 32 bits


def test_an_unknown_tensor_is_named():
    with pytest.raises(ValueError, match="tensor = 'z'"):
        OnnxModel(small_model()).rules(["z"])
