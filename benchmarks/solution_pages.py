"""Pages of solutions as a person meets them: looked at in Chromium, checked by axe-core, compiled by pdflatex."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from browser import Browser

POINTED = 12  # numbers of a page that are pointed at
SMALL = 5_000  # elements: larger pages are not searched for contrast, whose colours the tests check
VIEWS = {"light": {}, "dark": {"dark": True}, "narrow": {"width": 390}}
_MARKED = r"[...document.querySelectorAll('mrow[class]')].filter(e => /n\d+$/.test(e.className))"
_DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
_LIT = "getComputedStyle(e).backgroundColor !== 'rgba(0, 0, 0, 0)'"


def looked_at(pages: dict[str, Path]) -> dict[str, Any]:
    """Violations of accessibility, numbers that light up as they should, and pages wider than a narrow screen."""
    axe = _axe()
    told: dict[str, Any] = {"views": 0, "violations": [], "pointed": 0, "lit": 0, "wide": [], "seconds": 0.0}
    with Browser() as browser:
        for name, page in pages.items():
            for view, how in VIEWS.items():
                browser.look(**how)
                began = time.perf_counter()
                browser.open(page)
                if view == "light":
                    told["seconds"] = max(told["seconds"], time.perf_counter() - began)
                    right, pointed = _pointing(browser)
                    told["lit"] += right
                    told["pointed"] += pointed
                if browser.run("document.documentElement.scrollWidth > innerWidth"):
                    told["wide"].append(f"{name}, {view}")
                browser.run(f"{axe};0")
                # The colours of all pages are the same; to compare those of 30,000 elements takes minutes.
                small = view != "narrow" and browser.run("document.querySelectorAll('*').length") < SMALL
                colours = "{'color-contrast': {enabled: %s}}" % str(small).lower()  # noqa: UP031
                how_far = f"{{resultTypes: ['violations'], rules: {colours}}}"
                found = browser.run(f"axe.run({how_far}).then(r => r.violations.map(v => v.id))")
                told["violations"] += [f"{name}, {view}: {each}" for each in found]
                told["views"] += 1
    return told


def _axe() -> str:
    path = os.environ.get("AXE", "")
    if not Path(path).is_file():
        sys.exit("axe-core is not here. Get it (npm install axe-core) and name its file: AXE=…/axe-core/axe.min.js")
    return Path(path).read_text(encoding="utf-8")


def _pointing(browser: Browser) -> tuple[int, int]:
    """Point at numbers that stand in several places: all of these must be lit, and nothing else."""
    classes = browser.run(
        f"(() => {{ const n = {{}}; {_MARKED}.forEach(e => n[e.className] = (n[e.className] || 0) + 1);"
        "return Object.keys(n).filter(k => n[k] > 1) })()"
    )
    right, chosen = 0, classes[:: max(1, len(classes) // POINTED)][:POINTED]
    for name in chosen:
        browser.run(f"document.querySelector('.{name}').scrollIntoView({{block: 'center'}})")
        browser.run(_DRAWN)
        x, y = browser.run(
            f"(() => {{ const r = document.querySelector('.{name}').getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        browser.point(x, y)
        browser.run(_DRAWN)
        right += browser.run(f"{_MARKED}.every(e => (e.className === '{name}') === ({_LIT}))")
    return right, len(chosen)


def compiled(documents: dict[str, str], folder: Path) -> dict[str, str]:
    """What is wrong with each document: that it does not compile, or reaches over its margin."""
    if shutil.which("pdflatex") is None:
        sys.exit("There is no pdflatex (Debian: texlive-latex-recommended, texlive-fonts-recommended).")
    wrong: dict[str, str] = {}
    for name, document in documents.items():
        (folder / f"{name}.tex").write_text(document, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        errors = [line for line in done.stdout.splitlines() if line.startswith("!")]
        log = (folder / f"{name}.log").read_text(errors="replace")
        wide = [float(pt) for pt in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
        if done.returncode or errors:
            wrong[name] = "; ".join(errors) or f"pdflatex ended with {done.returncode}"
        elif max(wide, default=0.0) > 5:
            wrong[name] = f"reaches {max(wide):.0f} pt over the margin"
    return wrong
