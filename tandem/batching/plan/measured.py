"""Measures what a plan needs to know of a live model: one station, or all stations of an ensemble."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tandem.batching.errors import CalibrationError
from tandem.batching.lengths import LengthModel
from tandem.batching.measure.calibrate import Calibration, calibrate
from tandem.batching.measure.in_place import Company, InPlace, measure_in_place
from tandem.batching.measure.live_model import LiveModel, describe_model
from tandem.batching.measure.mixed_batches import measure_lengths
from tandem.batching.measure.processor_time import ProcessorClock
from tandem.batching.measure.samples import Sample, make_samples
from tandem.batching.outcome import Outcome, Station
from tandem.batching.plan.contention import fit_contention
from tandem.batching.plan.variation import unexplained
from tandem.batching.rules import Rule, greedy, timeout
from tandem.batching.service_time import ServiceTime, fit_line
from tandem.batching.simulate.by_length import times_by_length
from tandem.batching.simulate.ensemble import Ensemble
from tandem.batching.simulate.estimate import Effort
from tandem.batching.simulate.traffic import Traffic
from tandem.batching.solve import solve, solve_ensemble

# Above this coefficient of variation service times are simulated as random: as a rule of thumb (Pollaczek and
# Khinchine), a variation v makes waiting longer by the factor 1 + v², here half a per cent.
STEADY = 0.07
# Of the time that an ensemble's steps may take together, for the measurement in their place.
IN_PLACE_SHARE = 0.6


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A live model with its times.

    Attributes:
        model: what was asked for.
        steps: its calibration, or those of its steps.
        transport_s: latency beyond the stations', seconds.
        processors: processors that the stations share; infinity where they share none.
        lengths: how a batch's time depends on its items; None where they take about the same time.
        foreign: items of somebody else that ran meanwhile, and are in the figures.
        bystanders: processors that other processes used while an ensemble was measured.
        company: what an ensemble's steps did beside each other.
    """

    model: LiveModel
    steps: tuple[Calibration, ...]
    transport_s: float
    processors: float = math.inf
    lengths: LengthModel | None = None
    foreign: int = 0
    bystanders: float = 0.0
    company: tuple[Company, ...] = ()

    @property
    def max_batch(self) -> int:
        """Largest batch measured at every step."""
        return min(step.service.max_batch for step in self.steps)

    @property
    def one_s(self) -> float:
        """Time of the slowest step alone, seconds."""
        return max(step.service.of(1) for step in self.steps)

    @property
    def on_cpu(self) -> bool:
        """True for an ensemble whose steps run on the server's processors, all of them."""
        return len(self.steps) > 1 and all(step.model.on_cpu for step in self.steps)

    @cached_property
    def services(self) -> tuple[ServiceTime, ...]:
        """s(b) of every step while all its instances are busy.

        Where processors are shared, sharing them is what slows instances down; it is not counted twice.
        """
        factors = [1.0 if math.isfinite(self.processors) else step.slowdown for step in self.steps]
        return tuple(
            ServiceTime(tuple(factor * seconds for seconds in step.service.seconds))
            for factor, step in zip(factors, self.steps, strict=True)
        )

    @property
    def spread(self) -> float:
        """Coefficient of variation of service times, the steps' weighted by time; 0 where they are steady.

        Of batches in company, where that was watched: lone ones vary less.
        """
        times = np.array([step.service.of(1) for step in self.steps])
        mean = float(times @ (self.unexplained or [step.variation for step in self.steps]) / times.sum())
        return mean if mean > STEADY else 0.0

    @cached_property
    def unexplained(self) -> tuple[float, ...]:
        """How much each step's batches vary in company beyond what contention explains; () where unknown."""
        if not self.on_cpu or math.isinf(self.processors):
            return ()
        return unexplained(self.configured(), self.company)

    def sharing(self, processors: float) -> Measured:
        """The same with so many processors for all stations."""
        return replace(self, processors=processors)

    @property
    def station(self) -> Callable[[Rule], Station] | None:
        """The model under a rule; None for an ensemble, shared processors, or items of different lengths."""
        if len(self.steps) > 1 or math.isfinite(self.processors) or self.lengths is not None:
            return None
        return lambda rule: self._fair([limited(rule, self.max_batch)]).stations[0]

    def configured(self) -> Ensemble:
        """The stations with the rules that their configs on the server make."""
        return self._ensemble(self._configured_rules())

    def _configured_rules(self) -> list[Rule]:
        return [
            timeout(service.max_batch, step.model.delay_us / 1e6)
            if step.model.delay_us
            else greedy(service.max_batch)
            for service, step in zip(self.services, self.steps, strict=True)
        ]

    def _ensemble(self, rules: Sequence[Rule]) -> Ensemble:
        return replace(self._fair(rules), contention=self.contention)

    def _fair(self, rules: Sequence[Rule]) -> Ensemble:
        """The stations with fair shares of the processors."""
        stations = tuple(
            Station(service=service, rule=rule, instances=step.model.instances, hold_s=step.model.hold_s)
            for service, step, rule in zip(self.services, self.steps, rules, strict=True)
        )
        return Ensemble(
            stations=stations,
            demand=tuple(step.demand or (1.0,) * step.service.max_batch for step in self.steps),
            processors=self.processors,
        )

    @cached_property
    def contention(self) -> tuple[tuple[float, ...], ...]:
        """For every step the factors of batches of 1, 2, … beside others; empty where nobody could tell.

        See `plan.contention`; where nothing is shared, nobody is beside anybody.
        """
        if math.isinf(self.processors) or not self.company:
            return ()
        return fit_contention(self._fair(self._configured_rules()), self.company)

    def figures(self, rule: Rule, traffic: Traffic | float, effort: Effort, *, triton: bool) -> Outcome:
        """What the model does under a rule with such traffic, as a client sees it.

        Every step of an ensemble gets the same rule, and is simulated as the ideal rule has it; a single
        model may also follow Triton's batcher.
        """
        if self.lengths is not None:
            return self._by_lengths(self.lengths, rule, traffic, effort)
        effort = replace(effort, spread=self.spread)
        ensemble = self._ensemble([limited(rule, service.max_batch) for service in self.services])
        if len(ensemble.stations) > 1 or math.isfinite(self.processors):
            return solve_ensemble(ensemble, traffic, effort).shifted(self.transport_s)
        fixed = self.steps[0].model.fixed_shapes
        outcome = solve(ensemble.stations[0], traffic, effort, triton=triton, fixed_shapes=fixed)
        return outcome.shifted(self.transport_s)

    def _by_lengths(
        self, lengths: LengthModel, rule: Rule, traffic: Traffic | float, effort: Effort
    ) -> Outcome:
        """Figures of a single model whose items differ; they are drawn from the sample."""
        service = lengths.mean_service()
        rule = limited(rule, service.max_batch)
        station = Station(service=service, rule=rule, instances=self.steps[0].model.instances)
        outcome = solve(station, traffic, effort, draw_times=times_by_length(lengths, rule.max_batch))
        return outcome.shifted(self.transport_s)


def limited(rule: Rule, max_batch: int) -> Rule:
    """The rule for a step that can't take such large batches."""
    if rule.max_batch <= max_batch:
        return rule
    return greedy(max_batch) if rule.kind == "greedy" else timeout(max_batch, rule.delay_s)


def measure(
    client: Any,
    name: str,
    *,
    files: Sequence[bytes] = (),
    shapes: dict[str, tuple[int, ...]] | None = None,
    max_batch: int | None = None,
    processors: float = math.inf,
    budget_s: float,
    processor_clock: ProcessorClock | None = None,
) -> Measured:
    """Measure a model, or every step of an ensemble, on the live server.

    Args:
        client: see `live_model.connect`.
        name: the model or ensemble.
        files: contents for a BYTES input, e.g. encoded pictures.
        shapes: shapes of inputs that vary, by name.
        max_batch: largest batch to measure; at most the server's.
        processors: processors that the stations share.
        budget_s: seconds for each model.
        processor_clock: see `processor_seconds_by_model`.

    Raises:
        ServerDownError, ModelNotFoundError, CalibrationError: what went wrong.
    """
    model = describe_model(client, name)
    samples = make_samples(model, files, shapes or {})
    if not model.steps:
        found = calibrate(
            client, model, samples, max_batch=max_batch, budget_s=budget_s, processor_clock=processor_clock
        )
        lengths = None
        if len(samples) > 1 and model.batches:
            largest = min(max_batch or model.max_batch, model.max_batch)
            lengths = measure_lengths(client, model, samples, largest=largest, budget_s=budget_s)
        return Measured(
            model=model,
            steps=(found,),
            transport_s=found.transport_s,
            processors=processors,
            lengths=lengths,
            foreign=found.foreign,
        )
    return _measure_ensemble(
        client, model, samples, max_batch=max_batch, budget_s=budget_s, processor_clock=processor_clock
    ).sharing(processors)


def _measure_ensemble(
    client: Any,
    model: LiveModel,
    samples: list[Sample],
    *,
    max_batch: int | None,
    budget_s: float,
    processor_clock: ProcessorClock | None,
) -> Measured:
    """Every step of an ensemble, in its place."""
    parts = [describe_model(client, step.model) for step in model.steps]
    if any(part.steps for part in parts):
        raise CalibrationError(f"{model.name} holds another ensemble; measure that one by itself")
    largest = min(max_batch or model.max_batch, *(part.max_batch for part in parts))
    placed = measure_in_place(
        client,
        model,
        parts,
        samples,
        largest=largest,
        budget_s=budget_s * IN_PLACE_SHARE * len(parts),
        processor_clock=processor_clock,
    )
    steps = tuple(_from_place(part, placed, largest) for part in parts)
    # A lone item also waits out the delay that each step's config sets.
    inside = sum(found.service.of(1) + found.model.lone_delay_s for found in steps)
    return Measured(
        model=model,
        steps=steps,
        transport_s=max(placed.lone_s - inside, 0.0),
        foreign=placed.foreign,
        bystanders=placed.bystanders,
        company=placed.company,
    )


def _from_place(part: LiveModel, placed: InPlace, largest: int) -> Calibration:
    """The calibration of a step whose sizes all came about in its place."""
    times = [placed.times[part.name][size] for size in range(1, largest + 1)]
    medians = tuple(float(np.median(seconds)) for seconds in times)
    return Calibration(
        model=part,
        service=ServiceTime(medians),
        spread_s=tuple(float(np.subtract(*np.percentile(seconds, (75, 25))) / 2) for seconds in times),
        samples=tuple(map(len, times)),
        gaps_s=(0.0,) * largest,
        slowdown=1.0,
        transport_s=0.0,
        fit=fit_line(range(1, largest + 1), medians) if largest > 1 else None,
        took_s=placed.took_s / len(placed.times),
        demand=placed.demand.get(part.name, ()),
    )
