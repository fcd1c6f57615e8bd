from __future__ import annotations

import pytest

from benchmark.dataset import Dataset, card, verify

RECIPE = {"name": "small", "seed": 7}


@pytest.fixture
def made(make_dataset):
    return make_dataset(recipe=RECIPE, licence="CC0-1.0", source="Discs on noise")


def read(dataset):
    return (dataset.path / "DATACARD.md").read_text()


def test_a_generated_set_has_a_card_that_says_what_it_is(made):
    text = read(made)
    for words in (
        "# small 1.0.0",
        "Discs on noise",
        "| samples | 2 test, 2 train |",
        f"`{made.digest}`",
        "recipe `small` in `dataset.json`, seed 7",
        "| density | 0 to 0.75 |",
        "| kind | m00, m01, m02, m03 |",
        "Not audited",
        "## Limits",
        "CC0-1.0.",
    ):
        assert words in text, words
    assert int(made.samples["n_nuclei"].sum()) > 0
    assert f"| objects | {int(made.samples['n_nuclei'].sum())} nuclei |" in text


def test_it_is_no_part_of_the_digest_and_belongs_to_the_set(made):
    (made.path / "DATACARD.md").write_text("Something else.")
    assert verify(made.path) == []
    assert Dataset.open(made.path).digest == made.digest
    (made.path / "DATACARD.md").unlink()
    assert verify(made.path) == []


def test_an_imported_set_has_none_until_it_is_asked_for(make_dataset):
    plain = make_dataset()
    assert not (plain.path / "DATACARD.md").exists()
    card.write(plain.path, plain.manifest, plain.samples)
    assert "Imported: the images were not made by this package." in read(plain)


def test_figures_of_an_audit_stand_in_a_table(made):
    card.write(made.path, made.manifest, made.samples, [("AUC", "synthetic .9; real .5")])
    assert "| AUC | synthetic .9; real .5 |" in read(made)
    assert "Not audited" not in read(made)


def test_a_release_says_how_to_make_it_again():
    builtin = Dataset.open("builtin")
    text = card.text(builtin.manifest, builtin.samples)
    assert "`bench generate builtin --out FOLDER`" in text
    assert read(builtin) == text


def test_text_from_strangers_stays_text(make_dataset):
    hostile = "x <script>alert(1)</script> | y [a](javascript:b)\n# big"
    made = make_dataset(recipe=RECIPE, source=hostile, licence=hostile, citation=hostile)
    text = read(made)
    assert "<script" not in text
    assert "\n# big" not in text
    assert "[a]" not in text.replace("\\[", "(")
