"""What a printed line says: `line_of(text)` finds its counters, its named values and whose they are.

The grammar of such lines is small. A name is a run of words; `:`, `=`, "is", a bracket or a blank stands between it
and its number; `,`, `;`, `|`, a bracket or a number ends it. A counter is a number with a counter's name, or one in
brackets or before a slash without a name: "Epoch: [3][10/100]", "[3, 2000]", "10/60000 [". A part of the data that is
named ("[valid]", "Test set:", "Train Epoch: 1") holds for what follows in its line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lrfind.logs.names import CounterRole, counter_of, names_part, part_of, role_of
from lrfind.logs.printed.tokens import Token, tokens_of

# A name has few words; before those stands prose.
MOST_WORDS = 6
# Words between two blanks belong to one name; a wider gap is between columns.
WORD_GAP = 1
VERBS = frozenset(("is", "was", "equals", "of"))
# Texts that a number is wrapped in: "tensor(0.5)", "np.float32(0.5)".
WRAPPER = re.compile(r"(?:\w+\.)*(?:tensor|array|variable|float\d*|eagertensor|numpy)", re.IGNORECASE)
# What makes a number an amount of time or of memory, or a speed.
UNITS = frozenset(
    ("s", "sec", "secs", "second", "seconds", "ms", "msec", "us", "min", "mins", "minutes", "h", "hr", "hrs", "hours",
     "days", "gb", "mb", "gib", "mib", "fps", "percent")
)  # fmt: skip
# "Cost after iteration 100: 0.5", "Loss at step 10: 0.5".
PREPOSITIONS = frozenset(
    ("after", "at", "for", "in", "on", "by", "of", "from", "to", "until", "till", "per", "every", "and")
)
# A number of such a name says how many there are, or which was best: it does not count the rows.
NO_COUNT = frozenset(
    ("per", "of", "best", "number", "num", "max", "total", "time", "sec", "every", "size", "remaining")
)
# What the last word of a counter's name holds; to look others up takes long.
COUNTING = re.compile(
    r"step|epo|iter|^its?$|^itrs?$|batch|upd|round|tick|^t$|^i$|^eps?$|^up$|idx|id$|num|no$|frames|schritt|steg|krok|pas",
    re.IGNORECASE,
)
# "train.py:88": a place in a program.
SOURCE = re.compile(r"\.(?:py|cpp|cc|cu|c|h|go|rs|java|jl)$")
# What follows "Loss:" and is one of several.
WHICH = frozenset(("total", "avg", "average", "mean", "current", "batch"))
SOFT = frozenset("'\"`#\\*~")
OPENING, CLOSING = frozenset("([{<"), frozenset(")]}>")
WIDTH = 4_000


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that counts.

    Attributes
    ----------
    kind : {"step", "epoch"}
    name : str
        As printed; "" where the number stands alone.
    place, total : slice
        Of the number, and of what it counts up to.
    """

    kind: CounterRole
    name: str
    place: slice
    total: slice | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A number with a role.

    Attributes
    ----------
    role : str
    front : str
        What is put before the name: the part of the data that was named before.
    name : slice
    place, mean : slice
        Of the number, and of the running mean in brackets behind it.
    """

    role: str
    front: str
    name: slice
    place: slice
    mean: slice | None = None


@dataclass(slots=True)
class Line:
    """What a line says.

    Attributes
    ----------
    counters, values : list
    part : str
        The part of the data it names last, as it is printed.
    n_others : int
        Named numbers without a role.
    """

    counters: list[Counter] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    part: str = ""
    n_others: int = 0


def line_of(text: str, *, bar: int = -1) -> Line:
    """Return what a line says.

    Parameters
    ----------
    text : str
    bar : int
        Where the count of a progress bar stands.

    Returns
    -------
    Line
    """
    return _Parser(text, bar=bar).parsed()


def is_unit(word: str) -> bool:
    """Whether a word behind a number is a unit of time, of memory or of speed."""
    above, mark, below = word.partition("/")
    return word in UNITS or (bool(mark) and (above in UNITS or below in UNITS))


class _Parser:
    """Goes through the tokens of a line once."""

    def __init__(self, text: str, *, bar: int) -> None:
        self.text, self.bar = text, bar
        self.tokens = tokens_of(text[:WIDTH])
        self.at = 0
        self.line = Line()
        self.run: list[Token] = []
        self.prefix: list[Token] = []
        self.outer: list[Token] = []
        self.has_sign = False
        self.alone: list[Counter] = []

    def parsed(self) -> Line:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            self.at += 1
            if token.kind == "word":
                self._word(token)
            elif token.kind == "number":
                self._number(token)
            elif token.kind == "junk":
                self._drop()
            else:
                self._sign(token)
        self._close()
        self._name_those_alone()
        return self.line

    # --- Words and signs ---

    def _word(self, token: Token) -> None:
        if self.has_sign:
            if WRAPPER.fullmatch(token.text):
                return
            prefix = self.run
            self._close()
            self.prefix = prefix
        elif self.run and token.text.lower() in VERBS and self._role(self.run) is not None:
            self.has_sign = True
            return
        elif self.run and token.gap > WORD_GAP:
            self._close()
        self.run = [*self.run, token][-MOST_WORDS:]

    def _sign(self, token: Token) -> None:
        sign = token.text
        if sign in SOFT or (sign == "." and self.run and self.run[-1].end == token.start):
            return
        if sign in ":=" or (sign in "-→" and token.gap and self._is_before_number() and self._role(self.run)):
            self.has_sign = bool(self.run)
        elif sign in OPENING:
            if sign == "(" and self.run and not self.has_sign and not self._is_before_number():
                self.outer, self.run = self.run, []
        elif sign in CLOSING:
            self._close()
            if sign == ")" and self.outer:
                self.run, self.outer = self.outer, []
        else:
            self._close()
            if sign != ",":
                self.prefix, self.outer = [], []

    def _is_before_number(self) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].kind == "number"

    def _close(self) -> None:
        """End a name without a number: it may name a part of the data."""
        if self.run and (part := part_of(self._name(self.run))):
            self.line.part = part
        self._drop()

    def _drop(self) -> None:
        self.run, self.has_sign = [], False

    def _name(self, run: list[Token]) -> str:
        return " ".join(token.text for token in run)

    def _role(self, run: list[Token]) -> str | None:
        found = role_of(self._name(run)) if run else None
        return found[0] if found else None

    # --- Numbers ---

    def _number(self, token: Token) -> None:
        before = self.tokens[self.at - 2] if self.at > 1 else None
        is_bracketed = before is not None and before.text in "([{"
        total = self._total()
        place = slice(token.start, token.end)
        if token.unit.lower() in ("epoch", "step", "iter") and self._role(self.run) is None:
            # "3epoch:train:" of ESPnet.
            kind: CounterRole = "epoch" if token.unit.lower() == "epoch" else "step"
            self.line.counters.append(Counter(kind, token.unit, place))
            self._drop()
        elif token.start == self.bar:
            self.line.counters.append(Counter("step", "bar", place, total))
            self._drop()
        elif self.run:
            self._named(token, place=place, total=total, is_bracketed=is_bracketed)
        elif not self.has_sign:
            self._alone(token, place=place, total=total, before=before)
        else:
            self._drop()

    def _total(self) -> slice | None:
        """Take "/ 10" or "of 10" behind a number."""
        follow = self.tokens[self.at : self.at + 2]
        is_ratio = len(follow) > 1 and follow[0].text in ("/", "of") and follow[1].kind == "number"
        if not is_ratio:
            return None
        self.at += 2
        return slice(follow[1].start, follow[1].end)

    def _named(self, token: Token, *, place: slice, total: slice | None, is_bracketed: bool) -> None:
        run, has_sign = self.run, self.has_sign
        self._drop()
        counter = None if token.unit else self._counter(run, place=place, total=total)
        role = self._role(run)
        if counter is not None and role not in ("loss", "val_loss", "lr", "grad_norm"):
            self.line.counters.append(counter)
            return
        if counter is not None:
            # "Cost after iteration 100: 0.5"; the name goes on behind the counter.
            self.line.counters.append(counter)
            self.run = [each for each in run if each.text.lower() not in PREPOSITIONS][: -counter.name.count(" ") - 1]
            return
        if is_bracketed and role is not None and self._is_index():
            # "loss[12] = 0.5".
            self.alone.append(Counter("step", "", place, total))
            self.at += 1
            self.run = run
            return
        if total is not None:
            if is_bracketed or not (set(self._name(run).lower().split()) - {"training", "train", "progress"}):
                self._part_in(run)
                self.alone.append(Counter("step", "", place, total))
            elif role is None:
                self.line.n_others += 1
                return
        if token.unit or self._has_unit():
            if token.unit == "%" and self._name(run).lower() == "progress":
                self.line.counters.append(Counter("step", "progress", place))
            return
        self._value(run, place=place, has_sign=has_sign)

    def _is_index(self) -> bool:
        """Whether a bracket ends here, and a sign before a number follows."""
        follow = self.tokens[self.at : self.at + 3]
        texts = [each.text for each in follow[:2]]
        return texts in (["]", "="], ["]", ":"]) and follow[-1].kind == "number"

    def _counter(self, run: list[Token], *, place: slice, total: slice | None) -> Counter | None:
        """Return the counter that the last words of a name make of a number."""
        if run[-1].text.isascii() and COUNTING.search(run[-1].text) is None:
            return None
        for n in (3, 2, 1):
            name = self._name(run[-n:])
            # "global_step/max_steps: 1/100".
            kind = counter_of(name.partition("/")[0] if total is not None else name) if len(run) >= n else None
            if kind is None:
                continue
            words = [each.text.lower() for each in run[:-n]]
            if NO_COUNT & set(words):
                return None
            # "saved checkpoint at step 200" is about something else.
            is_remark = bool(PREPOSITIONS & set(words)) and bool(set(words) - PREPOSITIONS)
            if is_remark and self._role(run) is None and not names_part(self._name(run)):
                return None
            self._part_in(run)
            return Counter(kind, name, place, total)
        return None

    def _part_in(self, run: list[Token]) -> None:
        if part := part_of(self._name(run)):
            self.line.part = part

    def _has_unit(self) -> bool:
        """Whether a word behind the number is its unit, not the name of the next."""
        follow = self.tokens[self.at : self.at + 2]
        if not follow or follow[0].kind != "word" or not is_unit(follow[0].text.lower()):
            return False
        return len(follow) == 1 or not (follow[1].text in ":=" or follow[1].kind == "number")

    def _value(self, run: list[Token], *, place: slice, has_sign: bool) -> None:
        mean, whole = self._mean(), run
        is_open = run[-1].text.lower() in PREPOSITIONS
        if not has_sign and (is_open or (self._role(run[-1:]) is None and self._role(run[-2:]) is None)):
            # Without a sign the name ends with what it names: "loss 0.5", not "loss fell to 0.5".
            run = []
        name, front = self._name(run), ""
        found = role_of(name) if run and not SOURCE.search(name) else None
        if found is None and run and self.prefix and (names_part(name) or name.lower() in WHICH):
            # "Loss: train 0.5, total 0.6".
            front = self._name(self.prefix)
            found = role_of(f"{front} {name}")
        if found is None or found[0] in ("step", "epoch"):
            if not SOURCE.search(self._name(whole)):
                self.line.n_others += 1
                if not self.line.values and self.line.n_others == 1:
                    self._part_in(whole)
            return
        role = found[0]
        if role == "loss" and self.line.part and not names_part(name):
            front = self.line.part
            role = (role_of(f"{front} {name}") or found)[0]
        if not self.line.values:
            # "Test loss: 0.5, accuracy: 0.9" is about the test.
            self._part_in(run)
        self.line.values.append(Value(role, front, slice(run[0].start, run[-1].end), place, mean))

    def _mean(self) -> slice | None:
        """Take "(0.6)" behind a value."""
        follow = self.tokens[self.at : self.at + 3]
        if len(follow) < 3 or follow[0].text != "(" or follow[1].kind != "number" or follow[2].text != ")":  # noqa: PLR2004
            return None
        if follow[1].unit:
            return None
        self.at += 3
        return slice(follow[1].start, follow[1].end)

    # --- Counters without a name ---

    def _alone(self, token: Token, *, place: slice, total: slice | None, before: Token | None) -> None:
        if token.unit or "." in token.text or not token.text[0].isdigit():
            return
        after = self.tokens[self.at] if self.at < len(self.tokens) else None
        is_square = before is not None and before.text in "[{"
        if is_square and total is None and (pair := self._pair(token)):
            self.alone += pair
        elif is_square and after is not None and after.text in "]}" and (total is not None or not self.line.values):
            self.alone.append(Counter("step", "", place, total))
        elif is_square and total is not None:
            # "[640/60000 (1%)]".
            self.alone.append(Counter("step", "", place, total))
        elif total is not None and not self.line.values and not self.line.n_others:
            self.alone.append(Counter("step", "", place, total))
        elif before is None and after is not None and after.text == ":":
            self.alone.append(Counter("step", "", place))

    def _pair(self, token: Token) -> list[Counter]:
        """Take "[1, 2000]"."""
        follow = self.tokens[self.at : self.at + 3]
        if "," in token.text and follow and follow[0].text == "]" and token.text.count(",") == 1:
            comma = token.start + token.text.index(",")
            return [Counter("epoch", "", slice(token.start, comma)), Counter("step", "", slice(comma + 1, token.end))]
        if [each.kind for each in follow] != ["sign", "number", "sign"] or follow[0].text + follow[2].text != ",]":
            return []
        self.at += 3
        return [
            Counter("epoch", "", slice(token.start, token.end)),
            Counter("step", "", slice(follow[1].start, follow[1].end)),
        ]

    def _name_those_alone(self) -> None:
        """Say what the counters without a name count: steps, and epochs before them where there are two."""
        kinds = {counter.kind for counter in self.line.counters}
        alone = sorted(self.alone, key=lambda counter: counter.place.start)
        if "step" in kinds:
            first = self.line.counters[0].place.start
            if "epoch" not in kinds and alone and alone[0].place.start < first and alone[0].total is not None:
                alone = [Counter("epoch", "", alone[0].place, alone[0].total)]
            else:
                alone = []
        elif "epoch" not in kinds and len(alone) > 1:
            alone = [Counter("epoch", "", alone[0].place, alone[0].total), alone[1]]
        else:
            alone = alone[:1]
        self.line.counters += alone
