"""The look of the page: light or dark as the reader's system is, from a phone's width to a wall's."""

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--faint:#5b6570;--page:#fbfbfa;--card:#fff;--line:#dfe3e8;--mark:#fff1d6;
--accent:#1a6dad;--alarm:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--faint:#9aa4af;--page:#14171a;--card:#1c2024;--line:#343a41;
--mark:#3d3016;--accent:#6cb2ee;--alarm:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
header,main{max-width:1400px;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.3rem 0}h2{font-size:1.15rem;margin:0 0 .6rem}h3{font-size:1rem;margin:1rem 0 .3rem}
dl{display:flex;flex-wrap:wrap;gap:.4rem 1.6rem;margin:.6rem 0}dt{color:var(--faint);font-size:.8rem}dd{margin:0}
dd{overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:.4rem}
nav a{border:1px solid var(--line);border-radius:1rem;padding:.15rem .7rem;text-decoration:none;color:var(--ink);
background:var(--card)}nav span{color:var(--faint)}
a{color:var(--accent)}
section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:0 0 1rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid var(--line);min-width:8.5rem;
max-width:24rem;overflow-wrap:anywhere}
td:first-child,th:first-child{min-width:0;white-space:nowrap}
th{color:var(--faint);font-weight:600;white-space:nowrap}
th.n,td.n{text-align:right;min-width:0;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.marked{background:var(--mark)}td b{color:var(--alarm)}tr:target{outline:2px solid var(--accent)}
summary{cursor:pointer;color:var(--accent)}
code{font:.82rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere;user-select:all}
.nothing{color:var(--faint);margin:0}.verdict{font-weight:600}.blind,.degraded{color:var(--alarm)}
.chart{width:100%;min-width:40rem;height:auto;display:block;margin:0 0 .6rem}
.chart text{fill:var(--ink);font-size:12px}.chart line{stroke:var(--line)}.bars rect{fill:var(--accent)}
@media print{section{break-inside:avoid-page;border:0}}
"""
