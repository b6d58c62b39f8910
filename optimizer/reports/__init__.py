"""The decision report of a study: its facts, gathered once, and what is made of them.

``Reports.gather`` reads the study into a ``Report``; ``sections`` puts it into words, as blocks without any
markup; ``write`` writes those down as HTML or Markdown, and the Report screen draws them.
"""

from optimizer.reports.facts import Report
from optimizer.reports.gather import Reports
from optimizer.reports.wording import sections
from optimizer.reports.writing import FORMATS, write

__all__ = ["FORMATS", "Report", "Reports", "sections", "write"]
