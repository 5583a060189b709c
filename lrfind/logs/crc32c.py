"""CRC-32C (Castagnoli) of many pieces of a buffer at once: `crc32c_each(data, starts, lengths)`.

Byte by byte in Python it takes a second for 10 MB. A CRC is linear, so all pieces are cut into blocks, the blocks go
through the table in lockstep, and the parts are put together.

References
----------
RFC 3720 (iSCSI), appendix B.4: the polynomial and test vectors.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

# The Castagnoli polynomial, bits reversed.
POLYNOMIAL = 0x82F63B78
ONES = 0xFFFFFFFF
# Bytes a block: about the length of an event with one scalar, so that most need one or two.
BLOCK = 64
# Blocks in lockstep; 4 MB of bytes and the indices that gather them.
MAX_BLOCKS = 16_384
# From so many blocks on a piece is long; there are few such pieces.
LONG = 16


def _table() -> Words:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


def _after_zeros(register: Words, n: int) -> Words:
    for _ in range(n):
        register = (register >> np.uint32(8)) ^ TABLE[register & np.uint32(0xFF)]
    return register


def _before_zeros() -> Words:
    """Return, for n = 0 .. BLOCK, the register that n zero bytes turn into all ones."""
    # The top byte of each entry is unique, so a step can be taken back.
    by_top = {int(entry) >> 24: i for i, entry in enumerate(TABLE)}
    registers = [ONES]
    for _ in range(BLOCK):
        low = by_top[registers[-1] >> 24]
        registers.append((((registers[-1] ^ int(TABLE[low])) << 8) & ONES) | low)
    return np.array(registers, dtype=np.uint32)


TABLE = _table()
START = _before_zeros()
# What a block of zero bytes makes of a register, by each of its four bytes: (4, 256).
SHIFT = np.stack([_after_zeros(np.arange(256, dtype=np.uint32) << np.uint32(8 * i), BLOCK) for i in range(4)])


def crc32c(data: bytes) -> Words:
    """Return the CRC-32C of `data`, as an array without dimensions."""
    each = crc32c_each(np.frombuffer(data, dtype=np.uint8), starts=np.array([0]), lengths=np.array([len(data)]))
    return each.reshape(())


def crc32c_each(data: npt.NDArray[np.uint8], *, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Words:
    """Return the CRC-32C of pieces of `data`.

    Parameters
    ----------
    data : array of uint8
    starts, lengths : array of int, shape (n,)

    Returns
    -------
    array of uint32, shape (n,)
    """
    n_blocks = np.maximum(-(-lengths // BLOCK), 1)
    # Zeros in front do not change a CRC when it starts from the register that they turn into all ones.
    padding = n_blocks * BLOCK - lengths
    first = np.cumsum(n_blocks) - n_blocks
    piece = np.repeat(np.arange(len(starts)), n_blocks)
    place = starts[piece] - padding[piece] + (np.arange(len(piece)) - first[piece]) * BLOCK
    register = np.zeros(len(piece), dtype=np.uint32)
    register[first] = START[padding]
    for i in range(0, len(piece), MAX_BLOCKS):
        part = slice(i, i + MAX_BLOCKS)
        register[part] = _through(data, register[part], place=place[part], start=starts[piece[part]])
    return _joined(register, first=first, n_blocks=n_blocks) ^ np.uint32(ONES)


def _through(
    data: npt.NDArray[np.uint8], register: Words, *, place: npt.NDArray[np.int64], start: npt.NDArray[np.int64]
) -> Words:
    """Feed each block to its register."""
    at = place + np.arange(BLOCK)[:, None]
    columns = np.where(at >= start, data[np.maximum(at, 0)] if len(data) else 0, 0).astype(np.uint8)  # (BLOCK, n)
    for column in columns:
        register = (register >> np.uint32(8)) ^ TABLE[register.astype(np.uint8) ^ column]
    return register


def _joined(register: Words, *, first: npt.NDArray[np.int64], n_blocks: npt.NDArray[np.int64]) -> Words:
    total = register[first]
    for k in range(1, min(int(n_blocks.max(initial=1)), LONG)):
        more = np.flatnonzero(n_blocks > k)
        shifted = [SHIFT[i][(total[more] >> np.uint32(8 * i)) & np.uint32(0xFF)] for i in range(4)]
        total[more] = shifted[0] ^ shifted[1] ^ shifted[2] ^ shifted[3] ^ register[first[more] + k]
    # The few long pieces, images and histograms: plain integers are faster than arrays of one.
    low, second, third, high = SHIFT.tolist() if (n_blocks > LONG).any() else ([], [], [], [])
    for i in np.flatnonzero(n_blocks > LONG):
        value = int(total[i])
        for part in register[first[i] + LONG : first[i] + n_blocks[i]].tolist():
            value = low[value & 255] ^ second[value >> 8 & 255] ^ third[value >> 16 & 255] ^ high[value >> 24] ^ part
        total[i] = value
    return total
