"""Commands that check and run experiments."""

from typing import Annotated

import typer

from clusterpress.cli.options import Data, Overrides, Papers, console
from clusterpress.cli.records import print_comparison
from clusterpress.cli.searches import search


def list_() -> None:
    """Name the methods, data sets, models and suite points that there are."""
    from clusterpress.places import folder
    from clusterpress.runs.suites import suite_points

    for group in sorted(path for path in folder("conf").iterdir() if path.is_dir()):
        names = " ".join(sorted(path.stem for path in group.glob("*.yaml")))
        console.print(f"[bold]{group.name}[/]: {names}")
    points = suite_points()
    for suite in sorted({(point.paper, point.data) for point in points}):
        names = " ".join(p.name for p in points if (p.paper, p.data) == suite)
        console.print(f"[bold]suite {suite[0]} on {suite[1]}[/]: {names}")


def validate(context: typer.Context) -> None:
    """Check a config given by overrides, or every suite point and claim; trains nothing."""
    from clusterpress.places import folder
    from clusterpress.results import load_claims
    from clusterpress.runs.compose import compose, sweep_points
    from clusterpress.runs.named import point_config
    from clusterpress.runs.plan import plan
    from clusterpress.runs.replicates import with_seeds
    from clusterpress.runs.suites import suite_points
    from clusterpress.sweeps.hydra_keys import check_hydra

    if context.args:
        check_hydra(context.args, sweep=True)
        for overrides in sweep_points(with_seeds(context.args, sweep=True)):
            checked = plan(compose(overrides))
            console.print(f"valid: {checked.title}, point {checked.point}, run {checked.id}")
        return
    points, claims = suite_points(), load_claims(folder("experiments"))
    for point in points:
        plan(point_config(point.overrides))
    console.print(f"valid: {len(points)} suite points, {len(claims)} claims")


def run(context: typer.Context) -> None:
    """Run one point (overrides such as data=mnist method=han2016), or a sweep with -m.

    A sweep runs in one process, or where hydra/launcher=joblib, ray or submitit_slurm says;
    hydra/sweeper=optuna searches ranges and intervals for small error and small files.
    """
    from clusterpress.runs.replicates import with_seeds
    from clusterpress.runs.sweep import run_point
    from clusterpress.sweeps.engine import parted, sweeper_of
    from clusterpress.sweeps.hydra_keys import check_hydra
    from clusterpress.sweeps.product import run_product

    flags = {"-m", "--multirun"} & set(context.args)
    given = [argument for argument in context.args if argument not in flags]
    overrides = with_seeds(given, sweep=bool(flags))
    check_hydra(overrides, sweep=bool(flags))
    if not flags:
        raise typer.Exit(run_point(overrides))
    searches = sweeper_of(parted(overrides)[0]) == "optuna"
    raise typer.Exit(search(overrides) if searches else run_product(overrides))


def reproduce(
    papers: Papers = None,
    data: Data = None,
    seeds: Annotated[
        str, typer.Option(help="A count (5: the seeds 0 to 4), a list (0,1,2), or one (3,).")
    ] = "0,1,2",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes at a time on this machine, by joblib.")
    ] = None,
    override: Overrides = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what there is to do.")] = False,
) -> None:
    """Say what there is to do, run the suites of papers on data sets, print the comparison."""
    from clusterpress.runs.finished import report_failures
    from clusterpress.runs.forecast import forecast
    from clusterpress.runs.forecast_table import forecast_table
    from clusterpress.runs.replicates import seeds_of
    from clusterpress.runs.suites import check_common, chosen, suite_points
    from clusterpress.runs.watched import watched
    from clusterpress.sweeps.engine import parted, with_jobs
    from clusterpress.sweeps.hydra_keys import check_hydra
    from clusterpress.sweeps.points import check_launcher, run_points, seeded

    numbers = seeds_of(seeds)
    points = chosen(suite_points(), papers or [], data or ["digits"])
    check_hydra(override or [], sweep=True)
    of_engine, extra = parted(override or [])
    check_common(extra)
    engine = with_jobs(jobs, of_engine)
    check_launcher(engine)  # Before the forecast, which takes minutes.
    tasks = [(point.title, (*point.overrides, *extra)) for point in points]
    found = forecast([overrides for _, overrides in tasks], numbers)
    console.print(found.sentence(jobs or 1))
    if plan:
        console.print(forecast_table(found, [title for title, _ in tasks]))
        return
    title = " ".join(["reproduce", *(papers or []), *(data or ["digits"])])
    with watched(
        found, [title for title, _ in tasks], numbers, title=title, extra=extra, jobs=jobs or 1
    ):
        ended = run_points(seeded(tasks, numbers), engine)
    print_comparison(data or ["digits"], None, extra)
    raise typer.Exit(report_failures(ended))
