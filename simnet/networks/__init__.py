"""What is simulated: modules and their wiring, families of networks, executions."""

from __future__ import annotations

from collections.abc import Callable

from simnet.networks.capsules import CapsuleFunction, capsules, routing, squash
from simnet.networks.convolutional import KernelFunction, convolutional
from simnet.networks.execution import Execution, SimObject
from simnet.networks.executions import Executions, Group, as_executions
from simnet.networks.functions import ModuleFunction, RectifiedFunction, ThingFunction
from simnet.networks.growing import adopted
from simnet.networks.inspection import FunctionReport, inspect_function
from simnet.networks.layered import layered
from simnet.networks.network import ModularNetwork, Module, Slot
from simnet.networks.neural_modules import neural_modules
from simnet.networks.pathnet import pathnet
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
    "neural_modules": neural_modules,
    "capsules": capsules,
    "pathnet": pathnet,
    "convolutional": convolutional,
}

__all__ = [
    "NETWORKS",
    "CapsuleFunction",
    "Execution",
    "Executions",
    "FunctionReport",
    "Group",
    "KernelFunction",
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
    "capsules",
    "convolutional",
    "inspect_function",
    "layered",
    "neural_modules",
    "pathnet",
    "random_dag",
    "routing",
    "scene",
    "sparse_layer",
    "squash",
    "tree",
]
