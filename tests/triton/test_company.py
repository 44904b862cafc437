"""Who is on the way, told over a real socket of the kernel's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tandem.triton.company import Company, Departures, address_of


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def address(request: pytest.FixtureRequest) -> bytes:
    return f"\0tandem-test-{os.getpid()}-{request.node.name}".encode()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def company(address: bytes, clock: Clock) -> Iterator[Company]:
    company = Company(address, memory_s=2, clock=clock)
    yield company
    company.close()


@pytest.fixture
def departures(address: bytes) -> Iterator[Departures]:
    departures = Departures(address)
    yield departures
    departures.close()


def test_counts_those_who_came_and_have_not_left(company, departures):
    tickets = [company.enter() for _ in range(5)]
    for ticket in tickets[1:3]:
        departures.tell(ticket)
    assert company.count() == 3
    for ticket in (tickets[0], *tickets[3:]):
        departures.tell(ticket)
    assert company.count() == 0


def test_nobody_counts_where_nobody_ever_leaves(company, clock):
    for _ in range(5):  # the step is asked by itself: no last step tells anything
        company.enter()
        clock.now += 0.5
    assert company.count() == 0


def test_who_never_leaves_is_forgotten_when_later_ones_have_left(company, departures, clock):
    company.enter()  # lost on the way
    for _ in range(5):
        clock.now += 0.1
        departures.tell(company.enter())
        assert company.count() == 1
    clock.now += 0.01
    departures.tell(company.enter())
    assert company.count() == 0


def test_who_is_overtaken_by_a_little_still_counts(company, departures, clock):
    slow = company.enter()
    clock.now += 0.4
    departures.tell(company.enter())
    clock.now += 1.5
    assert company.count() == 1
    departures.tell(slow)
    assert company.count() == 0


def test_who_never_leaves_is_forgotten_in_the_end(company, departures, clock):
    company.enter()
    departures.tell(company.enter())
    clock.now += 1.99
    company.enter()
    assert company.count() == 2
    clock.now += 0.02
    departures.tell(company.enter())
    assert company.count() == 1


def test_where_nothing_leaves_any_more_nobody_counts_until_somebody_does(company, departures, clock):
    departures.tell(company.enter())
    clock.now += 0.1
    company.enter()
    assert company.count() == 1
    clock.now += 2.5  # it was lost, and nothing has left since it came
    ticket = company.enter()
    company.enter()
    assert company.count() == 0
    departures.tell(ticket)
    assert company.count() == 1


def test_after_a_long_rest_the_first_of_many_have_company(company, departures, clock):
    departures.tell(company.enter())
    clock.now += 3600
    company.enter()
    company.enter()
    assert company.count() == 2


def test_a_ticket_of_before_means_nothing(company, departures):
    departures.tell(7)  # of before this step was started anew
    company.enter()
    assert company.count() == 1


def test_an_item_without_a_ticket_tells_nothing(company, departures):
    company.enter()
    departures.tell(None)
    assert company.count() == 1


def test_telling_never_waits_nor_fails(address, departures):
    departures.tell(1)  # nobody listens
    deaf = Company(address)
    for ticket in range(10_000):  # more than any queue holds
        departures.tell(ticket)
    deaf.close()
    departures.tell(1)


def test_a_second_listener_has_no_company(company, address, departures, caplog):
    second = Company(address)
    assert "never held" in caplog.text
    departures.tell(second.enter())
    second.enter()
    assert second.count() == 0
    second.close()


def test_children_of_one_process_share_an_address_and_others_do_not():
    code = "from tandem.triton.company import address_of; print(address_of())"
    said = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)
    }
    assert said == {f"{address_of(os.getpid())!r}\n".encode()}
    assert address_of() != address_of(os.getpid())
