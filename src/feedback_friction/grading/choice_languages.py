"""Letters stated in other languages by more than "the answer is": "La opción correcta es la D".

Spanish, Portuguese, French, Italian, German, Indonesian, Swahili, Yoruba, Chinese, Japanese,
Korean, Arabic, Hindi and Bengali; ``reading.reply`` knows their words for "the answer is".
"""

from __future__ import annotations

import re

from feedback_friction.reading.option_texts import Options
from feedback_friction.reading.reply import ANSWER
from feedback_friction.reading.standing import NOT_IT

NOUN = (
    r"(?:opci[oó]n|alternativa|op[cç][aã]o|l'option|option|l'opzione|opzione|r[eé]ponse|respuesta"
    r"|resposta|risposta|antwort|lösung|solución|solution|soluzione|solução|pilihan|opsi"
    r"|jawaban(?:nya)?|chaguo|jibu|[iì]d[aá]h[uù]n|letra|lettre|lettera|buchstabe|huruf|herufi)"
)
_RIGHT = (
    r"(?:correct[aeo]?|corret[ao]|corretta|cert[ao]|exact[aeo]|esatt[ao]|giust[ao]|juste|bonne|bon"
    r"|richtige?|korrekte?|zutreffend|benar|tepat|sahihi|t[óọ]́?|tọ̀?nà)"
)
_GOOD = rf"(?i:(?:yang\s|tó\s)?{_RIGHT})\b(?!\s?\?)"
_RIGHT = rf"(?:{_RIGHT}|final[e]?|yang|adalah|to|ti|o|pe)"
_IS = r"(?:es|é|è|est|ist|está|lautet|adalah|ialah|ni|wäre|sería|seria|serait|sarebbe)"
_SO = r"(?:\s(?:quindi|dunque|entonces|portanto|donc|also|daher|somit|jadi))?"
_THE = r"(?:(?:la|el|a|o|die|der|das|le|il)\s)?"
_NOT = r"(?:no(?:\ses)?|pas|non(?:\sè)?|não(?:\sé)?|nicht|bukan|si|不是|并非|लेकिन|ليست?)"
_BUT = (
    r"(?:sino(?:\sque\ses)?|es|mais|c'est|ma|è|bensì|mas|mas\ssim|é|sondern|melainkan|bali|而是|是"
    r"|بل)"
)
_PICKS = (
    r"(?:elijo|escojo|selecciono|escolho|seleciono|choisis|wähle|scelgo|memilih|ni?(?:na|ta)?chagua"
    r"|nachagua|me\squedo\scon|opto\spor|j'opte\spour|je\sdirais|ich\sentscheide\smich\sfür"
    r"|ich\ssage|direi|diría|eu\sdiria|fico\scom|marco|queda|bleibt|reste|resta|rimane|tersisa"
    r"|gabarito:|also|donc|luego|portanto|logo|quindi|dunque|folglich|jadi|maka|somit"
    r"|muss\ses|(?:pero|mas|ma|mais|aber|tetapi)\s(?:es\sist|es|è|é|c'est)|saya\spilih|لكنها?|بل)"
)
_LETTER = r"\s?\(?(?P<{}>[A-Z])\)?(?![A-Za-z0-9_'])"
_OTHER = r"\s?\(?[A-Z]\)?(?![A-Za-z0-9_'])"
_END = (
    r"(?=\)?\s*(?:$|[.!;:\n।]|,(?!\s?\(?[A-Z]\)?\b)|です|だ|입니다|이다|है|হবে)|(?<=\s[A-Z]\))\s"
    r"|\s(?:porque|car|parce|perch[eé]|weil|da|karena|kwa|pois|ya|qui)\b)"
)
_ITEM = rf"(?i:\s?{_THE}(?:{NOUN}\s)?){_LETTER}"
_CHOICE = r"(?:选项|選項|選択肢|项|項|番|번)"
_TRUE = r"(?:最佳答案|正确|正確|正解|正しい|对的|정답|답|맞|옳)"
_FORMS = (
    rf"(?i:\b{NOUN}\s(?:{_RIGHT}\s){{0,4}}{_IS}{_SO}){_ITEM}{_END}",
    rf"(?i:\b(?:c'est|es\sist|(?:es|è|é)(?=\s(?:la|a)\s))){_ITEM}{_END}",
    rf"(?i:\b{_RIGHT}\s{_IS}){_ITEM}{_END}",
    rf"(?i:\b{_IS}\s{_THE}(?:{_RIGHT}\s)?{NOUN}\s(?:{_RIGHT}\s)?){_LETTER}{_END}",
    rf"(?i:\b(?:{NOUN}|{_IS})){_LETTER}\s(?i:{_IS}\s)?{_GOOD}",
    rf"(?<!\w){_LETTER}\s(?i:{_IS}\s{_THE}(?:(?:{_RIGHT}\s)*{NOUN}\s?)?){_GOOD}",
    rf"(?<!\w){_LETTER}\s(?i:{_IS}\s{_THE}{_RIGHT}\s{NOUN}){_END}",
    rf"(?i:\b{_PICKS}){_ITEM}(?:{_END}|\s(?i:sagen|wählen|sein)\b)",
    rf"(?i:^\s*{NOUN}:?){_LETTER}\.?\s*$",
    rf"(?i:\b|(?=[不并]))(?i:{_NOT})(?i:\s{_THE}(?:{NOUN}\s)?|\s?){_OTHER}[,،]?\s?(?i:{_BUT})"
    rf"{_ITEM}{_END}",
    rf"{_OTHER}{NOT_IT}[、,\s]{{0,3}}{_LETTER}(?:\sसही|\sসঠিক|가|이|が)?{_END}",
    rf"(?<!不)(?:选择|選擇|選択肢|选)\s?{_LETTER}(?:项|項)?{_END}",
    rf"{_LETTER}\s?(?:を|를|을)\s?(?:選|选|선택|고르|골)(?!びません|ばない|하지\s않)",
    rf"(?:正しい|正确的?|正確|올바른|맞는|옳은)\s?(?:{_CHOICE}|선택지|보기)(?:は|是|为|은|는)\s?{_LETTER}",
    rf"{_CHOICE}?{_LETTER}\s?{_CHOICE}?\s?(?:是|が|は|가|이)?\s?{_TRUE}"
    r"(?!で?は(?:あり|な)|じゃな|이?\s?아[니닙]|く|지\s않)",
    rf"{ANSWER}\s*(?P<{{}}>\d)번(?!이?\s?아[니닙])",
    rf"(?:الخيار|الاختيار|الإجابة|الجواب)\s(?:الصحيح\S*\s)?(?:هو|هي)\s?{_LETTER}{_END}",
    rf"أختار\s(?:الخيار\s)?{_LETTER}{_END}",
    rf"(?:উত্তর(?:টি)?|বিকল্প)\s?(?:হলো|হল|হচ্ছে|হবে|:)?{_LETTER}(?:{_END}|\sসঠিক(?!\s?ন))",
    rf"(?:विकल्प|उत्तर|जवाब|{ANSWER}\s*){_LETTER}\s(?:सही\s)?है",
    rf"{_LETTER}\s(?:को\s)?(?:चुन|বেছে\s\S+(?!\S|\s?না))",
)
# The places of options, in these languages; the last word of each list stands for "last".
_PLACES = (
    "primera primeira première premier erste prima pertama kwanza"
    " 第一个 一番目 1番目 첫번째 첫째 الأول पहला प्रथम প্রথম",
    "segunda deuxième seconde zweite seconda kedua pili"
    " 第二个 二番目 2番目 두번째 둘째 الثاني दूसरा দ্বিতীয়",
    "tercera terceira troisième dritte terza ketiga tatu"
    " 第三个 三番目 3番目 세번째 셋째 الثالث तीसरा তৃতীয়",
    "cuarta quarta quatrième vierte keempat nne 第四个 四番目 4番目 네번째 넷째 الرابع चौथा চতুর্থ",
    "última ultima dernière letzte terakhir mwisho 最后一个 最後 마지막 الأخير अंतिम आखिरी শেষ",
)
_PLACE_OF = {word: at for at, line in enumerate(_PLACES) for word in line.split()}
_PLACED = "|".join(sorted(_PLACE_OF, key=len, reverse=True)).replace("번째", r"\s?번째")
_ORDINAL = re.compile(
    rf"(?i:\b{_THE}(?P<one>{_PLACED})\s?[の的]?\s?"
    rf"(?:{NOUN}|선택지|보기|{_CHOICE}|विकल्प|বিকল্প|{ANSWER}\s*)"
    rf"|\b(?:{NOUN}|الخيار|الإجابة)\s(?:[yl]a\s)?(?P<two>{_PLACED}))"
    rf"(?:\s(?i:{_IS}\s{_THE})?{_GOOD}|\s?(?:是|が|は|가|이|هو|है)?\s?(?:{_TRUE}|सही|الصحيح)|{_END})"
)
_WORDS = (
    "es é è est ist lautet adalah ialah ni nicht bukan si elijo escojo selecciono escolho "
    "seleciono choisis wähle scelgo memilih ninachagua nachagua está benar quedo opto "
    "opte dirais entscheide sage direi rimane diría diria fico gabarito queda bleibt muss "
    "pilih weder letra opción opção alternativa réponse respuesta resposta risposta "
    "antwort opsi pilihan opzione sino sondern melainkan bali ma mas mais"
)
# One of these stands in every such statement, and hardly in English: quicker to look for.
_VERBS = {*_WORDS.split(), *filter(str.isalpha, _PLACE_OF)}
_SCRIPTS = re.compile(r"[\u0600-\u06ff\u0900-\u09ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_STATED = re.compile("|".join(form.replace("{}", f"n{at}") for at, form in enumerate(_FORMS)))
_SUPPOSED = re.compile(
    r"\b(?:si|se|wenn|falls|jika|kama|if|no|não|non|nicht|nè|ni|weder|bukan|salah|vorherige|frühere"
    r"|anterior|awalnya|tadinya|zuerst|zunächst|antes|prima|avant|(?:incorr|errad|equivoc|fals|sbagliat|faux|fauss|mauvais)\w*)\s[^.,;]{0,20}$"
    r"|如果|假如|もし|만약|إذا|यदि|अगर|যদি|(?:[不没并]|ليس)\s?$"
    r"|(?:之前|先前|刚才|先ほど|さっき|以前|前回|이전|아까|앞서|سابق|पहले|আগে)[^、,，。.]{0,20}$",
    re.I,
)


def by_language(text: str, options: Options) -> str:
    """The letter that a text states last in another language, "" for none."""
    if _VERBS.isdisjoint(re.findall(r"\w+", text.lower())) and not _SCRIPTS.search(text):
        return ""
    letter, at = "", -1
    for pattern in (_STATED, _ORDINAL):
        for found in pattern.finditer(text):
            said = _letter(found[found.lastgroup or 0], options)
            supposed = _SUPPOSED.search(text, max(0, found.start() - 40), found.start())
            if said and not supposed and found.start() > at:
                letter, at = said, found.start()
    return letter


def _letter(said: str, options: Options) -> str:
    """The letter that is offered, or its number or place said; "" for none."""
    if said.isdigit():
        return options.letters[int(said) - 1 : int(said)]
    if (at := _PLACE_OF.get(said.lower().replace(" ", ""))) is not None:
        return options.letters[-1] if at == len(_PLACES) - 1 else options.letters[at : at + 1]
    return said if said in options.letters else ""
