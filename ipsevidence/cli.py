"""The command line: it asks the inner rings and prints; it decides nothing about trials or statistics."""

import atexit
import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="ipsevidence",
    help="The open evidence base on Individual Placement and Support: records, pooled effects, figures.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print {schema, command, data, notes} for a machine.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what was asked for, no remarks.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder that holds studies/ and analyses/.", show_default="found by itself"),
]
SpecName = Annotated[str, typer.Argument(metavar="SPEC", help="Id of an analysis, or path of a spec file.")]
Workers = Annotated[int, typer.Option("--workers", metavar="N", help="Processes on this machine.")]
Dask = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="Scheduler of a dask cluster, such as tcp://10.0.0.1:8786."),
]
Files = Annotated[list[Path] | None, typer.Argument(metavar="[FILES]...", help="Records; all of them without a name.")]


def main() -> None:
    """Run the command line; every error that a user can cause is one message and exit code 2, or 1 for findings."""
    # A command is over before cycles of objects matter: looking for them takes a tenth of its time, and as much again
    # at the end, when all of its memory goes back at once.
    gc.set_threshold(2_000_000)
    atexit.register(gc.freeze)
    from ipsevidence.terminal.output import UserError, any_encoding, close_quietly, fail

    any_encoding()
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        close_quietly()
        sys.exit(0)
    except SystemExit as stop:
        # typer turns a closed pipe into exit code 1 before anybody can catch it.
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        close_quietly()
        sys.exit(0)
    except Exception as error:
        known = UserError.of(error)
        if known is None:
            raise
        sys.exit(fail(known))
    sys.exit(code if isinstance(code, int) else 0)


@app.command()
def validate(
    files: Files = None,
    form: Annotated[str, typer.Option("--format", help="text, json, github (annotations), sarif.")] = "text",
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check records: every finding with its place, what is wrong and how to fix it."""
    from ipsevidence.analysis.validation import validate as check
    from ipsevidence.terminal import dataset as on_dataset

    if form not in on_dataset.FORMS:
        raise typer.BadParameter(f"--format must be one of {', '.join(on_dataset.FORMS)}; got {form}")
    result = check(files or None, data)
    on_dataset.findings(result, as_json=as_json, quiet=quiet, form=form)
    raise typer.Exit(1 if any(finding.severity == "error" for finding in result.findings) else 0)


@app.command()
def fmt(
    files: Files = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if a file is not canonical.")] = False,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Put records into their canonical form."""
    from ipsevidence.analysis.validation import canonical_form
    from ipsevidence.terminal import dataset as on_dataset

    changed = canonical_form(files or None, data, write=not check)
    on_dataset.formatted(changed, check=check, as_json=as_json, quiet=quiet)
    raise typer.Exit(1 if check and changed else 0)


@app.command("list")
def list_(
    group: Annotated[str | None, typer.Option(help="Only this analysis group.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only records with this tag.")] = None,
    status: Annotated[str | None, typer.Option(help="Only this status.")] = None,
    design: Annotated[str | None, typer.Option(help="Only this design.")] = None,
    country: Annotated[str | None, typer.Option(help="Only this country, such as NO or GB-SCT.")] = None,
    treatment: Annotated[str | None, typer.Option(help="Only studies with an arm of this treatment.")] = None,
    basis: Annotated[str | None, typer.Option(help="Only studies whose best two-arm counts have this basis.")] = None,
    sort: Annotated[str, typer.Option(help="id, year, participants, group, basis.")] = "id",
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the studies."""
    from ipsevidence.dataset.collection import load
    from ipsevidence.terminal import dataset as on_dataset

    wanted = {
        "group": group,
        "tag": tag,
        "status": status,
        "design": design,
        "country": country,
        "treatment": treatment,
        "basis": basis,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    on_dataset.studies(load(data), given, sort, as_json=as_json, quiet=quiet)


@app.command()
def show(
    study: Annotated[str, typer.Argument(metavar="ID", help="Id of a study.")],
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show one study, every number with its source and basis."""
    from ipsevidence.dataset.collection import load
    from ipsevidence.terminal import dataset as on_dataset

    on_dataset.study(load(data), study, as_json=as_json, quiet=quiet)


@app.command()
def stats(data: Data = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Count the studies by status, design, population, country, basis and fidelity scale."""
    from ipsevidence.dataset.collection import load
    from ipsevidence.terminal import dataset as on_dataset

    on_dataset.stats(load(data), as_json=as_json, quiet=quiet)


@app.command("map")
def map_(data: Data = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """Show how many studies there are by population and comparator, and how well their counts are known."""
    from ipsevidence.dataset.collection import load
    from ipsevidence.terminal import dataset as on_dataset

    on_dataset.evidence_map(load(data), as_json=as_json, quiet=quiet)


@app.command()
def wanted(data: Data = None, as_json: Json = False, quiet: Quiet = False) -> None:
    """List the numbers that nobody could read yet, and where they should be printed."""
    from ipsevidence.dataset.collection import load
    from ipsevidence.terminal import dataset as on_dataset

    on_dataset.wanted(load(data), as_json=as_json, quiet=quiet)


@app.command()
def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into.")],
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="csv, json, parquet, sqlite; all of them without it.")
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", help="metafor: one line a study, ready for escalc; needs --spec.")
    ] = None,
    spec: Annotated[str | None, typer.Option("--spec", help="With --for: id or path of the analysis.")] = None,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the dataset as tables with a data dictionary, or an analysis's inputs for another program."""
    from ipsevidence.terminal import dataset as on_dataset

    on_dataset.exported(out, tuple(formats or ()), for_, spec, data, as_json=as_json, quiet=quiet)


@app.command()
def run(
    specs: Annotated[list[str] | None, typer.Argument(metavar="[SPEC]...", help="Ids or paths of analyses.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every analysis that ships with the data, all claims, the main choices.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the committed results; exit 1 if one moved.")
    ] = False,
    update: Annotated[bool, typer.Option("--update", help="Write the committed results anew.")] = False,
    crossed: Annotated[
        bool, typer.Option("--cross-check", help="Pool again by statsmodels, and by metafor where R is installed.")
    ] = False,
    workers: Workers = 1,
    dask: Dask = None,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run analyses and print their numbers, or check or write the committed results."""
    from ipsevidence.terminal import analyses as on_analyses

    if check and update:
        raise typer.BadParameter("give --check or --update, not both")
    moved = on_analyses.runs(
        specs or [],
        data,
        every=every,
        check=check,
        update=update,
        crossed=crossed,
        workers=workers,
        dask=dask,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(1 if (check or crossed) and moved else 0)


@app.command()
def reproduce(
    spec: Annotated[str | None, typer.Argument(metavar="[ID]", help="Id or path of a reproduction.")] = None,
    every: Annotated[bool, typer.Option("--all", help="The scoreboard of all reproductions.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write report and figures into this folder.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a published analysis again and set every published figure beside the computed one."""
    from ipsevidence.terminal import analyses as on_analyses

    on_analyses.reproductions(spec, data, every=every, out=out, as_json=as_json, quiet=quiet)


@app.command()
def report(
    spec: Annotated[str, typer.Argument(metavar="SPEC|ID", help="Id or path of an analysis.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into.")],
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the whole report of an analysis: page, Word, Markdown, figures, tables, R script, notebook, references."""
    from ipsevidence.terminal.reporting import reported

    reported(spec, out, data, as_json=as_json, quiet=quiet)


@app.command()
def answer(
    population: Annotated[
        str, typer.Option("--population", "-p", help="all, a group such as justice, or a tag such as ptsd.")
    ] = "all",
    baseline: Annotated[
        float | None,
        typer.Option("--baseline", help="Share with the outcome without IPS, such as 0.2; within the trials' own."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the forest plot to this file.")] = None,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Answer one question on one screen: what the evidence says for a population, what it lacks first."""
    from ipsevidence.terminal.answer import answered

    answered(population, baseline, data, out=out, as_json=as_json, quiet=quiet)


Columns = Annotated[
    str | None,
    typer.Option("--columns", help="Names in the table for ours, as in ai=events_ips,n1i=total_ips."),
]
MeasureName = Annotated[
    str | None,
    typer.Option(
        "--measure",
        help="Effect measure. For counts: OR, RR, RD. For yi and for estimate also PETO and ROM (yi as logs, as for OR "
        "and RR), and AS, MD, SMD, GEN (as they are, as for RD).",
        show_default="OR",
    ),
]
Tau2 = Annotated[str | None, typer.Option("--tau2", help="Estimator of tau2.", show_default="reml")]
IntervalName = Annotated[
    str | None,
    typer.Option("--interval", help="Confidence interval: wald, t, hksj, hksj-adhoc.", show_default="hksj"),
]
Prediction = Annotated[
    str | None,
    typer.Option("--prediction", help="Prediction interval: none, normal, t-k1, t-k2.", show_default="t-k1"),
]
Level = Annotated[str | None, typer.Option("--level", help="Level of the intervals computed.", show_default="0.95")]
CiLevel = Annotated[
    str | None,
    typer.Option("--ci-level", help="Level of the intervals ci_low to ci_high in the table.", show_default="0.95"),
]


def _given(**options: str | None) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


@app.command()
def pool(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or XLSX table, one study a line.")],
    columns: Columns = None,
    measure: MeasureName = None,
    tau2: Tau2 = None,
    interval: IntervalName = None,
    prediction: Prediction = None,
    level: Level = None,
    ci_level: CiLevel = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pool a table of your own: columns ai n1i ci n2i, or yi and vi (or sei), or estimate ci_low ci_high."""
    from ipsevidence.terminal import analyses as on_analyses

    settings = _given(
        measure=measure, tau2=tau2, interval=interval, prediction=prediction, level=level, ci_level=ci_level
    )
    on_analyses.pooled(file, columns, settings, as_json=as_json, quiet=quiet)


@app.command()
def figure(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="forest, cumulative, leave-one-out, compact, funnel, baujat, radial, labbe, drapery, gosh, bubble, "
            "influence, specification, readings, rob, map, flow, icons, coverage, strip, fidelity, timeline, bayes, "
            "card, control-risk; gallery draws all of them.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Argument(metavar="[SPEC|FILE]", help="An analysis, or a table of your own; map and strip need none."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write: .png, .svg, .pdf or .eps; a folder for gallery.")
    ] = None,
    style: Annotated[str, typer.Option(help="default, revman, jama, bmj, lancet, nejm.")] = "default",
    by: Annotated[
        str | None,
        typer.Option("--by", help="Groups of an analysis, such as comparator or region; of a table, a column."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="Only these studies of an analysis: group=justice, tag=ptsd, design=rct."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help='Options of the kind: contours, study=davis-2018, moderator=year, palette=grey, arms="A,B".'
        ),
    ] = None,
    columns: Columns = None,
    measure: MeasureName = None,
    tau2: Tau2 = None,
    interval: IntervalName = None,
    prediction: Prediction = None,
    level: Level = None,
    ci_level: CiLevel = None,
    workers: Workers = 1,
    dask: Dask = None,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw a figure of an analysis or of your own table; a table takes the options of pool."""
    from ipsevidence.terminal.drawing import drawn, pairs

    if out is None:
        raise typer.BadParameter("name the file to write: -o forest.svg, or a folder for gallery")
    settings = _given(
        measure=measure, tau2=tau2, interval=interval, prediction=prediction, level=level, ci_level=ci_level
    )
    drawn(
        kind,
        source,
        out,
        columns=columns,
        settings=settings,
        given=pairs("--set", set_ or []),
        by=by,
        where=pairs("--where", where or []),
        style=style,
        workers=workers,
        dask=dask,
        data=data,
        as_json=as_json,
        quiet=quiet,
    )


Many = list[str] | None


@app.command()
def new(
    study: Annotated[str | None, typer.Argument(metavar="[ID]", help="Id; author and year without it.")] = None,
    template: Annotated[
        str | None, typer.Option(help="two-arm, three-arm, cluster, single-arm, service.", show_default="two-arm")
    ] = None,
    author: Annotated[str | None, typer.Option(help="First author, family name.")] = None,
    year: Annotated[str | None, typer.Option(help="Year of the main report.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the report, or of the analysis.")] = None,
    doi: Annotated[str | None, typer.Option(help="DOI.")] = None,
    pmid: Annotated[str | None, typer.Option(help="PubMed number.")] = None,
    url: Annotated[str | None, typer.Option(help="Address where it was read.")] = None,
    citation: Annotated[str | None, typer.Option(help="Citation; made of author, title and year without it.")] = None,
    report: Annotated[str | None, typer.Option(help="Kind of report.", show_default="journal-article")] = None,
    read: Annotated[str | None, typer.Option(help="What lies before you: abstract, part, full-text.")] = None,
    at: Annotated[str | None, typer.Option(help="Place of the numbers, such as abstract or Table 2.")] = None,
    country: Annotated[Many, typer.Option(help="Country, such as NO or GB-SCT; may be repeated.")] = None,
    design: Annotated[str | None, typer.Option(help="Design.", show_default="that of the template")] = None,
    registration: Annotated[str | None, typer.Option(help="Registration, such as NCT01234567.")] = None,
    group: Annotated[Many, typer.Option(help="Analysis group.")] = None,
    tag: Annotated[Many, typer.Option(help="Tag; may be repeated.")] = None,
    illness: Annotated[str | None, typer.Option(help="Severe mental illness: yes, no, partly, not-stated.")] = None,
    population: Annotated[str | None, typer.Option(help="Who took part, in a few words.")] = None,
    follow_up: Annotated[str | None, typer.Option(help="Months of follow-up.")] = None,
    participants: Annotated[str | None, typer.Option(help="Printed number of persons.")] = None,
    clusters: Annotated[str | None, typer.Option(help="Number of clusters.")] = None,
    icc: Annotated[str | None, typer.Option(help="Intracluster correlation.")] = None,
    provider: Annotated[str | None, typer.Option(help="Who provides the service.")] = None,
    funder: Annotated[str | None, typer.Option(help="Who pays for the service.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of the service.")] = None,
    arm: Annotated[
        Many,
        typer.Option(help='An arm, as in "treatment=ips, n=84, percent=46"; also id, label, analysed, events.'),
    ] = None,
    concept: Annotated[str | None, typer.Option(help="What is counted, such as competitive-employment.")] = None,
    definition: Annotated[str | None, typer.Option(help="How the source defines it.")] = None,
    months: Annotated[str | None, typer.Option(help="Months from entry.")] = None,
    window: Annotated[str | None, typer.Option(help="When it counts: cumulative, point, interval.")] = None,
    effect: Annotated[
        Many, typer.Option(help='A printed effect, as in "measure=RR, estimate=1.93, low=1.25, high=2.98, p=0.003".')
    ] = None,
    intervention: Annotated[str | None, typer.Option(help="With --analysis: the intervention in words.")] = None,
    comparator: Annotated[str | None, typer.Option(help="With --analysis: the comparator in words.")] = None,
    measure: Annotated[str | None, typer.Option(help="With --analysis: OR, RR or RD.")] = None,
    analysis: Annotated[bool, typer.Option("--analysis", help="Start the spec of an analysis.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it, write nothing.")] = False,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Start a record of a study, or the spec of an analysis: asks on a terminal, or takes options."""
    from ipsevidence.terminal import contributing

    single = _given(
        author=author,
        year=year,
        title=title,
        doi=doi,
        pmid=pmid,
        url=url,
        citation=citation,
        report=report,
        read=read,
        at=at,
        design=design,
        registration=registration,
        illness=illness,
        population=population,
        participants=participants,
        clusters=clusters,
        icc=icc,
        provider=provider,
        funder=funder,
        region=region,
        concept=concept,
        definition=definition,
        months=months,
        window=window,
        intervention=intervention,
        comparator=comparator,
        measure=measure,
    )
    if follow_up is not None:
        single["follow-up"] = follow_up
    several = {"country": country or [], "group": group or [], "tag": tag or []}
    given = contributing.Given(
        values={key: [text] for key, text in single.items()} | several, arms=arm or [], effects=effect or []
    )
    contributing.record_started(
        study, template, given, data, analysis=analysis, dry_run=dry_run, as_json=as_json, quiet=quiet
    )


@app.command()
def explain(
    check: Annotated[str, typer.Argument(metavar="CHECK", help="Id of a check, as findings name it.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Explain a check: the rule, why, how to fix it, and an example of both."""
    from ipsevidence.terminal import contributing

    contributing.check_explained(check, as_json=as_json, quiet=quiet)


@app.command("check-numbers")
def check_numbers(
    study: Annotated[str, typer.Argument(metavar="ID|FILE", help="Id of a study, or path of a record.")],
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compute every published statistic of a study again from its counts, and say which agree."""
    from ipsevidence.terminal import contributing

    contributing.numbers_checked(study, data, as_json=as_json, quiet=quiet)


@app.command()
def diff(
    places: Annotated[
        list[Path] | None,
        typer.Argument(metavar="OLD NEW", help="Two folders with studies/, two folders of records, or two records."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="Git revision to compare the working tree with.",
            show_default="where it left main, or HEAD",
        ),
    ] = None,
    data: Data = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown for a pull request.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what a change does: records, every analysis it touches, verdicts, checks; before and after."""
    from ipsevidence.terminal.diff import compared

    compared(places or (), base, data, as_markdown=as_markdown, as_json=as_json, quiet=quiet)


@app.command("from-issue")
def from_issue(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Saved body of an issue made by the form; - for standard input.")
    ],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; print the record.")] = False,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn the issue form of a trial into a record; never overwrites."""
    from ipsevidence.terminal.issues import record_from_issue

    raise typer.Exit(0 if record_from_issue(file, data, check=check, as_json=as_json, quiet=quiet) else 1)


@app.command()
def explore(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes one that is free.")] = 8001,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Explore the evidence in a browser on this machine: choose a question and a model, each run as it is chosen."""
    from ipsevidence.terminal.explore import explored

    explored(port, data, as_json=as_json, quiet=quiet)


site = typer.Typer(
    name="site",
    help="The static site: build it, or look at it on this machine.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(site)


@site.command("build")
def site_build(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into.")],
    address: Annotated[
        str, typer.Option("--address", help="Where it will stand, such as https://example.org/ips/.")
    ] = "",
    workers: Workers = 1,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the static site: findings, studies, analyses, claims, data, methods."""
    from ipsevidence.terminal.site import built

    built(out, address, workers, data, as_json=as_json, quiet=quiet)


@site.command("serve")
def site_serve(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write into.", show_default="a temporary one")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes one that is free.")] = 8000,
    workers: Workers = 1,
    data: Data = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build the site and show it on this machine until Ctrl-C."""
    from ipsevidence.terminal.site import served

    served(out, port, workers, data, as_json=as_json, quiet=quiet)


def _version(asked: bool) -> None:
    if asked:
        from ipsevidence import __version__

        typer.echo(f"ipsevidence {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
