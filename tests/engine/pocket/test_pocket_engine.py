"""The engine: replies do not depend on what else is under way, and draws follow the model."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from concurrent.futures import CancelledError

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import ThreadpoolController

import pocket_reference
from feedback_friction.engine.models.pocket.engine import Engine
from feedback_friction.engine.models.pocket.folder import read_shape, read_weights
from feedback_friction.engine.models.pocket.grids import Weights
from feedback_friction.engine.models.pocket.memory import BLOCK, PAGE, page_size
from feedback_friction.engine.models.pocket.orders import ClosedError, Limits, Order
from feedback_friction.engine.models.pocket.sampling import nuclei, picks
from feedback_friction.engine.models.pocket.sequence import Job, Sequence
from feedback_friction.engine.models.pocket.transformer import Transformer
from pocket_folders import write_folder

END, NEVER = 5, frozenset({10**6})
WAIT = 300  # seconds; a machine may be busy


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("model"))
    shape = read_shape(folder)
    weights = read_weights(folder, shape)
    return shape, weights, Weights(shape, weights)


@pytest.fixture
def engine_of(model):
    """Makes engines that are closed after the test."""
    made = []

    def make(limits=None, ends=frozenset({END})):
        made.append(Engine(model[2], ends, limits or Limits(threads=2)))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def watched(monkeypatch):
    """Takes note of the spans of each step; one may come before it, or in its place.

    ``before()`` may hold a thread, so that what a test says of several at once does not depend on
    how fast each of them runs.
    """
    steps, compute = [], Transformer.scores

    def watch(replacement=None, before=lambda: None):
        def scores(self, spans):
            steps.append(spans)
            before()
            return replacement(spans) if replacement else compute(self, spans)

        monkeypatch.setattr(Transformer, "scores", scores)
        return steps

    return watch


def computed_in(steps):
    """Tokens that went through the model."""
    return sum(len(span.tokens) for spans in steps for span in spans)


def many_orders(count=40):
    random = np.random.default_rng(0)
    return [
        Order(
            prompt=tuple(random.integers(6, 100, random.integers(1, 150)).tolist()),
            seeds=tuple(range(number, number + int(random.integers(1, 4)))),
            max_tokens=int(random.integers(1, 50)),
            temperature=float(random.choice([0, 0.7, 1.3])),
            top_p=float(random.choice([1.0, 0.8])),
            logprobs=True,
        )
        for number in range(count)
    ]


def served(engine, orders):
    return [each.result(WAIT) for each in [engine.submit(order) for order in orders]]


def test_replies_are_the_same_alone_together_again_and_with_hardly_any_memory(engine_of):
    orders = many_orders()
    alone_engine = engine_of(Limits(sequences=1, prompt_tokens=7, memory=0, threads=1))
    alone = [alone_engine.submit(order).result(WAIT).replies for order in orders]
    together = engine_of()
    cramped = engine_of(Limits(sequences=9, prompt_tokens=33, memory=1_500_000, threads=3))
    for engine in (together, together, cramped):
        assert [each.replies for each in served(engine, orders)] == alone
    assert len({reply.tokens for replies in alone for reply in replies}) > 40


def test_sequences_that_outgrow_the_memory_give_way_and_come_back(engine_of, model, watched):
    shape = model[0]
    room = 2 * shape.layers * shape.groups * shape.head * 8  # bytes of a token
    orders = [Order((7, 8, number), (number,), 400, 1.0) for number in range(12)]
    wanted = [each.replies for each in served(engine_of(ends=NEVER), orders)]
    all_wait = threading.Event()
    steps = watched(before=lambda: all_wait.wait(WAIT))
    cramped = engine_of(Limits(memory=room * 2000, threads=1), NEVER)
    futures = [cramped.submit(order) for order in orders]
    all_wait.set()
    assert [each.result(WAIT).replies for each in futures] == wanted
    assert max(map(len, steps)) > 2
    longest = max(len(span.tokens) for spans in steps for span in spans)
    assert longest > 20, "nobody had to be computed again"


def test_sequences_are_spread_over_the_threads(engine_of, watched):
    submitted, together = threading.Barrier(4, timeout=WAIT), threading.Barrier(3, timeout=WAIT)
    barriers = defaultdict(lambda: iter((submitted, together)))  # of each thread's first steps

    def before():
        barrier = next(barriers[threading.get_ident()], None)
        if barrier is not None:
            barrier.wait()

    steps = watched(before=before)
    engine = engine_of(Limits(threads=3), NEVER)
    futures = [engine.submit(Order((9, number), (1,), 50)) for number in range(12)]
    submitted.wait()
    for future in futures:
        future.result(WAIT)
    pools = {span.memory.pool for spans in steps for span in spans}
    assert len(pools) == 3
    for pool in pools:
        held = [len(spans) for spans in steps if spans[0].memory.pool is pool]
        assert held[1] == max(held) == 4


def test_greedy_replies_are_the_plain_transformer_s_most_probable_tokens(engine_of, model):
    shape, weights, _ = model
    (served_one,) = served(engine_of(), [Order((9, 30, 41), (1, 2), 12, logprobs=True)])
    tokens, wanted, logprob = [9, 30, 41], [], 0.0
    while len(wanted) < 12 and (not wanted or wanted[-1] != END):
        scores = pocket_reference.logits(shape, weights, tokens)[-1]
        wanted.append(int(scores.argmax()))
        logprob += scores[wanted[-1]] - np.logaddexp.reduce(scores)
        tokens.append(wanted[-1])
    for reply in served_one.replies:
        assert reply.tokens == tuple(wanted)
        assert reply.mean_logprob == pytest.approx(logprob / len(wanted), abs=1e-5)
        assert reply.finish == ("stop" if wanted[-1] == END else "length")


def test_of_tokens_with_the_same_score_the_greedy_one_has_the_lowest_id(engine_of, watched):
    watched(lambda spans: np.zeros((len(spans), 40)))
    (reply,) = served(engine_of(), [Order((9,), (0,), 3)])[0].replies
    assert reply.tokens == (0, 0, 0)


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.6, 1.0), (1.0, 0.7)])
def test_draws_have_the_model_s_own_frequencies(engine_of, model, temperature, top_p):
    shape, weights, _ = model
    prompt, count = (9, 30, 41, 17), 2500
    scores = pocket_reference.logits(shape, weights, prompt)[-1] / temperature
    shares = np.exp(scores - np.logaddexp.reduce(scores))
    order = np.argsort(-shares, kind="stable")
    before = np.cumsum(shares[order]) - shares[order]
    shares[order[before >= top_p]] = 0
    shares /= shares.sum()
    orders = [Order(prompt, (seed,), 1, temperature, top_p) for seed in range(count)]
    drawn = [each.replies[0].tokens[0] for each in served(engine_of(), orders)]
    counts = np.bincount(drawn, minlength=shape.vocabulary)
    assert not counts[shares == 0].any()
    common = shares * count >= 5
    observed = [*counts[common], counts[~common].sum()]
    expected = [*(shares[common] * count), shares[~common].sum() * count]
    seen, wanted = (
        np.array([x for x, e in zip(values, expected, strict=True) if e > 0])
        for values in (observed, expected)
    )
    assert len(wanted) > 8
    assert stats.chisquare(seen, wanted * seen.sum() / wanted.sum()).pvalue > 0.001


def test_the_mean_logprob_is_that_of_temperature_1_whatever_was_drawn_at(engine_of, model):
    shape, weights, _ = model
    orders = [Order((9, 30), (seed,), 20, 1.7, 0.95, logprobs=True) for seed in range(5)]
    for order, each in zip(orders, served(engine_of(), orders), strict=True):
        (reply,) = each.replies
        scores = pocket_reference.logits(shape, weights, [*order.prompt, *reply.tokens])
        rows = scores[len(order.prompt) - 1 : -1]
        known = rows - np.logaddexp.reduce(rows, axis=1, keepdims=True)
        mean = known[range(len(reply.tokens)), list(reply.tokens)].mean()
        assert reply.mean_logprob == pytest.approx(mean, abs=1e-5)
    (plain,) = served(engine_of(), [Order((9, 30), (1,), 5)])[0].replies
    assert plain.mean_logprob is None


def test_a_seed_draws_the_same_again_and_another_one_something_else(engine_of):
    orders = [Order((9, 30), (1, 2, 1), 30, 1.0), Order((9, 30), (2,), 30, 1.0)]
    first, second = served(engine_of(), orders)
    assert first.replies[0] == first.replies[2] != first.replies[1]
    assert second.replies[0] == first.replies[1]


WEIGHTS = np.array([[1.0, 5.0, 2.0, 0.0]]) * 2**25


@pytest.mark.parametrize(
    ("number", "index"),
    [(0.0, 0), (0.1249, 0), (0.125, 1), (0.7499, 1), (0.75, 2), (1 - 2**-53, 2)],
)
def test_a_number_falls_on_a_choice_by_its_weight(number, index):
    assert picks(WEIGHTS, np.array([number])).tolist() == [index]


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [
        (1.0, [True, True, True, False]),
        (0.876, [True, True, True, False]),
        (0.875, [False, True, True, False]),  # two have that share by themselves
        (0.626, [False, True, True, False]),
        (0.625, [False, True, False, False]),
        (1e-9, [False, True, False, False]),
    ],
)
def test_the_smallest_set_with_a_share_keeps_its_weights(top_p, kept):
    wanted = np.where(kept, WEIGHTS, 0.0)
    assert np.array_equal(nuclei(WEIGHTS, np.array([top_p])), wanted)


def test_of_equal_weights_the_lowest_ids_are_kept():
    level = np.full((1, 4), 7.0)
    assert nuclei(level, np.array([0.5])).tolist() == [[7.0, 7.0, 0.0, 0.0]]


def test_what_prompts_begin_with_is_computed_once(engine_of, watched):
    prompt = tuple(np.random.default_rng(1).integers(6, 100, 100).tolist())
    steps, engine = watched(), engine_of()
    (first,) = served(engine, [Order(prompt, (1,), 40, 1.0)])
    assert first.cached_tokens == 0
    assert computed_in(steps) == 100 + len(first.replies[0].tokens) - 1
    longer = (*prompt, *first.replies[0].tokens[:-1], 7, 8, 9)
    steps.clear()
    (second,) = served(engine, [Order(longer, (1,), 1)])
    assert second.cached_tokens == (len(longer) - 3) // BLOCK * BLOCK
    assert computed_in(steps) == len(longer) - second.cached_tokens
    (other,) = served(engine, [Order((prompt[0] + 1, *prompt[1:]), (1,), 1)])
    assert other.cached_tokens == 0


@pytest.mark.parametrize("beyond", [1, 2, BLOCK])
def test_several_draws_of_a_prompt_compute_it_once(engine_of, watched, beyond):
    prompt = tuple(range(6, 6 + 4 * BLOCK + beyond))
    steps = watched()
    (one,) = served(engine_of(), [Order(prompt, tuple(range(8)), 1, 1.0)])
    assert computed_in(steps) == len(prompt) + 7 * beyond  # what is no whole block, for each
    assert one.cached_tokens == 0
    assert len({reply.tokens for reply in one.replies}) > 1


def test_a_reply_ends_where_the_context_does(engine_of, model):
    endless = engine_of(ends=NEVER)
    (reply,) = served(endless, [Order(tuple(range(6, 26)) * 25, (1,), 10**6, 1.0)])[0].replies
    assert len(reply.tokens) == model[0].context - 500
    assert reply.finish == "length"


def wait_for(condition, seconds=WAIT):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.002)


def test_a_cancelled_order_leaves_its_place_and_the_others_as_they_are(engine_of, watched):
    wanted = served(engine_of(ends=NEVER), [Order((9, 9), (3,), 60, 1.0)])
    submitted, first_gone, all_gone = (threading.Event() for _ in range(3))
    first_steps = iter((submitted, first_gone))

    def before():
        event = next(first_steps, None)
        if event is None and kept.done():
            event = all_gone
        if event is not None:
            event.wait(WAIT)

    steps = watched(before=before)
    engine = engine_of(Limits(sequences=3, threads=1), NEVER)
    stuck = [engine.submit(Order((9,), (seed,), 10**6, 1.0)) for seed in range(3)]
    kept = engine.submit(Order((9, 9), (3,), 60, 1.0))
    submitted.set()
    wait_for(lambda: len(steps) == 2)
    assert len(steps[1]) == 3
    assert stuck[0].cancel()
    first_gone.set()
    assert kept.result(WAIT) == wanted[0]
    assert stuck[1].cancel()
    assert stuck[2].cancel()
    all_gone.set()
    wait_for(lambda: not engine.running)
    assert len(steps) == 1 + 1 + 60 + 1, "sequences whose order was cancelled went on"
    with pytest.raises(CancelledError):
        stuck[0].result()


def test_what_breaks_a_worker_reaches_everyone_who_waits_and_whoever_comes_later(
    engine_of, watched
):
    begun, go_on = threading.Event(), threading.Event()

    def broken(spans):
        begun.set()
        go_on.wait(WAIT)
        raise MemoryError("no more")

    watched(broken)
    engine = engine_of(Limits(sequences=2, threads=2))
    futures = [engine.submit(Order((9,), (1, 2), 5, 1.0)) for _ in range(5)]
    assert begun.wait(WAIT)
    go_on.set()
    for future in futures:
        with pytest.raises(MemoryError, match="no more"):
            future.result(WAIT)
    with pytest.raises(ClosedError):
        engine.submit(Order((9,), (1,), 5))


def test_a_sequence_that_is_given_back_to_a_broken_engine_is_told_so(engine_of):
    """One worker breaks while another lets its youngest wait again: nobody may wait for ever."""
    engine = engine_of()
    engine._fail(MemoryError("no more"))
    job = Job(Order((9,), (1,), 5))
    engine.put_first([Sequence(job, 0, 100)])
    with pytest.raises(MemoryError, match="no more"):
        job.future.result(0)


def test_an_engine_whose_threads_cannot_start_says_so_and_leaves_blas_alone(engine_of, monkeypatch):
    libraries = ThreadpoolController().select(user_api="blas")
    start, started = threading.Thread.start, []

    def one_only(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    with libraries.limit(limits=2):
        engine = engine_of()
        monkeypatch.setattr(threading.Thread, "start", one_only)
        with pytest.raises(RuntimeError, match="can't start"):
            engine.submit(Order((9,), (1,), 5))
        with pytest.raises(ClosedError):
            engine.submit(Order((9,), (1,), 5))
        engine.close()
        assert threads_of(libraries) == {2}
    assert not started[0].is_alive()


def test_closing_gives_up_what_is_under_way_and_ends_the_threads(engine_of, watched):
    go_on = threading.Event()
    watched(before=lambda: go_on.wait(WAIT))
    engine = engine_of(Limits(sequences=2, threads=2), NEVER)
    before = {each.name for each in threading.enumerate()}
    futures = [engine.submit(Order((9,), (1,), 10**6)) for _ in range(4)]
    assert {each.name for each in threading.enumerate()} - before == {"pocket"}
    closing = threading.Thread(target=engine.close)
    closing.start()
    with pytest.raises(ClosedError):  # it still waits for its turn
        futures[-1].result(WAIT)
    go_on.set()
    closing.join(WAIT)
    for future in futures:
        with pytest.raises(ClosedError):
            future.result(0)
    assert "pocket" not in {each.name for each in threading.enumerate()}
    engine.close()


def test_while_it_serves_blas_has_one_thread_and_then_as_many_as_before(engine_of, watched):
    libraries = ThreadpoolController().select(user_api="blas")
    with libraries.limit(limits=2):
        counts = []
        watched(lambda spans: counts.append(threads_of(libraries)) or np.zeros((len(spans), 40)))
        first, second = engine_of(), engine_of()
        for engine in (first, second):
            served(engine, [Order((9,), (1,), 3)])
        first.close()
        served(second, [Order((9,), (1,), 3)])
        assert counts == [{1}] * 9
        second.close()
        assert threads_of(libraries) == {2}


def threads_of(libraries):
    return {each.num_threads for each in libraries.lib_controllers}


def test_the_least_recently_used_prefixes_go_first(engine_of, model):
    shape = model[0]
    block = 2 * shape.layers * shape.groups * shape.head * 4 * BLOCK
    running = 2 * shape.layers * shape.groups * shape.head * 8 * 64
    engine = engine_of(Limits(memory=running + 7 * block, threads=1))
    one, two, three = (tuple(range(start, start + 3 * BLOCK + 1)) for start in (6, 30, 50))
    orders = [Order(prompt, (1,), 1) for prompt in (one, two, one, three, one, two)]
    hits = [engine.submit(order).result(WAIT).cached_tokens for order in orders]
    # of two, the end was given up for three; its beginning was still there
    assert hits == [0, 0, 3 * BLOCK, 0, 3 * BLOCK, BLOCK]
    assert engine.prefixes.size == 7 * block


def test_prefixes_give_way_before_sequences_that_start_take_the_memory(engine_of, model, watched):
    """Known prompts start together: their pages may not stand beside all that was kept of them."""
    page, together = page_size(model[0]), threading.Event()
    taken = []

    def before():
        taken.append(steps[-1][0].memory.pool.most * page + engine.prefixes.size)
        together.wait(WAIT)

    steps = watched(before=before)
    # each of the four takes six pages and may take one more; what is kept of it, two and a half
    engine = engine_of(Limits(memory=32 * page, threads=1), NEVER)
    prompts = [(number, *[7] * 320) for number in range(20, 24)]
    together.set()
    wanted = [served(engine, [Order(prompt, (1,), 3)])[0].replies for prompt in prompts]
    assert engine.prefixes.size == 4 * 5 * page // 2
    together.clear()
    futures = [engine.submit(Order(prompt, (1,), 3)) for prompt in prompts]
    together.set()
    again = [future.result(WAIT) for future in futures]
    assert [each.replies for each in again] == wanted
    assert [each.cached_tokens for each in again] == [320] * 4
    assert max(map(len, steps)) == 4
    assert max(taken) <= 32 * page


@pytest.mark.parametrize("pages", [32, 6])  # one of them takes eight
def test_when_sequences_have_filled_the_memory_prompts_are_still_remembered(
    engine_of, model, watched, pages
):
    all_wait = threading.Event()
    watched(before=lambda: all_wait.wait(WAIT))
    engine = engine_of(Limits(memory=pages * page_size(model[0]), threads=1), NEVER)
    futures = [engine.submit(Order((number,), (1,), 450)) for number in range(20, 26)]
    all_wait.set()
    for future in futures:
        future.result(WAIT)
    prompt = tuple(range(6, 6 + 2 * BLOCK + 1))
    hits = [served(engine, [Order(prompt, (1,), 1)])[0].cached_tokens for _ in range(2)]
    assert hits == [0, 2 * BLOCK]


def test_a_sequence_starts_where_those_that_run_can_still_grow(engine_of, model):
    engine = engine_of(Limits(memory=8 * page_size(model[0]), threads=1))
    (worker,) = engine._workers  # has seven pages

    def of_pages(number):
        return Sequence(Job(Order((9,) * (number * PAGE), (1,), 5)), 0, 512)

    assert worker.has_room(of_pages(8))  # alone, however large
    worker._start(of_pages(3))
    assert worker.has_room(of_pages(2))
    assert not worker.has_room(of_pages(3))  # the two of them take a page each before they end


def test_cached_tokens_are_those_that_were_known_when_the_prompt_was_first_computed(engine_of):
    engine = engine_of()
    worker, _ = engine._workers
    prompt = tuple(range(6, 6 + 2 * BLOCK + 1))
    late = Sequence(Job(Order(prompt, (1,), 5)), 0, 512)
    worker._start(late)
    worker._stop(late)  # it gave way before its first token
    served(engine, [Order(prompt, (1,), 1)])
    worker._start(late)
    assert late.known == 2 * BLOCK
    assert late.job.cached_tokens == 0
    worker._stop(late)
