"""Training from its beginning to a folder, on a network that is soon done; needs torch."""

from dataclasses import replace

import click
import pytest

torch = pytest.importorskip("torch", reason="needs torch")
transformers = pytest.importorskip("transformers", reason="needs transformers")
pytestmark = pytest.mark.heavy

from training import mistakes, train  # noqa: E402
from training.checkpoint import load  # noqa: E402
from training.export import FILE, export  # noqa: E402
from training.train import Schedule  # noqa: E402

SOON = Schedule(answers=3, trials=4, own=4, tokens=2_048, warm_up=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mistakes, "ASKED", 20)
        patch.setattr(train, "LOGGED", 1)
        train.train(folder, SOON)
    return folder


def test_each_stage_leaves_a_checkpoint_and_a_log(trained):
    for stage, steps in (("answers", 3), ("trials", 4), ("own", 4)):
        log = (trained / f"{stage}.csv").read_text().splitlines()
        assert len(log) == steps + 1
        assert (trained / f"{stage}.pt").exists()
    first, last = (load(trained / f"{stage}.pt")[0] for stage in ("answers", "own"))
    assert not torch.equal(first.embed_tokens.weight, last.embed_tokens.weight)


@pytest.mark.parametrize("how", [{}, {"gguf_file": FILE}], ids=["folder", "file"])
def test_what_was_exported_has_the_networks_scores(how, trained, tmp_path):
    export(trained / "own.pt", tmp_path)
    network, vocabulary = load(trained / "own.pt")
    network.half().float()
    ids = torch.randint(len(vocabulary), (1, 50), generator=torch.Generator().manual_seed(0))
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32, **how)
    with torch.no_grad():
        assert (model(ids).logits - network.logits(network(ids))).abs().max() < 1e-3


def test_a_stage_that_is_done_is_not_gone_through_again(trained):
    before = (trained / "own.csv").stat().st_mtime_ns
    train.train(trained, SOON)
    assert (trained / "own.csv").stat().st_mtime_ns == before


def test_checkpoints_of_other_settings_are_refused(trained):
    with pytest.raises(
        click.UsageError, match=r"answers\.pt was made with other settings \(seed\)"
    ):
        train.train(trained, replace(SOON, seed=1))
