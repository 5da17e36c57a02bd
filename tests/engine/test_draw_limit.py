"""A server that gives fewer replies a request than were asked for: learnt, split, told once."""

import json
from pathlib import Path

import pytest
from fake_server import completion, error, serving
from models_client import ask, client, run

from feedback_friction.engine.models.base import RefusedError
from feedback_friction.engine.models.remote.dialect import limit_on_n
from feedback_friction.engine.models.remote.faults import read_error

CASES = json.loads((Path(__file__).parents[1] / "cases" / "models_limits.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["server"])
def test_the_limit_is_read_from_the_refusal(case) -> None:
    answer = read_error(json.dumps(case["body"]).encode())
    assert limit_on_n(answer, case["asked"]) == case["limit"]


def server_of(most, status, message):
    async def answer(request, body):
        n = body.get("n", 1)
        if n > most:
            return await error(status, {"error": {"message": message.format(most=most, n=n)}})(
                request, body
            )
        return await completion(
            *({"message": {"content": f"{body['seed']}.{i}"}} for i in range(n))
        )(request, body)

    return answer


@pytest.mark.parametrize(
    ("most", "status", "message", "asked"),
    [
        (
            4,
            400,
            "Field 'n': Value must be between 1 <= value <= {most}, but got {n}",
            [10, 4, 4, 2],
        ),
        (4, 500, "'n' must be less than or equal to {most}", [10, 4, 4, 2]),
        (1, 422, "only n = 1 is supported", [10] + [1] * 10),
        (3, 400, "no", [10, 5, 2, 2, 2, 2, 2]),  # by halving
    ],
)
def test_the_draws_are_split_by_what_was_learnt(most, status, message, asked) -> None:
    async def main() -> None:
        async with (
            serving(server_of(most, status, message)) as server,
            client(server) as (model, time, notices),
        ):
            found = await model.generate(ask(n=10, temperature=1.0))
            assert [body.get("n", 1) for body in server.bodies] == asked
            assert len({reply.text for reply in found.replies}) == 10  # no draw comes twice
            refusals = sum(n > most for n in asked)
            await model.generate(ask(n=10, temperature=1.0))
        again = [body.get("n", 1) for body in server.bodies][len(asked) :]
        assert sorted(again) == sorted(asked[refusals:])  # and nothing is refused any more
        assert len(notices) == 1
        assert time.slept == []

    run(main())


def test_a_refusal_that_has_nothing_to_do_with_n_is_believed_and_sets_no_limit() -> None:
    async def main() -> None:
        script = [error(400, {"error": {"message": "no"}})] * 4 + [completion()]
        async with serving(*script) as server, client(server) as (model, _, notices):
            with pytest.raises(RefusedError, match="no"):
                await model.generate(ask(n=8))
            await model.generate(ask(n=8))
        assert [body.get("n", 1) for body in server.bodies][:5] == [8, 4, 2, 1, 8]
        assert not any("at most" in line for line in notices)

    run(main())


def test_as_many_as_were_drawn_before_are_not_the_trouble() -> None:
    async def main() -> None:
        eight = completion(*({"message": {"content": str(i)}} for i in range(8)))
        script = [eight, error(400, {"error": {"message": "no"}})]
        async with serving(*script) as server, client(server) as (model, _, _):
            await model.generate(ask(n=8))
            with pytest.raises(RefusedError, match="no"):
                await model.generate(ask(n=8))
        assert len(server.bodies) == 2

    run(main())


def test_what_is_known_beforehand_is_never_asked_beyond() -> None:
    async def main() -> None:
        async with (
            serving(server_of(4, 400, "n")) as server,
            client(server, most_draws=4) as (model, _, notices),
        ):
            assert len((await model.generate(ask(n=10))).replies) == 10
        assert sorted(body["n"] for body in server.bodies) == [2, 4, 4]
        assert notices == []

    run(main())
