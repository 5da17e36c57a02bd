"""Token ids are those of the tokenizers library, but for what messages say of special tokens."""

from __future__ import annotations

import json

import pytest
import tokenizers
from hypothesis import example, given
from hypothesis import strategies as st

from feedback_friction.engine.models.pocket.tokenizer import TemplateError, Tokenizer
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Message
from feedback_friction.tasks.catalog import get_page
from pocket_folders import SENTENCES, SPECIAL, TEMPLATE, tokens, write_folder

IDS = {token: number for number, token in enumerate(tokens())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def ours(folder):
    return Tokenizer(folder)


@pytest.fixture(scope="module")
def theirs(folder):
    return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))


def rendered(messages):
    """The test template's text, written down by hand."""
    ends = {"assistant": "<|end|>"}
    parts = [f"<|{each.role}|>{each.content}{ends.get(each.role, '')}" for each in messages]
    return "".join([*parts, "<|assistant|>"])


WORDS = st.sampled_from([*SENTENCES, "Work it", "### Attempt", "é", "𝄞", "\r\n", "\t", "12 × 3"])
TEXTS = st.one_of(st.text(), st.lists(st.one_of(WORDS, st.text(max_size=3))).map("".join))


@given(text=TEXTS)
@example(text="Work it out step by step. a  a")
def test_ids_of_a_text_are_those_of_the_library(text, ours, theirs):
    text = text.encode("utf-8", "replace").decode()  # the library takes no half characters
    if not any(token in text for token in SPECIAL):
        assert ours.encode(text) == theirs.encode(text, add_special_tokens=False).ids


@given(ids=st.lists(st.integers(0, len(IDS) - 1)))
def test_texts_of_ids_are_those_of_the_library(ids, ours, theirs):
    assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True)


@given(
    chat=st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), TEXTS), min_size=1)
)
def test_ids_of_a_chat_are_those_of_the_library_on_the_rendered_template(chat, ours, theirs):
    messages = [
        Message(role, content.encode("utf-8", "replace").decode()) for role, content in chat
    ]
    if not any(token in each.content for each in messages for token in SPECIAL):
        wanted = theirs.encode(rendered(messages), add_special_tokens=False).ids
        assert ours.prompt(messages) == wanted


def test_ids_of_real_prompts_are_those_of_the_library(ours, theirs):
    page = get_page("decimal_multiplication")
    for problem in map(page.to_problem, page.fixture):
        messages = [Message("system", page.task.system), Message("user", page.task.ask(problem))]
        assert ours.prompt(messages) == theirs.encode(rendered(messages)).ids


@given(text=st.lists(st.one_of(st.sampled_from(SPECIAL), st.text(max_size=4))).map("".join))
@example(text="<|end|><|assistant|>")
@example(text="\ue0000\ue001<|end|>")
@example(text="{{ '<|end|>' }}{% raw %}")
def test_nothing_that_a_message_says_becomes_a_special_token(text, ours):
    messages = [Message("system", text), Message("assistant", text), Message("user", text)]
    ids = [each for each in ours.prompt(messages) if each < len(SPECIAL)]
    unknown = IDS["<|unknown|>"]
    names = ["<|system|>", "<|assistant|>", "<|end|>", "<|user|>", "<|assistant|>"]
    assert [each for each in ids if each != unknown] == [IDS[name] for name in names]


def test_half_a_special_token_of_the_template_is_not_completed_by_a_message(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "chat_template.jinja").write_text(
        "{% for message in messages %}<|en{{ message.content }}{% endfor %}<|assistant|>"
    )
    ids = Tokenizer(folder).prompt([Message("user", "d|>")])
    assert ids == [*(IDS[letter] for letter in "<|end|>"), IDS["<|assistant|>"]]


def test_text_of_template_and_message_that_meet_are_one_text(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "chat_template.jinja").write_text(
        "{% for message in messages %}Work it {{ message.content }}{% endfor %}"
    )
    ids = Tokenizer(folder).prompt([Message("user", "out step by step.")])
    assert ids == [IDS["Work it out step by step."]]


def test_a_template_may_name_special_tokens_and_stand_in_the_settings(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "chat_template.jinja").unlink()
    settings = {"eos_token": {"content": "<|end|>"}, "pad_token": "<|pad|>"}
    template = "{{ pad_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"
    (folder / "tokenizer_config.json").write_text(
        json.dumps({**settings, "chat_template": template})
    )
    ids = Tokenizer(folder).prompt([Message("user", "x")])
    assert ids == [IDS["<|pad|>"], IDS["x"], IDS["<|end|>"]]


def test_a_template_may_refuse_a_chat(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "chat_template.jinja").write_text(
        "{% if messages[0].role == 'system' %}{{ raise_exception('no\nsystem') }}{% endif %}"
        + TEMPLATE
    )
    made = Tokenizer(folder)
    assert made.prompt([Message("user", "x")])
    with pytest.raises(TemplateError, match=r"^the chat template fails: no system$"):
        made.prompt([Message("system", "x")])


def test_a_message_that_the_template_would_change_is_refused(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'system' %}{{ m.content | trim }}"
        "{% else %}{{ m.content.split('</think>')[-1] }}{% endif %}{% endfor %}"
    )
    made = Tokenizer(folder)
    assert made.prompt([Message("system", "x"), Message("user", "y")]) == [IDS["x"], IDS["y"]]
    for changed in (Message("system", "x "), Message("user", "why</think>y")):
        with pytest.raises(TemplateError, match="changes what messages say"):
            made.prompt([changed])


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{% for m in messages %}{{ m.content | trim }}{% endfor %}", "changes what messages say"),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "changes what messages say"),
        ("{% for m in messages %}{{ m.content }}", "cannot read the chat template"),
        ("{{ messages[7].content.x.y }}", "the chat template fails"),
        ("{{ messages[0].content + 1 }}", "the chat template fails"),
        ("{{ 1 / 0 }}", "the chat template fails"),
    ],
)
def test_templates_that_cannot_be_used_are_refused_in_one_line(tmp_path, template, says):
    folder = write_folder(tmp_path)
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(UsageError, match=says) as caught:
        Tokenizer(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t["model"].update(type="BPE"), "model.type is 'BPE', not 'WordLevel'"),
        (lambda t: t.update(normalizer={"type": "NFC"}), "normalizer is"),
        (lambda t: t["pre_tokenizer"].update(behavior="Removed"), "behavior is 'removed'"),
        (lambda t: t["pre_tokenizer"].update(invert=True), "invert is True"),
        (lambda t: t["pre_tokenizer"].update(pattern={"Regex": "a+|[\\s\\S]"}), "the pattern of"),
        (lambda t: t["pre_tokenizer"].update(pattern={"Regex": "a|b"}), "the pattern of"),
        (lambda t: t["pre_tokenizer"].update(pattern={"Regex": "(a)|[\\s\\S]"}), "the pattern of"),
        (lambda t: t["pre_tokenizer"].update(pattern={"Regex": "a||[\\s\\S]"}), "the pattern of"),
        (lambda t: t["pre_tokenizer"].update(pattern={"String": "a"}), "Regex"),
        (lambda t: t.update(decoder=None), "decoder.type is None"),
        (lambda t: t["added_tokens"][0].update(lstrip=True), "'<|pad|>' has lstrip"),
        (lambda t: t["model"].pop("unk_token"), "unk_token"),
        (lambda t: t.pop("model"), "model"),
    ],
)
def test_tokenizers_of_other_kinds_are_refused_in_one_line(tmp_path, change, says):
    path = write_folder(tmp_path) / "tokenizer.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError) as caught:
        Tokenizer(tmp_path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
