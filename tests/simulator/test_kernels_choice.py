"""The choice between the ways of a connection, with time told by a clock of the test's own."""

from __future__ import annotations

import pytest

from neurodeploy.simulator import choice as module
from neurodeploy.simulator.choice import Choice
from neurodeploy.simulator.estimates import Estimate

#: Nanoseconds that a step takes as a product, and a step and an event take to gather and to stamp.
PRODUCT, STEP, EVENT = 1000, 100, 10
STAMP_STEP, STAMP_EVENT = 20, 18


def choice_of(multiplications=1000, wrong=1.0, stamps=False):
    """A choice whose estimates are `wrong` times the true cost."""
    sparse = {"gather": Estimate(STEP * wrong, EVENT * wrong)}
    if stamps:
        sparse["stamp"] = Estimate(STAMP_STEP * wrong, STAMP_EVENT * wrong)
    return Choice(sparse, multiplications)


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
        costs = {
            "gather": STEP * steps + EVENT * events,
            "stamp": STAMP_STEP * steps + STAMP_EVENT * events,
            "product": PRODUCT * steps,
        }
        ways = {way: self.computed(way, cost) for way, cost in costs.items()}
        choice.run(steps, events, ways)
        return self.done[-1]


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def tried(clock, steps=8, events=8 * 200, **options):
    """A choice that has tried all ways."""
    choice = choice_of(**options)
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
    choice = choice_of(least + least // 10)
    count = 2 * module._PATIENCE // (8 * (STEP + EVENT * 200))
    assert {clock.run(choice, 8, 8 * 200) for _ in range(int(count))} == {"gather"}
    # a busier block passes the mark
    assert clock.run(choice, 8, 8 * 400) == "product"


def test_the_first_block_of_a_way_is_not_timed(clock):
    """It makes tables: a hundred times the cost must not turn the choice."""
    choice = choice_of()
    slow = clock.computed("gather", 100 * 8 * (STEP + EVENT * 200))
    choice.run(8, 1600, {"gather": slow})
    while "product" not in clock.done:
        clock.run(choice, 8, 1600)
    for _ in range(module._TRIALS + 1):
        clock.run(choice, 8, 1600)
    assert clock.run(choice, 8, 8 * 80) == "gather"
    assert clock.run(choice, 8, 8 * 100) == "product"


@pytest.mark.parametrize("wrong", [0.2, 1.0, 5.0])
def test_the_cheapest_of_three(clock, wrong):
    """Stamping up to 10 events a step, gathering up to 90."""
    choice = tried(clock, wrong=wrong, stamps=True)
    for steps in (1, 8, 40):
        for events, way in ((0, "stamp"), (9, "stamp"), (11, "gather"), (89, "gather")):
            assert clock.run(choice, steps, events * steps) == way
        assert clock.run(choice, steps, 91 * steps) == "product"


@pytest.mark.parametrize(("gather", "stamp"), [(0.5, 1.0), (1.0, 0.5), (2.0, 1.0), (1.0, 2.0)])
def test_each_way_is_calibrated_by_itself(clock, gather, stamp):
    """Estimates that are wrong by different factors; they meet at 10 events a step."""
    choice = Choice(
        {
            "gather": Estimate(STEP * gather, EVENT * gather),
            "stamp": Estimate(STAMP_STEP * stamp, STAMP_EVENT * stamp),
        },
        None,
    )
    for _ in range(4 * module._TRIALS):
        clock.run(choice, 8, 8 * 10)
    assert [clock.run(choice, 8, 8 * n) for n in (1, 9, 11, 80)] == ["stamp"] * 2 + ["gather"] * 2


def test_threads_that_begin_together(clock):
    """All count their first blocks before any is timed: then the next are."""
    choice = choice_of()
    choice._runs["gather"] = 100
    for _ in range(10**4):
        clock.run(choice, 8, 1600)
    assert clock.run(choice, 8, 8 * 80) == "gather"
    assert clock.run(choice, 8, 8 * 100) == "product"


def test_without_a_product(clock):
    choice = choice_of(None, stamps=True)
    assert choice.ways == ("gather", "stamp")
    found = [clock.run(choice, 8, 8 * 20) for _ in range(100)]
    assert found[2 * module._TRIALS + 2 :] == ["gather"] * (98 - 2 * module._TRIALS)
    assert clock.run(choice, 8, 8) == "stamp"


def test_what_is_much_dearer_is_not_tried(clock):
    """Until a block comes for which it is not."""
    choice = Choice({"gather": Estimate(1000, 1), "stamp": Estimate(1, 100)}, None)
    assert {clock.run(choice, 1, 100) for _ in range(20)} == {"gather"}
    assert clock.run(choice, 1, 10) == "stamp"


@pytest.mark.parametrize("way", ["gather", "stamp", "product"])
def test_a_way_can_be_prescribed(clock, way):
    choice = choice_of(stamps=True)
    choice.only = way
    assert {clock.run(choice, 4, events) for events in (0, 40, 4000) for _ in range(9)} == {way}


def test_every_block_is_computed_once(clock):
    choice = choice_of()
    for events in range(0, 2000, 3):
        clock.run(choice, 4, events)
    assert len(clock.done) == 667
