"""Texts for `lrfind explain CODE`, one file a family."""
