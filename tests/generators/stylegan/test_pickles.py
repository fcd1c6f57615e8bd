from __future__ import annotations

import builtins
import collections
import contextlib
import copyreg
import io
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from generators.stylegan.converting import convert, network_of  # noqa: E402
from generators.stylegan.files import NetworkError  # noqa: E402
from generators.stylegan.pickles import Name, Record, RefusedError, read_pickle  # noqa: E402
from generators.stylegan.stored import Module, tensor_of  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.sets(st.text())
        | st.frozensets(st.integers())
        | st.binary()
    ),
    max_leaves=20,
)


@given(PLAIN, st.integers(2, 5))
def test_plain_values_are_what_python_reads(value, protocol):
    data = pickle.dumps(value, protocol)
    names = {"set", "frozenset", "encode", "bytes"}
    if protocol < 4 and any(name.encode() in data for name in names):
        return  # made by calls then
    assert read_pickle(data) == value


def test_shared_and_circular_values():
    shared = [1]
    value = {"a": shared, "b": shared}
    value["self"] = value
    read = read_pickle(pickle.dumps(value))
    assert read["a"] is read["b"]
    assert read["self"] is read


def test_names_and_calls_are_words():
    read = read_pickle(pickle.dumps([np.dtype, np.float64(2.5), torch.float32]))
    assert read[0] == Name("numpy dtype")
    assert isinstance(read[1], Record)
    assert read[1].name.endswith("multiarray scalar")
    assert read[2] == Name("torch float32") or isinstance(read[2], Record)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64, torch.int64])
def test_tensors_are_those_of_torch(dtype):
    whole = torch.arange(24).reshape(2, 3, 4).to(dtype)
    learned = torch.nn.Parameter(whole, requires_grad=dtype.is_floating_point)
    for tensor in (whole, whole[1:, ::2].mT, whole[0, 0, 0], whole[:0], learned):
        read = tensor_of(read_pickle(pickle.dumps(tensor, 4)), {})
        assert read.dtype == dtype
        assert torch.equal(read, tensor)


# What is crafted


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments, state=None):
        self.reduced = (function, arguments, state)

    def __reduce__(self):
        return self.reduced


@pytest.fixture
def trap(tmp_path):
    """A file that every crafted pickle tries to make; it must not be there in the end."""
    path = tmp_path / "went off"
    yield path
    assert not path.exists()


def crafted(trap):
    """Return pickles by what they try, each with what the message names."""
    command = f"touch {trap}"
    eval_text = f"open({str(trap)!r}, 'w')"
    touch = Calls(Path.touch, trap)
    protocol_0 = f"cos\nsystem\n(S'touch {trap}'\ntR.".encode()
    inst = f"(S'touch {trap}'\nios\nsystem\n.".encode()
    obj = b"(cos\nsystem\n" + f"S'touch {trap}'\no.".encode()
    memo = (
        b"\x80\x02cos\nsystem\nq\x00]q\x01h\x00"
        + f"(X{chr(len(command))}\0\0\0{command}tR.".encode()
    )
    in_parts = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93."
    dotted = b"\x80\x04\x8c\x0bcollections\x94\x8c\x16OrderedDict.fromkeys.x\x94\x93."
    newobj = b"\x80\x02cpathlib\nPath\n)\x81."
    build = pickle.dumps(Calls(collections.OrderedDict, state={"__class__": 1}), 4)
    setstate = b"\x80\x02]}b."
    return {
        "system": (pickle.dumps(Calls(os.system, command)), "system"),
        "system, as text": (protocol_0, "system"),
        "eval": (pickle.dumps(Calls(builtins.eval, eval_text)), "eval"),
        "eval, old": (pickle.dumps(Calls(builtins.eval, eval_text), 2), "eval"),
        "getattr": (pickle.dumps(Calls(getattr, "a", "b")), "getattr"),
        "in a list": (pickle.dumps({"G_ema": [1, {"x": touch}]}), "would import"),
        "an instance": (inst, "instruction"),
        "an object": (obj, "would import"),
        "from the memo": (memo, "system"),
        "name in parts": (in_parts, "'os system'"),
        "dots in a name": (dotted, "fromkeys"),
        "a new object": (newobj, "Path"),
        "state of a dict": (build, "state"),
        "state of a list": (setstate, "state"),
        "call of a text": (b"\x80\x02X\x01\0\0\0a)R.", "no function"),
        "call of a call": (b"\x80\x02ctorch\nSize\n)R)R.", "no function"),
        "extension": (b"\x80\x02\x82\xf0.", "EXT1"),
        "elsewhere": (b"\x80\x02X\x01\0\0\0aQ.", "stands elsewhere"),
        "elsewhere, as text": (b"Pa\n.", "PERSID"),
        "buffer": (b"\x80\x05\x97.", "NEXT_BUFFER"),
        "keyword call": (b"\x80\x04\x8c\x05torch\x8c\x04Size\x93)}\x92.", "NEWOBJ_EX"),
        "torch's own loader": (pickle.dumps(Calls(torch.load, str(trap))), "load"),
        "dict of pairs": (b"\x80\x02ccollections\nOrderedDict\n]K\x01a\x85R.", "made of something"),
    }


NAMES = list(crafted(Path("x")))


@pytest.mark.parametrize("name", NAMES)
def test_a_pickle_that_would_run_code_is_refused(name, trap, tmp_path):
    data, message = crafted(trap)[name]
    with pytest.raises(RefusedError, match=f"byte [0-9]+: .*{message}"):
        read_pickle(data)
    (tmp_path / "x.pkl").write_bytes(data)
    with pytest.raises(NetworkError, match=message) as caught:
        convert(tmp_path / "x.pkl", tmp_path / "x.safetensors")
    assert "x.pkl" in str(caught.value)
    assert not (tmp_path / "x.safetensors").exists()


def test_codes_that_this_process_knows_are_refused_too(trap):
    copyreg.add_extension(os.system.__module__, "system", 0xF0)
    try:
        data = pickle.dumps(Calls(os.system, f"touch {trap}"), 2)
        assert b"\x82\xf0" in data
        with pytest.raises(RefusedError, match="EXT1"):
            read_pickle(data)
    finally:
        copyreg.remove_extension(os.system.__module__, "system", 0xF0)


def stored(inner):
    """What a pickle has for a tensor of two numbers, whose storage is made of these bytes."""
    numbers = Record("torch.storage _load_from_bytes", (inner,))
    return Record("torch._utils _rebuild_tensor_v2", (numbers, 0, (2,), (1,), False, {}))


@pytest.fixture
def storage():
    return torch.tensor([1.0, 2.0]).storage().__reduce__()[1][0]


def test_storages_stand_for_themselves(storage):
    assert tensor_of(stored(storage), {}).tolist() == [1, 2]


def inner_of(storage, trap):
    bomb = pickle.dumps(Calls(os.system, f"touch {trap}"), 2)
    first = storage.index(b".", 3) + 1
    zipped = io.BytesIO()
    torch.save(torch.zeros(1), zipped)
    return {
        "code": (bomb, "system"),
        "code after the magic": (storage[:first] + bomb, "system"),
        "an archive": (zipped.getvalue(), "no pickle|form"),
        "short": (storage[:-1], "more or fewer"),
        "long": (storage + b"\0", "more or fewer"),
        "other type": (storage.replace(b"FloatStorage", b"CFloatStorage"), "CFloatStorage"),
        "huge": (storage[:-16] + (2**60).to_bytes(8, "little") + storage[-8:], "more or fewer"),
        "negative": (storage[:-16] + b"\xff" * 8 + storage[-8:], "more or fewer"),
        "big-endian": (storage.replace(b"endianq\x02\x88", b"endianq\x02\x89"), "order of bytes"),
        "nothing": (b"", "no pickle"),
    }


@pytest.mark.parametrize("name", list(inner_of(b"...." * 9, Path("x"))))
def test_code_within_a_storage_is_refused(name, trap, storage):
    inner, message = inner_of(storage, trap)[name]
    with pytest.raises(RefusedError, match=message):
        tensor_of(stored(inner), {})


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (3,), (1,)),
        (1, (2,), (1,)),
        (0, (2,), (2,)),
        (0, (10**12,), (0,)),
        (-1, (1,), (1,)),
        (0, (2, 2), (1,)),
        (0, [2], (1,)),
        (0, (2.0,), (1,)),
        (0, (-1,), (1,)),
        (0, (1, 1), (-2, 1)),
    ],
)
def test_a_tensor_stays_within_its_numbers(storage, offset, size, stride):
    numbers = Record("torch.storage _load_from_bytes", (storage,))
    tensor = Record("torch._utils _rebuild_tensor_v2", (numbers, offset, size, stride, False, {}))
    with pytest.raises(RefusedError, match="a tensor"):
        tensor_of(tensor, {})


def module(state):
    meta = {"type": "class", "class_name": "x", "state": state}
    return Record("torch_utils.persistence _reconstruct_persistent_obj", (meta,))


def test_modules_without_end_are_refused():
    state = {"_modules": {}}
    state["_modules"]["again"] = module(state)
    with pytest.raises(RefusedError, match="in two places"):
        Module.of(module(state)).tensors()


def test_the_same_numbers_many_times_take_no_more_memory():
    numbers = torch.zeros(2**18).storage().__reduce__()[1][0]
    record = Record("torch.storage _load_from_bytes", (numbers,))
    tensor = Record("torch._utils _rebuild_tensor_v2", (record, 0, (2**18,), (1,), False, {}))
    state = {"_parameters": {f"p{k}": tensor for k in range(1000)}}
    pointers = {t.data_ptr() for t in Module.of(module(state)).tensors().values()}
    assert len(pointers) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"no pickle at all",
        b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"x.",  # so many bytes
        b"\x80\x04\x8d" + (2**62).to_bytes(8, "little") + b"x.",  # so long a text
        b"\x80\x02B" + b"\xff" * 4 + b"x.",
        b"\x80\x02Nr\xff\xff\xff\x7f0N",  # a memo of two thousand million
        b"\x80\x02\x8b\xff\xff\xff\x7f.",  # so long a number
        b"\x80\x02(((((",
        b"\x80\x02(N.",
        b"\x80\x02NN.",
        b"\x80\x020.",
        b"\x80\x02\x87.",
        b"\x80\x02h\x05.",
        b"\x80\x02]]s.",
        b"\x80\x02}]Ns.",
        b"\x80\x02}(Nu.",
        b"\x80\x02NN\x93.",
    ],
)
def test_what_is_damaged_or_huge_is_refused_at_once(data):
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError, match=r"byte \d+: "):
            read_pickle(data)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_every_beginning_of_a_pickle_is_refused():
    data = pickle.dumps({"G_ema": [torch.zeros(3), (1, 2.5, "x")], "D": {1, 2}}, 4)
    assert set(read_pickle(data)) == {"G_ema", "D"}
    for end in range(len(data)):
        with pytest.raises(RefusedError):
            read_pickle(data[:end])


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data):
    with contextlib.suppress(RefusedError):
        read_pickle(data)


def test_keys_that_take_for_ever_to_hash():
    nested = b")" + b"2\x86" * 64  # a tuple of itself twice, 64 times over
    with pytest.raises(RefusedError, match="no plain value"):
        read_pickle(b"\x80\x02}" + nested + b"Ns.")


@pytest.mark.parametrize("held", [[], {}, {"G_ema": 1}, {"G_ema": {}}, {"G_ema": torch.zeros(1)}])
def test_pickles_of_other_things_are_refused(held):
    with pytest.raises(RefusedError):
        network_of(pickle.dumps(held))
