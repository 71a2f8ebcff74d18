"""How a page looks: light and dark, on paper, on a narrow screen. Colours are checked to be told apart by the tests."""

from __future__ import annotations

LIGHT = {"ink": "#1c2024", "soft": "#5b6470", "paper": "#ffffff", "line": "#d9dee4", "good": "#0a6b3d"}
LIGHT |= {"bad": "#b3261e", "lit": "#ffe08a", "link": "#1a4fb4"}
DARK = {"ink": "#e6e9ec", "soft": "#a3adb8", "paper": "#14171a", "line": "#343b43", "good": "#63d297"}
DARK |= {"bad": "#ff8a80", "lit": "#6a5200", "link": "#8ab4ff"}


def _colours(of: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in of.items())


STYLE = (
    ":root{color-scheme:light dark;"
    + _colours(LIGHT)
    + "}@media(prefers-color-scheme:dark){:root{"
    + _colours(DARK)
    + "}}"
    + """
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;
padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;border-bottom:1px solid var(--line);margin-top:2.2rem}
h3{font-size:1.05rem;margin:1.6rem 0 .3rem}h4,h5,h6{font-size:1rem;margin:1rem 0 .2rem}
section p{margin:.35rem 0}article+article{margin-top:3rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:var(--soft)}dd{margin:0;min-width:0}
.soft,.told{color:var(--soft);font-size:.9rem}.told{padding-left:1.2rem;margin:.3rem 0}
a{color:var(--link)}nav ol{columns:12rem;padding-left:1.4rem}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.scroll{overflow-x:auto;overflow-y:hidden;padding:.15rem 0;content-visibility:auto;contain-intrinsic-size:auto 9rem}
.scroll div{padding:.2rem 0;width:max-content}
math{font-size:1.05rem}.line{margin:.2rem 0}
.l{math-style:normal}.l mtd{padding:.12rem .15rem;text-align:left}.l mtd:first-child{text-align:right}
.ok{color:var(--good)}.failed{color:var(--bad);font-weight:bold}
code{font-size:.9rem;overflow-wrap:anywhere}
.verdict{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .9rem}
@media print{body{max-width:none;font-size:11pt}nav{display:none}h1,h2,h3,h4{break-after:avoid}.line{break-inside:avoid}
article{break-after:page}.scroll{overflow:visible;content-visibility:visible}}
"""
)
