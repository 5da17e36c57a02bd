"""All places of a run looked into, one after the other, each finding kept when it is made.

Findings are rows of the journal's probes: what is there is not measured again, and a study that was
interrupted goes on. What decides a finding (the model's weights, the precision) is in its settings.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from feedback_friction.errors import UsageError
from feedback_friction.inside import measures, steering, tuned
from feedback_friction.inside.attending import Cut
from feedback_friction.inside.measures import FEEDBACK
from feedback_friction.inside.network import Arm, Network
from feedback_friction.inside.notebook import Look, Notebook, Value
from feedback_friction.inside.places import REPEATED, TAKEN_UP, Found, Place, trains
from feedback_friction.inside.segments import UnmarkableError

PLAIN, TUNED, KNOCKOUT, REPLIES = (
    f"inside:{name}" for name in ("plain", "tuned", "knockout", "replies")
)
ATTRIBUTION, PATCHING, STEERING, TRAINING = (
    f"inside:{name}" for name in ("attribution", "patching", "steering", "training")
)
FEW_HEADS = 64  # with no more than these, every head of the model is cut
TOP_LAYERS = 4  # else those of the layers that matter most on the training half
TOP_SHARE = 0.1  # of the heads, are cut together as the top ones
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class Study:
    """A model held against the places of a run."""

    network: Network
    found: Found
    notebook: Notebook
    layers: Sequence[int] | None  # that are cut, patched and steered one by one; None for a choice
    stop: Sequence[str]  # what ends a reply, as in the run
    progress: Progress  # called with what is being done, how many places are done, of how many
    left_out: Counter[str] = field(default_factory=Counter)  # by reason, how many places
    _looks: list[Look] = field(default_factory=list)

    def run(self, what: Sequence[str]) -> None:
        """Measure what is asked for and not known yet."""
        self._looks = [look for place in self.found.places if (look := self._fit(place))]
        if not self._looks:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self.left_out.items())
            raise UsageError(f"no attempt can be analysed: {reasons}")
        every = {
            "attention and lens": ({"attention", "lens"}, self._plain),
            "knock-out": ({"knockout"}, self._knockout),
            "replies": ({"replies"}, self._replies),
            "attribution": ({"attribution"}, self._attribution),
        }
        steps = {name: step for name, (of, step) in every.items() if of & {*what}}
        for look in self._each(" + ".join(steps), self._looks if steps else []):
            for step in steps.values():
                step(look)
        if "lens" in what:
            self._tuned()
        if {"knockout", "replies"} & {*what}:
            self._heads(what)
        if "patching" in what:
            self._patching()
        if "steering" in what:
            for condition in dict.fromkeys(look.place.condition for look in self._looks):
                self._steering(condition)

    @property
    def places(self) -> tuple[Place, ...]:
        """The places that can be looked into."""
        return tuple(look.place for look in self._looks)

    def _fit(self, place: Place) -> Look | None:
        look = Look(self.network, place)
        try:
            seen = look.seen
        except UnmarkableError as error:
            self.left_out[f"because {error}"] += 1
            return None
        if len(seen.ids) + len(seen.reply) > self.network.most_tokens:
            self.left_out["longer than the model's context"] += 1
            return None
        if not seen.columns(FEEDBACK):
            self.left_out["with a prompt that does not show its feedback"] += 1
            return None
        return look

    def _each(self, doing: str, looks: Sequence[Look]) -> Iterator[Look]:
        """Each place in turn; its reading, which takes memory, is let go of after it."""
        for number, look in enumerate(looks):
            self.progress(doing, number, len(looks))
            yield look
            look.__dict__.pop("read", None)
        if looks:
            self.progress(doing, len(looks), len(looks))

    @property
    def _all_layers(self) -> Sequence[int]:
        return self.layers if self.layers is not None else range(self.network.depth)

    @property
    def _some_layers(self) -> Sequence[int]:
        """The layers, or some of many at equal distances, the last included."""
        depth, most = self.network.depth, measures.MOST_PATCHED
        if self.layers is not None or depth <= most:
            return self._all_layers
        return [round((number + 1) * depth / most) - 1 for number in range(most)]

    # --- one place at a time -------------------------------------------------------------------

    def _plain(self, look: Look) -> None:
        if not self.notebook.of(PLAIN, look):
            self.notebook.keep(PLAIN, look, measures.plain(self.network, look.seen, look.read))

    def _tuned(self) -> None:
        """The tuned lens: fitted on one half of the problems, read on the other."""
        mine = [look.seen for look in self._looks if look.about["trains"]]
        learners = tuned.learners(mine)
        name = tuned.name_of(learners)
        left = [
            look
            for look in self._looks
            if not look.about["trains"] and self.notebook.of(TUNED, look).get("fit") != name
        ]
        if not left:
            return
        learnt = tuned.learn(self.network, learners)
        if learnt.states.shape[1] < tuned.FEWEST:
            self.left_out[f"not read by a tuned lens: fewer than {tuned.FEWEST} tokens to fit"] += (
                len(left)
            )
            return
        maps = tuned.lenses(learnt)
        for look in self._each("tuned lens", left):
            value = tuned.read(self.network, look.seen, look.read, maps)
            more = {"fit": name, "tokens": learnt.states.shape[1]}
            self.notebook.keep(TUNED, look, value | more)

    def _attribution(self, look: Look) -> None:
        if look.seen.right and not self.notebook.of(ATTRIBUTION, look):
            self.notebook.keep(ATTRIBUTION, look, measures.attribution(self.network, look.seen))

    def _knockout(self, look: Look) -> None:
        network, seen = self.network, look.seen
        every = network.depth * network.heads <= FEW_HEADS
        wanted = measures.cuts(network, seen, self._all_layers, self._all_layers if every else [])
        cells = self._knocked_out(look, wanted)
        if f"later/{FEEDBACK}" not in cells:
            cells |= measures.later(network, seen)
        told = self._another(look.place)
        if told is not None and f"none/another's {FEEDBACK}" not in cells:
            cells |= measures.another(network, measures.see(network.loaded, told))
        self.notebook.keep(KNOCKOUT, look, {"cells": cells})

    def _knocked_out(
        self, look: Look, wanted: dict[str, Cut], known: measures.Cells | None = None
    ) -> measures.Cells:
        """What is known of a place under cuts, with what was still wanted."""
        cells = self._cells(look) if known is None else known
        if {"none", *wanted} <= {*cells}:
            return cells
        return cells | measures.knock_out(self.network, look.seen, look.read, wanted, cells)

    def _cells(self, look: Look) -> measures.Cells:
        found: measures.Cells = self.notebook.of(KNOCKOUT, look).get("cells", {})
        return found

    def _replies(self, look: Look) -> None:
        """What becomes of the feedback in a reply that is regenerated under a cut."""
        known: dict[str, str] = self.notebook.of(REPLIES, look).get("wrote", {})
        cuts = measures.cuts(self.network, look.seen, [], [])
        names = (f"all/{FEEDBACK}", "elsewhere")
        arms = {name: Arm(cut=cut) for name, cut in cuts.items() if name.startswith(names)}
        wrote = known | self._written(look, {"none": Arm(), **arms}, known)
        told = self._another(look.place)
        if told is not None and (name := f"none/another's {FEEDBACK}") not in wrote:
            wrote |= self._written(Look(self.network, told), {name: Arm()}, {})
        if (name := f"later/{FEEDBACK}") not in wrote:
            wrote |= self._written(self._later(look), {name: Arm(cut=cuts[f"all/{FEEDBACK}"])}, {})
        self.notebook.keep(REPLIES, look, {"wrote": wrote})

    def _later(self, look: Look) -> Look:
        """The place with its prompt read so that no token after the feedback sees it."""
        told = look.seen.columns(FEEDBACK)
        later = Look(self.network, look.place)
        later.read = self.network.read(look.seen.ids, Cut(told), max(told) + 1)
        return later

    def _written(
        self, look: Look, arms: Mapping[str, Arm], known: Mapping[str, str]
    ) -> dict[str, str]:
        """What becomes of the feedback in regenerated replies, for each arm that is not known."""
        place, left = look.place, {name: arm for name, arm in arms.items() if name not in known}
        if not left or place.scene.task.judge is not None:  # no judge is asked here
            return {}
        most = min(place.request.max_tokens, self.network.most_tokens - len(look.seen.ids))
        texts = self.network.generate(look.read, list(left.values()), most, self.stop)
        return {name: place.outcome_of(text) for name, text in zip(left, texts, strict=True)}

    def _another(self, place: Place) -> Place | None:
        """The place with the feedback of the next problem under the same condition."""
        everyone = [look.place for look in self._looks]  # of whose texts the parts can be told
        alike = [each for each in everyone if each.condition == place.condition]
        at = alike.index(place)
        for other in (*alike[at + 1 :], *alike[:at]):
            if other.feedback != place.feedback and other.key[1] != place.key[1]:
                return place.told(other.feedback)
        return None

    # --- after all places ----------------------------------------------------------------------

    def _heads(self, what: Sequence[str]) -> None:
        """Heads one by one where not all were, and the top ones together beside random ones."""
        by_condition: dict[str, list[Look]] = defaultdict(list)
        for look in self._looks:
            by_condition[look.place.condition].append(look)
        for looks in by_condition.values():
            network = self.network
            if "knockout" in what and network.depth * network.heads > FEW_HEADS:
                layers = self._top(looks, "layer", TOP_LAYERS)
                for look in self._each("heads", looks):
                    wanted = measures.cuts(network, look.seen, [], [at for at, _ in layers])
                    self.notebook.keep(KNOCKOUT, look, {"cells": self._knocked_out(look, wanted)})
            count = max(1, round(TOP_SHARE * network.depth * network.heads))
            heads = self._top(looks, "head", count)
            tested = [(at, head) for at in self._all_layers for head in range(network.heads)]
            for look in self._each("sets of heads", looks if heads else []):
                if not look.about["trains"]:
                    self._sets(look, measures.sets_of_heads(look.seen, heads, tested), what)

    def _sets(self, look: Look, wanted: dict[str, Cut], what: Sequence[str]) -> None:
        """The top heads and as many others, on the half that did not choose them."""
        chosen = {name: [list(each) for each in cut.heads or ()] for name, cut in wanted.items()}

        def left(probe: str, name: str) -> Value:
            """What is known, less what is known of other heads."""
            before = self.notebook.of(probe, look)
            same = before.get("top") == chosen
            found = before.get(name, {}).items()
            return {cut: x for cut, x in found if same or not cut.startswith(("top/", "random "))}

        if "knockout" in what:
            cells = self._knocked_out(look, wanted, left(KNOCKOUT, "cells"))
            self.notebook.keep(KNOCKOUT, look, {"cells": cells, "top": chosen})
        if "replies" in what:
            wrote = left(REPLIES, "wrote")
            wrote |= self._written(
                look, {name: Arm(cut=cut) for name, cut in wanted.items()}, wrote
            )
            self.notebook.keep(REPLIES, look, {"wrote": wrote, "top": chosen})

    def _top(self, looks: Sequence[Look], kind: str, count: int) -> list[tuple[int, int]]:
        """Layers, or heads, whose cut moves the reply most on the training half."""
        moved: dict[tuple[int, int], list[float]] = defaultdict(list)
        for look in looks:
            cells = self._cells(look)
            if look.about["trains"] and cells:
                for name, (reply, *_) in cells.items():
                    intact = cells["none"][0]
                    if reply is None or intact is None:
                        continue
                    if name.startswith(f"{kind} ") and name.endswith(f"/{FEEDBACK}"):
                        layer, _, head = name.split("/")[0].split()[1].partition(".")
                        moved[int(layer), int(head or 0)].append(intact - reply)
        means = {where: sum(each) / len(each) for where, each in moved.items()}
        return sorted(means, key=lambda where: -means[where])[:count]

    def _patching(self) -> None:
        """States of a corrected trial into each other one of the same problem."""
        donors: dict[tuple[str, str], list[Look]] = defaultdict(list)
        for look in self._looks:
            if look.place.outcome == TAKEN_UP and look.seen.right:
                donors[look.place.scene.problem.task, look.place.key[1]].append(look)
        pairs = {
            look: donors[look.place.scene.problem.task, look.place.key[1]]
            for look in self._looks
            if look.place.outcome != TAKEN_UP and look.seen.right
        }
        pairs = {look: given for look, given in pairs.items() if given}
        for look in self._each("patching", list(pairs)):
            donor = min(pairs[look], key=lambda each: _distance(look.place, each.place))
            before = self.notebook.of(PATCHING, look)
            known = before.get("cells", {}) if before.get("from") == list(donor.place.key) else {}
            if {f"layer {at}/parting" for at in self._some_layers} <= {*known}:
                continue
            value = measures.patching(self.network, look.seen, donor.seen, self._some_layers, known)
            self.notebook.keep(PATCHING, look, {"from": list(donor.place.key)} | value)

    # --- steering ------------------------------------------------------------------------------

    def _steering(self, condition: str) -> None:
        """A direction from the training half, its layer and strength, and the other half's test."""
        looks = [look for look in self._looks if look.place.condition == condition]
        if not looks or looks[0].place.scene.task.judge is not None:
            self.left_out["not steered: a judge would have to grade"] += len(looks)
            return
        labelled = {
            str(look.place.key): (look.place.outcome == TAKEN_UP, self._state(look))
            for look in self._each("states", looks)
            if look.about["trains"] and look.place.outcome in (TAKEN_UP, REPEATED)
        }
        repeated = [look for look in looks if look.place.outcome == REPEATED]
        if not steering.enough(labelled):
            self.left_out["not steered: too few corrected or repeated to learn from"] += len(looks)
            return
        name, made = steering.name_of(labelled), steering.direction(labelled)
        solved: dict[str, list[bool]] = defaultdict(list)
        for look in self._each("steering, training half", repeated):
            if look.about["trains"]:
                arms = steering.candidates(made, self._some_layers, look.seen.columns(FEEDBACK))
                for arm, outcome in self._steered(look, arms, name).items():
                    solved[arm].append(outcome == TAKEN_UP)
        choice = steering.chosen(solved, "layer"), steering.chosen(solved, "raised")
        firsts = [each for each in self.found.firsts if each.condition == condition]
        right = [Look(self.network, each) for each in firsts]
        for look in self._each("steering, other half", [*repeated, *right]):
            if not trains(look.place.scene.problem.id):
                arms = steering.trials_of(labelled, *choice, look.seen.columns(FEEDBACK))
                self._steered(look, arms, name, choice)

    def _state(self, look: Look) -> torch.Tensor:
        """The states at the prompt's last token, by layer: shape (layers, width)."""
        return self.network.states(look.read, look.seen.ids[-1:])[:, -1]

    def _steered(
        self, look: Look, arms: Mapping[str, Arm], name: str, choice: Sequence[str | None] = ()
    ) -> dict[str, str]:
        probe = STEERING if choice else TRAINING
        before = self.notebook.of(probe, look)
        same = before.get("direction") == name and before.get("chosen") == list(choice)
        wrote = before.get("wrote", {}) if same else {}
        if {*arms} - {*wrote}:
            wrote = wrote | self._written(look, arms, wrote)
            more = {"direction": name, "chosen": list(choice), "wrote": wrote}
            self.notebook.keep(probe, look, more)
        return {arm: wrote[arm] for arm in arms}


def _distance(place: Place, other: Place) -> tuple[int, int]:
    """How unlike two trials of a problem are: other first attempts count most, then draws."""
    texts = [[each.reply.text for each in one.scene.attempts[:1]] for one in (place, other)]
    return int(texts[0] != texts[1]), int(place.scene.epoch != other.scene.epoch)
