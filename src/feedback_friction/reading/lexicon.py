"""The English words by which answers in prose are read."""

from __future__ import annotations

import re

from feedback_friction.reading.number_words import SMALL_NUMBERS, TENS


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words of grammar, which text is full of although they may be somebody's answer.
GRAMMAR = _set(
    "a about after again all also always am an and any are as at away be because been before "
    "being both but by can could did do does down each even ever every few for from get go had "
    "has have he her here hers him his how i if in into is it its just like make many may me "
    "mine more most much must my never new no none nor not now of off often on once only or "
    "other our out over own per see seem she should since so some still such than that the "
    "their them then there these they this those through to too under until up us use very was "
    "way we well were what when where which while who whom whose why will with within without "
    "would yes yet you your"
)

# Within names: "Lord of the Rings".
PARTICLES = _set("of the de la le von van der den di da du del al el y e")

TITLES = _set(
    "sir dame mr mrs ms dr doctor prof professor president king queen prince princess emperor "
    "empress pope general captain lord lady minister chancellor senator governor admiral colonel "
    "sultan tsar czar kaiser madame mme mademoiselle mlle monsieur signor signora reverend rev "
    "miss commander major lieutenant sergeant cardinal count countess baron"
)

# Before a name it says what someone is; a name before it describes: "the Czech composer Dvorak".
OCCUPATIONS = _set(
    "actor actress artist astronaut author biologist chemist comedian composer conductor cyclist "
    "director economist emperor engineer essayist explorer footballer golfer guitarist historian "
    "inventor journalist king lawyer mathematician monarch musician naturalist novelist painter "
    "philosopher physician physicist pianist player playwright poet polymath politician president "
    "producer queen ruler scientist sculptor singer songwriter statesman architect swimmer writer"
)

# Before another title they are a part of it: "Prime Minister", "Vice President".
HIGHER = _set("prime vice crown grand first chief deputy former late")

# Verbs that make a clause more than a phrase (contractions as they are left without apostrophe).
FINITE = _set(
    "is was are were be been am has have had do does did can could will would should may might "
    "must isn wasn aren weren didn doesn became becomes won wrote sang made led built said says "
    "means refers think believe know guess recall apologize held took gave came went began ran "
    "knew saw fought lost died born known fell rose met grew drew flew threw wore spoke broke "
    "chose drove rode shot sold told taught brought bought thought felt kept left meant sent stood "
    "beat beats lies stands flows runs wins writes plays holds lives comes goes shared received "
    "cost costs"
)

STARTERS = _set("i it he she they we you this that these there")

# Words of a question that tell nothing about its subject.
ASKING = _set(
    "the and for was were are is what which who whom whose when where why how did does with from "
    "that this have has had been into their his her its name named called first"
)

# Before "answer": it is not the answer that counts, or "answer" is a verb.
NOT_THIS_ANSWER = _set(
    "previous earlier first initial wrong incorrect original former prior last old other second "
    "to cannot can't not could would will no alternative"
)

# After an answer, these let a sentence go on without making the answer another entity.
FOLLOWS = _set(
    "who whom whose which that because since as where when while although though for in on at from "
    "by with during after before until through under over near around between within to into of "
    "is was are were has had have did does do can could will would should may might must became "
    "becomes being i it he she they we located directed starring written based known also won "
    "wrote sang made led played held founded built said took gave came went began ran fought lost "
    "died born despite beat beats wins won wears stands lies flows writes plays holds"
)

# After "and", these begin a new clause, not a second answer.
NEW_CLAUSE = _set("it he she they this that which who is was are were has had then later not")

# Before an answer, these are no part of its description.
LINKS = _set(
    "of in on at by for from with about to into over under than as and or nor not but versus vs "
    "is was are were be been who which that whose where when while because"
)

# Before a name, these make it another: "near York", "after 1945"; before a number COMPARED do too,
# RELATED with "of" or "to": "the wife of Henry VIII", "next to France".
APART = _set(
    "near before after outside beyond past behind beside opposite unlike except than bordering"
)
COMPARED = _set("least most nearly almost over under above below minus")
RELATED = _set(
    "wife husband widow widower spouse son daughter child children father mother parent parents "
    "brother sister twin grandson granddaughter grandfather grandmother nephew niece uncle aunt "
    "cousin friend lover mistress rival enemy successor predecessor heir descendant ancestor pupil "
    "student disciple follower assistant secretary biographer mayor governor bishop archbishop "
    "north south east west northeast northwest southeast southwest suburb suburbs outskirts "
    "neighbour neighbor ahead short instead colleague teacher boss contemporary ally colony "
    "partner mentor employer servant critic admirer opponent relative next close prior up "
    "adjacent similar branch tributary km kilometres kilometers miles mile hour hours minutes away "
    "far different"
)

# Nouns that a name follows with "of": "the city of Paris".
NAMING = _set(
    "city state country island town village kingdom republic name process concept phenomenon "
    "element art game sport language god goddess month year"
)

NUMBERS = frozenset({*SMALL_NUMBERS, *TENS, "hundred"})

# After a number, these make it another number.
SCALES = _set("hundred thousand million billion trillion dozen half quarters thirds point")

# Capitalised at the beginning of a sentence without being a name.
NO_NAME = _set(
    "the it in he she they this that these those there his her its their my i we you so then based "
    "according after before during when while as since for from with by on at to of if yes no well "
    "however actually therefore thus hence also and but or not what which who where why how sorry "
    "given one both only let here finally first second answer question"
)

# Right before the point of a sentence.
FOCUS = _set(
    "is was are were called named as by in at on from of to a an the be word get gets give gives"
    " make makes"
)

_COUNTRIES = """
Afghanistan|Albania|Algeria|Andorra|Angola|Argentina|Armenia|Australia|Austria|Azerbaijan|Bahamas
Bahrain|Bangladesh|Barbados|Belarus|Belgium|Belize|Benin|Bhutan|Bolivia|Bosnia and Herzegovina
Botswana|Brazil|Brunei|Bulgaria|Burkina Faso|Burundi|Cambodia|Cameroon|Canada|Cape Verde|Chad|Chile
China|Colombia|Comoros|Congo|Costa Rica|Croatia|Cuba|Cyprus|Czech Republic|Czechia|Denmark|Djibouti
Dominica|Dominican Republic|East Timor|Ecuador|Egypt|El Salvador|England|Eritrea|Estonia|Eswatini
Ethiopia|Fiji|Finland|France|Gabon|Gambia|Georgia|Germany|Ghana|Greece|Grenada|Guatemala|Guinea
Guyana|Haiti|Honduras|Hungary|Iceland|India|Indonesia|Iran|Iraq|Ireland|Israel|Italy|Ivory Coast
Jamaica|Japan|Jordan|Kazakhstan|Kenya|Kiribati|Kosovo|Kuwait|Kyrgyzstan|Laos|Latvia|Lebanon|Lesotho
Liberia|Libya|Liechtenstein|Lithuania|Luxembourg|Madagascar|Malawi|Malaysia|Maldives|Mali|Malta
Mauritania|Mauritius|Mexico|Micronesia|Moldova|Monaco|Mongolia|Montenegro|Morocco|Mozambique|Myanmar
Namibia|Nauru|Nepal|Netherlands|New Zealand|Nicaragua|Niger|Nigeria|North Korea|North Macedonia
Northern Ireland|Norway|Oman|Pakistan|Palau|Palestine|Panama|Papua New Guinea|Paraguay|Peru
Philippines|Poland|Portugal|Qatar|Romania|Russia|Rwanda|Saint Lucia|Samoa|San Marino|Saudi Arabia
Scotland|Senegal|Serbia|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Solomon Islands|Somalia
South Africa|South Korea|South Sudan|Spain|Sri Lanka|Sudan|Suriname|Sweden|Switzerland|Syria|Taiwan
Tajikistan|Tanzania|Thailand|Togo|Tonga|Trinidad and Tobago|Tunisia|Turkey|Turkmenistan|Tuvalu
Uganda|Ukraine|United Arab Emirates|United Kingdom|UK|Great Britain|Britain|United States
United States of America|USA|US|Uruguay|Uzbekistan|Vanuatu|Vatican City|Venezuela|Vietnam|Wales
Yemen|Zambia|Zimbabwe
"""
_STATES = """
Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii
Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan
Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York
North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|South Carolina
South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West Virginia|Wisconsin|Wyoming
Alberta|British Columbia|Manitoba|New Brunswick|Newfoundland|Nova Scotia|Ontario|Quebec
Saskatchewan|New South Wales|Queensland|South Australia|Tasmania|Victoria|Western Australia
"""

_REGIONS = """
Africa|Asia|Europe|Oceania|North America|South America|Central America|Latin America|Caribbean
West Africa|East Africa|North Africa|Central Africa|Southern Africa|Middle East|Central Asia
Southeast Asia|South Asia|East Asia|Western Europe|Eastern Europe|Central Europe|Northern Europe
"""


def _places(lines: str) -> frozenset[str]:
    return frozenset(place.lower() for place in re.split(r"[|\n]", lines) if place)


# As ``words.normalized`` writes them: "Reykjavik, Iceland" is one answer, not two.
STATES = _places(_STATES)
PLACES = _places(_COUNTRIES) | STATES | _places(_REGIONS)
# Cities that have namesakes in such states: "Rome, Georgia".
CAPITALS = _set(
    "rome paris london athens moscow berlin vienna madrid dublin lisbon cairo warsaw havana lima "
    "delhi petersburg oxford venice naples florence manchester liverpool toledo"
)

# Surnames that several well-known people have beside the same first name.
SHARED = _set(
    "adams bach brown bush clark davis dumas harris jackson james johnson jones jordan king lee "
    "lewis martin moore parker scott smith strauss taylor thomas white williams wilson young"
)
