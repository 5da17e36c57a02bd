"""The simulated student does what its parameters say: the truth that estimators are held to."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from feedback_friction.engine.models.student import StudentModel, parse_traits
from feedback_friction.errors import UsageError
from feedback_friction.mode_names import parse_mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Generate, Grade, Mask
from feedback_friction.protocol.trial import trial
from feedback_friction.settings import Plan
from feedback_friction.tasks.catalog import get_page
from feedback_friction.ways import parse_sampling
from task_rows import ROWS

BINARY = Plan(
    parse_mode("binary", has_feedback_model=False), parse_sampling("greedy"), temperature=1.0
)
CHOICES = tuple(f"an option that says {word}" for word in ("stone", "apple", "cloud", "sea"))


def questions(count):
    return [Problem(f"q{i}", "mmlu", f"Which? ({i})", "B", choices=CHOICES) for i in range(count)]


def run(spec, mode="binary", count=300, sampling="greedy", **plan):
    """The trials of a student; solver and feedback writer are the same student."""
    model, task = StudentModel(spec), get_page("mmlu").task
    settings = {"temperature": 0.7, **plan}
    made = Plan(parse_mode(mode, has_feedback_model=True), parse_sampling(sampling), **settings)

    async def one(problem):
        steps = trial(problem, task, made)
        try:
            effect = next(steps)
            while True:
                if isinstance(effect, Generate):
                    effect = steps.send(await model.generate(effect))
                elif isinstance(effect, Grade):
                    effect = steps.send(task.grade(effect.problem, effect.response))
                elif isinstance(effect, Mask):
                    effect = steps.send(task.mask(effect.problem, effect.text))
                else:
                    effect = steps.send(None)
        except StopIteration as stop:
            return stop.value

    async def everyone():
        return [await one(problem) for problem in questions(count)]

    return asyncio.run(everyone())


def share(values):
    values = list(values)
    return sum(values) / len(values)


@pytest.mark.parametrize("ability", [0.2, 0.7])
def test_ability_is_the_share_of_right_first_answers(ability):
    trials = run(f"student/ability={ability},spread=0.2", iterations=1, count=1500)
    assert share(t.status == "solved" for t in trials) == pytest.approx(ability, abs=0.05)


def test_uptake_is_the_chance_of_a_right_answer_after_feedback():
    trials = run("student/ability=0,resistant=0,uptake.strong=0.4", "strong", iterations=2)
    assert share(t.status == "solved" for t in trials) == pytest.approx(0.4, abs=0.09)


@pytest.mark.slow
def test_resistant_problems_are_never_solved_by_feedback():
    spec = "student/ability=0,resistant=0.5,uptake.strong=1"
    trials = run(spec, "strong")
    model = StudentModel(spec)
    for each in trials:
        assert (each.status == "unsolved") == model.resists(each.problem)
    assert share(t.status == "unsolved" for t in trials) == pytest.approx(0.5, abs=0.09)


@pytest.mark.parametrize("shuffle", [False, True])
def test_repeat_is_the_chance_of_the_same_wrong_answer(shuffle):
    spec = "student/ability=0,resistant=1,repeat=0.6,silent=0"
    trials = run(spec, iterations=3, shuffle=shuffle)
    again = []
    for each in trials:
        texts = [a.problem.choices["ABCD".index(a.verdict.prediction)] for a in each.attempts]
        again += [one == other for one, other in pairwise(texts)]
    assert share(again) == pytest.approx(0.6, abs=0.08)


def test_silent_is_the_chance_of_no_answer():
    trials = run("student/ability=0,silent=0.3", iterations=1, count=600)
    silent = share(t.attempts[0].verdict.prediction is None for t in trials)
    assert silent == pytest.approx(0.3, abs=0.07)


def test_feedback_of_a_blurting_student_is_masked():
    trials = run("student/ability=0,blurt=1", "self", iterations=2, count=50)
    texts = [t.attempts[0].feedback for t in trials]
    assert all("The correct answer is B" in each.raw for each in texts)
    assert not any("answer is B" in each.text or each.leaks for each in texts)


def test_the_same_request_gets_the_same_reply_and_draws_differ():
    one, other = run("student/default", count=20), run("student/default", count=20)
    assert one == other
    drawn = run("student/default", "retry", count=40, iterations=4)
    assert any(len({a.reply.text for a in t.attempts}) > 1 for t in drawn)


def test_at_temperature_0_the_same_prompt_gets_the_same_reply():
    for each in run("student/default", "retry", count=20, iterations=3, temperature=0.0):
        assert len({attempt.reply.text for attempt in each.attempts}) == 1


@pytest.mark.parametrize("name", ["mmlu", "aime_2024", "decimal_multiplication", "trivia_qa"])
def test_what_it_means_to_say_is_what_the_grader_hears(name):
    page = get_page(name)
    rows = ROWS[name]
    model = StudentModel("student/ability=0.5,spread=0,silent=0")
    for problem in map(page.to_problem, rows):
        request = next(trial(problem, page.task, BINARY))
        for seed in range(20):
            reply = asyncio.run(model.generate(replace(request, seed=seed))).replies[0]
            verdict = page.task.grade(problem, reply.text)
            assert verdict.prediction is not None
            if verdict.is_correct:
                break
        else:
            pytest.fail(f"never right about {problem.id}")


@pytest.mark.parametrize("name", ["lazy", "ability", "ability=x", "ability=2", "uptake.kind=1", ""])
def test_an_unknown_student_is_refused(name):
    with pytest.raises(UsageError):
        parse_traits(name)


def test_presets_and_parameters():
    assert parse_traits("default").ability == 0.35
    traits = parse_traits("ability=0.1,uptake.tutor=0.9")
    assert (traits.ability, traits.uptake["tutor"]) == (0.1, 0.9)
