"""Hook of MkDocs: pages and pictures that lie outside docs/, and the links to them.

README.md is the site's first page. Other files that pages link to, such as figures, are copied into the site.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "recorded/README.md": "recorded-data.md",
}
"""Path in the repository -> path in the site."""
COPIED = "repository"
"""Folder of the site with other files of the repository."""
_LINK = re.compile(r"\]\((?![a-z]+:|#|/)([^)#\s]+)(#[^)\s]*)?\)")


def place(path: Path) -> str:
    """Where a file of the repository stands in the site, from its top."""
    name = path.relative_to(ROOT).as_posix()
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    return PAGES.get(name, f"{COPIED}/{name}")


def source(page: str) -> Path:
    """The file that a page of the site is made of."""
    outside = {there: name for name, there in PAGES.items()}
    return ROOT / outside[page] if page in outside else ROOT / "docs" / page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages and files from outside docs/."""
    for name, there in PAGES.items():
        files.append(File.generated(config, there, content=(ROOT / name).read_text(encoding="utf-8")))
    added = set()
    for file in list(files.documentation_pages()):
        path = source(file.src_uri)
        for target in _LINK.findall(path.read_text(encoding="utf-8")):
            linked = (path.parent / target[0]).resolve()
            if linked.is_file() and place(linked).startswith(COPIED) and linked not in added:
                added.add(linked)
                files.append(File.generated(config, place(linked), abs_src_path=str(linked)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Turn links that are right in the repository into those that are right in the site."""
    path = source(page.file.src_uri)

    def moved(link: re.Match[str]) -> str:
        linked = (path.parent / link[1]).resolve()
        return f"]({place(linked)}{link[2] or ''})" if linked.is_relative_to(ROOT) else link[0]

    return _LINK.sub(moved, markdown)
