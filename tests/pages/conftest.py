"""A finished run as its page sees it."""

from pathlib import Path

import pytest

from glauke.runs import EpochRow, RunRecord, read

SAMPLE = Path(__file__).parent.parent / "runs" / "data" / "run.json"


@pytest.fixture
def record() -> RunRecord:
    return read(SAMPLE)


@pytest.fixture
def rows() -> list[EpochRow]:
    return [
        EpochRow(
            epoch=epoch,
            step=151 * epoch,
            size=64,
            lr=0.31,
            momentum=0.9,
            train_loss=5.0 - epoch,
            train_accuracy=0.2 * epoch,
            train_top5=0.3 * epoch,
            val_loss=None if epoch == 1 else 5.1 - epoch,
            val_accuracy=None if epoch == 1 else 0.19 * epoch,
            val_top5=None if epoch == 1 else 0.29 * epoch,
            val_pictures={1: 0, 2: 3000, 3: 33000}[epoch],
            seconds=35.0,
            seconds_data=2.0,
            seconds_train=30.0,
            seconds_eval=1.5,
            seconds_write=0.5,
            images_per_second=2462.0,
        )
        for epoch in (1, 2, 3)
    ]


@pytest.fixture
def svg() -> str:
    """What matplotlib writes, in small."""
    return """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="504pt" height="374pt" viewBox="0 0 504 374"
  xmlns="http://www.w3.org/2000/svg" version="1.1"><style>svg{color:#1b1d21}</style>
 <metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata>
 <defs><style type="text/css">*{stroke-linejoin: round; stroke-linecap: butt}</style></defs>
 <g id="figure_1"><g id="axes_1">
  <defs><path id="m3f" d="M 0 0 L 0 3" style="stroke: currentColor; stroke-width: 0.8"/></defs>
  <g clip-path="url(#p9a)"><use xlink:href="#m3f" x="30" y="340" style="fill: currentColor"/></g>
  <path d="M 27 358 L 418 358" style="fill: none; stroke: #0072b2; stroke-dasharray: 4,1.5; stroke-linecap: square"/>
  <text style="font: bold 9px 'DejaVu Sans', 'Arial', sans-serif; fill: currentColor; text-anchor: middle"
    x="5" y="6" transform="rotate(-90 5 6)">loss &lt; 1</text>
  <defs><clipPath id="p9a"><rect x="27" y="15" width="390" height="153"/></clipPath></defs>
 </g></g></svg>"""
