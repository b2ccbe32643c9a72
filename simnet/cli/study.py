"""`simnet sweep`: a study, from its file to its tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simnet.study import Results


@click.command("sweep")
@click.argument("study", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--workers", default=None, type=int, help="Processes; as many as there are cores when not given.")
@click.option("--cluster", metavar="ADDRESS", help="Run on the Dask cluster with this scheduler.")
@click.option("--timeout", type=float, help="Seconds a trial, in place of the study's.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), help="Folder of the tables [results/NAME].")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Folder of finished trials [.simnet].")
@click.option("--dry-run", is_flag=True, help="Check the study and estimate its time.")
@click.option("--status", "only_status", is_flag=True, help="How many trials are done; runs nothing.")
@click.option("--collect", "only_collect", is_flag=True, help="Write the tables of what is done; runs nothing.")
def sweep_command(
    study: Path,
    workers: int | None,
    cluster: str | None,
    timeout: float | None,
    output: Path | None,
    cache: Path | None,
    dry_run: bool,
    only_status: bool,
    only_collect: bool,
) -> int:
    """Run a STUDY (a TOML file) and write its tables.  An interrupted one goes on where it was.

    Exit status 1 if a law fails that should hold, a planted defect is not noticed, or trials failed.
    """
    from simnet import study as studies
    from simnet.cli.terminal import cores, interrupts_kept
    from simnet.study.provenance import stale_claim

    if dry_run + only_status + only_collect > 1:
        raise ValueError("--dry-run, --status, --collect: only one of them at a time")
    try:
        loaded = studies.load_study(study)
    except studies.StudyError as error:
        for line in error.mistakes:
            click.echo(f"simnet: error: {line}", err=True)
        return 2
    processes = cores() if workers is None else workers
    where = Path("results") / loaded.name if output is None else output
    if only_status:
        click.echo(_told(studies.status(loaded, cache)))
        return 0
    if dry_run:
        estimate = studies.estimate(loaded, cache)
        s = estimate.status
        click.echo(f"{s.points} points, {s.trials} trials, {s.done} of them done before")
        click.echo(
            f"about {_duration(estimate.seconds / processes)} with {processes} worker{'s' * (processes > 1)} "
            f"({_duration(estimate.seconds)} of one), from trials of {estimate.measured} points"
        )
        return 0
    if only_collect:
        studies.collect(loaded, where, cache)
        click.echo(f"{where}: tables of what is done ({_told(studies.status(loaded, cache))})")
        return 0
    if (remark := stale_claim(loaded, where)) is not None:
        click.echo(f"simnet: {remark}", err=True)
    with _Bar() as bar, interrupts_kept(bar.show) as progress:
        try:
            results = studies.run_study(
                loaded, output=where, cache=cache, workers=processes, cluster=cluster, timeout=timeout, progress=progress
            )
        except (KeyboardInterrupt, studies.WorkerDied) as error:
            bar.close()
            what = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
            click.echo(f"simnet: {what}; {_told(studies.status(loaded, cache))}; the same command goes on", err=True)
            return 130 if isinstance(error, KeyboardInterrupt) else 1
    return _verdict(results, where)


def _told(status: object) -> str:
    return "{1} trials at {0} points: {2} done, {3} failed, {4} missing".format(*status)  # type: ignore[misc]


def _duration(seconds: float) -> str:
    unit, length = ("s", 1.0) if seconds < 100 else ("min", 60.0) if seconds < 6000 else ("h", 3600.0)
    return f"{seconds / length:.1f} {unit}"


class _Bar:
    """A progress bar on standard error: trials done, what is running, time left."""

    def __enter__(self) -> _Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.job = self.bar.add_task("")
        return self

    def show(self, done: int, total: int, running: str) -> None:
        from rich.markup import escape

        self.bar.start()  # with the first result: a mistake in the arguments is then a line of its own
        self.bar.update(self.job, completed=done, total=total, description=escape(running))

    def close(self) -> None:
        if self.bar.live.is_started:
            self.bar.stop()

    def __exit__(self, *error: object) -> None:
        self.close()


def _verdict(results: Results, where: Path) -> int:
    """The rows that are not as expected, one line of counts, and the exit status."""
    from simnet.study.papers import shortened

    summary, unexpected = results.summary, results.unexpected
    if len(unexpected):
        click.echo(shortened(unexpected, results.varying).to_string(index=False))
    held = summary[summary.expected == "holds"]
    controls = summary[summary.expected == "fails"]
    parts = [f"{int(held.holds.fillna(False).sum())} of {int(held.holds.notna().sum())} rows hold"]
    if len(controls):
        noticed = ~controls.holds.fillna(True).astype(bool).groupby(controls.get("defect", controls.expected)).all()
        parts.append(f"{int(noticed.sum())} of {len(noticed)} planted defects are noticed")
    failed = int((results.trials.status != "ok").sum())
    parts.append(f"{failed} trials failed")
    click.echo(f"{'; '.join(parts)} (failure probability {results.study.failure_probability:g}): {where / 'summary.md'}")
    return 1 if len(unexpected) else 0
