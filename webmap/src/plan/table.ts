/** The answer as a table: sorted by any column, a row at a time lit on the map, more rows on demand. */
import type { Properties } from "../city/api.ts";
import type { AnswerColumn } from "../city/questions.ts";
import type { App } from "../page/app.ts";
import { fill, h, icon } from "../page/dom.ts";
import { day, moment, number } from "../words/format.ts";
import { unitWord } from "../words/i18n.ts";
import { type Answer, labelColumn, type Row } from "./answer.ts";
import type { Link } from "./link.ts";

const STEP = 100;
const FIRST = ["n_per", "n", "uncovered_share", "nearest_m", "distance_m"];

export function drawTable(
  element: HTMLElement,
  app: App,
  answer: Answer,
  link: Link,
  goTo: (row: Row) => void,
): () => void {
  const { lang } = app.store.get();
  const columns = ordered(answer);
  const layer = typeof answer.page.asked.layer === "string" ? answer.page.asked.layer : null;
  const openable = layer !== null && answer.columns.some(({ name }) => name === "id");
  let sortedBy: { name: string; down: boolean } | null = null;
  let shown = STEP;
  let only = false;
  const body = h("tbody", {});
  const foot = h("p", { class: "table-foot" });
  const lines = new Map<number, HTMLTableRowElement>();

  const heads = columns.map((column) => {
    const sort = h("button", { type: "button", class: "sort" }, titled(app, column));
    sort.title = app.t("planSort", { name: app.title(column.title) });
    const cell = h("th", { scope: "col", class: numeric(column) ? "number" : "" }, sort);
    sort.onclick = () => {
      const down = sortedBy?.name === column.name ? !sortedBy.down : numeric(column);
      sortedBy = { name: column.name, down };
      for (const each of heads) each.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      draw();
    };
    return cell;
  });
  const rows = (): Row[] => {
    const picked = link.picked();
    const some = only && picked.size > 1 ? answer.rows.filter(({ at }) => picked.has(at)) : answer.rows;
    return sortedBy === null ? some : sorted(some, sortedBy.name, sortedBy.down);
  };
  const line = (row: Row): HTMLTableRowElement => {
    const cells = columns.map((column, at) => {
      const text = valueText(app, column, row.properties[column.name] ?? null);
      if (at === 0) {
        const open = openable ? opener(app, layer, String(row.properties.id), text) : null;
        const name = h("button", { type: "button", class: "row-name" }, text);
        name.onclick = (event) => {
          event.stopPropagation();
          choose(row);
        };
        return h("th", { scope: "row" }, h("span", { class: "row-head" }, name, open));
      }
      return h("td", { class: numeric(column) ? "number" : "" }, text);
    });
    const element = h("tr", { data: { at: String(row.at) } }, ...cells);
    element.onclick = () => choose(row);
    element.onpointerenter = () => link.hover(row.at);
    lines.set(row.at, element);
    return element;
  };
  const choose = (row: Row): void => {
    link.pick(new Set([row.at]));
    if (link.picked().has(row.at)) goTo(row);
  };
  const draw = (): void => {
    lines.clear();
    const all = rows();
    fill(body, ...all.slice(0, shown).map(line));
    const left = all.length - shown;
    const more = h("button", { type: "button", class: "outlined" }, app.t("planMoreRows", { n: Math.min(left, STEP) }));
    more.onclick = () => {
      shown += STEP;
      draw();
    };
    fill(foot, left > 0 ? more : null);
    light();
  };
  const light = (): void => {
    const picked = link.picked();
    const hovered = link.hovered();
    for (const [at, row] of lines) {
      row.classList.toggle("lit", at === hovered);
      row.classList.toggle("picked", picked.has(at));
      row.setAttribute("aria-selected", String(picked.has(at)));
    }
  };
  body.onpointerleave = () => link.hover(null);
  const caption = h(
    "caption",
    { class: "hidden-text" },
    app.t("planTableCaption", { n: number(lang, answer.page.count) }),
  );
  fill(element, h("table", {}, caption, h("thead", {}, h("tr", {}, ...heads)), body), foot);
  draw();
  return () => {
    // A bar that stands for many rows shows just these.
    const several = link.picked().size > 1;
    if (several || only) {
      only = several;
      draw();
    } else light();
    const [first] = link.picked();
    if (link.picked().size === 1 && first !== undefined) lines.get(first)?.scrollIntoView({ block: "nearest" });
  };
}

function ordered(answer: Answer): AnswerColumn[] {
  const label = labelColumn(answer);
  const rank = ({ name }: AnswerColumn): number => {
    if (name === label) return 0;
    const at = FIRST.indexOf(name);
    if (at >= 0) return 1 + at;
    return name === answer.summary.classes?.name ? 10 : 11;
  };
  return [...answer.columns].sort((a, b) => rank(a) - rank(b));
}

const numeric = ({ kind }: AnswerColumn): boolean => kind === "integer" || kind === "number";

/** What is told, with its unit. */
export function titled(app: App, { title, unit }: Pick<AnswerColumn, "title" | "unit">): string {
  const said = unit ? unitWord(app.store.get().lang, unit) : "";
  return said === "" ? app.title(title) : `${app.title(title)} (${said})`;
}

export function valueText(app: App, column: AnswerColumn, value: Properties[string]): string {
  const { lang } = app.store.get();
  if (value === null) return "–";
  if (typeof value === "boolean") return app.t(value ? "yes" : "no");
  if (typeof value === "number") return number(lang, value, column.name === "n_per" ? 4 : 2);
  if (column.kind === "time") return moment(lang, value);
  if (column.kind === "date") return day(lang, value);
  return column.words?.[value]?.[lang] ?? value;
}

function opener(app: App, layer: string, id: string, name: string): HTMLElement {
  const label = app.t("planOpen", { name });
  const href = `/#layers=${encodeURIComponent(layer)}&open=${encodeURIComponent(layer)}/${encodeURIComponent(id)}`;
  return h("a", { href, class: "open-link", title: label, aria: { label } }, icon("link"));
}

function sorted(rows: readonly Row[], name: string, down: boolean): Row[] {
  const order = (a: Row, b: Row): number => {
    const [x, y] = [a.properties[name] ?? null, b.properties[name] ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null); // what is missing comes last
    const way = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "zh-CN");
    return (down ? -way : way) || a.at - b.at;
  };
  return [...rows].sort(order);
}
