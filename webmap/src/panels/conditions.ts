/** Conditions in words: what the records of a layer must meet, each with a way to take it off. */
import type * as api from "../city/api.ts";
import { read } from "../city/items.ts";
import type { App } from "../page/app.ts";
import { type Clause, withClause } from "../page/conditions.ts";
import { h, icon } from "../page/dom.ts";
import { day, inWords, moment } from "../words/format.ts";

/** Columns that every layer has and no field describes. */
const COMMON = { grid_id: "grid", admin_code: "where", source: "source", changed_at: "changed" } as const;

const VALUES_TOLD = 2;

/** One button for each condition of a layer; a click takes it off. */
export function conditionChips(app: App, layer: api.LayerDetail): HTMLElement[] {
  const { conditions } = app.store.get();
  return Object.entries(conditions[layer.name] ?? {}).map(([column, clause]) => {
    const text = h("span", { class: "name" });
    const button = h(
      "button",
      { type: "button", class: "condition", data: { key: `chip-${column}` } },
      text,
      icon("close"),
    );
    const say = (values: string) => {
      text.textContent = app.t("condition", { column: columnTitle(app, layer, column), values });
      button.setAttribute("aria-label", app.t("removeCondition", { what: text.textContent }));
    };
    button.onclick = () => {
      const now = app.store.get().conditions;
      app.store.set({ conditions: { ...now, [layer.name]: withClause(now[layer.name], column, null) } });
    };
    say(clauseWords(app, layer, column, clause));
    const place = placeOf(column, clause);
    if (place !== null) void nameOf(app, place.layer, place.id).then((name) => name !== null && say(name));
    return button;
  });
}

export function columnTitle(app: App, layer: api.LayerDetail, column: string): string {
  const field = layer.fields.find(({ name }) => name === column);
  if (field) return app.title(field.title);
  return column in COMMON ? app.t(COMMON[column as keyof typeof COMMON]) : column;
}

function clauseWords(app: App, layer: api.LayerDetail, column: string, clause: Clause): string {
  if ("starts" in clause) return app.t("starting", { value: clause.starts });
  const { lang } = app.store.get();
  if ("in" in clause) {
    const words = clause.in.map((value) => (value === null ? app.t("noValue") : inWords(lang, layer, column, value)));
    const told = words.slice(0, VALUES_TOLD).join(app.t("listComma"));
    return words.length <= VALUES_TOLD ? told : app.t("andMore", { values: told, n: words.length });
  }
  const [from, to] = [clause.from, clause.to].map((each) => each && (each.includes("T") ? moment : day)(lang, each));
  if (from === undefined) return app.t("upTo", { to: to ?? "" });
  return to === undefined ? app.t("fromOn", { from }) : app.t("fromTo", { from, to });
}

const COUNTY_DIGITS = 6;
const TOWN_DIGITS = 9;

/** The area that a condition names by its code. */
function placeOf(column: string, clause: Clause): { layer: string; id: string } | null {
  const id = "starts" in clause ? clause.starts : "in" in clause && clause.in.length === 1 ? clause.in[0] : null;
  if (id == null) return null;
  if (column === "grid_id") return { layer: "grid", id };
  if (column !== "admin_code") return null;
  if (id.length === COUNTY_DIGITS) return { layer: "county", id };
  return id.length === TOWN_DIGITS ? { layer: "town", id } : null;
}

const asked = new Map<string, Promise<api.Properties>>();
const MOST_NAMES = 500;

/** The name of an area in the page's language; null where the page cannot know it. */
async function nameOf(app: App, layer: string, id: string): Promise<string | null> {
  const key = `${layer}/${id}`;
  const answer =
    asked.get(key) ??
    read(layer, id).then(
      ({ record }) => record.properties,
      (): api.Properties => ({}),
    );
  if (asked.size >= MOST_NAMES) asked.clear();
  asked.set(key, answer);
  const { name, name_en } = await answer;
  const told = (app.store.get().lang === "en" && name_en) || name;
  return typeof told === "string" ? told : null;
}
