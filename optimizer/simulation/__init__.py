"""Raters whose preferences are known, so that selectors and models can be judged by the truth."""
