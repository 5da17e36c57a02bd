"""Reading: where a text mentions a value, what it says, and whether that stands.

Grader, mask, audit and tutor read with the same eyes: what one of them takes for a value, the
others do too. Nothing here knows what is right.

- ``reasoning``, ``reply``: what of a reply is its answer, and the cues that state it;
- ``standing``: whether what is stated still stands at the end;
- ``number_words``, ``numerals``, ``number_values``: numbers in words, in digits of either base;
- ``mathematics``: formulas and all that answers are made of, and when two are the same;
- ``option_texts``: the options of a problem by letter, text or value;
- ``words``, ``lexicon``, ``prose``: names, and the sentences that state them.
"""
