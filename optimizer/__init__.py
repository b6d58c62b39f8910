"""Find the best prompt by preference: everything of Prompt Duel that is not a screen."""

__version__ = "0.1.0"
