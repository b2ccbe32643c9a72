"""A torch module seen by hooks."""

import numpy as np
import pytest

import simnet

torch = pytest.importorskip("torch")

from simnet.adapters.torch import TorchModel  # noqa: E402


def network():
    torch.manual_seed(0)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.relu = torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(inplace=True)
            self.left, self.right = torch.nn.Linear(64, 5), torch.nn.Linear(64, 6)
            self.out = torch.nn.Linear(11, 3)

        def forward(self, x):
            h = self.relu(self.conv(x)).flatten(1)
            return self.out(torch.cat([self.left(h), self.right(h)], 1))

    return Net()


def test_layers_edges_and_activations():
    net = network()
    x = torch.rand(3, 1, 6, 6)
    model = TorchModel(net)
    rules = model.rules(["conv", "relu", "left", "right", "out"], x)
    assert {rule.name: rule.inputs for rule in rules} == {
        "conv": (), "relu": ("conv",), "left": ("relu",), "right": ("relu",), "out": ("left", "right")
    }  # fmt: skip
    adapter = model.adapter(rules, x)
    runs = adapter.executions(model.read(rules, x))
    sketcher = simnet.Sketcher(adapter.network, 256, seed=3)
    with torch.no_grad():
        conv = net.conv(x).double().numpy().reshape(3, -1)
        out = net(x).double().numpy()
    for run, sketch in enumerate(sketcher.encode(runs)):
        found = adapter.activations(sketcher.decode(sketch, runs[run].structure, "least_squares"))
        assert np.abs(found["conv"] - conv[run]).max() < 1e-8  # before the next layer wrote over it
        assert np.abs(found["out"] - out[run]).max() < 1e-8


def test_mistakes_are_told():
    x = torch.rand(1, 1, 6, 6)
    with pytest.raises(ValueError, match="layer = 'no'"):
        TorchModel(network()).rules(["no"], x)
    twice = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    with pytest.raises(ValueError, match="have one output"):
        TorchModel(twice).rules(["", "1"], torch.rand(1, 2))
