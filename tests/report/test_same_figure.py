import pytest

from polyroute.report.drawing import save
from polyroute.report.same_figure import compare
