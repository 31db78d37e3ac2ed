/** The parts of a scope to choose: no limit, or codes that are added and taken away one by one. */
import { areaNames } from "../city/areas.ts";
import { departments } from "../city/departments.ts";
import type { App } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";

export interface Names {
  areas: ReadonlyMap<string, string>;
  departments: ReadonlyMap<string, string>;
}

export const NO_NAMES: Names = { areas: new Map(), departments: new Map() };

/** The names of areas and departments by their codes. */
export async function namesOf(app: App, signal: AbortSignal): Promise<Names> {
  const layers = app.city.layers.map(({ name }) => name);
  const [areas, told] = await Promise.all([areaNames(layers, signal), departments()]);
  return {
    areas: new Map(areas.map(({ id, name }) => [id, name])),
    departments: new Map(told.departments.map(({ code, title }) => [code, app.title(title)])),
  };
}

interface Asked {
  legend: string;
  add: string;
  /** Codes that are not listed may be typed. */
  typed: string | null;
  names: ReadonlyMap<string, string>;
  value: readonly string[] | null;
}

/** A part of a scope; `value()` is what is chosen now. */
export function choice(app: App, asked: Asked): { element: HTMLElement; value: () => string[] | null } {
  const group = `scope-${asked.add}`;
  const chosen = new Set(asked.value ?? []);
  const radio = (all: boolean): HTMLInputElement =>
    h("input", { type: "radio", name: group, checked: (asked.value === null) === all, onchange: () => draw() });
  const whole = radio(true);
  const some = radio(false);
  const chips = h("ul", { class: "chips" });
  const options = [...asked.names].filter(([code]) => !chosen.has(code));
  const list = h(
    "select",
    { aria: { label: asked.add } },
    h("option", { value: "" }, asked.add),
    ...options.map(([code, name]) => h("option", { value: code }, `${name} ${code}`)),
  );
  list.onchange = () => {
    add(list.value);
    list.value = "";
  };
  const typed = h("input", { type: "text", maxLength: 40, placeholder: asked.typed ?? "", aria: { label: asked.add } });
  typed.onkeydown = (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add(typed.value.trim());
    typed.value = "";
  };
  const add = (code: string): void => {
    if (code !== "") chosen.add(code);
    draw();
  };
  const more = h("div", { class: "more" }, list, asked.typed !== null && typed);
  const draw = (): void => {
    chips.hidden = more.hidden = whole.checked;
    fill(
      chips,
      ...[...chosen].map((code) => {
        const name = asked.names.get(code) ?? code;
        const remove = iconButton("close", app.t("peopleTakeAway", { name }), () => {
          chosen.delete(code);
          draw();
        });
        return h("li", {}, name === code ? code : `${name} ${code}`, remove);
      }),
    );
  };
  draw();
  const element = h(
    "fieldset",
    {},
    h("legend", {}, asked.legend),
    h(
      "div",
      { class: "ways" },
      h("label", {}, whole, app.t("peopleScopeAll")),
      h("label", {}, some, app.t("peopleScopeSome")),
    ),
    chips,
    more,
  );
  return { element, value: () => (whole.checked ? null : [...chosen]) };
}

/** Both parts of a scope. */
export function scopeChoice(
  app: App,
  names: Names,
  given: { areas: readonly string[] | null; departments: readonly string[] | null },
): { elements: HTMLElement[]; value: () => { areas: string[] | null; departments: string[] | null } } {
  const areas = choice(app, {
    legend: app.t("peopleAreas"),
    add: app.t("peopleAddArea"),
    typed: app.t("peopleAddGrid"),
    names: names.areas,
    value: given.areas,
  });
  const departments = choice(app, {
    legend: app.t("peopleDepartments"),
    add: app.t("peopleAddDepartment"),
    typed: null,
    names: names.departments,
    value: given.departments,
  });
  return {
    elements: [areas.element, departments.element],
    value: () => ({ areas: areas.value(), departments: departments.value() }),
  };
}
