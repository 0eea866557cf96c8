import threading

import pytest

from mesonet.parallel import batched, map_ahead


def test_results_come_in_order_and_only_so_far_ahead():
    started = []

    def double(number):
        started.append(number)
        return 2 * number

    results = map_ahead(double, range(100), workers=3, ahead=5)
    for count, result in enumerate(results, start=1):
        assert result == 2 * (count - 1)
        assert len(started) <= count + 5
    assert count == 100


def test_leaving_early_stops_the_threads():
    results = map_ahead(str, range(1000), workers=3)
    assert next(results) == "0"
    results.close()
    assert not any(thread.name.startswith("mesonet") for thread in threading.enumerate())


def test_an_error_is_raised_where_its_result_would_come():
    results = map_ahead(lambda number: 1 // number, [2, 1, 0], workers=1)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_batches():
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]
