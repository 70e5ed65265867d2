"""Every relative link of the Markdown files leads to a file: check_links.py ROOT. Names those that do not."""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
pages = sorted(root.glob("*.md")) + sorted((root / "docs").rglob("*.md"))
bad = checked = 0
for page in pages:
    # Code is no place for links.
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    text = re.sub(r"`[^`\n]*`", "", text)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        checked += 1
        if not (page.parent / target.split("#")[0]).exists():
            print(f"{page.relative_to(root)}: expected a file at '{target}', but found none")
            bad += 1
print(f"{checked} links checked, {bad} dead")
sys.exit(bad > 0 or checked == 0)
