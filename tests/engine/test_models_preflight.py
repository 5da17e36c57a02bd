"""The check before the first call."""

import asyncio

import pytest
from fake_server import Answer, cut, error, free_port, listing, serving, text

from feedback_friction.engine.models.registry import ModelSettings, open_models
from feedback_friction.errors import UsageError

KEY = "sk-secret-0123456789"


def check(*lists: Answer, model: str = "tiny", dead: int = 0) -> list[str]:
    """Check a model behind one server for each list and some dead ones; the notices it gave."""
    notices: list[str] = []

    async def main() -> None:
        async with asyncio.timeout(10):
            servers = [serving(models=each) for each in lists]
            urls = [(await each.__aenter__()).url for each in servers]
            urls += [f"http://127.0.0.1:{free_port()}" for _ in range(dead)]
            settings = ModelSettings(f"openai/{model}", tuple(urls), notice=notices.append)
            opened = open_models({"solver": settings}, {"FRICTION_API_KEY": KEY})["solver"]
            try:
                await opened.check()
            finally:
                await opened.close()
                for each in servers:
                    await each.__aexit__(None, None, None)

    asyncio.run(main())
    return notices


@pytest.mark.parametrize(
    ("models", "name"),
    [
        (listing("tiny"), "tiny"),
        (listing("other", "tiny"), "tiny"),
        (listing("llama3:latest"), "llama3"),
        (listing("meta/llama"), "meta/llama:free"),
        (listing("models/gemini"), "gemini"),
        (listing(), "tiny"),
        (error(200, {"models": ["other"]}), "tiny"),
        (error(200, ["other"]), "tiny"),
        (error(200, {"data": [{"name": "x"}, 3]}), "tiny"),
        (error(404, {"detail": "Not Found"}), "tiny"),
        (error(405), "tiny"),
        (error(501), "tiny"),
        (error(429, {"error": "slow"}), "tiny"),
        (error(403, {"error": {"message": "Missing scopes: api.model.read"}}), "tiny"),
    ],
)
def test_a_server_that_has_the_model_or_does_not_say_passes(models: Answer, name: str) -> None:
    assert check(models, model=name) == []


def test_a_model_that_is_not_listed_is_pointed_out_with_five_that_are_the_likeliest_first() -> None:
    names = [f"other-{i}" for i in range(9)]
    (line,) = check(listing(*names, "tinny"), model="tiny")
    assert "does not list the model 'tiny'; it lists tinny, " in line
    assert line.endswith(" and 5 more; the first calls will show whether it is there")


@pytest.mark.parametrize("fields", [{"owned_by": "llamacpp"}, {"owned_by": "some-model.gguf"}])
def test_a_server_that_serves_what_it_has_is_pointed_out(fields: dict[str, str]) -> None:
    (notice,) = check(listing("some-model.gguf", **fields))
    assert notice.endswith("serves 'some-model.gguf', asked for as 'tiny'")


def test_a_page_that_is_no_list_of_models_is_pointed_out() -> None:
    (notice,) = check(text("<html>hello</html>"))
    assert notice.endswith("lists no models: is it an OpenAI-compatible server?")


def test_nobody_there() -> None:
    with pytest.raises(
        UsageError, match=r"^no server answers at http://127.0.0.1:\d+/v1 \(connection refused\)$"
    ):
        check(dead=1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_said_without_showing_it(status: int) -> None:
    with pytest.raises(UsageError, match="refuses the key in FRICTION_API_KEY") as refused:
        check(error(status, {"error": {"message": f"no such key: {KEY}"}}))
    assert KEY not in str(refused.value)
    assert "no such key: ***" in str(refused.value)


def test_a_server_that_is_still_loading() -> None:
    with pytest.raises(UsageError, match=r"answers HTTP 503: Loading model$"):
        check(error(503, {"error": {"message": "Loading model"}}))


def test_a_server_that_breaks_the_connection() -> None:
    with pytest.raises(UsageError, match="no server answers"):
        check(cut)


def test_a_redirect_is_not_followed() -> None:
    with pytest.raises(UsageError, match="redirects elsewhere"):
        check(error(308, headers={"location": "http://127.0.0.1:1/v1/models"}))


def test_one_replica_is_enough_and_the_dead_one_is_pointed_out() -> None:
    (notice,) = check(listing("tiny"), dead=1)
    assert notice.endswith("the run goes on with the other servers")


def test_a_replica_that_lacks_what_another_lists_is_refused() -> None:
    with pytest.raises(UsageError, match="not list the model 'tiny'; it lists other; replicas"):
        check(listing("tiny"), listing("other"))
