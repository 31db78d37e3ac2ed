/** Conditions on place, one step each: a relation, and to what. */

import * as api from "../city/api.ts";
import * as items from "../city/items.ts";
import { boundsOf } from "../map/geometry.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import type { Word } from "../words/i18n.ts";
import type { Bench } from "./bench.ts";
import { clausesOf } from "./clauses.ts";
import { button, choice, type Held, type How, held, labelled, numeral } from "./controls.ts";
import { filterEditor } from "./filter.ts";
import { isNear, isSight, MOST_CONDITIONS, MOST_METRES, RELATIONS, type Relation, type Where } from "./question.ts";
import { sizeOf } from "./shapes.ts";
import type { Tool } from "./sketch.ts";

const TARGETS = ["drawn", "area", "layer", "result"] as const;
type Target = (typeof TARGETS)[number];
export const AREAS: readonly string[] = ["grid", "duty_grid", "town", "county"];
const WAIT_MS = 200;
/** What a condition with nothing in it yet is meant to be. */
const intended = new WeakMap<Where, Target>();

type SetWhere = (where: readonly Where[], how?: How) => void;

export function whereEditor(
  bench: Bench,
  id: string,
  layer: string | undefined,
  where: readonly Where[],
  set: SetWhere,
  raw: Set<string>,
): HTMLElement {
  const { app } = bench;
  const all = held(where, set);
  const steps = where.map((each, at) => {
    const name = app.t("planCondition", { n: at + 1 });
    const remove = iconButton("close", app.t("planRemove", { name }), () =>
      all.put(all.now().filter((_, i) => i !== at)),
    );
    const one = held(each, (next, how) =>
      all.put(
        all.now().map((old, i) => (i === at ? next : old)),
        how,
      ),
    );
    return h(
      "fieldset",
      { class: "condition" },
      h("legend", {}, name),
      remove,
      ...parts(bench, `${id}-${at}`, layer, one, raw),
    );
  });
  const more = () => all.put([...all.now(), { relation: "within" }]);
  const add = button(app.t("planAddCondition"), more, { class: "outlined", id: `${id}-more` });
  add.disabled = where.length >= MOST_CONDITIONS;
  const none = where.length === 0 ? h("p", { class: "hint" }, app.t("planConditionsNone")) : null;
  return h("div", { class: "conditions" }, ...steps, none, add);
}

function parts(bench: Bench, id: string, layer: string | undefined, one: Held<Where>, raw: Set<string>): HTMLElement[] {
  const { app } = bench;
  const where = one.now();
  const looks = layer !== undefined && seesSomething(bench, layer);
  const possible = RELATIONS.filter((each) => !each.endsWith("sees") || looks || each === where.relation);
  const relation = choice(
    `${id}-relation`,
    possible.map((each) => [each, app.t(`planRel_${each}` as Word)] as const),
    where.relation,
    (next) => one.put(related(one.now(), next)),
  );
  const target = targetOf(where);
  const aims: readonly Target[] = where.relation.endsWith("seen_by") ? ["layer"] : TARGETS;
  const aim = choice(
    `${id}-target`,
    aims.map((each) => [each, app.t(`planTarget_${each}`)] as const),
    target,
    (next) => one.put(aimed(one.now(), next)),
  );
  const found = [labelled(app.t("planRelation"), relation), labelled(app.t("planTarget"), aim)];
  if (isNear(where.relation)) {
    const metres = numeral(`${id}-metres`, where.distance_m, { min: 1, max: MOST_METRES }, (value) => {
      const { distance_m: _, ...rest } = one.now();
      one.put(carried(one.now(), value === undefined ? rest : { ...rest, distance_m: value }), "value");
    });
    found.push(labelled(app.t("planDistance"), metres));
  }
  const inner = {
    drawn: () => shapeEditor(bench, id, where.geometry, (geometry) => one.put({ ...bare(one.now()), geometry })),
    area: () => areaEditor(bench, id, one),
    layer: () => layerEditor(bench, id, one, raw),
    result: () => resultEditor(bench, id, one),
  };
  return [...found, inner[target]()];
}

function seesSomething(bench: Bench, layer: string): boolean {
  const fields = new Set(bench.app.city.known(layer)?.fields.map(({ name }) => name));
  return ["heading_deg", "hfov_deg", "range_m"].every((name) => fields.has(name));
}

// The intention belongs to the value that it was told of, and must follow it.
function carried(from: Where, to: Where): Where {
  const target = intended.get(from);
  if (target !== undefined) intended.set(to, target);
  return to;
}

function targetOf(where: Where): Target {
  if (where.geometry !== undefined) return "drawn";
  if (where.result !== undefined) return "result";
  if (where.layer !== undefined && AREAS.includes(where.layer) && areaId(where) !== null) return "area";
  if (where.layer !== undefined) return "layer";
  return intended.get(where) ?? (where.relation.endsWith("seen_by") ? "layer" : "drawn");
}

/** The id of the one area that a filter names. */
export function areaId(where: Where): string | null {
  const clauses = clausesOf(where.filter);
  const clause = clauses?.id;
  if (clauses === null || clause === undefined || Object.keys(clauses).length !== 1) return null;
  return "in" in clause && clause.in.length === 1 ? (clause.in[0] ?? null) : null;
}

function bare({ relation, distance_m }: Where): Where {
  return distance_m === undefined ? { relation } : { relation, distance_m };
}

function related(where: Where, relation: Relation): Where {
  const { distance_m, ...rest } = where;
  const next: Where = { ...rest, relation, ...(isNear(relation) ? { distance_m: distance_m ?? 300 } : {}) };
  // What is seen by an area or a shape there is not.
  return relation.endsWith("seen_by") && where.layer === undefined ? aimed(next, "layer") : carried(where, next);
}

function aimed(where: Where, target: Target): Where {
  const next = bare(where);
  intended.set(next, target);
  return next;
}

/** A shape that is drawn, with the ways to draw one. */
export function shapeEditor(
  bench: Bench,
  id: string,
  geometry: Where["geometry"],
  set: (geometry: NonNullable<Where["geometry"]>) => void,
): HTMLElement {
  const { app, sketch, cityMap } = bench;
  const drawing = (tool: Tool) => async () => {
    const drawn = await sketch.draw(tool);
    if (drawn !== null) set(drawn);
  };
  const pick = async () => {
    const point = await sketch.pick();
    if (point !== null) set({ type: "Point", coordinates: point });
  };
  const show = () => {
    if (geometry === undefined) return;
    const [west, south, east, north] = boundsOf(geometry);
    cityMap.goTo({ lon: west, lat: south, bounds: [west, south, east, north] });
  };
  const what = geometry === undefined ? app.t("planDrawnNone") : app.t("planDrawn", { what: sizeOf(geometry) });
  return h(
    "div",
    { class: "shape" },
    h("p", { class: "hint" }, what),
    h(
      "div",
      { class: "tools" },
      button(app.t("planDrawPolygon"), () => void drawing("polygon")(), { class: "outlined", id: `${id}-polygon` }),
      button(app.t("planDrawCircle"), () => void drawing("circle")(), { class: "outlined", id: `${id}-circle` }),
      button(app.t("planDrawLine"), () => void drawing("linestring")(), { class: "outlined", id: `${id}-line` }),
      button(app.t("planDrawPoint"), () => void pick(), { class: "outlined", id: `${id}-point` }),
      button(app.t("planDrawView"), () => set(sketch.view()), { class: "outlined", id: `${id}-view` }),
      geometry === undefined ? null : button(app.t("planShow"), show, { class: "outlined", id: `${id}-show` }),
    ),
  );
}

function areaEditor(bench: Bench, id: string, one: Held<Where>): HTMLElement {
  const { app, names } = bench;
  const where = one.now();
  const chosen = areaId(where);
  const now = h("p", { class: "chosen-area" });
  if (chosen !== null && where.layer !== undefined)
    void named(bench, where.layer, chosen).then((name) => fill(now, name));
  const hits = h("ul", { class: "hits-list" });
  const input = h("input", { id: `${id}-search`, type: "search", autocomplete: "off", maxLength: 60 });
  let timer = 0;
  let asking = new AbortController();
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const q = input.value.trim();
    if (q === "") return fill(hits);
    try {
      const { results } = await api.search(q, app.store.get().lang, asking.signal);
      const areas = results.filter((hit) => hit.id !== null && AREAS.includes(hit.layer ?? "")).slice(0, 8);
      fill(
        hits,
        ...areas.map((hit) => {
          const layer = hit.layer ?? "";
          const choose = () => {
            names.set(`${layer}/${hit.id}`, hit.label);
            one.put({ ...bare(one.now()), layer, filter: `id = '${(hit.id ?? "").replaceAll("'", "''")}'` });
            bench.cityMap.goTo(hit);
          };
          const title = app.city.layer(layer);
          return h(
            "li",
            {},
            button(
              [hit.label, hit.detail, title ? app.title(title.title) : layer].filter(Boolean).join(" · "),
              choose,
              {
                class: "hit-button",
              },
            ),
          );
        }),
        areas.length === 0 && h("li", { class: "hint" }, app.t("planAreaNone", { q })),
      );
    } catch (error) {
      if (!asking.signal.aborted) fill(hits, h("li", { class: "hint" }, failure(app, error)));
    }
  };
  input.oninput = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), WAIT_MS);
  };
  return h("div", { class: "area" }, chosen === null ? null : now, labelled(app.t("planAreaSearch"), input), hits);
}

async function named(bench: Bench, layer: string, id: string): Promise<string> {
  const key = `${layer}/${id}`;
  const known = bench.names.get(key);
  if (known !== undefined) return known;
  try {
    const { properties } = (await items.read(layer, id)).record;
    const label = bench.app.city.layer(layer)?.label ?? "name";
    const name = String(properties[label] ?? id);
    bench.names.set(key, name);
    return name;
  } catch {
    return id; // an area that is no more: its id says which one was meant
  }
}

function layerEditor(bench: Bench, id: string, one: Held<Where>, raw: Set<string>): HTMLElement {
  const { app } = bench;
  const where = one.now();
  const possible = app.city.layers.filter(
    ({ name }) => !where.relation.endsWith("seen_by") || !isSight(where.relation) || seesSomething(bench, name),
  );
  const layers = choice(
    `${id}-layer`,
    possible.map(({ name, title }) => [name, app.title(title)] as const),
    where.layer,
    (layer) => one.put({ ...bare(one.now()), layer }),
    app.t("planChoose"),
  );
  const refilter = (filter: string | undefined, how?: How) => {
    const { filter: _, ...rest } = one.now();
    one.put(filter === undefined ? carried(one.now(), rest) : { ...rest, filter }, how);
  };
  return h(
    "div",
    { class: "of-layer" },
    labelled(app.t("planLayer"), layers),
    where.layer === undefined ? null : filterEditor(app, id, where.layer, where.filter, refilter, raw),
  );
}

function resultEditor(bench: Bench, id: string, one: Held<Where>): HTMLElement {
  const { app, earlier } = bench;
  const where = one.now();
  if (earlier.length === 0 && where.result === undefined) return h("p", { class: "hint" }, app.t("planResultNone"));
  const known = earlier.map((each) => [each.id, each.title] as const);
  const lost = where.result !== undefined && !earlier.some((each) => each.id === where.result);
  const results = choice(
    `${id}-result`,
    lost ? [...known, [where.result ?? "", where.result ?? ""] as const] : known,
    where.result,
    (result) => one.put({ ...bare(one.now()), result }),
    app.t("planChoose"),
  );
  return labelled(app.t("planTarget_result"), results);
}
