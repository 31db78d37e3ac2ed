/** Many things at one place as a list that may hold thousands: only the lines in sight are there. */
import { classWord, headline, rowOf, swatch } from "../map/facts.ts";
import type { Hit } from "../map/hits.ts";
import type { CityMap } from "../map/map.ts";
import { stacked } from "../map/stacked.ts";
import { type App, narrow } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";

const SPARE = 6;
const PAGE = 8;

interface Line {
  hit: Hit;
  name: string;
  detail: string;
  mark: Parameters<typeof swatch>[0] | undefined;
  /** What typing looks through. */
  text: string;
}

/** The list; who chooses a line opens its card. */
export async function stackList(app: App, cityMap: CityMap, hits: readonly Hit[]): Promise<HTMLElement> {
  const lines = await linesOf(app, hits);
  const list = virtualList(app, lines);
  // What the tiles left out comes after: nobody waits for it.
  void stacked(app, cityMap, hits).then(
    async (all) => list.take(all.hits.length === hits.length ? lines : await linesOf(app, all.hits), all.more),
    () => undefined,
  );
  return list.element;
}

async function linesOf(app: App, hits: readonly Hit[]): Promise<Line[]> {
  const names = [...new Set(hits.map(({ layer }) => layer))];
  const layers = new Map(await Promise.all(names.map(async (name) => [name, await app.city.detail(name)] as const)));
  const lines = hits.flatMap((hit): Line[] => {
    const layer = layers.get(hit.layer);
    if (layer === undefined) return [];
    const name = headline(app, layer, hit.id, hit.properties);
    const kind = classWord(app, layer, hit.properties) ?? "";
    const detail = kind === "" || kind === name ? app.title(layer.title) : kind;
    const mark = rowOf(app, layer, hit.properties);
    return [{ hit, name, detail, mark, text: `${name} ${hit.id} ${kind} ${app.title(layer.title)}`.toLowerCase() }];
  });
  const collator = new Intl.Collator("zh-CN", { numeric: true });
  return lines.sort((a, b) => collator.compare(a.name, b.name) || collator.compare(a.hit.id, b.hit.id));
}

function virtualList(app: App, given: Line[]): { element: HTMLElement; take(lines: Line[], more: boolean): void } {
  const { lang } = app.store.get();
  const height_px = narrow.matches ? 44 : 32;
  let lines = given;
  let shown = given;
  let active = 0;
  const room = h("div", { class: "stack-room", role: "listbox", id: "stack", aria: { label: app.t("stackList") } });
  const view = h("div", { class: "stack-view" }, room);
  const said = h("p", { class: "hint", role: "status" });
  const input = h("input", {
    type: "search",
    role: "combobox",
    placeholder: app.t("stackFilter"),
    autocomplete: "off",
    spellcheck: false,
    aria: { label: app.t("stackFilter"), controls: "stack", expanded: "true", autocomplete: "list" },
  });
  let more = false;

  const choose = (line: Line | undefined) => {
    if (line) app.store.set({ selected: { kind: "item", layer: line.hit.layer, id: line.hit.id } });
  };
  const option = (line: Line, at: number): HTMLElement => {
    const element = h(
      "div",
      {
        class: "choice",
        role: "option",
        id: `stack-${at}`,
        aria: { selected: String(at === active), setsize: String(shown.length), posinset: String(at + 1) },
        data: { id: line.hit.id },
        onclick: () => choose(line),
      },
      line.mark ? swatch(line.mark) : null,
      h("span", { class: "name" }, line.name),
      h("span", { class: "detail" }, line.detail),
    );
    element.style.setProperty("top", `${at * height_px}px`);
    return element;
  };
  const draw = () => {
    room.style.setProperty("height", `${shown.length * height_px}px`);
    const first = Math.max(0, Math.floor(view.scrollTop / height_px) - SPARE);
    const last = Math.ceil((view.scrollTop + (view.clientHeight || 480)) / height_px) + SPARE;
    fill(room, ...shown.slice(first, last).map((line, at) => option(line, first + at)));
    const there = room.querySelector(`#stack-${active}`) !== null;
    if (there) input.setAttribute("aria-activedescendant", `stack-${active}`);
    else input.removeAttribute("aria-activedescendant");
  };
  const tell = () => {
    const n = number(lang, shown.length);
    const counted = app.t("stackShown", { n, of: number(lang, lines.length) });
    const text = shown.length === 0 ? app.t("stackNone", { q: input.value.trim() }) : counted;
    said.textContent = more ? `${text} · ${app.t("stackMore")}` : text;
  };
  const filter = () => {
    const wanted = input.value.trim().toLowerCase();
    shown = wanted === "" ? lines : lines.filter(({ text }) => text.includes(wanted));
    active = 0;
    view.scrollTop = 0;
    draw();
    tell();
  };
  const go = (to: number) => {
    active = Math.max(0, Math.min(to, shown.length - 1));
    const top = active * height_px;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + height_px > view.scrollTop + view.clientHeight) view.scrollTop = top + height_px - view.clientHeight;
    draw();
  };
  input.oninput = filter;
  input.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      go(active + step);
    } else if (event.key === "Enter") choose(shown[active]);
  };
  view.onscroll = draw;
  filter();
  return {
    element: h("div", { class: "stack" }, input, said, view),
    take(all, left) {
      [lines, more] = [all, left];
      filter();
    },
  };
}
