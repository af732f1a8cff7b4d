/** The page's style sheet. Colours by state are always beside a text that says the same. */
export const STYLE = `
:root{color-scheme:light dark;--page:#f4f6f8;--card:#fff;--ink:#14181d;--muted:#59636f;--line:#dde2e8;--track:#eef1f4;
--good:#17784a;--good-soft:#e3f4ea;--busy:#2459c4;--busy-soft:#e6eefc;--bad:#bb2a24;--bad-soft:#fcebea;
--warn:#8f5d00;--warn-soft:#fdf2dc;--none:#5f6975;--none-soft:#eceff2;--write:#93a1b3}
@media (prefers-color-scheme:dark){:root{--page:#0e1116;--card:#161b22;--ink:#e9edf2;--muted:#9ba6b3;--line:#2b333d;
--track:#1f262f;--good:#56c98a;--good-soft:#11291d;--busy:#7db0ff;--busy-soft:#132340;--bad:#ff8a80;--bad-soft:#3a1614;
--warn:#e6b450;--warn-soft:#33260a;--none:#97a2af;--none-soft:#222932;--write:#66748a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:1120px;margin:0 auto;padding:0 20px}
header{display:flex;flex-wrap:wrap;gap:2px 16px;align-items:baseline;justify-content:space-between;padding-top:20px}
header h1{font-size:17px;font-weight:650;margin:0}
header p{margin:0}
header p,footer{color:var(--muted);font-size:14px}
footer{padding-top:4px;padding-bottom:32px}
h2{font-size:15px;font-weight:650;margin:0 0 12px}
h2 small{font-weight:400;font-size:14px;color:var(--muted);margin-left:8px}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:18px 20px;margin:16px 0}
.hero{display:flex;gap:18px;align-items:center;border-left:8px solid var(--tone);background:var(--soft)}
.hero .mark{flex:none;width:56px;height:56px}
.hero strong{display:block;font-size:clamp(22px,4.5vw,32px);line-height:1.2;letter-spacing:-.01em}
.hero p{margin:4px 0 0}
.good{--tone:var(--good);--soft:var(--good-soft)}
.busy{--tone:var(--busy);--soft:var(--busy-soft)}
.bad{--tone:var(--bad);--soft:var(--bad-soft)}
.warn{--tone:var(--warn);--soft:var(--warn-soft)}
.none{--tone:var(--none);--soft:var(--none-soft)}
.badge{display:inline-block;white-space:nowrap;color:var(--tone);background:var(--soft);border-radius:999px;
padding:1px 10px;font-size:14px;font-weight:600}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:15px}
th{text-align:left;font-weight:500;font-size:13px;color:var(--muted);padding:0 14px 6px 0;white-space:nowrap}
td{border-top:1px solid var(--line);padding:8px 14px 8px 0;vertical-align:top;overflow-wrap:anywhere}
td:first-child{min-width:9em}
td:last-child,th:last-child{padding-right:0}
td.keep{white-space:nowrap;overflow-wrap:normal}
.number{font-variant-numeric:tabular-nums}
.muted{color:var(--muted)}
svg{display:block}
svg text{fill:var(--ink);font-family:inherit}
svg .sub{fill:var(--muted)}
svg .tone{fill:var(--tone)}
svg .box{fill:var(--card);stroke:var(--line);stroke-width:1.5}
svg .box.stated{stroke:var(--tone);stroke-width:2}
svg .disc{fill:var(--tone)}
svg .glyph{fill:none;stroke:var(--card);stroke-width:2.6;stroke-linecap:round;stroke-linejoin:round}
svg .edge{fill:none;stroke:var(--tone,var(--muted));stroke-width:2}
svg .edge.cut{stroke-dasharray:3 6}
svg .tip{fill:var(--tone,var(--muted))}
svg .evidence{fill:none;stroke:var(--muted);stroke-width:1.5;stroke-dasharray:2 5}
.flow{width:100%;height:auto}
.flow.tall{display:none}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:14px;color:var(--muted);margin:0 0 10px;padding:0;list-style:none}
.key svg{display:inline-block;vertical-align:-1px;margin-right:6px}
.track{fill:var(--track)}
.write{fill:var(--write)}
.proven{fill:var(--good)}
.open{fill:var(--busy)}
ol.changes{list-style:none;margin:0;padding:0}
ol.changes li{display:grid;grid-template-columns:10.5em 1fr 12.5em;gap:0 16px;align-items:center;padding:4px 0;font-size:15px}
ol.changes .took{text-align:right}
.more{color:var(--muted);font-size:14px;margin:10px 0 0}
.callout{border-left:8px solid var(--tone);background:var(--soft)}
.callout p{margin:0}
@media (max-width:700px){main,header,footer{padding-left:14px;padding-right:14px}section{padding:14px;margin:12px 0}
.flow.wide{display:none}.flow.tall{display:block}.hero{gap:14px}.hero .mark{width:44px;height:44px}
ol.changes li{grid-template-columns:1fr auto}ol.changes .bar{grid-column:1/-1;grid-row:2}
table.cards thead{display:none}table.cards tr{display:block;border-top:1px solid var(--line);padding:10px 0}
table.cards tr:first-child{border-top:0;padding-top:0}table.cards td{display:block;border:0;padding:1px 0}table.cards td.keep{display:inline-block;margin-right:14px}
table.cards td[data-name]::before{content:attr(data-name) " ";color:var(--muted);font-size:13px}}
`;
