"""The choice between gathering and a product, with time told by a clock of the test's own."""

from __future__ import annotations

import pytest

from neurodeploy.simulator import choice as module
from neurodeploy.simulator.choice import Choice

#: Nanoseconds that a step takes as a product, and a step and an event take to gather.
PRODUCT, STEP, EVENT = 1000, 100, 10


class Clock:
    """Time that passes only by what is computed."""

    def __init__(self):
        self.now, self.done = 0, []

    def perf_counter_ns(self):
        return self.now

    def computed(self, way, cost):
        def compute():
            self.now += cost
            self.done.append(way)

        return compute

    def run(self, choice, steps, events):
        """Compute a block; which way it went."""
        gather = self.computed("gather", STEP * steps + EVENT * events)
        choice.run(steps, events, gather, self.computed("product", PRODUCT * steps))
        return self.done[-1]


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def tried(clock, steps=8, events=8 * 200, multiplications=1000, wrong=1.0):
    """A choice that has tried both ways; its estimates are `wrong` times the true cost."""
    choice = Choice(STEP * wrong, EVENT * wrong, multiplications)
    for _ in range(10**6):
        if clock.done.count("product") > module._TRIALS + 1:
            return choice
        clock.run(choice, steps, events)
    raise AssertionError("no product was tried")


@pytest.mark.parametrize("wrong", [0.2, 1.0, 5.0])
def test_the_cheaper_way_is_taken(clock, wrong):
    """Where the ways meet (90 events a step), whatever factor the estimate is wrong by."""
    choice = tried(clock, wrong=wrong)
    for steps in (1, 8, 40):
        assert clock.run(choice, steps, 80 * steps) == "gather"
        assert clock.run(choice, steps, 100 * steps) == "product"
        assert clock.run(choice, steps, 0) == "gather"
        assert clock.run(choice, steps, 10_000 * steps) == "product"


def test_a_product_is_tried_late_and_seldom(clock):
    """First gathering shows what it costs, long enough for a product to pay."""
    tried(clock)
    first = clock.done.index("product")
    assert first > module._TRIALS
    before = first * (STEP * 8 + EVENT * 1600)
    assert before >= module._PATIENCE
    assert clock.done[:first] == ["gather"] * first


def test_no_product_is_tried_below_the_fastest_core(clock):
    """Gathering that takes less than the multiplications would at best goes on for ever."""
    least = int((STEP + EVENT * 200) * module._FASTEST_PRODUCT)
    choice = Choice(STEP, EVENT, least + least // 10)
    count = 2 * module._PATIENCE // (8 * (STEP + EVENT * 200))
    assert {clock.run(choice, 8, 8 * 200) for _ in range(int(count))} == {"gather"}
    # a busier block passes the mark
    assert clock.run(choice, 8, 8 * 400) == "product"


def test_the_first_block_of_a_way_is_not_timed(clock):
    """It makes tables: a hundred times the cost must not turn the choice."""
    choice = Choice(STEP, EVENT, 1000)
    slow = clock.computed("gather", 100 * 8 * (STEP + EVENT * 200))
    choice.run(8, 1600, slow, clock.computed("product", PRODUCT * 8))
    while "product" not in clock.done:
        clock.run(choice, 8, 1600)
    for _ in range(module._TRIALS + 1):
        clock.run(choice, 8, 1600)
    assert clock.run(choice, 8, 8 * 80) == "gather"
    assert clock.run(choice, 8, 8 * 100) == "product"


@pytest.mark.parametrize("way", ["gather", "product"])
def test_a_way_can_be_prescribed(clock, way):
    choice = Choice(STEP, EVENT, 1000)
    choice.only = way
    assert {clock.run(choice, 4, events) for events in (0, 40, 4000) for _ in range(9)} == {way}


def test_every_block_is_computed_once(clock):
    choice = Choice(STEP, EVENT, 1000)
    for events in range(0, 2000, 3):
        clock.run(choice, 4, events)
    assert len(clock.done) == 667
