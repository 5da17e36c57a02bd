"""What of a reply is its answer to the reader: without reasoning in tags, cues as one sign.

Models state answers in many forms: ``#### 5``, ``<answer>5</answer>``, ``{"answer": "5"}``, "Final
Answer: 5", "Réponse : 5", "答案是5". ``signed`` writes the sign ``ANSWER`` in the place of every
cue that is not an English sentence, and leaves every other character where it was, so that each
grader knows one cue more and all know the same.
"""

from __future__ import annotations

import re

from feedback_friction.reading.last_words import last_words
from feedback_friction.reading.reasoning import split_reasoning

ANSWER = "\ue000"  # of Unicode's private use: no model writes it

# --- reasoning and turns --------------------------------------------------------------------------

# What follows is another speaker's, or nobody's.
_TURN_ENDS = re.compile(
    r"<\|(?:im_end|im_start|eot_id|eom_id|end|return|endoftext|end_of_text|start_header_id|user)\|>"
    r"|</s>(?=\s|$)|<end_of_turn>"
)
_BEGINS_TURN = re.compile(
    r"\s*(?:<\|im_start\|>\s?assistant|<\|start_header_id\|>\s?assistant\s?<\|end_header_id\|>"
    r"|<\|start\|>\s?assistant|<\|begin_of_text\|>|<s>)\s*"
)


def final_part(reply: str) -> str:
    """The reply without its reasoning, and without what follows its turn.

    Reasoning that was never closed is all that the model came to say: nothing is left of it.
    """
    opening = _BEGINS_TURN.match(reply)
    text, _ = split_reasoning(reply[opening.end() :] if opening else reply)
    ended = _TURN_ENDS.search(text) if "<" in text else None
    return text[: ended.start()] if ended and text[: ended.start()].strip() else text


# --- boxes ----------------------------------------------------------------------------------------

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def closing_brace(text: str, opening: int, longest: int) -> int:
    """Where the brace that opens at a place closes, escaped braces apart.

    -1 where it does not within so many characters.
    """
    depth = 0
    for brace in _BRACE.finditer(text, opening, opening + longest):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return brace.start()
    return -1


# --- cues -----------------------------------------------------------------------------------------

_LATIN = (
    # French, Spanish, Portuguese, Italian, German, Indonesian, Swahili, Yoruba
    r"(?:la |ma )?(?:bonne )?réponse(?: (?:correcte|finale|exacte|juste|est|à la question))*",
    r"(?:la |mi )?respuesta(?: (?:correcta|final|exacta|es|por lo tanto))*",
    r"(?:a |minha )?resposta(?: (?:correta|certa|final|é))*",
    r"(?:la |mia )?risposta(?: (?:corretta|finale|giusta|esatta|è))*",
    r"(?:die |meine )?(?:richtige |korrekte |endgültige )?(?:end)?antwort(?: (?:ist|lautet|wäre))*",
    r"jawaban(?:nya)?(?: (?:akhir|saya|yang (?:benar|tepat)|adalah|ialah))*",
    r"jibu(?: (?:sahihi|langu|la mwisho|ni))*",
    r"(?:ìdáhùn|idáhùn|idahun|àdáhùn|ìdáhùn tó tọ́|idahun ti o pe)(?: (?:ni|náà ni))*",
)
_LATIN_VERB = re.compile(r"(?:est|es|é|è|ist|lautet|adalah|ialah|ni|correct[ea]|corretta)$", re.I)
_OTHER = (
    r"(?:正确|最佳|最终|最終|正しい|所以|因此|故|最后)?(?:的)?(?:答案|选项|選項|答え|解答|回答|答|正解|(?<=最终)结果)"
    r"(?:应该|應該|应|就|便)?(?:是|为|為|选|は|：|:)",
    r"(?:최종\s?|올바른\s?)?(?:정답|답변|답안|답)(?:은|는|:|：|\s:)",
    r"(?:(?:правильный|верный|мой)\s)?ответ\s?(?:[:—–-]|это\s)",
    r"(?:सही\s?|अंतिम\s?)?(?:उत्तर|जवाब)\s?(?:है|:|：|-)",
    r"(?:সঠিক\s?|চূড়ান্ত\s?)?উত্তর\s?(?:হলো|হল|হচ্ছে|:|ঃ|：)",
    r"(?:الإجابة|الاجابة|الجواب|إجابتي|جوابي|إجابة|اجابة)(?:\s(?:النهائية|الصحيحة|النهائي|الصحيح))?"
    r"\s?(?:هي|هو|:|：)",
    # the letter before the verb: "सही उत्तर D है"
    r"(?:सही\s|अंतिम\s)?(?:उत्तर|विकल्प)(?=\s[^\s।]{1,40}\s?है)",
    r"उत्तर(?=\s(?![^\n।]*नहीं)[*_]{0,2}[A-Z][^\n।]{1,60}\s?है)",
    r"(?:সঠিক\s|চূড়ান্ত\s)উত্তর(?=\s[^\s।]{1,40}(?:\s|।|$))|উত্তর(?=\s[-০-৯0-9])",
)
_FOREIGN = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join(_LATIN)})(?:\s?:)?(?=[\s*_\"'(\[$\\])|{'|'.join(_OTHER)}", re.I
)
_STRUCK = re.compile(r"~~[^~\n]{1,200}~~|<(del|s|strike)>[^<\n]{1,200}</\1>")
_MARKUP = re.compile(r"</?(?:b|i|u|p|em|strong)>", re.I)
_TAG = re.compile(r"[<\[](?:final_?)?(?:answer|ans|solution_answer)[\]>]", re.I)
_END_TAG = re.compile(r"[<\[]/(?:final_?)?(?:answer|ans|solution_answer)[\]>]", re.I)
_CALL = re.compile(r"\bfinal_answer\(")  # an agent's last step
_HASHES = re.compile(r"(?m)^[ \t]*####(?:[ \t]+(?=\S)|(?=[-+$\d]))")
_ANS = re.compile(
    r"(?im)^[ \t*_]{0,6}(?:ans(?:\.?[ \t*_]{0,3}[:=]|\.(?=[ \t*]))"
    r"|(?:final )?answer[ \t*_]{0,3}[–—-](?=\s))"
)
_RULED = re.compile(r"(?i)(?<=answer)([*_: \t]{0,6}\n)[ \t]*[-=]{3,}(?=[ \t]*\n)")
_JSON = re.compile(
    r"[\"'](?:final[_ ]?)?(?:answer|ans|solution|result|choice|prediction|product|total"
    r"|sum)[\"']\s{0,3}:\s{0,3}",
    re.I,
)
_OTHER_LETTERS = re.compile(
    "[À-ÖØ-öø-ž\u0400-\u04ff\u0600-\u06ff\u0900-\u09ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)
_JSON_MARKS = ('":', "':", '" :')


def signed(text: str, *, letters: bool = False, names: bool = False) -> str:
    """The text with ``ANSWER`` for cues in other forms and languages; as long as it was.

    What is struck through is blank. Answers are ``letters`` of options, or ``names``.
    """
    if "~~" in text or "</" in text:
        text = _MARKUP.sub(_blank, _STRUCK.sub(_blank, text))
    if "####" in text:
        text = _HASHES.sub(_sign, text)
    if "final_answer(" in text:
        text = _CALL.sub(_sign, text)
    if "nswer" in text and ("\n---" in text or "\n===" in text):
        text = _RULED.sub(lambda found: found[1].ljust(len(found[0])), text)
    if "ans:" in text or "Ans" in text or "ANS:" in text or "nswer -" in text:
        text = _ANS.sub(_sign, text)
    if "<" in text or "[/" in text:
        text = _END_TAG.sub(_line, _TAG.sub(_sign, text))
    if "{" in text and any(mark in text for mark in _JSON_MARKS):
        text = _JSON.sub(_sign, text)
    if _is_foreign(text):
        text = _FOREIGN.sub(_foreign, text)
    return text if "oxed" in text else _plain(text, letters, names)


def _plain(text: str, letters: bool, names: bool) -> str:
    """The text with the sign for what a last sentence says its answer with: "I'd go with 5."."""
    found = last_words(text, letters=letters, names=names)
    if found is None or (letters and not found["said"]):
        return text  # "(C) is right" is left to the graders
    start, at = found.start("said"), found.start("value")
    told = f"{text[:start]}{' ' * (at - start - 1)}{ANSWER}{found['value']}."
    return told.ljust(len(text))[: len(text)]


def _is_foreign(text: str) -> bool:
    """Whether a cue of another language may be there; substrings are quicker than a pattern."""
    if not text.isascii() and _OTHER_LETTERS.search(text):
        return True
    return (
        "sposta" in text or "espuesta" in text or "esposta" in text or "ntwort" in text
        or "awaban" in text or "jibu" in text or "Jibu" in text or "dahun" in text
    )  # fmt: skip


def _sign(found: re.Match[str]) -> str:
    return ANSWER + " " * (len(found[0]) - 1)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _line(found: re.Match[str]) -> str:
    return "\n" + " " * (len(found[0]) - 1)


def _foreign(found: re.Match[str]) -> str:
    cue = found[0]
    # A Latin noun alone is no cue: it takes a colon or a verb.
    if cue[0].isascii() or cue[:1].lower() in "réìàa":
        plain = cue.strip()
        if not plain.endswith(":") and _LATIN_VERB.search(plain) is None:
            return cue
    return _sign(found)
