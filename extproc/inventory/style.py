"""How the HTML report looks: by day, by night and on paper.

Rule: nothing is told by colour alone; every rating is a word.
"""

from typing import Final

from extproc.inventory.markup import Element

STYLE: Final = Element("""
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --ink: #1b2330; --soft: #5b6675; --line: #dfe3e9; --rail: #eef1f5;
  --link: #1f5fae;
  --low: #1c6b45; --low-back: #e0f3e8;
  --moderate: #7a5200; --moderate-back: #fdf0cf;
  --high: #a33208; --high-back: #fde4d8;
  --critical: #fff; --critical-back: #9b1230;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #191f28; --ink: #e5e9ef; --soft: #9aa6b6; --line: #2c3542;
    --rail: #212935; --link: #86b6f5;
    --low: #8fdcb2; --low-back: #17372a;
    --moderate: #f2cf7f; --moderate-back: #3a2f12;
    --high: #ffb092; --high-back: #452113;
    --critical: #fff; --critical-back: #b3213f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 76rem; background: var(--page);
  color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header { margin-bottom: 2rem; }
.eyebrow { margin: 0; color: var(--soft); font-size: .8rem; letter-spacing: .08em;
  text-transform: uppercase; }
h1 { margin: .1rem 0 .6rem; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.01em;
  overflow-wrap: anywhere; }
h2 { margin: 2.4rem 0 .8rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1.08rem; overflow-wrap: anywhere; }
h3 code { font-size: 1em; }
a { color: var(--link); text-underline-offset: .15em; }
code { font: .92em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
.verdict { display: flex; flex-wrap: wrap; gap: .5rem 1.1rem; align-items: center; margin: 0;
  color: var(--soft); }
.badge { display: inline-block; padding: .1rem .55rem; border-radius: 1rem; font-size: .82rem;
  font-weight: 650; white-space: nowrap; }
.low { color: var(--low); background: var(--low-back); }
.moderate { color: var(--moderate); background: var(--moderate-back); }
.high { color: var(--high); background: var(--high-back); }
.critical { color: var(--critical); background: var(--critical-back); }
.verdict .badge { font-size: 1rem; padding: .2rem .8rem; }
.legend { max-width: 52rem; color: var(--soft); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; }
caption { padding: .7rem .9rem .2rem; text-align: left; font-weight: 650; }
th, td { padding: .5rem .9rem; text-align: left; vertical-align: top;
  border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-size: .8rem; font-weight: 600;
  white-space: nowrap; }
tbody th { font-weight: 500; }
.route { min-width: 15rem; }
.because { min-width: 14rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
article { margin: 0 0 1.6rem; padding: 1.2rem 1.3rem 1.3rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .8rem; }
article:target { border-color: var(--link); }
article .scroll { margin-top: 1rem; border-radius: .5rem; }
.title { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: center; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr));
  gap: .7rem 1.6rem; margin: 1rem 0 0; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .85rem; }
@media print {
  :root { font-size: 11px; --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb;
    --link: #000; --low: #000; --low-back: #fff; --moderate: #000; --moderate-back: #fff;
    --high: #000; --high-back: #fff; --critical: #000; --critical-back: #fff; }
  @page { margin: 14mm; }
  body { padding: 0; max-width: none; font-size: 8.5pt; }
  h1 { font-size: 17pt; }
  h2 { margin-top: 1.4rem; break-after: avoid; }
  th, td { padding: .3rem .45rem; }
  thead th { white-space: normal; }
  .number { white-space: normal; }
  .route { min-width: 9rem; }
  .because { min-width: 12rem; }
  .legend { max-width: none; }
  .scroll, article { border-radius: 0; }
  article { padding: .7rem 0; border-width: 1px 0 0; }
  caption, .title, .facts { break-after: avoid; }
  .facts { grid-template-columns: repeat(3, 1fr); }
  .badge { border: 1px solid #000; }
  .high, .critical { font-weight: 800; }
  .scroll { overflow: visible; }
  a { text-decoration: none; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
}
""")
