"""How the report's page looks: plain CSS, readable in print, light or dark as the reader's system is."""

STYLE = """
:root{color-scheme:light dark;--ground:#fdfcfa;--ink:#23201c;--soft:#5f5a52;--line:#d9d4cb;--accent:#1f5f99;
--second:#a2480c;--third:#2f6f3a;--fourth:#7a3b8f;--people:#6a645b}
@media (prefers-color-scheme:dark){:root{--ground:#1b1a18;--ink:#ebe6dd;--soft:#b3aca0;--line:#46423b;--accent:#82b8ee;
--second:#f0a268;--third:#8ecf98;--fourth:#d3a2e4;--people:#b0a99d}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 Georgia,"Times New Roman",serif}
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.5rem 5rem}
h1{font-size:2rem;line-height:1.2;margin:0 0 1rem}h2{font-size:1.35rem;margin:3rem 0 .6rem}
h3{font-size:1.1rem;margin:1.6rem 0 .4rem}
p,li,dd{max-width:46rem}small,dt,caption,figcaption,.facts{color:var(--soft)}
small{white-space:nowrap;font-size:.82em}figcaption{font-size:.9rem;min-height:4.4em}figcaption strong{color:var(--ink)}
.facts{display:grid;gap:.2rem;margin:0 0 1.5rem}.facts div{display:flex;gap:1rem}.facts dt{min-width:6rem}
.facts dd{margin:0;color:var(--ink)}
.warning{border-left:4px solid var(--second);padding-left:.8rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem;margin:.6rem 0 1.2rem}
caption{text-align:left;padding-bottom:.4rem;font-size:.9rem}
th,td{text-align:left;padding:.4rem 1.1rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:baseline}
thead th{border-bottom:2px solid var(--line);font-weight:600}tbody th{font-weight:400}
td{font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1.6rem 2rem;margin-top:1rem}
figure{margin:0}svg{display:block;width:100%;max-width:34rem;height:auto;font:12px system-ui,sans-serif}
svg text{fill:var(--ink)}svg .label{text-anchor:end}svg .tick{text-anchor:middle;fill:var(--soft)}
svg .axis{stroke:var(--soft)}svg .grid{stroke:var(--line)}svg .guide{stroke:var(--people);stroke-dasharray:4 4}
svg .bar{stroke-width:3}svg .style,svg .style0{stroke:var(--accent);fill:var(--accent)}
svg .style1{stroke:var(--second);fill:var(--second)}svg .style2{stroke:var(--third);fill:var(--third)}
svg .style3{stroke:var(--fourth);fill:var(--fourth)}svg .people{stroke:var(--people);fill:var(--people)}
details{margin:.6rem 0 1rem}summary{cursor:pointer;color:var(--accent)}
summary:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
@media (max-width:40rem){.plots{grid-template-columns:1fr}.facts div{display:block}}
@media print{.plots{grid-template-columns:1fr 1fr}figure{break-inside:avoid}}
"""
