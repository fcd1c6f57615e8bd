from __future__ import annotations

import sys

import pytest

torch = pytest.importorskip("torch")

from benchmark.errors import BenchError  # noqa: E402
from generators.pix2pixhd.exporting import export  # noqa: E402
from generators.pix2pixhd.networks import build  # noqa: E402
from generators.pix2pixhd.settings import GeneratorSettings  # noqa: E402


@pytest.mark.slow
def test_onnx_gives_the_same_picture_at_any_size(tmp_path):
    settings = GeneratorSettings(2, 3, "local", 4, 1, 1, n_blocks_local=1)
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network = build(settings)
    out = tmp_path / "x.onnx"
    export(network, out)
    assert network.training
    assert [path.name for path in tmp_path.iterdir()] == ["x.onnx"]
    session = runtime.InferenceSession(out, providers=["CPUExecutionProvider"])
    for n, height, width in ((1, 16, 16), (2, 8, 24), (3, 20, 40)):
        x = torch.randn(n, settings.input_nc, height, width)
        (made,) = session.run(None, {"input": x.numpy()})
        with torch.no_grad():
            expected = network.eval()(x)
        assert made.shape == expected.shape
        assert (torch.from_numpy(made) - expected).abs().max() < 1e-4


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(BenchError, match="onnxscript") as caught:
        export(build(GeneratorSettings(1, 1, "global", 2, 1, 0)), tmp_path / "x.onnx")
    assert "cellgen-bench[onnx]" in caught.value.mend
