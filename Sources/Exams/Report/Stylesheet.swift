/// The page's look: system fonts, light and dark by the reader's setting, colours that also tell apart for
/// colour-blind eyes (orange to blue instead of red to green).
enum Stylesheet {
    /// Number of colours for the lines of a chart.
    static let seriesCount = 6

    static let css = """
        :root {
          color-scheme: light dark;
          --page: #fbfaf8; --card: #ffffff; --ink: #1d2126; --soft: #5c646d; --rule: #dedad3;
          --low: #fbd3ae; --middle: #f1efe9; --high: #aad7ec; --good: #0b6a8f; --bad: #a8470a;
          --s0: #0b6a8f; --s1: #c4590f; --s2: #5b5fc7; --s3: #4f7f1e; --s4: #b03a78; --s5: #7a6a00;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #14171a; --card: #1c2024; --ink: #e8e6e1; --soft: #a2a9b1; --rule: #343a41;
            --low: #6d3d16; --middle: #2b2f34; --high: #15506c; --good: #7cc6e8; --bad: #f3a566;
            --s0: #62b8de; --s1: #f09a56; --s2: #a6a9f5; --s3: #a0cb6a; --s4: #ec8fbd; --s5: #d8c64a;
          }
        }
        * { box-sizing: border-box; }
        body {
          margin: 0 auto; max-width: 78rem; padding: 2rem 1.25rem 5rem; background: var(--page);
          color: var(--ink); font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
        }
        h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
        h2 { font-size: 1.4rem; margin: 3rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
        h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
        dl.facts { display: flex; flex-wrap: wrap; gap: .3rem 2rem; margin: 0 0 1rem; color: var(--soft); }
        dl.facts div { display: flex; gap: .5rem; } dl.facts dd { margin: 0; color: var(--ink); }
        .scroll { overflow-x: auto; }
        table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; font-size: .95rem; }
        th, td { padding: .3rem .8rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
        thead th { color: var(--soft); font-weight: 600; }
        th.label { text-align: left; } tbody th.label { font-weight: 500; }
        th:first-child { text-align: left; font-weight: 500; padding-left: 0; position: sticky; left: 0; background: var(--page); }
        @media (max-width: 46rem) {
          th, td { padding: .3rem .4rem; font-size: .85rem; }
          th:first-child { white-space: normal; min-width: 6.5rem; max-width: 8rem; line-height: 1.25; }
        }
        .legend, .figures, figcaption { color: var(--soft); font-size: .85rem; }
        .keys { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 0 0 1rem; font-size: .9rem; }
        .keys i { display: inline-block; width: 1.4rem; height: .3rem; border-radius: 1rem; margin: 0 .4rem .2rem 0; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
        .chart { margin: 0; padding: .8rem; background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; }
        .chart svg { width: 100%; height: auto; display: block; }
        .grid { stroke: var(--rule); } .tick { fill: var(--soft); font-size: 11px; }
        .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
        pre.notes { background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; padding: .8rem 1rem;
          overflow-x: auto; font: .85rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
        .picture { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 1.25rem; margin: 1.25rem 0;
          padding: 1.25rem; background: var(--card); border: 1px solid var(--rule); border-radius: .6rem; }
        @media (max-width: 46rem) { .picture { grid-template-columns: minmax(0, 1fr); } }
        .picture img { width: 100%; max-width: 15rem; border-radius: .4rem; display: block; image-rendering: auto; }
        .prompt { margin: .3rem 0 .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
        .truth { color: var(--soft); font-size: .85rem; margin: .6rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
        dl.versions { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .5rem 1rem; margin: .6rem 0 0; }
        .versions dt { color: var(--soft); font-size: .85rem; padding-top: .1rem; }
        .versions dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
        .versions dd p { margin: .1rem 0 0; }
        .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .8rem; margin: 0 0 .8rem; }
        .side { border-left: .25rem solid; padding: .1rem .8rem .3rem; }
        .side.chosen { border-color: var(--good); } .side.rejected { border-color: var(--bad); }
        .side h4 { margin: 0; font-size: .8rem; letter-spacing: .04em; }
        .side.chosen h4, .badge.chosen { color: var(--good); } .side.rejected h4, .badge.rejected { color: var(--bad); }
        .side p { margin: .2rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
        mark { background: none; color: var(--bad); font-weight: 600; text-decoration: underline wavy 1px; text-underline-offset: .2em; }
        summary { cursor: pointer; color: var(--soft); }
        .tree { list-style: none; margin: .6rem 0 0; padding: 0; font-size: .93rem; }
        .tree li { padding: .14rem 0 .14rem calc(var(--depth) * 1.5rem); overflow-wrap: anywhere;
          background: repeating-linear-gradient(to right, transparent 0 .6rem, var(--rule) .6rem calc(.6rem + 1px), transparent calc(.6rem + 1px) 1.5rem)
            no-repeat 0 0 / calc(var(--depth) * 1.5rem) 100%; }
        .tree li.pruned .sentence { opacity: .72; }
        .sentence { padding: .08rem .4rem; border-radius: .3rem; unicode-bidi: isolate; box-decoration-break: clone; }
        .sentence.scored { background: color-mix(in oklab,
            color-mix(in oklab, var(--high) calc(var(--reward) * 200% - 100%), var(--middle)),
            var(--low) calc(100% - var(--reward) * 200%)); }
        .badge { border: 1px solid; border-radius: 1rem; padding: 0 .55rem; font-size: .8rem; color: var(--soft); white-space: nowrap; }
        .badge.chosen, .badge.rejected { font-weight: 650; }
        .scale { display: inline-block; width: 8rem; height: .7rem; border-radius: 1rem; vertical-align: middle; margin: 0 .4rem;
          background: linear-gradient(to right, var(--low), var(--middle), var(--high)); }
        .findings { margin: 1rem 0 0; padding-left: 1.2rem; } .findings li { margin: .2rem 0; }
        details { margin: .8rem 0; }
        .doubts dt { max-width: 14rem; overflow-wrap: anywhere; }
        .names { columns: 18rem; margin: .5rem 0 0; padding-left: 1.2rem; font-size: .85rem; overflow-wrap: anywhere; }
        .benchmark { margin: 0 0 2rem; } .benchmark h3 { font-size: 1.1rem; margin-bottom: .3rem; }
        .forest { width: 100%; margin-bottom: .8rem; table-layout: fixed; font-size: .92rem; }
        .forest th, .forest td { white-space: normal; border: 0; padding: .18rem .4rem; }
        .forest tr.first > * { border-top: 1px solid var(--rule); }
        .forest th { width: 26%; position: static; line-height: 1.25; padding-left: 0; }
        .forest th small { display: block; color: var(--soft); font-size: .85em; }
        .forest tr.first th small { margin-top: .1rem; }
        .forest .again { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        .forest .values { width: 9.5rem; color: var(--soft); white-space: nowrap; }
        .forest .told { width: 12.5rem; white-space: nowrap; }
        .forest .plot { position: relative; height: 1.7rem; padding: 0; }
        .forest i { position: absolute; display: block; }
        .forest .zero, .forest .tick-line { top: 0; bottom: 0; width: 0; border-left: 1px solid var(--rule); }
        .forest .zero { border-left: 1px dashed var(--soft); }
        .forest .span { top: calc(50% - 1.5px); height: 3px; min-width: 2px; border-radius: 2px; background: var(--tone); }
        .forest .mark { top: calc(50% - 5px); width: 10px; height: 10px; margin-left: -5px; border-radius: 50%;
          background: var(--tone); border: 2px solid var(--tone); }
        .forest .open .mark { background: var(--page); } .chart .forest .open .mark { background: var(--card); }
        .forest tr { --tone: var(--soft); }
        .forest .better { --tone: var(--good); } .forest .worse { --tone: var(--bad); } .forest .other { --tone: var(--ink); }
        .forest .better .told, .forest .worse .told { color: var(--tone); font-weight: 600; }
        .forest tfoot > tr > * { border-top: 1px solid var(--rule); color: var(--soft); font-size: .8rem; font-weight: 400; }
        .forest .axis { height: 1.5rem; }
        .forest .axis span { position: absolute; top: .15rem; transform: translateX(-50%); white-space: nowrap; }
        .chart h3 { margin-bottom: .4rem; } .chart .forest { margin: 0; }
        .chart .forest, .chart .forest tbody, .chart .forest tfoot { display: block; }
        .chart .forest tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; }
        .chart .forest th, .chart .forest td { width: auto; background: none; border: 0; }
        .chart .forest .values { display: none; }
        .chart .forest .plot { grid-column: 1 / -1; grid-row: 2; }
        .chart .forest tfoot .plot { grid-row: 1; }
        .chart .forest tfoot th { grid-column: 1 / -1; grid-row: 2; text-align: center; }
        @media (max-width: 46rem) {
          .forest, .forest tbody, .forest tfoot { display: block; }
          .forest tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 .8rem; padding: .25rem 0; }
          .forest tr.first { border-top: 1px solid var(--rule); } .forest tr.first > * { border: 0; }
          .forest tr > * { width: auto !important; min-width: 0; max-width: none; padding: 0; font-size: .88rem; }
          .forest th { grid-column: 1; grid-row: 1; } .forest .told { grid-column: 2; grid-row: 1; }
          .forest .values { grid-column: 1 / -1; grid-row: 2; text-align: left; font-size: .82rem; }
          .forest .values:empty { display: none; }
          .forest tbody .plot { grid-column: 1 / -1; grid-row: 3; }
          .forest tfoot .plot { grid-column: 1 / -1; grid-row: 1; }
          .forest tfoot th { grid-column: 1 / -1; grid-row: 2; text-align: center; }
          dl.versions { grid-template-columns: minmax(0, 1fr); gap: .1rem; } .versions dd { margin-bottom: .6rem; }
        }
        footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }

        """ + series

    private static let series = (0..<seriesCount).map {
        ".series-\($0) { stroke: var(--s\($0)); } .dot.series-\($0), .keys .series-\($0) { background: var(--s\($0)); fill: var(--s\($0)); }\n"
    }.joined()
}
