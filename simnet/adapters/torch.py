"""Any ``torch.nn.Module`` as a modular network, by forward hooks.  Needs the extra ``torch``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from simnet.adapters.rules import Adapter, ModuleRule
from simnet.checks import choice, sequence


@dataclass(frozen=True, eq=False)
class TorchModel:
    """A model of which the outputs of submodules can be read, by the names of ``model.named_modules()``.

    Notes
    -----
    Layer ``u`` feeds ``v`` if the output of ``v`` was computed from that of ``u`` with no other chosen layer between: the
    record of automatic differentiation of one run says so, loops and branches included.  Where the model detaches tensors,
    it does not, and ``inputs`` of the rules are to be given by hand.
    """

    model: Any

    def _record(self, names: Iterable[str], inputs: tuple[Any, ...], *, graph: bool) -> dict[str, Any]:
        import torch

        modules = dict(self.model.named_modules())
        found: dict[str, Any] = {}
        hooks = []

        def keep(name: str) -> Any:
            def hook(_module: Any, _inputs: Any, output: Any) -> None:
                if not isinstance(output, torch.Tensor):
                    raise ValueError(f"layer {name!r}: gives {type(output).__name__}, must give one tensor")
                if name in found:
                    raise ValueError(f"layer {name!r}: runs twice in one run, choose layers that run once")
                # copied: a layer in place would write over it
                found[name] = output.grad_fn if graph else output.detach().cpu().double().numpy().copy()

            return hook

        names = list(names)
        for name in names:
            hooks.append(modules[choice("layer", name, modules)].register_forward_hook(keep(name)))
        training = self.model.training
        try:
            self.model.eval()
            with torch.set_grad_enabled(graph):
                if graph:
                    inputs = tuple(_watched(x) for x in inputs)
                self.model(*inputs)
        finally:
            self.model.train(training)
            for hook in hooks:
                hook.remove()
        for name in names:
            if name not in found:
                raise ValueError(f"layer {name!r}: did not run")
        return found

    def rules(self, layers: Iterable[str], *inputs: Any, **options: Any) -> list[ModuleRule]:
        """A module for each of the layers, fed as a run on these inputs says; ``options`` as of ``ModuleRule``."""
        layers = sequence("layers", layers, "names", str)
        ends = self._record(layers, inputs, graph=True)
        for name, end in ends.items():
            if end is None:
                raise ValueError(f"layer {name!r}: depends on no parameter and no real input, its inputs are not known")
        named: dict[Any, str] = {}
        for name in layers:
            if ends[name] in named:
                raise ValueError(f"layers {named[ends[name]]!r} and {name!r} have one output, choose one of them")
            named[ends[name]] = name
        return [ModuleRule(name, (name,), tuple(_sources(ends[name], named)), **options) for name in layers]

    def read(self, rules: Iterable[ModuleRule], *inputs: Any) -> dict[str, Any]:
        """The outputs of the layers that rules name, in 64 bits, of one run in evaluation mode."""
        return self._record(dict.fromkeys(name for rule in rules for name in rule.tensors), inputs, graph=False)

    def adapter(self, rules: Iterable[ModuleRule], *inputs: Any, **options: Any) -> Adapter:
        """An adapter fitted to a batch; ``options`` are those of :meth:`Adapter.fit <simnet.adapters.Adapter.fit>`."""
        rules = list(rules)
        return Adapter.fit(rules, self.read(rules, *inputs), **options)


def _watched(x: Any) -> Any:
    return x.detach().clone().requires_grad_() if x.is_floating_point() else x


def _sources(end: Any, named: dict[Any, str]) -> list[str]:
    """The chosen layers met first on the way back from the output of one."""
    found: dict[str, None] = {}
    seen, left = {end}, [end]
    while left:
        for before, _ in left.pop(0).next_functions:
            if before is None or before in seen:
                continue
            seen.add(before)
            if before in named:
                found[named[before]] = None
            else:
                left.append(before)
    return sorted(found, key=list(named.values()).index)
