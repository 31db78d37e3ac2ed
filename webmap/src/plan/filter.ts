/** Conditions on the attributes of records: chosen values with their counts, ranges, beginnings, or CQL2 itself. */

import { type Field, type LayerDetail, Refused } from "../city/api.ts";
import { type Facets, facets } from "../city/facets.ts";
import type { App } from "../page/app.ts";
import { type Clause, type Conditions, withClause } from "../page/conditions.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { number } from "../words/format.ts";
import { clausesOf, filterOf } from "./clauses.ts";
import { type How, held } from "./controls.ts";

export type SetFilter = (filter: string | undefined, how?: How) => void;

interface Column {
  name: string;
  title: string;
  kind: Field["kind"];
  book: string | null;
  unit: string | null;
}

/** Columns that every record has, beside the declared ones. */
const COMMON = ["grid_id", "admin_code", "source", "changed_at"] as const;
const KNOWN = new Map<string, Promise<Facets | null>>();

/**
 * `id` begins the ids of its controls; `raw` remembers which filters are edited as text, and which columns have been
 * opened but have no value yet.
 */
export function filterEditor(
  app: App,
  id: string,
  layer: string,
  filter: string | undefined,
  set: SetFilter,
  raw: Set<string>,
): HTMLElement {
  const detail = app.city.known(layer);
  if (detail === undefined) return h("p", { class: "hint" }, app.t("loading"));
  const clauses = clausesOf(filter);
  const asText = clauses === null || raw.has(id);
  const inner = asText
    ? textEditor(app, id, filter, clauses !== null, set, raw)
    : clauseEditors(app, id, detail, clauses, set, raw);
  return h("div", { class: "clauses" }, ...inner);
}

function textEditor(
  app: App,
  id: string,
  filter: string | undefined,
  simple: boolean,
  set: SetFilter,
  raw: Set<string>,
): HTMLElement[] {
  const input = h("textarea", { id: `${id}-cql2`, class: "code", rows: 3, spellcheck: false, value: filter ?? "" });
  input.oninput = () => set(input.value.trim() === "" ? undefined : input.value.trim(), "value");
  const back = h("button", { type: "button", class: "plain" }, app.t("planFold"));
  back.onclick = () => {
    raw.delete(id);
    set(input.value.trim() === "" ? undefined : input.value.trim(), "form");
  };
  const hint = app.t(simple ? "planRawHint" : "planRawOnly");
  return [
    h("label", { class: "field" }, h("span", { class: "field-name" }, "CQL2"), input),
    h("p", { class: "hint" }, hint),
    ...(simple ? [back] : []),
  ];
}

function clauseEditors(
  app: App,
  id: string,
  detail: LayerDetail,
  clauses: Conditions,
  set: SetFilter,
  raw: Set<string>,
): HTMLElement[] {
  const columns = columnsOf(app, detail);
  const opened = columns.filter(({ name }) => raw.has(`${id} ${name}`) && !(name in clauses));
  const empty = Object.fromEntries(opened.map(({ name }) => [name, { in: [] }] as const));
  const shown: Conditions = { ...clauses, ...empty };
  const all = held<Conditions>(shown, (next, how) => {
    for (const { name } of columns) {
      if (name in next) raw.add(`${id} ${name}`);
      else raw.delete(`${id} ${name}`);
    }
    set(filterOf(next), how);
  });
  const put = (column: string, clause: Clause | null, how: How) => all.put(withClause(all.now(), column, clause), how);
  const rows = Object.entries(shown).map(([name, clause]) => {
    const column = columns.find((each) => each.name === name) ?? {
      name,
      title: name,
      kind: "text" as const,
      book: null,
      unit: null,
    };
    const remove = iconButton("close", app.t("planRemove", { name: column.title }), () => put(name, null, "form"));
    const body = clauseEditor(app, `${id}-${name}`, detail, column, clause, (next, how) => put(name, next, how));
    return h("fieldset", { class: "clause" }, h("legend", {}, column.title), body, remove);
  });
  const free = columns.filter(({ name }) => !(name in shown));
  const add = h(
    "select",
    { id: `${id}-add`, class: "choice add", aria: { label: app.t("planAddClause") } },
    h("option", { value: "", selected: true }, app.t("planAddClause")),
    ...free.map(({ name, title }) => h("option", { value: name }, title)),
    h("option", { value: "\u0000raw" }, app.t("planRaw")),
  );
  add.onchange = () => {
    if (add.value === "\u0000raw") {
      raw.add(id);
      set(filterOf(all.now()), "form");
      return;
    }
    const column = free.find(({ name }) => name === add.value);
    if (column) put(column.name, emptyClause(column), "form");
  };
  return [...rows, add];
}

const isRange = (kind: Field["kind"]): boolean => ["integer", "number", "date", "time"].includes(kind);
// A range open on both sides would be no clause at all, and vanish from the form.
const emptyClause = ({ kind }: Column): Clause =>
  isRange(kind) ? { from: kind === "date" || kind === "time" ? "2000-01-01" : "0" } : { in: [] };

function columnsOf(app: App, detail: LayerDetail): Column[] {
  const filtered = detail.fields.filter(
    (field) => (field as Field & { filter?: boolean }).filter || field.name === detail.label,
  );
  const declared = filtered.map(({ name, title, kind, unit, book }) => ({
    name,
    title: app.title(title),
    kind,
    unit,
    book,
  }));
  const title = {
    grid_id: app.t("grid"),
    admin_code: app.t("county"),
    source: app.t("source"),
    changed_at: app.t("changed"),
  };
  const common = COMMON.map((name) => ({
    name,
    title: title[name],
    kind: name === "changed_at" ? ("time" as const) : ("text" as const),
    unit: null,
    book: null,
  }));
  return [...declared, ...common];
}

function clauseEditor(
  app: App,
  id: string,
  detail: LayerDetail,
  column: Column,
  clause: Clause,
  set: (clause: Clause, how: How) => void,
): HTMLElement {
  if ("starts" in clause) return startsEditor(app, id, clause.starts, set);
  if ("in" in clause) return valuesEditor(app, id, detail, column, clause.in, set);
  return rangeEditor(app, id, column, clause, set);
}

function startsEditor(app: App, id: string, starts: string, set: (clause: Clause, how: "value") => void): HTMLElement {
  const input = h("input", { id, type: "text", value: starts, maxLength: 60, aria: { label: app.t("planStarts") } });
  input.oninput = () => set(input.value === "" ? { in: [] } : { starts: input.value }, "value");
  return h("span", { class: "range" }, app.t("planStarts"), input);
}

function rangeEditor(
  app: App,
  id: string,
  column: Column,
  clause: { from?: string; to?: string },
  set: (clause: Clause, how: "value") => void,
): HTMLElement {
  const dated = column.kind === "date" || column.kind === "time";
  const next = { ...clause };
  const side = (end: "from" | "to") => {
    const label = app.t(end === "from" ? "planFrom" : "planTo");
    const given = clause[end] ?? "";
    const value = dated ? given.slice(0, 10) : given;
    const input = h("input", { id: `${id}-${end}`, type: dated ? "date" : "number", step: "any", value });
    input.oninput = () => {
      if (input.value === "") delete next[end];
      else next[end] = input.value;
      if (next.from !== undefined || next.to !== undefined) set({ ...next }, "value");
    };
    return h("label", {}, h("span", {}, label), input);
  };
  return h("span", { class: "range" }, side("from"), side("to"), column.unit ? h("small", {}, column.unit) : null);
}

/** Values with how many records have each, as far as the server counts them; a text may also be given by its beginning. */
function valuesEditor(
  app: App,
  id: string,
  detail: LayerDetail,
  column: Column,
  chosen: readonly (string | null)[],
  set: (clause: Clause, how: How) => void,
): HTMLElement {
  const list = h("div", { class: "values", role: "group", aria: { label: column.title } });
  const now = new Set(chosen);
  const show = (found: Option[] | null): void => {
    if (found === null) {
      fill(list, startsEditor(app, id, chosen[0] ?? "", set));
      return;
    }
    const known = new Set(found.map(({ value }) => value));
    const more = [...now].filter((value) => !known.has(value)).map((value) => ({ value, title: value, count: null }));
    // What is chosen comes first, so that a long list need not be searched for it.
    const ordered = [...more, ...found].sort((a, b) => Number(now.has(b.value)) - Number(now.has(a.value)));
    fill(
      list,
      ...ordered.map(({ value, title, count }) => {
        const box = h("input", { type: "checkbox", checked: now.has(value), id: `${id}=${value ?? ""}` });
        box.onchange = () => {
          if (box.checked) now.add(value);
          else now.delete(value);
          set({ in: [...now] }, "value");
        };
        const said = title === null ? app.t("planNoValue") : typeof title === "string" ? title : app.title(title);
        const n = count === null ? null : h("span", { class: "count" }, number(app.store.get().lang, count));
        return h("label", { class: "value" }, box, h("span", { class: "name" }, said), n);
      }),
    );
  };
  options(detail, column)
    .then(show)
    .catch((error: unknown) => fill(list, h("p", { class: "wrong" }, failure(app, error))));
  return list;
}

interface Option {
  value: string | null;
  title: { zh: string; en: string } | string | null;
  count: number | null;
}

/** The values of a column: as the server counts them, else those of its book; null where neither is known. */
async function options(detail: LayerDetail, column: Column): Promise<Option[] | null> {
  const counted = await counts(detail.name);
  const facet = counted?.facets.find((each) => each.column === column.name);
  if (facet) return facet.values.map(({ value, title, count }) => ({ value, title: title ?? value, count }));
  const words = column.book === null ? undefined : detail.books[column.book];
  if (column.kind === "boolean") return ["true", "false"].map((value) => ({ value, title: value, count: null }));
  if (words === undefined) return null;
  return Object.entries(words).map(([value, title]) => ({ value, title, count: null }));
}

function counts(layer: string): Promise<Facets | null> {
  const asked =
    KNOWN.get(layer) ??
    facets(layer, null).catch((error: unknown) => {
      KNOWN.delete(layer);
      if (error instanceof Refused) return null;
      throw error;
    });
  KNOWN.set(layer, asked);
  return asked;
}
