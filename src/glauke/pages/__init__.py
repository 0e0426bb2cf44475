"""Results become one self-contained HTML page: frozen values and figures as SVG text in, HTML out.

Nothing here computes a result; a page shows what the rooms found.
"""

from ._boxes_page import boxes_page as boxes_page
from ._compare_page import compare_page as compare_page
from ._explain_galleries import Looked as Looked
from ._explain_page import explain_page as explain_page
from ._html import Markup as Markup
from ._html import element as element
from ._html import page as page
from ._html import table as table
from ._repeats_page import repeats_page as repeats_page
from ._run_page import DataFinding as DataFinding
from ._run_page import run_page as run_page
from ._svg import inline_svg as inline_svg
