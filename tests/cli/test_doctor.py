"""`glauke doctor`, with and without the measurements."""

import json
from dataclasses import asdict

import pytest

from glauke import training
from glauke.jobs.machine import meanings
from glauke.training import Limits
from glauke.training.loop._limits import Rate

LIMITS = Limits(
    device="cpu",
    precision="fp32",
    rates=(Rate(precision="fp32", matrix_gflops=175.0, convolution_gflops=140.0),),
    copy_gb_per_second=11.25,
    cores=2,
    jpegs_per_second=5600.0,
    jpegs_per_second_all=7700.0,
    size=64,
    batch_size=128,
    images_per_second=28.0,
    gflop_per_picture=3.5,
)


@pytest.fixture
def measured(monkeypatch):
    monkeypatch.setattr(training, "measure_limits", lambda watch: watch(training.Note("measuring")) or LIMITS)


def test_doctor_measures_nothing_unasked(glauke, monkeypatch):
    monkeypatch.delattr(training, "measure_limits")
    said = glauke("doctor", "--json")
    answer = json.loads(said.out)
    assert said.code == 0 and "limits" not in answer
    assert answer["device"] in ("cpu", "cuda") and answer["precision"] in ("bf16", "fp16", "fp32")


def test_it_is_text_for_a_person_and_names_all_that_export_needs(glauke, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "file" / "cache"))
    said = glauke("doctor")
    assert said.code == 0 and "{" not in said.out and " GiB" in said.out and "core" in said.out
    assert "cannot be used: " in said.out and "is no folder; set GLAUKE_CACHE" in said.out
    assert {"onnx", "onnxscript", "onnxruntime"} <= set(said.out.split())
    monkeypatch.setenv("GLAUKE_CACHE", str(tmp_path / "new" / "cache"))
    assert json.loads(glauke("doctor", "--json").out)["cache_problem"] is None
    assert not (tmp_path / "new").exists()


def test_bench_says_what_each_number_means(glauke, measured):
    said = glauke("doctor", "--bench")
    assert said.code == 0 and "measuring" in said.err
    rows = said.out[said.out.index("measured") :].splitlines()
    assert len(rows) == 1 + len(meanings(LIMITS)) == 9
    text = "\n".join(rows)
    for part in (
        "175 GFLOP/s",
        "no more than 50 pictures/s",
        "80% of the product",
        "no hardware for bfloat16",
        "11.2 GB/s",
        "0.005 cores busy",
        "in no less than 10 s",
        "56% of the product",
        "takes 45.8 min",
    ):
        assert part in text


def test_bench_as_json_has_the_numbers(glauke, measured):
    answer = json.loads(glauke("doctor", "--bench", "--json").out)
    assert answer["limits"] == json.loads(json.dumps(asdict(LIMITS)))


def test_what_an_accelerator_reaches_is_told_in_its_unit():
    fast = Rate(precision="bf16", matrix_gflops=612_000.0, convolution_gflops=300_000.0)
    limits = Limits(**{**{f: getattr(LIMITS, f) for f in LIMITS.__slots__}, "rates": (fast,), "precision": "bf16"})
    rows = {row.what: row.value for row in meanings(limits)}
    assert rows["matrix product, bf16"] == "612 TFLOP/s" and rows["matrix product, fp16"] == "not here"
