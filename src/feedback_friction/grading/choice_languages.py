"""Letters stated in other languages by more than "the answer is": "La opción correcta es la D".

Spanish, Portuguese, French, Italian, German, Indonesian, Swahili, Yoruba, Chinese, Japanese,
Korean, Arabic, Hindi and Bengali; ``reading.reply`` knows their words for "the answer is".
"""

from __future__ import annotations

import re

from feedback_friction.reading.option_texts import Options
from feedback_friction.reading.reply import ANSWER

_NOUN = (
    r"(?:opci[oó]n|alternativa|op[cç][aã]o|l'option|option|l'opzione|opzione|r[eé]ponse|respuesta"
    r"|resposta|risposta|antwort|pilihan|opsi|jawaban(?:nya)?|chaguo|jibu|[iì]d[aá]h[uù]n|letra"
    r"|lettre|lettera|buchstabe|huruf|herufi)"
)
_RIGHT = (
    r"(?:correct[ae]?|corret[ao]|corretta|cert[ao]|exact[ae]|esatta|giusta|juste|bonne|richtige"
    r"|korrekte|final[e]?|yang|benar|tepat|adalah|sahihi|t[oóọ]́?|ti|o|pe)"
)
_IS = r"(?:es|é|è|est|ist|lautet|adalah|ialah|ni)"
_THE = r"(?:(?:la|el|a|o|die|der|le)\s)?"
_NOT = r"(?:no\ses|n'est\spas|non\sè|não\sé|nicht|bukan|si|不是|并非|लेकिन)"
_BUT = (
    r"(?:sino(?:\sque\ses)?|es|mais|c'est|ma|è|bensì|mas|mas\ssim|é|sondern|melainkan|bali|而是|是)"
)
_ITEM = r"\s?\(?(?P<{}>[A-Z])\)?(?![A-Za-z0-9_'])"
_OTHER = r"\s?\(?[A-Z]\)?(?![A-Za-z0-9_'])"
_END = (
    r"(?=\s*(?:$|[.!;\n।]|,(?!\s?\(?[A-Z]\)?\b)|です|だ|입니다|이다|है|হবে)"
    r"|\s(?:porque|car|parce|perch[eé]|weil|da|karena|kwa|pois|ya)\b)"
)
_FORMS = (
    rf"(?i:\b{_NOUN}\s(?:{_RIGHT}\s){{0,4}}{_IS}\s{_THE}(?:{_NOUN}\s)?){_ITEM}{_END}",
    rf"(?i:\bc'est\s(?:la\s)?(?:{_NOUN}\s)?|\b(?:es|è|é)\s(?:la|a)\s(?:{_NOUN}\s)?){_ITEM}{_END}",
    r"(?i:\b(?:elijo|escojo|selecciono|escolho|seleciono|choisis|wähle|scelgo|memilih|ninachagua)\s"
    rf"{_THE}(?:{_NOUN}\s)?){_ITEM}{_END}",
    rf"(?i:\b|(?=[不并]))(?i:{_NOT})(?i:\s{_THE}(?:{_NOUN}\s)?|\s?){_OTHER},?\s?(?i:{_BUT})"
    rf"\s?(?i:{_THE}(?:{_NOUN}\s)?){_ITEM}{_END}",
    rf"(?<!不)(?:选择|選擇|選択肢|选)\s?{_ITEM}{_END}",
    rf"(?:选项|選項|選択肢)?{_ITEM}\s?(?:是|が|は|가|이)\s?(?:最佳答案|正确|正確|正解|正しい|정답|답|맞)"
    r"(?!で?は(?:あり|な)|じゃな|이?\s?아[니닙])",
    rf"{ANSWER}\s*(?P<{{}}>\d)번(?!이?\s?아[니닙])",
    rf"(?:الخيار|الاختيار|الإجابة|الجواب)\s(?:الصحيح\S*\s)?(?:هو|هي)\s?{_ITEM}{_END}",
    rf"(?:উত্তর|বিকল্প)\s?(?:হলো|হল|হচ্ছে|:)?{_ITEM}{_END}",
    rf"(?:विकल्प|उत्तर){_ITEM}\s(?:सही\s)?है",
)
# One of these stands in every such statement, and hardly in English: quicker to look for.
_VERBS = {
    *("es", "é", "è", "est", "ist", "lautet", "adalah", "ialah", "ni", "nicht", "bukan", "si"),
    *("elijo", "escojo", "selecciono", "escolho", "seleciono", "choisis", "wähle", "scelgo"),
    *("memilih", "ninachagua"),
}
_SCRIPTS = re.compile(r"[\u0600-\u06ff\u0900-\u09ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_STATED = re.compile("|".join(form.replace("{}", f"n{at}") for at, form in enumerate(_FORMS)))
_SUPPOSED = re.compile(
    r"\b(?:si|se|wenn|falls|jika|kama|if|no|não|non|nicht|bukan|salah|(?:incorr|errad|equivoc|fals"
    r"|sbagliat|faux|fauss|mauvais)\w*)\s[^.,;]{0,20}$|如果|假如|もし|만약|إذا|यदि|अगर|যদি",
    re.I,
)


def by_language(text: str, options: Options) -> str:
    """The letter that a text states last in another language, "" for none."""
    letter = ""
    if _VERBS.isdisjoint(re.findall(r"\w+", text.lower())) and not _SCRIPTS.search(text):
        return letter
    for found in _STATED.finditer(text):
        said = found[found.lastgroup or 0]
        if said.isdigit():
            said = options.letters[int(said) - 1 : int(said)]
        supposed = _SUPPOSED.search(text, max(0, found.start() - 40), found.start())
        if said in options.letters and said and not supposed:
            letter = said
    return letter
