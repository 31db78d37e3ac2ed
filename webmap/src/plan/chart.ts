/** The answer as bars: its classes, or its largest rows; each bar picks what it stands for. */
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { type Answer, classesOf } from "./answer.ts";
import type { AnswerMap } from "./drawing.ts";
import type { Link } from "./link.ts";
import { titled } from "./table.ts";

const MOST_BARS = 12;

export function drawChart(element: HTMLElement, app: App, answer: Answer, link: Link, drawn: AnswerMap): () => void {
  const { lang } = app.store.get();
  const { summary, page } = answer;
  const classes = classesOf(answer, lang, app.t("planNotGiven"));
  const bars = classes.slice(0, MOST_BARS);
  const most = Math.max(...bars.map(({ n }) => n), 0);
  const grouped = summary.classes !== null && summary.bars.length > 0;
  const what = grouped ? summary.classes : summary.measure;
  if (what === null || bars.length === 0 || (page.count < 2 && !grouped)) {
    fill(element);
    element.hidden = true;
    return () => undefined;
  }
  element.hidden = false;
  const rows = bars.map(({ title, n, rows: mine }, at) => {
    const bar = h("span", { class: "bar" });
    bar.style.setProperty("width", `${most === 0 ? 0 : Math.max(0.5, (n / most) * 100)}%`);
    if (grouped && drawn.byClass()) bar.style.setProperty("background", `var(--${drawn.role(at)})`);
    const line = h(
      "button",
      { type: "button", class: "bar-line", aria: { pressed: "false" } },
      h("span", { class: "name", title }, title),
      h("span", { class: "track" }, bar),
      h("span", { class: "n" }, number(lang, n, 2)),
    );
    line.onclick = () => link.pick(mine);
    if (mine.size === 1) {
      const [only = null] = mine;
      line.onpointerenter = () => link.hover(only);
      line.onpointerleave = () => link.hover(null);
    }
    return { line, mine };
  });
  fill(
    element,
    h(
      "h3",
      {},
      `${app.t("planChart")} · ${app.t("planChartOf", { what: grouped ? app.title(what.title) : titled(app, what) })}`,
    ),
    ...rows.map(({ line }) => line),
    classes.length > bars.length ? h("p", { class: "hint" }, `${bars.length} / ${classes.length}`) : null,
  );
  return () => {
    const picked = link.picked();
    const hovered = link.hovered();
    for (const { line, mine } of rows) {
      const all = mine.size > 0 && mine.size === picked.size && [...mine].every((at) => picked.has(at));
      line.setAttribute("aria-pressed", String(all));
      line.classList.toggle("lit", hovered !== null && mine.has(hovered));
    }
  };
}
