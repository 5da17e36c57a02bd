"""Where the reasoning in a reply ends and its answer begins, by the marks of each model family.

A server that knows its model sends the reasoning in a field of its own. All others send what the
model wrote: tags (``<think>``, ``<thinking>``, ``<seed:think>``, ``[THINK]``, ``◁think▷``), the
marks of Cohere and Gemma, the fold of Open WebUI, a fence, or the channels of gpt-oss with or
without their special tokens. What stands between a model and us may have escaped the tags
(``&lt;think&gt;``). The opening tag may stand in the prompt (DeepSeek-R1), and the closing one may
never come.
"""

from __future__ import annotations

import re

_NAMES = (
    r"(?:\w{1,12}[:_-])?(?:think(?:ing)?|thoughts?|reason(?:ing)?|cot|chain[_-]of[_-]thought"
    r"|reflection|scratch[_-]?pad|analysis|rationale|deliberation|monologue)"
    r"(?:[_-](?:process|steps?|content|trace))?"
)
_LT = r"(?:\\?<|&lt;|&#(?:0{0,4}60|x0{0,4}3c);|\\{1,4}u003c|\uff1c)"
_GT = r"(?:\\?>|&gt;|&#(?:0{0,4}62|x0{0,4}3e);|\\{1,4}u003e|\uff1e)"
_OPEN = (
    rf"{_LT}\|?(?:(?:start|begin)_(?:of_)?)?(?:{_NAMES})(?:_(?:start|begin))?"
    rf"(?:\s[^<>\n]{{0,40}})?\|?{_GT}"
    rf"|{_LT}details\s[^<>\n]{{0,80}}?\btype=.{{0,6}}?reasoning\b[^<>\n]{{0,80}}?{_GT}"
    r"|\[THINK\]|◁think▷|<\|inner_prefix\|>|<\|channel>(?:thought|analysis)\b"
    r"|<unused94>(?:thought\b)?"
)
_CLOSE = (
    rf"{_LT}\|?(?:\\?/(?:{_NAMES})|end_(?:of_)?(?:{_NAMES})|(?:{_NAMES})_end)\s?\|?{_GT}"
    rf"|{_LT}/details{_GT}"
    r"|\[/THINK\]|◁/think▷|<\|inner_suffix\|>|<channel\|>|<unused95>"
)
_MARK = re.compile(rf"(?P<close>{_CLOSE})|(?P<open>{_OPEN})", re.I)
# Looking for these is quicker than for the marks; one of them is there wherever a mark counts.
_SIGNS = (
    "</",
    "<|",
    "\n<",
    "THINK]",
    "◁",
    "|>",
    "<unused9",
    "lt;",
    "60;",
    "3c;",
    "u003c",
    "\\<",
    "\uff1c",
)
# What stands around the answer in formats that mark it, too.
_ANSWER_BEGINS = re.compile(r"\s*(?:<\|START_RESPONSE\|>|<\|begin_of_solution\|>|<answer>)")
_ANSWER_ENDS = re.compile(
    r"<\|END_RESPONSE\|>|<\|end_of_solution\|>|\[END FINAL RESPONSE\]|</answer>"
)

_CHANNEL = re.compile(
    r"(?:<\|start\|>\s?assistant\s?)?<\|channel\|>\s{0,3}(\w{1,20})[^<\n]{0,80}(?:<\|message\|>)?"
)
_MESSAGE_ENDS = re.compile(r"<\|(?:end|return|call|start)\|>")
# The same after a tokenizer that leaves special tokens out: "analysisWe add.assistantfinalIt is 4."
_BARE_ANALYSIS = re.compile(r"\s*(?:analysis|commentary)(?=[A-Z\d\"'(\\])")
_BARE_FINAL = re.compile(r"assistant\s?final")
# IBM's Granite and ServiceNow's Apriel announce both in plain words.
_ANNOUNCED = re.compile(r"\s*Here (?:is my thought process|are my reasoning steps):")
_RESPONSE = re.compile(r"\n\s*(?:Here is my response:|\[BEGIN FINAL RESPONSE\])")

_FENCE = re.compile(r"\s*```\s?(?:think(?:ing)?|thoughts?|reasoning)[ \t]*\n", re.I)
_FENCE_ENDS = re.compile(r"(?:^|\n)[ \t]*```[ \t]*(?=\n|$)")
_LINE_OR_TAG = re.compile(rf"(?:[\n\r▷]|{_GT})$", re.I)

_NEAR = 40  # characters before and after a tag that tell whether a sentence speaks of it


def split_reasoning(reply: str) -> tuple[str, str | None]:
    """A reply's answer, which is a stretch of it, and its reasoning, None where there is none.

    The answer is what stands last outside of reasoning. A thought that was never closed is no
    answer. A tag that a sentence only speaks of ("In HTML, </think> closes ...") is text.
    """
    if "<|channel|>" in reply:
        return _channels(reply)
    if found := _BARE_ANALYSIS.match(reply):
        return _at_last(reply[found.end() :], _BARE_FINAL)
    if (found := _ANNOUNCED.match(reply)) and _RESPONSE.search(reply):
        return _at_last(reply[found.end() :], _RESPONSE)
    if found := _FENCE.match(reply):
        thought, *answer = _FENCE_ENDS.split(reply[found.end() :], maxsplit=1)
        return "".join(answer), _joined([thought])
    if any(map(reply.__contains__, _SIGNS)) or reply.lstrip()[:1] == "<":
        return _tags(reply)
    return reply, None


def _tags(reply: str) -> tuple[str, str | None]:
    outside, inside, position, is_open = list[str](), list[str](), 0, False
    is_escaped = True  # as far as is known of a tag in the prompt
    for found in _MARK.finditer(reply):
        if found["open"] and not is_open and _opens(reply, found.start()):
            outside.append(reply[position : found.start()])
            is_escaped = found["open"].startswith("\\<")
        elif found["close"] and (is_open or _closes(reply, found)):
            if not is_open:  # it began in the prompt, or a thought spoke of its own end
                inside += outside
                outside = []
            # A backslash before a tag that no escaped one opened is the thought's last sign.
            its_own = found["close"].startswith("\\<") and not is_escaped
            inside.append(reply[position : found.start() + its_own])
        else:
            continue
        position, is_open = found.end(), found["open"] is not None
    if position == 0:
        return reply, None
    (inside if is_open else outside).append(reply[position:])
    texts = [text for text in outside if text.strip()]
    # Of several stretches the last is the answer; what led to it belongs to the thought.
    return _answer(texts[-1] if texts else ""), _joined([*texts[:-1], *inside])


def _answer(text: str) -> str:
    """A stretch without the marks around it that name it the answer."""
    begins = _ANSWER_BEGINS.match(text)
    text = text[begins.end() :] if begins else text
    ends = _ANSWER_ENDS.search(text)
    return text[: ends.start()] if ends else text


def _channels(reply: str) -> tuple[str, str | None]:
    """gpt-oss writes to channels: the last message to ``final`` is the answer."""
    found = list(_CHANNEL.finditer(reply))
    if not found:  # the sign alone names no channel
        return reply, None
    ends = [each.start() for each in found[1:]] + [len(reply)]
    answer, thoughts = "", list[str]()
    for each, end in zip(found, ends, strict=True):
        text = reply[each.end() : end]
        ended = _MESSAGE_ENDS.search(text)
        text = text[: ended.start()] if ended else text
        if each[1].lower() == "final":
            answer = text
        else:
            thoughts.append(text)
    before = reply[: found[0].start()]
    if not answer and before.strip():
        return before, _joined(thoughts)
    return answer, _joined(thoughts)


def _at_last(text: str, mark: re.Pattern[str]) -> tuple[str, str | None]:
    """What stands after the last mark, and what before it; all is before where there is none."""
    found = list(mark.finditer(text))
    if not found:
        return "", _joined([text])
    return _answer(text[found[-1].end() :]), _joined([text[: found[-1].start()]])


def _joined(texts: list[str]) -> str | None:
    return "\n".join(text.strip() for text in texts if text.strip()) or None


def _opens(text: str, start: int) -> bool:
    """Whether an opening tag is one: it begins a line, or follows another tag."""
    before = text[max(0, start - _NEAR) : start].rstrip(" \t")
    return _LINE_OR_TAG.search(before) is not None if before else start <= _NEAR


def _closes(text: str, found: re.Match[str]) -> bool:
    """Whether a closing tag that nothing opened is one, and not a word of a sentence about tags."""
    before = text[max(0, found.start() - _NEAR) : found.start()].rstrip(" \t")
    after = text[found.end() : found.end() + _NEAR]
    inside = before[-1:].isalpha() or before[-1:] in (",", "`", '"', "'")
    return not (inside and re.match(r"[ `\"'.,]{1,3}[a-z]", after))
