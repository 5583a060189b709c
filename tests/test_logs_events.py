"""Event files: records made by hand, their checksums by an independent byte-by-byte formula."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from lrfind.errors import DataError
from lrfind.logs import read_log
from lrfind.logs.crc32c import crc32c, crc32c_each
from lrfind.logs.events import ScalarReader, fields, scalars
from lrfind.logs.opened import open_log

NAME = "events.out.tfevents.1700000000.host.1.0"
LOSSES = 1 / np.arange(1, 21)


def crc_bit_by_bit(data):
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def masked(data):
    crc = crc_bit_by_bit(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data):
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def varint(number):
    number &= 2**64 - 1
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def piece(number, wire, value):
    if wire == 0:
        return varint(number << 3) + varint(value)
    return varint(number << 3 | wire) + (varint(len(value)) if wire == 2 else b"") + value


def simple(tag, value):
    return piece(1, 2, tag.encode()) + piece(2, 5, struct.pack("<f", value))


def tensor(tag, content):
    return piece(1, 2, tag.encode()) + piece(9, 2, b"\n\x07scalars") + piece(8, 2, content)


def event(step, *values):
    summary = b"".join(piece(1, 2, value) for value in values)
    return piece(1, 1, struct.pack("<d", 1.7e9)) + piece(2, 0, step) + (piece(5, 2, summary) if values else b"")


VERSION = piece(1, 1, struct.pack("<d", 1.7e9)) + piece(3, 2, b"brain.Event:2")


def events(*contents):
    return b"".join(record(content) for content in (VERSION, *contents))


def losses(tag="train/loss", n=20):
    return [event(i, simple(tag, LOSSES[i % 20]), simple("lr", 1e-3)) for i in range(n)]


def written(tmp_path, content, name=NAME):
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E), (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)  # fmt: skip
def test_crc32c_of_the_standard(data, crc):
    # RFC 3720, appendix B.4, and the check value of the polynomial.
    assert int(crc32c(data)) == crc == crc_bit_by_bit(data)


def test_crc32c_of_pieces_of_any_length():
    data = np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)
    lengths = np.array([0, 1, 2, 3, 4, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2000])
    starts = np.arange(len(lengths)) * 100
    expected = [
        crc_bit_by_bit(data[start : start + length].tobytes()) for start, length in zip(starts, lengths, strict=True)
    ]
    assert crc32c_each(data, starts=starts, lengths=lengths).tolist() == expected


def test_plain_scalars(tmp_path):
    log = read_log(written(tmp_path, events(*losses())))
    assert (log.format, log.column("loss"), log.column("lr"), log.n_rows) == ("tensorboard", "train/loss", "lr", 20)
    np.testing.assert_array_equal(log.step, np.arange(20))
    np.testing.assert_array_equal(log.loss, LOSSES.astype(np.float32))
    np.testing.assert_array_equal(log.lr, np.full(20, np.float32(1e-3)))
    assert (log.repairs, log.notes) == ((), ())


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (piece(1, 0, 1) + piece(4, 2, struct.pack("<f", 0.5)), 0.5),
        (piece(1, 0, 2) + piece(4, 2, struct.pack("<d", 0.1)), 0.1),
        (piece(1, 0, 3) + piece(4, 2, struct.pack("<i", -3)), -3.0),
        (piece(1, 0, 9) + piece(4, 2, struct.pack("<q", 7)), 7.0),
        (piece(1, 0, 19) + piece(4, 2, struct.pack("<e", 0.5)), 0.5),
        (piece(1, 0, 1) + piece(5, 2, struct.pack("<f", 0.5)), 0.5),
        (piece(1, 0, 1) + piece(5, 5, struct.pack("<f", 0.5)), 0.5),
        (piece(1, 0, 2) + piece(6, 2, struct.pack("<d", 0.1)), 0.1),
        (piece(1, 0, 3) + piece(7, 2, varint(-3)), -3.0),
        (piece(1, 0, 9) + piece(10, 0, 7), 7.0),
        # Texts, several numbers, none.
        (piece(1, 0, 7) + piece(8, 2, b"text"), None),
        (piece(1, 0, 1) + piece(4, 2, struct.pack("<ff", 1, 2)), None),
        (piece(1, 0, 9) + piece(10, 2, varint(1) + varint(2)), None),
        (piece(1, 0, 9) + piece(10, 2, b""), None),
        (piece(1, 0, 1), None),
    ],
)
def test_tensors_of_one_number(content, value):
    step, found = scalars(event(-5, tensor("a", content)))
    assert step == -5
    assert found == ([] if value is None else [("a", value)])


@pytest.mark.parametrize("step", [1, 127, 128, 2**31, 2**63 - 1, -1])
@pytest.mark.parametrize("tag", ["", "loss", "Verlust/größe", "a\x15b", "x" * 200])
def test_an_event_reads_the_same_in_any_order_of_its_fields(step, tag):
    value = struct.pack("<f", 0.5)
    turned = piece(2, 5, value) + piece(1, 2, tag.encode())
    assert scalars(event(step, simple(tag, 0.5))) == scalars(event(step, turned)) == (step, [(tag, 0.5)])


@pytest.mark.parametrize("place", [1, 3])
def test_wrong_lengths_in_a_plain_event_are_told(place):
    content = bytearray(event(2**31, simple("loss", 0.5)))
    assert scalars(bytes(content)) == (2**31, [("loss", 0.5)])
    content[content.index(b"*") + place] += 1
    with pytest.raises(ValueError, match="malformed"):
        scalars(bytes(content))


@pytest.mark.parametrize(
    "message", [b"\x12\x05ab", b"\xff" * 11, b"\x80", b"\x0b", b"\x02\x00", b"\x09abc", b"\x0d\x01"]
)
def test_malformed_messages_are_told(message):
    with pytest.raises(ValueError, match="malformed"):
        list(fields(message))


def test_every_cut_keeps_what_came_before(tmp_path):
    whole = events(*losses())
    size = len(whole) - len(events(*losses(n=19)))
    for cut in (1, 4, 5, size - 13, size - 12, size - 1):
        log = read_log(written(tmp_path, whole[:-cut]))
        assert [repair.kind for repair in log.repairs] == ["truncated"]
        assert log.repairs[0].first == f"byte {len(whole) - size}"
        assert len(log.loss) == 19
    assert read_log(written(tmp_path, whole[:-size])).repairs == ()


def test_every_flipped_byte_stops_there(tmp_path):
    good, last = events(*losses(n=10)), events(*losses(n=11))
    for place in (*range(len(good), len(good) + 14), *range(len(good) + 14, len(last), 5), len(last) - 1):
        content = bytearray(last + record(losses(n=12)[-1]))
        content[place] ^= 0x40
        log = read_log(written(tmp_path, bytes(content)))
        assert len(log.loss) == 10
        assert [(repair.kind, repair.first) for repair in log.repairs] == [("unreadable row", f"byte {len(good)}")]
        assert "checksum (CRC) is wrong" in log.repairs[0].sentence


def test_length_bomb_allocates_nothing(tmp_path):
    length = struct.pack("<Q", 2**61)
    bomb = length + masked(length) + b"little"
    log = read_log(written(tmp_path, events(*losses()) + bomb))
    assert [repair.kind for repair in log.repairs] == ["truncated"]
    with pytest.raises(DataError, match="no scalars in this TensorBoard event file"):
        read_log(written(tmp_path, events() + bomb))


def test_malformed_event_is_passed_over(tmp_path):
    log = read_log(written(tmp_path, events(*losses(n=10), b"\xff\xff\xff", losses(n=11)[-1])))
    assert len(log.loss) == 11
    assert "no events although the checksum is right (malformed protobuf), left out: 1" in log.notes[0]
    log = read_log(written(tmp_path, events(*losses(), b"\xff", b"\xff")))
    assert "left out: 2" in log.notes[0]


def test_records_larger_than_a_chunk_and_many_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("lrfind.logs.records.CHUNK_BYTES", 256)
    picture = event(3, piece(1, 2, b"picture") + piece(4, 2, bytes(3000)))
    content = events(*losses(n=10), picture, *losses())
    log = read_log(written(tmp_path, content))
    assert len(log.loss) == 20
    monkeypatch.setattr("lrfind.logs.records.MAX_RECORD_BYTES", 1000)
    log = read_log(written(tmp_path, content))
    assert (len(log.loss), [repair.kind for repair in log.repairs]) == (10, ["truncated"])


@pytest.mark.parametrize("content", [bytes(range(256)) * 20, b"\x18\0\0", b"step,loss\n1,2\n"])
def test_other_bytes_under_the_name_of_an_event_file(tmp_path, content):
    with pytest.raises(DataError, match="named like a TensorBoard event file"):
        read_log(written(tmp_path, content))


def test_any_name_will_do(tmp_path):
    assert len(read_log(written(tmp_path, events(*losses()), "log.csv")).loss) == 20


def test_no_scalars_and_no_loss(tmp_path):
    with pytest.raises(DataError, match=r"no scalars in this TensorBoard event file \(records: 1\)"):
        read_log(written(tmp_path, events()))
    with pytest.raises(DataError, match="nothing in it looks like a training loss"):
        read_log(written(tmp_path, events(*[event(i, simple("accuracy", 1), simple("f1", 1)) for i in range(9)])))


def test_more_tags_than_any_run_has(tmp_path, monkeypatch):
    monkeypatch.setattr("lrfind.logs.events.MAX_SERIES", 2)
    log = read_log(written(tmp_path, events(*losses(), *[event(i, simple("val_loss", 1)) for i in range(9)])))
    assert log.val_loss is None


def test_a_tag_called_step_is_not_the_step(tmp_path):
    log = read_log(written(tmp_path, events(*[event(i, simple("loss", 1), simple("step", 9)) for i in range(9)])))
    assert log.step.tolist() == list(range(9))


def test_restarted_run_has_several_files(tmp_path):
    written(tmp_path, events(*losses(n=20)), NAME.replace("1700000000", "1700000000"))
    written(tmp_path, events(*[event(i, simple("train/loss", 9)) for i in range(12, 30)]), NAME.replace("17", "18"))
    log = read_log(str(tmp_path))
    np.testing.assert_array_equal(log.step, np.arange(30))
    assert log.loss[12:].tolist() == [9.0] * 18
    assert [repair.kind for repair in log.repairs] == ["repeat"]
    assert "2 event files" in log.notes[0]


def test_directories_beside_for_other_data(tmp_path):
    written(tmp_path / "train", events(*[event(i, simple("epoch_loss", 0.5)) for i in range(9)]))
    written(tmp_path / "validation", events(*[event(i, simple("epoch_loss", 0.7)) for i in range(9)]))
    log = read_log(str(tmp_path))
    assert (log.step_unit, log.column("loss"), log.column("val_loss")) == (
        "epoch",
        "train/epoch_loss",
        "validation/epoch_loss",
    )
    assert (log.loss[0], log.val_loss[0]) == (0.5, np.float32(0.7))


def test_runs_beside_one_another_are_not_mixed(tmp_path):
    written(tmp_path / "run2", events(*losses(n=5)))
    written(tmp_path / "run10", events(*losses(n=7)))
    assert len(read_log(str(tmp_path)).loss) == 7


def test_one_bad_file_does_not_spoil_the_others(tmp_path):
    written(tmp_path, b"", NAME)
    written(tmp_path, events(*losses()), NAME + ".1")
    written(tmp_path, b"garbage of some length", NAME + ".2")
    log = read_log(str(tmp_path))
    assert len(log.loss) == 20
    assert [note.split(" is ")[-1] for note in log.notes[1:2]] == ["empty (0 bytes)"]
    with pytest.raises(DataError, match="is empty"):
        read_log(str(tmp_path / NAME))


def test_events_of_a_tag_seen_before_are_read_as_when_walked(tmp_path):
    # Steps of one to ten bytes, two tags in turn, and events that only look alike.
    steps = [0, 1, 127, 128, 300, 2**14, 2**21 - 1, 2**35, 2**62, -1, -(2**40)]
    contents = [event(step, simple(tag, step % 97 + 0.5)) for step in steps for tag in ("loss", "lr")]
    odd = [
        event(5, simple("loss", 7.0), simple("lr", 8.0)),
        event(6),
        piece(3, 2, b"no time and no step here, but long enough"),
        event(7, simple("other", 9.0)),
        event(8, piece(1, 2, b"loss") + piece(8, 2, piece(1, 0, 1) + piece(5, 2, struct.pack("<f", 0.25)))),
    ]
    mixed = [*contents[:4], *odd, *contents[4:]]
    path = written(tmp_path, events(*mixed))
    reader = ScalarReader()
    log = open_log(path)
    with log.file:
        reader.add(log)
    readings = reader.readings(name="log")
    taken: dict[str, list[tuple[float, float]]] = {}
    for tag, series in readings.series.items():
        if tag != "step":
            taken[tag] = list(
                zip(readings.series["step"].values[series.rows].tolist(), series.values.tolist(), strict=True)
            )
    expected: dict[str, list[tuple[float, float]]] = {}
    for content in mixed:
        step, values = scalars(content)
        for tag, value in values:
            expected.setdefault(tag, []).append((float(step), value))
    assert taken == expected
    assert reader.n_records == len(mixed) + 1
