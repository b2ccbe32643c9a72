"""Trained networks seen as modular networks, and their runs as executions.

:mod:`~simnet.adapters.rules` says which tensors become objects; :mod:`~simnet.adapters.onnx` reads ONNX models by their
intermediate tensors (the extra ``onnx``), :mod:`~simnet.adapters.torch` any ``torch.nn.Module`` by forward hooks (the extra
``torch``).  What they make is a :class:`~simnet.ModularNetwork` without functions and :class:`~simnet.Executions`, which
every sketcher and decoder takes.
"""

from __future__ import annotations

from simnet.adapters.rules import DEEP, POOLINGS, Adapter, ModuleRule

__all__ = ["DEEP", "POOLINGS", "Adapter", "ModuleRule"]
