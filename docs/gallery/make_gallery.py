"""Draw the gallery of the documentation: every kind of figure on real data; risk of bias and flow from the example."""

from pathlib import Path

import yaml

import ipsevidence
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.figures import FIGURES, alternative_text, figure, save
from ipsevidence.figures.flow_plot import flow, flow_from
from ipsevidence.figures.rob_plot import judgements_from, risk_of_bias
from ipsevidence.report.gallery import Drawn, page

HERE = Path(__file__).parent
ANALYSES = {"card": "primary-justice", "bubble": "any-vocational-outcome", "fidelity": "any-vocational-outcome"}
"""What is drawn where it is not the primary analysis."""

OPTIONS = {"funnel": {"contours": True}, "gosh": {"study": "rognli-2025"}, "compact": {"of": "sensitivity"}}
"""Options that show more of a kind."""


def draw(folder: Path) -> None:
    """Draw all of them into a folder."""
    dataset = ipsevidence.load(HERE.parents[1])
    runs = {name: ipsevidence.run(name, dataset) for name in {"primary", *ANALYSES.values()}}
    example = yaml.safe_load((HERE / "example.yaml").read_text(encoding="utf-8"))
    words = example["label"]
    made = {
        "rob": risk_of_bias(judgements_from(example["risk_of_bias"]), weights=example["weights"], note=words),
        "flow": flow(flow_from(example["flow"]), note=words),
    }
    done = []
    for key, kind in FIGURES.items():
        if key not in made:
            made[key] = figure(key, runs[ANALYSES.get(key, "primary")], dataset, **OPTIONS.get(key, {}))
        save(made[key], folder / f"{key}.svg")
        shows = f"{kind.shows} Here from an example that is not data." if key in ("rob", "flow") else kind.shows
        told = alternative_text(made[key])
        done.append(Drawn(kind=key, label=kind.label, shows=shows, file=f"{key}.svg", words=told))
    text = page("Gallery", tuple(done))
    intro = (
        "\nEvery kind of figure, drawn by `make images` from the primary analysis unless its title says otherwise. Each"
        " is one command: `ipsevidence figure KIND SPEC -o file.svg`, with `--style` for a journal's preset and `--set`"
        " for the options of the kind; a table of one's own (CSV, XLSX) takes the place of SPEC. All at once:"
        " `ipsevidence figure gallery SPEC -o folder`.\n"
    )
    write_atomically(folder / "README.md", text.replace("# Gallery\n", f"# Gallery\n{intro}", 1))


if __name__ == "__main__":
    draw(HERE)
