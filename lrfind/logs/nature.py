"""Training whose losses do not tell how well it goes: `nature_of(names)`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from lrfind.logs.names import role_of, words_of

Nature = Literal["adversarial", "reinforcement"]

# Two nets that train against each other, each with a loss.
GENERATORS = frozenset(("g", "gen", "generator", "netg", "lossg", "gloss"))
DISCRIMINATORS = frozenset(("d", "disc", "discriminator", "netd", "lossd", "dloss", "adversary"))
# Losses of a policy and of what judges it.
POLICIES = frozenset(("policy", "actor", "pi", "pg", "surrogate", "clip"))
CRITICS = frozenset(("value", "critic", "vf", "v", "q", "qf", "qf1", "qf2"))
# What only the training of a policy logs.
REWARDS = frozenset(("reward", "rewards", "rew", "return", "returns", "eprewmean", "episodic"))


def nature_of(names: Iterable[str]) -> Nature | None:
    """Return what the names of a log's columns show: nets that play against each other, a policy that learns.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    {"adversarial", "reinforcement"} or None
    """
    losses: list[set[str]] = []
    others: list[set[str]] = []
    for name in names:
        is_loss = (role_of(name) or ("",))[0] in ("loss", "val_loss")
        (losses if is_loss else others).append(set(words_of(name)))

    def has(words: frozenset[str], sets: list[set[str]]) -> bool:
        return any(words & each for each in sets)

    if has(POLICIES, losses) and (has(CRITICS, losses) or has(REWARDS, others)):
        return "reinforcement"
    if has(GENERATORS, losses) and has(DISCRIMINATORS, losses):
        return "adversarial"
    return None
