"""The style sheet of an incident's report: for a screen of any width, light or dark, and for paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--paper:#fcfbf8;--raised:#f4f2ec;--ink:#1c232e;--quiet:#566070;--line:#d8d4ca;--link:#1b4f85;
--good:#1d6a3c;--warn:#8a5200;--bad:#a12a20;--calm:#5c6675;--bar:#a9b3c0}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14171c;--raised:#1d2127;--ink:#e8e5dd;--quiet:#a8afba;--line:#39404a;
--link:#93bce6;--good:#79c999;--warn:#e3b062;--bad:#f28f84;--calm:#a3abb7;--bar:#566274}}
*,::before,::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;overflow-wrap:break-word;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.page{max-width:64rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1,h2,h3{font-family:Charter,"Bitstream Charter","Iowan Old Style",Georgia,"Liberation Serif","DejaVu Serif",serif;line-height:1.2;font-weight:600;
text-wrap:balance}
h1{font-size:clamp(1.8rem,1.3rem + 2.2vw,2.7rem);margin:.2rem 0 .9rem}
h2{font-size:1.45rem;margin:3.2rem 0 .8rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.08rem;margin:1.9rem 0 .5rem}
p,li{max-width:44rem}
p{margin:.6rem 0}
a{color:var(--link);text-underline-offset:.15em;overflow-wrap:anywhere}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-200vw;background:var(--ink);color:var(--paper);padding:.6rem 1rem;z-index:1}
.skip:focus{left:.5rem;top:.5rem}
.eyebrow{margin:0;color:var(--quiet);font-size:.82rem;letter-spacing:.09em;text-transform:uppercase}
.quiet{color:var(--quiet)}
.small,figcaption{font-size:.87rem;color:var(--quiet)}
.signs{position:absolute}
.x{overflow-wrap:anywhere;unicode-bidi:isolate}
code,pre{font:.87em/1.5 ui-monospace,"SFMono-Regular",Menlo,Consolas,"Liberation Mono",monospace}
pre{background:var(--raised);border:1px solid var(--line);padding:.6rem .8rem;overflow-x:auto;margin:.5rem 0}
pre code{font-size:inherit}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1.1rem;margin:1rem 0 0;font-size:.93rem}
.facts dt{color:var(--quiet)}
.facts dd{margin:0;min-width:0}
nav{margin:1.8rem 0 0;padding:.7rem 0;border-block:1px solid var(--line);font-size:.93rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.3rem;list-style:none;margin:0;padding:0}
nav a{display:inline-block;padding:.15rem 0}
.badge{display:inline-block;font-size:.87rem;font-weight:600;line-height:1.4}
.badge:is(td *){font-size:inherit}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.calm{color:var(--calm)}
.icon{vertical-align:-2px;flex:none}
.status{display:inline-block;border:1.5px solid currentColor;border-radius:4px;padding:.2rem .7rem}
.status .badge{font-size:1rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1px;background:var(--line);border:1px solid var(--line);margin:1.6rem 0 0}
.tiles div{background:var(--paper);padding:.8rem 1rem}
.tiles dt{font-size:.87rem;color:var(--quiet)}
.tiles dd{margin:0}
.tiles .value{font:600 1.55rem/1.25 Charter,"Bitstream Charter",Georgia,"Liberation Serif","DejaVu Serif",serif}
.todo{padding:0;list-style:none;counter-reset:todo}
.todo>li{counter-increment:todo;position:relative;padding:.9rem 0 .9rem 2.7rem;border-top:1px solid var(--line);max-width:none}
.todo>li:first-child{border-top:0}
.todo>li::before{content:counter(todo);position:absolute;left:0;top:.85rem;min-width:1.9rem;height:1.9rem;line-height:1.75rem;text-align:center;
border:1.5px solid var(--ink);border-radius:1rem;font-weight:600;font-size:.93rem;padding:0 .3rem}
.todo p{margin:.2rem 0}
.todo ol{margin:.3rem 0;padding-left:1.3rem}
.scroll{overflow-x:auto;margin:1rem 0;border-block:1px solid var(--line)}
table{border-collapse:collapse;width:100%;min-width:46rem;font-size:.87rem;line-height:1.45}
.loose table{min-width:0}
caption{text-align:left;color:var(--quiet);padding:.5rem .7rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .7rem;border-top:1px solid var(--line);font-weight:400}
thead th{color:var(--quiet);font-weight:600;border-top:0;white-space:nowrap}
tbody tr:first-child>*{border-top-color:var(--quiet)}
th,td{min-width:4rem}.wide{min-width:15rem}.mid{min-width:8rem}
.time{white-space:nowrap}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
time{font-variant-numeric:tabular-nums}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.3rem 0;overflow-wrap:anywhere}
summary:hover{color:var(--link)}
figure{margin:1.4rem 0}
figcaption{margin-bottom:.7rem;max-width:44rem}
.rows{list-style:none;margin:0;padding:0}
.rows>li{display:grid;grid-template-columns:minmax(0,17rem) minmax(0,1fr);gap:.1rem 1.2rem;align-items:center;padding:.4rem 0;
border-top:1px solid var(--line);max-width:none;font-size:.87rem;line-height:1.4}
.rows .who{min-width:0;overflow-wrap:anywhere;overflow-x:clip}
.rows>li.axis{border-top:0;padding-bottom:0}
.rows svg.bar,.rows svg.ticks{display:block;width:100%;overflow:visible}
.rows svg.ticks{font:.75rem system-ui,sans-serif;fill:var(--quiet)}
h3.tier{font-family:inherit;font-size:.93rem;margin:1.3rem 0 .3rem}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1.2rem;font-size:.87rem;color:var(--quiet);margin:.7rem 0 0;padding:0;list-style:none}
.key svg{vertical-align:-2px;margin-right:.35rem}
footer{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--line)}
@media (max-width:40rem){.page{padding-top:1.5rem}.rows>li{grid-template-columns:minmax(0,1fr);padding:.6rem 0}
.rows>li.axis .who{display:none}.facts{grid-template-columns:minmax(0,1fr);gap:0}.facts dd{margin-bottom:.5rem}
.tiles{grid-template-columns:1fr 1fr}.tiles div{padding:.7rem}}
@media print{@page{margin:16mm 14mm}
body{font-size:10pt}.page{max-width:none;padding:0}
nav,.skip{display:none}
h1,h2,h3,summary,figcaption,caption{break-after:avoid}
tr,.rows>li,.todo>li,.tiles,pre{break-inside:avoid}
thead{display:table-header-group}
.scroll{overflow:visible}
table{min-width:0;font-size:8pt}th,td,.wide,.mid{min-width:0}.time{white-space:normal}
th,td{padding:.3rem .4rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
details::details-content{content-visibility:visible;block-size:auto}
details.screen::details-content{content-visibility:hidden;block-size:0}
.screen>summary::after{content:" (not on paper: see the page itself, or the JSON report)"}
summary{list-style:none}summary::-webkit-details-marker{display:none}
a{color:inherit}
svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
