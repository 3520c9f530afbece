#include "cli/report_parts.h"

namespace redoubt::cli {
namespace {

// Ages: a0 the oldest. In either scheme the newest stands out most against the background.
constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark;
  --paper: #ffffff; --card: #f5f7f9; --ink: #1b2733; --soft: #5a6875; --line: #d9e0e6; --bar: #2f7fb8; --hole: #e3e8ed;
  --bad: #b3202c; --bad-paper: #fdecec; --warn: #8a5a00; --warn-paper: #fff4dc; --good: #1d6b3a; --good-paper: #e6f5ea;
  --note: #3d5166; --note-paper: #e8eef4; --mark: #e01b2f;
  --a0: #ccd6e0; --a1: #bccedc; --a2: #a6c6d9; --a3: #8dbdd2; --a4: #66abc4;
  --a5: #4296b3; --a6: #267f9f; --a7: #166688; --a8: #0f4d70; --a9: #0a3455; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #12181e; --card: #1a222a; --ink: #e4eaf0; --soft: #9fadba; --line: #303c47; --bar: #4d9fd6; --hole: #2a353f;
  --bad: #ff8f8f; --bad-paper: #3c1a1d; --warn: #f2c063; --warn-paper: #38290e; --good: #7fd6a0; --good-paper: #14301f;
  --note: #b4c6d8; --note-paper: #23303c; --mark: #ff5a68;
  --a0: #37444f; --a1: #344c5a; --a2: #2a5566; --a3: #29677a; --a4: #2f7c8b;
  --a5: #3d9299; --a6: #55a8a3; --a7: #7abda8; --a8: #a9d3b1; --a9: #e3edc6; } }
@media print { :root { color-scheme: light; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0; }
.soft { color: var(--soft); font-weight: 400; }
.facts { color: var(--soft); margin: 0 0 1rem; }
.verdict { padding: .8rem 1rem; border-radius: 8px; border-left: 6px solid; font-size: 1.05rem; overflow-wrap: anywhere; }
.verdict.good { color: var(--good); background: var(--good-paper); }
.verdict.warn { color: var(--warn); background: var(--warn-paper); }
.verdict.bad { color: var(--bad); background: var(--bad-paper); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .6rem; margin: 1rem 0 0; padding: 0; }
.cards div { background: var(--card); border-radius: 8px; padding: .55rem .8rem; }
.cards dt { color: var(--soft); font-size: .85rem; }
.cards dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.name { min-width: 9rem; max-width: 24rem; overflow-wrap: anywhere; }
table.findings { table-layout: fixed; }
table.findings col:first-child { width: 45%; }
td.where, td.message { overflow-wrap: anywhere; }
td.where .file { margin-right: .5rem; }
td.where span { color: var(--soft); margin-right: .4rem; } td.where :is(.space, .page, .lsn) { white-space: nowrap; }
table.findings th { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
table.inner { width: auto; margin: .3rem 0 .5rem; background: var(--card); font-size: .85rem; }
table.inner th:first-child, table.inner td:first-child { padding-left: .7rem; }
.bar { display: inline-block; vertical-align: middle; width: 5.5rem; height: .6rem; background: var(--hole); border-radius: 3px;
  overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--bar); }
td:has(> .bar) { white-space: nowrap; }
.share { display: inline-block; width: 3.9rem; text-align: right; font-variant-numeric: tabular-nums; }
details { margin: .4rem 0; }
.tables > tbody > tr:not(.more) > td { border-bottom: 0; padding-bottom: 0; }
.tables > tbody > tr.more > td { padding-top: 0; }
.tables > tbody > tr:not(.more) + tr:not(.more) > td { border-top: 1px solid var(--line); }
td details { margin: 0; }
td summary { color: var(--soft); font-size: .85rem; }
summary { cursor: pointer; }
.tag { display: inline-block; border-radius: 4px; padding: 0 .45rem; font-size: .8rem; font-weight: 600; }
.tag.damage { color: var(--bad); background: var(--bad-paper); }
.tag.warning { color: var(--warn); background: var(--warn-paper); }
.tag.note { color: var(--note); background: var(--note-paper); }
.step { margin: .2rem 0 .4rem; }
figure { margin: 0; }
figcaption { color: var(--soft); margin-bottom: .4rem; }
svg { display: block; width: 100%; }
svg.histogram { height: 9rem; background: var(--card); border-radius: 6px 6px 0 0; }
svg.redo { height: 5px; fill: var(--warn); }
svg.kinds { height: 1.6rem; border: 1px solid var(--line); border-radius: 4px; }
.redoword { color: var(--warn); }
.scale { display: flex; height: .5rem; margin: 4px 0 .2rem; }
.scale span { flex: 1; }
.axis { display: flex; justify-content: space-between; gap: 1rem; color: var(--soft); font-size: .85rem;
  font-variant-numeric: tabular-nums; }
.strips { margin-top: .6rem; }
.strip { display: grid; grid-template-columns: 15rem 1fr 5.5rem; gap: .8rem; align-items: center; margin: .25rem 0; font-size: .85rem; }
.strip .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.strip .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.strip svg { height: 1.05rem; background: var(--card); }
.mark { fill: var(--mark); }
.markword { color: var(--mark); font-weight: 600; }
.a0 { fill: var(--a0); } .a1 { fill: var(--a1); } .a2 { fill: var(--a2); } .a3 { fill: var(--a3); } .a4 { fill: var(--a4); }
.a5 { fill: var(--a5); } .a6 { fill: var(--a6); } .a7 { fill: var(--a7); } .a8 { fill: var(--a8); } .a9 { fill: var(--a9); }
.b0 { background: var(--a0); } .b1 { background: var(--a1); } .b2 { background: var(--a2); } .b3 { background: var(--a3); }
.b4 { background: var(--a4); } .b5 { background: var(--a5); } .b6 { background: var(--a6); } .b7 { background: var(--a7); }
.b8 { background: var(--a8); } .b9 { background: var(--a9); }
ul.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; list-style: none; margin: .6rem 0; padding: 0; }
ul.legend i { display: inline-block; width: .8rem; height: .8rem; border: 1px solid var(--line); border-radius: 3px;
  margin-right: .4rem; vertical-align: -.05rem; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 44rem) { body { padding: 1rem .75rem 2rem; }
  table.findings td { display: block; border: 0; padding-right: 0; }
  table.findings tr { display: block; border-bottom: 1px solid var(--line); } td.where { font-weight: 600; } td.where span { font-weight: 400; }
  .strip { grid-template-columns: 1fr 5rem; gap: .1rem .5rem; } .strip svg { grid-column: 1 / 3; grid-row: 2; }
  .strip .n { grid-column: 2; grid-row: 1; } }
@media print { html { font-size: 11px; } body { max-width: none; padding: 0; font-size: 1rem; } .bar i, svg, .scale span, .verdict, .cards div, ul.legend i {
  print-color-adjust: exact; -webkit-print-color-adjust: exact; } .wide { overflow: visible; } tr, .strip, figure { break-inside: avoid; } }
)css";

}  // namespace

std::string_view report_style() { return kStyle; }

}  // namespace redoubt::cli
