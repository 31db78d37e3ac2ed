/** Lines of a list that arrow keys walk along: pointed at they show themselves on the map, chosen they open. */
import type { Geometry } from "geojson";
import type { LegendRow } from "../city/api.ts";
import { swatch } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";

export interface Line {
  /** What tells it from the others of its list. */
  key: string;
  /** Empty for what is no record. */
  layer: string;
  id: string;
  geometry: Geometry;
  name: string;
  /** As the map draws it. */
  mark?: () => LegendRow | undefined;
  detail: string;
  where: string;
  /** Lines of one group stand under its title. */
  group?: string;
}

export interface Lines {
  element: HTMLElement;
  draw(lines: readonly Line[]): void;
  /** Say something in place of lines. */
  say(text: string, ...more: HTMLElement[]): void;
  /** Mark the lines that are hovered or selected elsewhere. */
  light(): void;
  focus(): void;
}

interface Chosen {
  open(line: Line): void;
  close(): void;
  /** The keyboard wants to go beyond the last line. */
  more(): void;
}

const shown = new WeakMap<App, Geometry | null>();

/** The geometry of the line that is pointed at in any list of a page. */
export const pointedAt = (app: App): Geometry | null => shown.get(app) ?? null;

/** The lines of a list; `titleId` is the id of the element that names the list. */
export function linesBox(app: App, titleId: string, { open, close, more }: Chosen): Lines {
  const { store } = app;
  const element = h("div", { class: "lines", role: "listbox", tabIndex: 0, aria: { labelledby: titleId } });
  let lines: readonly Line[] = [];
  let options: HTMLElement[] = [];
  let active = -1;

  const hover = (line: Line | null) => {
    shown.set(app, line?.geometry ?? null);
    const record = line !== null && line.id !== "";
    store.set({ hovered: record ? { layer: line.layer, column: "id", value: line.id } : null });
  };
  const activate = (index: number) => {
    options[active]?.classList.remove("active");
    active = index;
    const option = options[index];
    option?.classList.add("active");
    option?.scrollIntoView({ block: "nearest" });
    if (option) element.setAttribute("aria-activedescendant", option.id);
    else element.removeAttribute("aria-activedescendant");
    hover(lines[index] ?? null);
  };
  const light = () => {
    const { hovered, selected } = store.get();
    for (const [index, { layer, id }] of lines.entries()) {
      const on = selected?.kind === "item" && selected.layer === layer && selected.id === id;
      options[index]?.setAttribute("aria-selected", String(on));
      const lit = hovered?.column === "id" && hovered.layer === layer && hovered.value === id;
      options[index]?.classList.toggle("lit", lit);
    }
  };
  const option = (line: Line, index: number) => {
    const mark = line.mark?.();
    const drawn = h(
      "div",
      { class: "record-line", role: "option", id: `${titleId}-${index}`, aria: { selected: "false" } },
      h("span", { class: "name" }, mark ? swatch(mark) : null, line.name),
      h("span", { class: "detail" }, line.detail),
      h("span", { class: "where" }, line.where),
    );
    drawn.onpointerenter = () => hover(line);
    drawn.onpointerleave = () => hover(null);
    drawn.onclick = () => {
      activate(index);
      open(line);
    };
    return drawn;
  };
  element.onkeydown = (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -lines.length, End: lines.length };
    const step = steps[event.key as keyof typeof steps];
    const line = lines[active];
    if (step !== undefined && lines.length > 0) {
      if (step > 0 && active === lines.length - 1) more();
      activate(Math.min(lines.length - 1, Math.max(0, active + step)));
    } else if (event.key === "Enter" && line) open(line);
    else if (event.key === "Escape" && store.get().selected === null)
      close(); // else it closes the card
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  element.onfocus = () => active < 0 && lines.length > 0 && element.matches(":focus-visible") && activate(0);
  element.onblur = () => hover(null);

  return {
    element,
    light,
    focus: () => element.focus(),
    say: (text, ...others) => fill(element, h("p", { class: "empty" }, text), ...others),
    draw(given) {
      const kept = lines[active]?.key;
      const top = element.scrollTop;
      lines = given;
      options = lines.map(option);
      const titled = options.flatMap((each, index) => {
        const { group } = lines[index] ?? {};
        const first = group !== undefined && group !== lines[index - 1]?.group;
        return first ? [h("h3", { role: "presentation" }, group), each] : [each];
      });
      fill(element, ...titled);
      active = lines.findIndex(({ key }) => key === kept);
      options[active]?.classList.add("active");
      element.scrollTop = top;
      light();
    },
  };
}
