"""What buckets, or an instance for long items, would gain."""

from __future__ import annotations

import argparse
import json

import pytest

from tandem.batching.__main__ import main
from tandem.batching.commands import command_plan
from tandem.batching.commands.subjects import Subject
from tandem.batching.lengths import LengthModel
from tandem.batching.outcome import Station
from tandem.batching.plan.by_length import by_length_addition, compare_layouts
from tandem.batching.rules import greedy
from tandem.batching.simulate.buckets import Layout, simulate_layout
from tandem.batching.simulate.by_length import times_by_length
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.traffic import Poisson
from tandem.batching.solve import solve


def padded(share: float = 1.6) -> LengthModel:
    """Texts from 13 to 68 ms; a pair takes `share` of its longest."""
    characters = (10, 12, 14, 16, 18, 20, 24, 30, 60, 120)
    return LengthModel(
        alone_s=tuple((8 + 0.5 * count) / 1e3 for count in characters),
        constant_s=(0.0, 0.0),
        longest=(1.0, share),
        others=(0.0, 0.0),
        off=0.0,
    )


def test_where_batches_pad_buckets_gain_and_the_table_says_for_whom() -> None:
    found = compare_layouts(padded(), Poisson(30.0), instances=1, max_batch=2, objective="mean")
    assert found.one
    assert found.buckets
    assert found.buckets.mean_s < 0.9 * found.one.mean_s
    assert found.buckets.short_mean_s < found.one.short_mean_s
    assert found.apart is None  # a single instance can't be divided


def test_one_queue_is_what_the_other_simulation_says() -> None:
    lengths, rate = padded(), 26.0
    station = Station(service=lengths.mean_service(), rule=greedy(2))
    other = solve(station, rate, draw_times=times_by_length(lengths, 2))
    found = simulate_layout(lengths, Layout(max_batch=2, shared=1), Poisson(rate), effort=Effort())
    assert found.mean_s == pytest.approx(other.mean_s, rel=0.02)
    assert found.p95_s == pytest.approx(other.p95_s, rel=0.03)


def test_where_company_costs_more_than_it_saves_one_queue_runs_items_singly() -> None:
    """Pairs double a text, and buckets then need none either."""
    found = compare_layouts(padded(2.2), Poisson(20.0), instances=1, max_batch=2, objective="mean")
    assert found.one
    assert found.one.layout.max_batch == 1


def test_where_a_batch_costs_what_its_items_cost_buckets_gain_little() -> None:
    """Nothing is padded: a pair takes its longest item and 0.9 of the other."""
    lengths = LengthModel(
        alone_s=padded().alone_s, constant_s=(0.0, 0.0), longest=(1.0, 1.0), others=(0.0, 0.9), off=0.0
    )
    found = compare_layouts(lengths, Poisson(20.0), instances=1, max_batch=2, objective="mean")
    assert found.one
    assert found.buckets
    assert found.buckets.mean_s > 0.9 * found.one.mean_s


def test_a_sample_with_one_short_item_is_cut_above_it() -> None:
    lengths = padded().only((0.010, *[0.050] * 30))
    found = compare_layouts(lengths, Poisson(10.0), instances=1, max_batch=2, objective="p95")
    assert found.buckets
    assert found.buckets.layout.cut_s == 0.010


def test_the_answer_names_every_layout() -> None:
    found = compare_layouts(padded(), Poisson(50.0), instances=2, max_batch=2, objective="p95")
    said = by_length_addition(found)
    assert said.lines[0].startswith("by length    buckets p95 ")
    assert "an instance of the 2 for long items" in said.lines[1]
    assert said.table.count("\n") == 1 + 5
    layouts = said.json["layouts"]
    assert isinstance(layouts, list)
    assert [each["instances"] for each in layouts] == [2, 2, 2, 3, 3]


def test_what_does_not_keep_up_is_said() -> None:
    said = by_length_addition(
        compare_layouts(padded(), Poisson(90.0), instances=2, max_batch=2, objective="mean")
    )
    assert "would not keep up" in "".join(said.lines) or "can't keep up" in said.lines[0]


def test_the_command_adds_it_where_items_differ(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lengths = padded()

    def measured(arguments: argparse.Namespace) -> Subject:
        del arguments
        return Subject(
            name="padded",
            max_batch=2,
            one_s=lengths.mean_service().of(1),
            figures=lambda effort, rule, traffic: solve(
                Station(service=lengths.mean_service(), rule=rule), traffic, effort,
                draw_times=times_by_length(lengths, rule.max_batch),
            ),
            lengths=lengths,
        )  # fmt: skip

    monkeypatch.setattr(command_plan, "live_model", measured)
    options = ["plan", "--url", "here:1", "--model", "padded", "--rate", "25", "--rule", "greedy"]
    assert main([*options]) == 0
    assert "\nby length    buckets mean " in capsys.readouterr().out
    assert main([*options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["by_length"]["layouts"][1]["cut_ms"] > 13
    assert main([*options, "--ramp", "2,60"]) == 1
    assert "for a single model whose items take about the same time" in capsys.readouterr().err
