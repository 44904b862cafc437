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
    company.came(5)
    departures.tell(2)
    assert company.count() == 3
    departures.tell(3)
    assert company.count() == 0


def test_nobody_counts_where_nobody_ever_leaves(company):
    company.came(5)  # the step is asked by itself: no last step tells anything
    assert company.count() == 0


def test_who_never_leaves_is_forgotten(company, departures, clock):
    company.came(2)
    departures.tell(1)
    assert company.count() == 1
    clock.now += 1.5
    company.came(1)
    clock.now += 1.0
    departures.tell(0)
    assert company.count() == 1


def test_where_nothing_has_left_for_long_nobody_counts(company, departures, clock):
    departures.tell(1)
    company.came(1)
    assert company.count() == 1
    clock.now += 2.5
    company.came(1)
    assert company.count() == 0


def test_more_leave_than_came(company, departures):
    departures.tell(7)  # those of before this step was started anew
    company.came(1)  # the seven are heard first
    assert company.count() == 1


def test_telling_never_waits_nor_fails(address, departures):
    departures.tell(1)  # nobody listens
    deaf = Company(address)
    for _ in range(10_000):  # more than any queue holds
        departures.tell(1)
    deaf.close()
    departures.tell(1)


def test_a_second_listener_has_no_company(company, address, departures, caplog):
    second = Company(address)
    assert "never held" in caplog.text
    second.came(3)
    departures.tell(1)
    assert second.count() == 0
    second.close()


def test_children_of_one_process_share_an_address_and_others_do_not():
    code = "from tandem.triton.company import address_of; print(address_of())"
    said = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)
    }
    assert said == {f"{address_of(os.getpid())!r}\n".encode()}
    assert address_of() != address_of(os.getpid())
