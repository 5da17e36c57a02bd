"""A model of random weights looked into: cuts agree, findings are kept, refusals; needs torch."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs torch")
transformers = pytest.importorskip("transformers", reason="needs transformers")
pytestmark = pytest.mark.heavy

from feedback_friction.cli.inside import command  # noqa: E402
from feedback_friction.engine.models.llama.gguf_files import ABACUS  # noqa: E402
from feedback_friction.engine.passes.reopen import Prompts  # noqa: E402
from feedback_friction.errors import UsageError  # noqa: E402
from feedback_friction.inside import measures, steering, tuned  # noqa: E402
from feedback_friction.inside.attending import KIND, Cut  # noqa: E402
from feedback_friction.inside.loading import find_source, load  # noqa: E402
from feedback_friction.inside.network import Arm, Network  # noqa: E402
from feedback_friction.inside.places import find_places  # noqa: E402
from unsolved import make_run  # noqa: E402

STUDENT = "student/ability=0.3,resistant=0.5"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def make_model(folder, seed=0, **more):
    """A small Llama of random weights with the tokenizer of abacus."""
    torch.manual_seed(seed)
    folder.mkdir()
    for name in TOKENIZER:
        shutil.copy(ABACUS.parent / name, folder)
    config = transformers.LlamaConfig(
        vocab_size=512, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096,
        initializer_range=0.5, eos_token_id=5, **more,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(
        tmp_path_factory.mktemp("inside") / "run", feedback=("tutor", "binary"), limit=24,
        iterations=2, solver=STUDENT, max_tokens=24,
    )  # fmt: skip


@pytest.fixture(scope="module")
def looked(model, run):
    network = Network(load(find_source(str(model), [STUDENT], {}, as_is=True)))
    found = find_places(Prompts(run), run, [STUDENT])
    parted = [each for each in found.places if each.parting is not None]
    return network, [measures.see(network.loaded, each) for each in parted]


def ask(run, model, *more):
    return CliRunner().invoke(command, [str(run), "--model", str(model), "--quiet", *more])


def masked_logprobs(network, prompt, reply, columns):
    """A cut in all layers by the other way: an additive mask, in transformers' own attention."""
    model, ids = network.model, torch.tensor([[*prompt, *reply[:-1]]])
    size, least = ids.shape[1], torch.finfo(model.dtype).min
    mask = torch.full((size, size), least, dtype=model.dtype).triu(1)
    mask[len(prompt) - 1 :, list(columns)] = least
    model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=mask[None, None]).logits[0]
    finally:
        model.set_attn_implementation(KIND)
    told = logits[len(prompt) - 1 :].log_softmax(-1).double()
    return told[range(len(reply)), list(reply)].numpy()


def test_both_ways_of_knock_out_agree(looked):
    network, places = looked
    for seen in places[:4]:
        read, told = network.read(seen.ids), seen.columns("feedback")
        ((ours,),) = network.logprobs(read, [seen.reply], [Cut(told)])
        theirs = masked_logprobs(network, seen.ids, seen.reply, told)
        afresh = network.logprobs_afresh(seen.ids, seen.reply, Cut(told), len(seen.ids) - 1)
        assert abs(ours - theirs).max() < 1e-3
        assert abs(ours - afresh).max() < 1e-3
        ((intact,),) = network.logprobs(read, [seen.reply], [Cut()])
        assert abs(intact - ours).max() > 0.01  # the cut does something


def test_a_prompt_read_under_a_cut_goes_on_as_a_pass_afresh_does(looked):
    network, places = looked
    seen = places[0]
    cut, first = Cut(seen.columns("feedback")), max(seen.columns("feedback")) + 1
    ((ours,),) = network.logprobs(network.read(seen.ids, cut, first), [seen.reply], [cut])
    afresh = network.logprobs_afresh(seen.ids, seen.reply, cut, first)
    assert abs(ours - afresh).max() < 1e-4
    ((around,),) = network.logprobs(network.read(seen.ids), [seen.reply], [cut])
    assert abs(ours - around).max() > 1e-3  # what stands between has not seen it either


def test_a_cut_of_every_layer_is_a_cut_in_all_layers_and_of_every_head_one_of_the_layer(looked):
    network, places = looked
    seen, told = places[0], places[0].columns("feedback")
    cuts = [
        Cut(told), Cut(told, tuple((layer, None) for layer in range(3))),
        Cut(told, ((1, None),)), Cut(told, tuple((1, head) for head in range(4))),
    ]  # fmt: skip
    a, b, c, d = (x[0] for x in network.logprobs(network.read(seen.ids), [seen.reply], cuts))
    assert abs(a - b).max() < 1e-4
    assert abs(c - d).max() < 1e-4
    assert abs(a - c).max() > 1e-3


def test_attention_adds_up_to_one_and_the_lens_ends_at_the_scores(looked):
    network, places = looked
    seen = places[0]
    read = network.read(seen.ids)
    found = measures.plain(network, seen, read)
    assert all(
        sum(head) == pytest.approx(1, abs=1e-4) for layer in found["attention"] for head in layer
    )
    assert sum(found["share"]) == pytest.approx(1, abs=1e-4)
    ((right, wrong),) = network.logprobs(read, [seen.right, seen.wrong], [Cut()])
    assert found["lens"][-1] == pytest.approx(right[seen.parts] - wrong[seen.parts], abs=1e-3)


def test_the_tuned_lens_is_nearer_to_the_last_layer_than_the_logit_lens(looked):
    network, places = looked
    maps = tuned.lenses(tuned.learn(network, places[::2]))
    found = [tuned.read(network, each, network.read(each.ids), maps) for each in places[1:8:2]]
    for layer in range(network.depth - 1):
        logit, mapped = (sum(each[name][layer] for each in found) for name in ("kl", "kl_tuned"))
        assert mapped < logit
    for seen, each in zip(places[1:8:2], found, strict=True):
        assert each["kl"][-1] == each["kl_tuned"][-1] == pytest.approx(0, abs=1e-5)
        plain = measures.lens(network, seen, network.read(seen.ids))
        assert each["tuned"][-1] == pytest.approx(plain[-1], abs=1e-3)


def test_integrated_gradients_add_up_to_the_difference_of_the_ends(looked, monkeypatch):
    network, places = looked
    monkeypatch.setattr(measures, "STEPS", 600)
    found = measures.attribution(network, places[0])
    assert sum(found["ig"]) == pytest.approx(
        found["margin"] - found["margin_empty"], rel=0.1, abs=0.3
    )


def test_patching_a_trial_with_itself_changes_nothing_and_the_last_state_is_the_donors(looked):
    network, places = looked
    by_problem = {}
    for each in places:
        by_problem.setdefault(each.place.key[1], []).append(each)
    one, other = next(pair for pair in by_problem.values() if len(pair) == 2)
    same = measures.patching(network, one, one, range(3), {})
    assert all(value == pytest.approx(same["base"], abs=1e-3) for value in same["cells"].values())
    found = measures.patching(network, one, other, range(3), {})
    assert found["cells"]["layer 2/parting"] == pytest.approx(found["donor"], abs=1e-3)


def test_generation_under_no_cut_is_greedy_and_ends_at_its_limit_or_stop(looked):
    network, places = looked
    read = network.read(places[0].ids)
    free, cut, raised = network.generate(
        read,
        [Arm(), Arm(cut=Cut(places[0].columns("feedback"))), Arm(cut=Cut((1,), raised=0.0))],
        12,
    )
    ids = torch.tensor([places[0].ids])
    expected = network.model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :]
    assert free == raised == network.loaded.tokenizer.decode(expected, skip_special_tokens=True)
    assert cut != free
    (stopped,) = network.generate(read, [Arm()], 12, [free[3]])
    assert stopped == free[: free.index(free[3])]


def test_the_command_writes_every_table_and_the_second_time_makes_no_pass(run, model, monkeypatch):
    first = ask(run, model, "--as-is", "--sample", "5", "--json")
    assert first.exit_code == 0, first.output
    document = json.loads(first.output)
    assert document["as_is"] is True
    assert {name for name, rows in document["tables"].items() if rows} >= {
        f"inside_{each}" for each in ("replies", "knockout", "attention", "lens", "attribution")
    }
    with sqlite3.connect(run / "journal.sqlite") as db:
        before = db.execute("SELECT * FROM probes ORDER BY 1, 2, 3, 4").fetchall()

    def forbidden(*_, **__):
        raise AssertionError("a pass was made again")

    for name in ("read", "logprobs", "plain", "logprobs_afresh", "generate", "slopes"):
        monkeypatch.setattr(Network, name, forbidden)
    again = ask(
        run,
        model,
        "--as-is",
        "--sample",
        "5",
        "--json",
        "--what",
        "attention,knockout,replies,lens,attribution",
    )
    assert again.exit_code == 0, again.exception
    with sqlite3.connect(run / "journal.sqlite") as db:
        assert db.execute("SELECT * FROM probes ORDER BY 1, 2, 3, 4").fetchall() == before


def test_what_is_not_the_runs_solver_is_said_in_the_table_too(run, model):
    shown = ask(run, model, "--as-is", "--sample", "5", "--what", "lens")
    assert "AS IS" in shown.output


def refused(run, model, *more):
    error = ask(run, model, *more).exception
    assert isinstance(error, UsageError), error
    assert "\n" not in str(error)
    return str(error)


def test_models_that_will_not_do_are_refused_in_one_line(run, model, tmp_path):
    assert "--as-is" in refused(run, model)
    assert "no layer 7" in refused(run, model, "--as-is", "--layers", "0,7")
    assert "vLLM" in refused(run, "openai/gpt-x")
    assert "no model" in refused(run, "someone/nothing")
    assert "config.json" in refused(run, tmp_path)
    bare = make_model(tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    assert "no chat template" in refused(run, bare, "--as-is")
    weights = bare / "model.safetensors"
    weights.unlink()
    assert "no weights" in refused(run, bare, "--as-is")
    weights.write_bytes(b"")
    shutil.copy(model / "chat_template.jinja", bare)
    assert "cannot load" in refused(run, bare, "--as-is")


def changed(folder, **settings):
    """A model whose configuration says something else."""
    made, file = make_model(folder), folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    return made


def test_weights_that_are_not_all_there_are_refused_and_none_drawn_instead(run, tmp_path):
    assert "lacks" in refused(run, changed(tmp_path / "deep", num_hidden_layers=4), "--as-is")


def test_a_model_that_can_read_no_prompt_of_the_run_is_refused_with_the_reason(run, tmp_path):
    short = changed(tmp_path / "short", max_position_embeddings=64)
    assert "longer than the model's context" in refused(run, short, "--as-is", "--what", "lens")
    cuts = make_model(tmp_path / "cuts")
    template = "{% for m in messages %}{{ m['content'][:40] }}{% endfor %}"
    (cuts / "chat_template.jinja").write_text(template)
    assert "changes texts" in refused(run, cuts, "--as-is", "--what", "lens")


def test_a_tokenizer_without_offsets_is_refused(run, tmp_path):
    bytes_ = make_model(tmp_path / "bytes")
    (bytes_ / "tokenizer.json").unlink()
    tokenizer = transformers.ByT5Tokenizer(chat_template="{{ messages[0]['content'] }}")
    tokenizer.save_pretrained(bytes_)
    assert "gives no offsets" in refused(run, bytes_, "--as-is")


def test_a_model_too_large_for_the_machine_is_refused_before_it_is_loaded(run, model, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 1)
    assert "GB for its weights" in refused(run, model, "--as-is")


def test_a_direction_points_from_repeated_to_corrected_and_controls_have_its_norm():
    labelled = {
        str(n): (n % 2 == 0, torch.tensor([[float(n % 2 == 0), 0.0], [0.0, 1.0]])) for n in range(8)
    }
    assert steering.enough(labelled)
    assert steering.direction(labelled).tolist() == [[1.0, 0.0], [0.0, 0.0]]
    arms = steering.trials_of(labelled, "layer 0 x2", "raised 3", [4, 5])
    assert arms["steered"].added[0].tolist() == [2.0, 0.0]
    assert arms["turned"].added[0].tolist() == [-2.0, 0.0]
    randoms = [
        arm.added[0].norm().item() for name, arm in arms.items() if name.startswith("random")
    ]
    assert randoms == pytest.approx([2.0] * steering.RANDOM)
    assert arms["raised"].cut == Cut((4, 5), raised=3.0)


def test_the_choice_is_the_candidate_that_solves_most_and_of_equals_the_first():
    solved = {"layer 0 x1": [True, False], "layer 1 x1": [False, True], "raised 1": [False, False]}
    assert steering.chosen(solved, "layer") == "layer 0 x1"
    assert steering.chosen(solved, "raised") == "raised 1"
    assert steering.chosen({}, "layer") is None
