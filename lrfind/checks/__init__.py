"""Coded checks: what was looked at and what was found; one file a family."""

from lrfind.checks.finding import Check, Finding, Severity, State
from lrfind.checks.range_test import RangeTest, check_range_test

__all__ = ["Check", "Finding", "RangeTest", "Severity", "State", "check_range_test"]
