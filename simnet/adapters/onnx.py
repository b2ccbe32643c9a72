"""Any ONNX model as a modular network, by its intermediate tensors.  Needs the extra ``onnx``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simnet.adapters.rules import Adapter, ModuleRule
from simnet.checks import choice, sequence

#: The operators whose results are layers where no tensors are named.
ACTIVATIONS = ("Relu", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Gelu", "Softmax", "Elu", "Selu", "Clip")


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """An ONNX model, of which tensors can be read.

    Parameters
    ----------
    source : path, bytes or onnx.ModelProto

    Raises
    ------
    ValueError
        If the extra is not installed.

    Notes
    -----
    Tensor ``u`` feeds ``v`` if the graph has a path from one to the other with no other chosen tensor on it: a module
    stands for all layers between its tensor and the chosen ones before it.
    """

    source: Any
    model: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            import onnx
            import onnxruntime  # noqa: F401
        except ImportError as error:
            raise ValueError(f"onnx: not installed ({error.name}), install the extra 'onnx'") from None
        if isinstance(self.source, (str, os.PathLike)):
            model = onnx.load(os.fspath(self.source))
        elif isinstance(self.source, bytes):
            model = onnx.load_from_string(self.source)
        else:
            model = self.source
        object.__setattr__(self, "model", model)

    def layers(self) -> list[str]:
        """The results of all activation functions, and the outputs, in the order of the graph."""
        outputs = {value.name for value in self.model.graph.output}
        return [
            name
            for node in self.model.graph.node
            for name in node.output
            if name and (node.op_type in ACTIVATIONS or name in outputs)
        ]

    def rules(self, tensors: Iterable[str] | None = None, **options: Any) -> list[ModuleRule]:
        """A module for each of the tensors, all of :meth:`layers` when not given, fed as the graph says.

        ``options`` are those of :class:`~simnet.adapters.ModuleRule`, for all of them.
        """
        chosen = self.layers() if tensors is None else list(sequence("tensors", tensors, "names", str))
        known = [name for node in self.model.graph.node for name in node.output]
        for name in chosen:
            choice("tensor", name, known)
        before: dict[str, dict[str, None]] = {}  # the chosen tensors that each tensor comes from, without others between
        for node in self.model.graph.node:
            from_: dict[str, None] = {}
            for name in node.input:
                from_ |= {name: None} if name in chosen else before.get(name, {})
            before |= dict.fromkeys(node.output, from_)
        return [ModuleRule(name, (name,), tuple(before[name]), **options) for name in chosen]

    def tensors(self, feeds: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
        """The tensors of those names, from one run of the model on a batch."""
        import onnx
        import onnxruntime

        names = list(dict.fromkeys(names))
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        there = {value.name for value in model.graph.output}
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in there)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # fused layers would round otherwise than the model does
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(names, dict(feeds)), strict=True))

    def read(self, rules: Iterable[ModuleRule], feeds: Mapping[str, Any]) -> dict[str, Any]:
        """The tensors that rules name, for :meth:`Adapter.fit <simnet.adapters.Adapter.fit>` and ``executions``."""
        return self.tensors(feeds, [name for rule in rules for name in rule.tensors])

    def adapter(self, feeds: Mapping[str, Any], rules: Iterable[ModuleRule] | None = None, **options: Any) -> Adapter:
        """An adapter fitted to a batch; ``options`` are those of :meth:`Adapter.fit <simnet.adapters.Adapter.fit>`."""
        rules = self.rules() if rules is None else list(rules)
        return Adapter.fit(rules, self.read(rules, feeds), **options)
