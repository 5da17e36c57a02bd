"""Words too common to give an answer away by themselves."""

from __future__ import annotations

from feedback_friction.reading.lexicon import GRAMMAR


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that many names share: on their own they name nothing.
IN_NAMES = GRAMMAR | _set(
    "academy adventures album american ancient angel army association avenue award bank baron "
    "battle beach bell best black blue boat book born boulevard boys bridge bright british "
    "brother brothers brown building business call captain care castle cathedral central "
    "century charles child children church city civil classic club coast cold college color "
    "colour company congress cottage council count country county court crown dance dark "
    "daughter david days dead death department desert district doctor dog double dragon dream "
    "drive duke earl early earth east eastern edition education edward eight elizabeth emperor "
    "empire english europe european evening fall family famous father federal festival field "
    "fifth film final fire first five flower football force forest fort four fourth france free "
    "french friend game garden gate general george german girl girls give glass god gold golden "
    "good government grand great green group hall hand happy head heart heaven henry high hill "
    "hills historic history holy home horse hospital hotel hour house human hundred indian "
    "institute international iron island islands james jean john joseph journey judge king "
    "kingdom kings knight lady lake land language large last late law league least left legend "
    "leisure less letter library life light line lion list literature little live living local "
    "london long lord lost louis love lower made magic main maria market marriage mary master "
    "memorial men michael middle military million minister mission model modern money moon "
    "morning mother mount mountain mountains movie museum music nation national natural nature "
    "navy next night nights nine north northern novel number ocean office old olympic one open "
    "opera order organization palace paper paradise paris park part party pass past paul peace "
    "people person peter philip place planet play point police pope port power president prime "
    "prince princess prize professional project public queen race railway rain real record red "
    "region republic return revolution richard right ring river road robert rock room rose "
    "royal saint same school science scottish second secret senate series service seven shadow "
    "ship shore short show silver simple sister small society soldier song sound south southern "
    "space sport square stadium star stars state states station steel stone stories story "
    "strait street strong study summer sun super system table tale tales temple ten theater "
    "theatre third thirty thomas thousand three thunder time times title tower town trade train "
    "tree trees trial truth twelve twenty two union united universal university upper valley "
    "victory village voice walk wall walls war water wedding week west western white whole wild "
    "william wind windows winter woman women wonder wood woods word words work world year years "
    "york young youth zero zone"
)

# Before and after "one" where it is a pronoun: "the right one", "one of them".
BEFORE_PRONOUN = _set(
    "no the this that which any every some each another first last correct right wrong only other "
    "new next same"
)
AFTER_PRONOUN = _set(
    "of another s should must can could would may might has had needs who whose that"
)
