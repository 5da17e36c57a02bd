"""The providers that are reached through inspect_ai, and what each takes of what a call asks for.

inspect_ai leaves out what a provider does not take, some of it without a word. What the user asked
for is refused here before any call; what this program asks for by itself (a seed, several replies a
request) is left out, and told once. From the sources of inspect_ai 0.3.285.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from feedback_friction.engine.models.remote.dialect import WITHOUT, Quirk
from feedback_friction.errors import UsageError
from feedback_friction.options import options_of
from feedback_friction.settings import Decoding

EXTRA = "pip install 'feedback-friction[providers]'"


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider takes."""

    lacks: frozenset[Quirk] = frozenset()  # parameters that it does not take
    # where it takes no temperature, the one that it draws at
    fixed_temperature: float | None = None


_ONE = Quirk.ONE_CHOICE
_NO_LOGPROBS, _NO_SEED = Quirk.NO_LOGPROBS, Quirk.NO_SEED
# Anthropic's API of 2026-10-21 takes no sampling parameters; its models draw at 1.
_ANTHROPIC = frozenset({_ONE, _NO_LOGPROBS, _NO_SEED, Quirk.NO_TEMPERATURE, Quirk.NO_TOP_P})

INSPECT_PROVIDERS = {
    "anthropic": Provider(_ANTHROPIC, fixed_temperature=1.0),
    "google": Provider(frozenset({_NO_SEED})),
    "bedrock": Provider(frozenset({_ONE, _NO_LOGPROBS, _NO_SEED})),
    "mistral": Provider(frozenset({_ONE, _NO_LOGPROBS})),
    "groq": Provider(frozenset({_NO_LOGPROBS})),
    "grok": Provider(frozenset({_ONE})),
    "together": Provider(frozenset({_NO_SEED})),
    "azureai": Provider(frozenset({_ONE, _NO_LOGPROBS})),
    "hf": Provider(frozenset({_ONE})),
    # These speak OpenAI's API, which has all parameters; what a model lacks shows in its answers.
    "cloudflare": Provider(),
    "deepseek": Provider(),
    "fireworks": Provider(),
    "hf-inference-providers": Provider(),
    "meta": Provider(),
    "moonshot": Provider(),
    "ollama": Provider(),
    "openrouter": Provider(),
    "perplexity": Provider(),
    "sambanova": Provider(),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command explicitly asks of a model."""

    temperature: float = 0.0  # the base temperature; 0 is what no option gives
    heat: bool = False  # the temperature is to rise from attempt to attempt
    decoding: Decoding = field(default_factory=Decoding)  # further sampling parameters
    logprobs: bool = False  # log-probabilities


def refuse_untaken(spec: str, asked: Asked) -> None:
    """Refuse a command that asks a provider for what it does not take.

    Raises:
        UsageError: it does; says what is allowed.
    """
    name = spec.partition("/")[0]
    provider = INSPECT_PROVIDERS.get(name)
    if provider is None:
        return
    fixed = provider.fixed_temperature
    if fixed is not None and asked.heat:
        raise UsageError(
            f"{spec}: {name} accepts no temperature and always samples at {fixed:g}, so that heat "
            "would change nothing; allowed: --sampling greedy or reject"
        )
    if fixed is not None and asked.temperature not in (0, fixed):
        raise UsageError(
            f"{spec}: {name} accepts no temperature and always samples at {fixed:g}; "
            f"allowed: --temperature {fixed:g}"
        )
    for each in asked.decoding.given():
        if WITHOUT.get(each) in provider.lacks:
            flag = options_of(Decoding)[each].flag
            raise UsageError(f"{spec}: {name} accepts no {each}; omit {flag}")
    if asked.logprobs and Quirk.NO_LOGPROBS in provider.lacks:
        raise UsageError(f"{spec}: {name} returns no log-probabilities; omit --logprobs")
