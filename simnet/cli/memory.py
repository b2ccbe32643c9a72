"""`simnet memory`: a repository of sketches on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simnet.cli.sketches import sketcher_options

if TYPE_CHECKING:
    from simnet.memory import SketchStore

STORE = click.argument("store", type=click.Path(dir_okay=False, path_type=Path))
FILE = click.Path(dir_okay=False, path_type=Path)
LEVEL = click.option("--level", default=0.95, show_default=True, type=float, help="Of the intervals.")
METHOD = click.option(
    "--method", default="auto", show_default=True, help="auto, joint or matched; of --like: exact or index."
)


@click.group("memory")
def memory_command() -> None:
    """Keep sketches, find them again, ask them, and see what is new."""


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that select sketches."""
    for option in (
        click.option("--after", help="Time in ISO 8601, UTC without a zone: at or after."),
        click.option("--before", help="Before."),
        click.option("--hours", metavar="FROM-TO", help="Hours of the day in UTC, such as 6-12."),
        click.option("--tag", "tags", multiple=True, help="May be repeated: all of them."),
        click.option("--where", "pairs", multiple=True, metavar="KEY=VALUE", help="Metadata; the value in JSON, or a text."),
    ):
        command = option(command)
    return command


def selection(options: dict[str, Any]) -> dict[str, Any]:
    """Takes the options of :func:`selecting` out of those of a command: the conditions of a selection."""
    where: dict[str, Any] = {"tags": options.pop("tags"), "metadata": _pairs("--where", options.pop("pairs"))}
    for key in ("after", "before"):
        where[key] = options.pop(key)
    where["hours"] = _hours("--hours", options.pop("hours"))
    return where


def _hours(field: str, text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = text.split("-")
        return float(low), float(high)
    except ValueError:
        raise ValueError(f"{field} = {text!r}: must be two hours, such as 6-12") from None


def _pairs(field: str, pairs: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ValueError(f"{field} = {pair!r}: must be KEY=VALUE")
        try:
            found[key] = json.loads(value)
        except (ValueError, RecursionError):
            found[key] = value
    return found


def _module(store: SketchStore, name: str) -> Any:
    """A module by the text that names it: an integer where that is its name."""
    known = {str(module.name): module.name for module in store.sketcher.network.modules}
    return known.get(name, name)


def _object(run: Any, name: str) -> Any:
    return {str(known): known for known in run.structure.names}.get(name, name)


@memory_command.command("create")
@STORE
@click.argument("execution", type=FILE)
@click.option("--storage", default="float32", show_default=True, help="float64, float32, float16 or int8.")
@sketcher_options
def create(store: Path, execution: Path, storage: str, **options: Any) -> None:
    """A new STORE for sketches of the network of a saved EXECUTION (JSON)."""
    import simnet

    sketcher = simnet.Sketcher(simnet.Execution.load(execution).network, **options)
    simnet.memory.SketchStore.create(store, sketcher, storage=storage).close()
    click.echo(f"{store}: empty, for sketches of {sketcher.sketch_dim} coordinates in {storage}")


@memory_command.command("add")
@STORE
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--time", help="Time in ISO 8601, UTC without a zone.")
@click.option("--tag", "tags", multiple=True, help="May be repeated.")
@click.option("--metadata", "pairs", multiple=True, metavar="KEY=VALUE", help="The value in JSON, or a text; repeatable.")
def add(store: Path, files: tuple[Path, ...], time: str | None, tags: tuple[str, ...], pairs: tuple[str, ...]) -> None:
    """Add to STORE the sketches in FILES: saved executions (.json), or sketches by `simnet encode` (.npz)."""
    import simnet

    note = _pairs("--metadata", pairs)
    with simnet.memory.SketchStore(store) as kept:
        for path in files:
            if path.suffix == ".npz":
                sketches, made = simnet.load_sketches(path)
                ids = kept.add(sketches, time=time, tags=tags, metadata=note, made_by=made)
            else:
                ids = kept.add_runs(simnet.Execution.load(path), time=time, tags=tags, metadata=note)
            for key in ids if isinstance(ids, list) else [ids]:
                click.echo(f"{key}\t{path}")


@memory_command.command("remove")
@STORE
@click.argument("ids", nargs=-1, required=True, type=int)
def remove(store: Path, ids: tuple[int, ...]) -> None:
    """Remove the sketches with those numbers from STORE."""
    import simnet

    with simnet.memory.SketchStore(store) as kept:
        click.echo(f"{kept.remove(ids)} removed, {len(kept)} left")


@memory_command.command("info")
@STORE
@click.option("--check", is_flag=True, help="Read and verify every sketch.")
def info(store: Path, check: bool) -> None:
    """What is in STORE, and how it was made."""
    import simnet

    with simnet.memory.SketchStore(store) as kept:
        sketcher = kept.sketcher
        times = kept.times(kept.ids())
        known = times[times == times]
        rows = {
            "sketches": len(kept),
            "bytes": store.stat().st_size,
            "storage": kept.storage,
            "sketch_dim": kept.sketch_dim,
            "matrices": sketcher.family,
            "recipe": sketcher.recipe,
            "seed": sketcher.seed,
            "modules": ", ".join(str(module.name) for module in sketcher.network.modules),
        }
        if len(known):
            rows["first"], rows["last"] = (_iso(t) for t in (known.min(), known.max()))
        if len(kept):
            rows["storage noise"] = f"{kept.noise().mean():.3g} a coordinate"
        if check:
            rows["checked"] = f"{kept.check()} sketches are as they were written"
    for name, value in rows.items():
        click.echo(f"{name + ':':<15}{value}")


def _iso(time: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(float(time), UTC).isoformat()


@memory_command.command("query")
@STORE
@click.option("--like", type=FILE, help="A saved execution or sketch: the sketches most like it.")
@click.option("--module", help="The runs that contain this module.")
@click.option("--part", nargs=2, metavar="EXECUTION OBJECT", help="The runs that contain this very object of an execution.")
@click.option("-k", default=10, show_default=True, type=int, help="How many at most.")
@click.option("--by", default="cosine", show_default=True, help="Of --like: cosine or similarity.")
@click.option("--false-alarm", default=1e-3, show_default=True, type=float)
@METHOD
@LEVEL
@selecting
def query(
    store: Path, like: Path | None, module: str | None, part: tuple[str, str] | None, k: int, by: str, false_alarm: float,
    method: str, level: float, **options: Any,
) -> None:  # fmt: skip
    """Find sketches in STORE: by example, by a module, or by a part of an execution."""
    import simnet

    where = selection(options)
    if sum(bool(x) for x in (like, module, part)) != 1:
        raise ValueError("query: needs exactly one of --like, --module and --part")
    with simnet.memory.SketchStore(store) as kept:
        if like is not None:
            if like.suffix == ".npz":
                sketch, _ = simnet.load_sketches(like)
            else:
                sketch = kept.sketcher.encode(simnet.Execution.load(like))
            if sketch.ndim != 1:
                raise ValueError(f"--like = {str(like)!r}: holds {len(sketch)} sketches, must hold one")
            everything = not any(value for value in where.values())
            click.echo("id\tcosine\tsimilarity")
            for match in kept.nearest(sketch, k, None if everything else where, by=by, method=method):
                click.echo(f"{match.id}\t{match.cosine:.6f}\t{match.similarity:.6g}")
            return
        rest: dict[str, Any] = {"false_alarm": false_alarm, "method": method}
        if module is not None:
            found = kept.containing_module(_module(kept, module), where, **rest)
        else:
            assert part is not None
            run = simnet.Execution.load(part[0])
            found = kept.containing_part(run, _object(run, part[1]), where, **rest)
    click.echo("id\tamount\tlow\thigh\tp_value")
    rows = {int(key): i for i, key in enumerate(found.ids)}
    intervals = found.interval(level)
    for key in found.matches[:k]:
        i = rows[int(key)]
        click.echo(f"{key}\t{found.amount[i]:.6g}\t{intervals[i, 0]:.6g}\t{intervals[i, 1]:.6g}\t{found.p_value[i]:.3g}")


#: Questions of `ask`, and whether they are about one module.
QUESTIONS = {
    "count": True,
    "frequency": True,
    "mean": True,
    "histogram": True,
    "quantile": True,
    "iqr": True,
    "counts": False,
    "most-frequent": False,
    "distinct": False,
    "entropy": False,
    "norm": False,
}


@memory_command.command("ask")
@STORE
@click.argument("question", type=click.Choice(list(QUESTIONS)))
@click.argument("module", required=False)
@click.option("--coordinates", metavar="FROM:TO", help="Those of a one-hot attribute, such as 1:5.")
@click.option("--unit", default=1.0, show_default=True, type=float, help="What stands in the hot coordinate.")
@click.option("--q", default=0.5, show_default=True, type=float, help="Of quantile.")
@click.option("--against", metavar="FROM-TO", help="Hours of the day: the difference to these, per run.")
@METHOD
@LEVEL
@selecting
def ask(
    store: Path, question: str, module: str | None, coordinates: str | None, unit: float, q: float, against: str | None,
    method: str, level: float, **options: Any,
) -> None:  # fmt: skip
    """Put a QUESTION to all sketches selected in STORE at once, about a MODULE or about all."""
    import simnet

    where = selection(options)
    if QUESTIONS[question] != (module is not None):
        raise ValueError(f"ask {question}: {'needs a module' if QUESTIONS[question] else 'takes no module'}")
    if against is not None and question not in ("count", "counts", "frequency", "histogram"):
        raise ValueError(f"--against: {question} has no difference per run; count, counts, frequency and histogram have")
    with simnet.memory.SketchStore(store) as kept:
        if against is None:
            asked = kept.ask(where, method=method)
        else:
            asked = kept.contrast(where, where | {"hours": _hours("--against", against)}, method=method)
        bins: dict[str, Any] = {"coordinates": _slice(coordinates), "unit": unit}
        name: Any = None if module is None else _module(kept, module)
        answers: dict[str, Any] = {
            "count": lambda: asked.count(name),
            "frequency": lambda: asked.frequency(name),
            "mean": lambda: asked.mean_attribute(name),
            "histogram": lambda: asked.histogram(name, **bins),
            "quantile": lambda: asked.quantile(name, q, **bins),
            "iqr": lambda: asked.interquartile_range(name, **bins),
            "counts": lambda: asked.counts,
            "most-frequent": lambda: {f"{r.module} ({r.certainty:.1%} certain)": r.count for r in asked.most_frequent()},
            "distinct": asked.distinct,
            "entropy": asked.entropy,
            "norm": asked.norm,
        }
        answer = answers[question]()
    click.echo(f"# {asked.runs} runs, {asked.reading.method}")
    click.echo("what\testimate\tlow\thigh")
    named = answer if isinstance(answer, dict) else {module or question: answer}
    for label, one in named.items():
        values, pairs = one.value, one.interval(level)
        rows = (
            [(label, values, pairs)]
            if values.ndim == 0
            else [(f"{label}[{j}]", *x) for j, x in enumerate(zip(values, pairs, strict=True))]
        )
        for text, value, (low, high) in rows:
            click.echo(f"{text}\t{value:.6g}\t{low:.6g}\t{high:.6g}")


def _slice(text: str | None) -> slice | None:
    if text is None:
        return None
    try:
        low, high = text.split(":")
        return slice(int(low), int(high))
    except ValueError:
        raise ValueError(f"--coordinates = {text!r}: must be two numbers, such as 1:5") from None


@memory_command.command("concepts")
@STORE
@click.option("--smallest", type=int, help="The fewest sketches that make a concept.")
@LEVEL
@selecting
def concepts(store: Path, smallest: int | None, level: float, **options: Any) -> None:
    """Clusters of the sketches in STORE, and since when there are any of each (needs the extra `memory`)."""
    import simnet

    where = selection(options)
    with simnet.memory.SketchStore(store) as kept:
        found = kept.concepts(where, smallest=smallest, level=level)
    click.echo("concept\tsketches\texemplar\tnew\tonset\tlow\thigh")
    for concept in found:
        onset = concept.onset
        dates = (
            [x.isoformat() for x in (onset.time, onset.low, onset.high)]
            if onset is not None and concept.is_new
            else ["-"] * 3
        )
        click.echo("\t".join(map(str, (concept.name, len(concept.ids), concept.exemplar, concept.is_new, *dates))))


@memory_command.command("index")
@STORE
@click.option("--prefix", type=int, help="Build it anew, with so many coordinates of each sketch.")
def index(store: Path, prefix: int | None) -> None:
    """Build the index of STORE, or bring it up to date (needs the extra `memory`)."""
    import simnet

    with simnet.memory.SketchStore(store) as kept:
        if prefix is not None or kept.index() is None:
            kept.build_index(**({} if prefix is None else {"prefix": prefix}))
        else:
            kept.update_index()
        made = kept.index()
        assert made is not None
        click.echo(f"{made.folder}: {made.prefix} coordinates of each of {len(kept)} sketches")


@memory_command.command("export")
@STORE
@click.argument("output", type=FILE)
@click.option("--neighbours", default=5, show_default=True, type=int)
@click.option("--concepts/--no-concepts", "with_concepts", default=False, help="Also clusters (needs the extra `memory`).")
@selecting
def export(store: Path, output: Path, neighbours: int, with_concepts: bool, **options: Any) -> None:
    """Write STORE as a knowledge graph to OUTPUT, in GraphML."""
    import simnet

    where = selection(options)
    with simnet.memory.SketchStore(store) as kept:
        found = kept.concepts(where) if with_concepts else None
        graph = kept.graph(where, neighbours=neighbours, concepts=found)
    simnet.memory.write_graph(graph, output)
    click.echo(f"{output}: {graph.number_of_nodes()} nodes, {graph.number_of_edges()} edges")
