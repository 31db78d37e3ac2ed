/** Which cases of a queue are meant: by text, state, urgency, time limit, channel, matter, department and town. */
import type { Named } from "../city/api.ts";
import { LEVELS, STATES } from "../city/incidents.ts";
import { fill, h } from "../page/dom.ts";
import { attempt, type Bench, button, codeWord, LIGHT_SIGNS } from "./bench.ts";
import { CLASS } from "./choosing.ts";
import { type Filters, isFiltered, LIGHTS, NO_FILTERS, type SEVERAL, SINGLE } from "./place.ts";

const TYPED_MS = 350;
const VALUES: Record<(typeof SEVERAL)[number], readonly string[]> = { light: LIGHTS, level: LEVELS, state: STATES };

export interface FiltersView {
  element: HTMLElement;
  focus(): void;
  redraw(): void;
}

export function filtersView(bench: Bench, areas: () => Promise<readonly Named[]>): FiltersView {
  const { app } = bench;
  const text = h("input", { type: "search", id: "case-text", maxLength: 50, autocomplete: "off" });
  const more = h("details", { class: "case-filters" });
  const element = h("div", { class: "filter-bar", role: "search" }, text, more);
  const set = (patch: Partial<Filters>): void => bench.go({ filters: { ...bench.place().filters, ...patch } });
  let typed = 0;
  let towns: readonly Named[] | null = null;
  text.oninput = () => {
    clearTimeout(typed);
    typed = window.setTimeout(() => set({ text: text.value.trim() }), TYPED_MS);
  };
  // Names of areas come with their shapes: only who opens the filters asks for them.
  const ask = (): void => {
    if (!more.open || towns !== null) return;
    towns = [];
    void attempt(bench, async () => {
      towns = await areas();
      draw();
    });
  };
  more.ontoggle = ask;
  const draw = (): void => {
    const { filters } = bench.place();
    text.placeholder = app.t("caseSearch");
    text.setAttribute("aria-label", app.t("caseSearch"));
    if (document.activeElement !== text) text.value = filters.text;
    const inside = SINGLE.filter((name) => name !== "text" && filters[name] !== "").length;
    const n = inside + (["state", "level", "light"] as const).filter((name) => filters[name].length > 0).length;
    const open = more.open;
    fill(
      more,
      h("summary", { data: { key: "filters" } }, app.t("caseFilters"), n > 0 && h("b", { class: "count" }, String(n))),
      ...(["light", "level", "state"] as const).map((name) => several(bench, name, filters[name], set)),
      single(bench, "channel", bookOptions(bench, "channel"), filters.channel, set),
      single(
        bench,
        "matter",
        bookOptions(bench, "matter").filter(([code]) => CLASS.test(code)),
        filters.matter,
        set,
      ),
      single(
        bench,
        "lead",
        bench.departments.map(({ code, title }) => [code, app.title(title)]),
        filters.lead,
        set,
      ),
      single(
        bench,
        "town",
        (towns ?? []).map(({ id, name }) => [id, name]),
        filters.town,
        set,
      ),
      isFiltered(filters) && button(app.t("caseUnfilter"), () => bench.go({ filters: NO_FILTERS })),
    );
    more.open = open;
  };
  draw();
  return { element, focus: () => text.focus(), redraw: draw };
}

function several(
  bench: Bench,
  name: (typeof SEVERAL)[number],
  chosen: readonly string[],
  set: (patch: Partial<Filters>) => void,
): HTMLElement {
  const chips = VALUES[name].map((value) => {
    const on = chosen.includes(value);
    const words = codeWord(bench, name, value);
    const chip = h(
      "button",
      { type: "button", class: "chip", data: { key: `${name}:${value}` }, aria: { pressed: String(on) } },
      name === "light" &&
        h("i", { class: "light", data: { light: value }, aria: { hidden: "true" } }, LIGHT_SIGNS[value] ?? ""),
      words,
    );
    chip.onclick = () => set({ [name]: on ? chosen.filter((each) => each !== value) : [...chosen, value] });
    return chip;
  });
  return h("fieldset", {}, h("legend", {}, fieldTitle(bench, name)), h("div", { class: "chips" }, ...chips));
}

const fieldTitle = ({ app, layer }: Bench, name: string): string => {
  const field = layer.fields.find((each) => each.name === name);
  return field === undefined ? name : app.title(field.title);
};

const bookOptions = (bench: Bench, column: string): [code: string, words: string][] => {
  const book = bench.layer.fields.find(({ name }) => name === column)?.book ?? "";
  return Object.keys(bench.layer.books[book] ?? {}).map((code) => [code, codeWord(bench, column, code)]);
};

function single(
  bench: Bench,
  name: Exclude<(typeof SINGLE)[number], "text">,
  options: readonly (readonly [code: string, words: string])[],
  chosen: string,
  set: (patch: Partial<Filters>) => void,
): HTMLElement {
  const { app } = bench;
  const id = `case-by-${name}`;
  const select = h("select", { id, data: { key: name } });
  fill(
    select,
    h("option", { value: "" }, app.t("caseAny")),
    ...options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)),
  );
  select.onchange = () => set({ [name]: select.value });
  const label = name === "town" ? app.t("caseTown") : fieldTitle(bench, name);
  return h("div", { class: "choice" }, h("label", { htmlFor: id }, label), select);
}
