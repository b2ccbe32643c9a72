"""What is simulated: modules and their wiring, families of networks, executions."""

from __future__ import annotations

from collections.abc import Callable

from simnet.networks.execution import Execution, SimObject
from simnet.networks.executions import Executions, Group, as_executions
from simnet.networks.functions import ModuleFunction, RectifiedFunction, ThingFunction
from simnet.networks.growing import adopted
from simnet.networks.inspection import FunctionReport, inspect_function
from simnet.networks.layered import layered
from simnet.networks.network import ModularNetwork, Module, Slot
from simnet.networks.random_dag import random_dag
from simnet.networks.scene import scene
from simnet.networks.sparse_layer import SparseFunction, sparse_layer
from simnet.networks.structure import Node, Structure
from simnet.networks.tree import tree

NETWORKS: dict[str, Callable[..., ModularNetwork]] = {
    "layered": layered,
    "tree": tree,
    "random_dag": random_dag,
    "scene": scene,
    "sparse_layer": sparse_layer,
}

__all__ = [
    "NETWORKS",
    "Execution",
    "Executions",
    "FunctionReport",
    "Group",
    "ModularNetwork",
    "Module",
    "ModuleFunction",
    "Node",
    "RectifiedFunction",
    "SimObject",
    "Slot",
    "SparseFunction",
    "Structure",
    "ThingFunction",
    "adopted",
    "as_executions",
    "inspect_function",
    "layered",
    "random_dag",
    "scene",
    "sparse_layer",
    "tree",
]
