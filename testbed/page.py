"""What the pages of results share: one HTML file each, which needs nothing else, fits a phone, and is
light or dark as its reader wants it. What has `data-about` shows it below when it is touched.
"""

import html

STYLE = """
:root{color-scheme:light dark;--direct:#1b7f4d;--relayed:#b26a00;--failed:#6b6f76;--lost:#7d4fb0;
--wrong:#c01c28}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:72rem;font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}
p{margin:.3rem 0}.key span{display:inline-block;padding:.1rem .5rem;margin:.15rem .3rem .15rem 0;
border-radius:.3rem;color:#fff}
.direct{background:var(--direct);fill:var(--direct);stroke:var(--direct)}
.relayed{background:var(--relayed);fill:var(--relayed);stroke:var(--relayed)}
.failed{background:var(--failed);fill:var(--failed);stroke:var(--failed)}
.lost{background:var(--lost);fill:var(--lost);stroke:var(--lost)}
.wrong{background:var(--wrong);fill:var(--wrong);stroke:var(--wrong)}
#about{padding:.6rem .8rem;border-left:4px solid gray;margin:.8rem 0;overflow-wrap:anywhere}
.list{columns:24rem;column-gap:2.5rem}.list div{break-inside:avoid;padding:.15rem 0;
overflow-wrap:anywhere}.list div:has(span){padding-left:3.7rem}
.list span{display:inline-block;width:3.3rem;margin-left:-3.7rem;margin-right:.15rem;text-align:center;
border-radius:.3rem;color:#fff}
"""

SCRIPT = """
const about=document.getElementById('about');
const show=e=>{const touched=e.target.closest('[data-about]');
 if(touched&&about)about.textContent=touched.dataset.about};
document.addEventListener('click',show);
document.addEventListener('keydown',e=>{if(e.key==='Enter')show(e)});
"""


def document(title: str, style: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title><style>{STYLE}{style}</style>
<h1>{html.escape(title)}</h1>
{body}
<script>{SCRIPT}</script></html>
"""


def about(text: str) -> str:
    """As an attribute."""
    return f'data-about="{html.escape(text, quote=True)}"'
