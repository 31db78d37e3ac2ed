/** A form made from a layer's fields: each with the control of its kind, its unit and the reason against its value. */
import type { Field, LayerDetail, Properties } from "../city/api.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { unitWord } from "../words/i18n.ts";
import { reasonAgainst, ruleInWords, textOf, typedValue, type Value } from "./rules.ts";

const LONG_TEXT = 256;

export interface Form {
  element: HTMLElement;
  /** The fields whose values differ from what the form began with, with their values. */
  changed(): Record<string, Value>;
  /** Every field that has a value. */
  filled(): Record<string, Value>;
  /** Begin anew from these values, of what was typed with `kept` only. */
  rebase(base: Properties, kept: Record<string, Value>): void;
  /** What stands in every control, so that the form can be drawn anew. */
  texts(): Record<string, string>;
  /** Show the server's reasons against its fields; returns those that belong to no field of the form. */
  refuse(problems: Record<string, string>): Record<string, string>;
  /** Check every field that changed or is needed, show what is wrong, and say whether nothing is. */
  check(): boolean;
  /** How many fields are shown as wrong. */
  wrong(): number;
  focusFirst(): void;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Line {
  field: Field;
  control: Control;
  element: HTMLElement;
  say(reason: string | null): void;
}

/** `typed` is called whenever a value changes. */
export function formOf(
  app: App,
  layer: LayerDetail,
  {
    fields,
    base,
    texts = {},
    typed,
  }: { fields: readonly Field[]; base: Properties; texts?: Record<string, string>; typed: () => void },
): Form {
  let begun = base;
  const lines = fields.map((field) => lineOf(app, layer, field, texts[field.name] ?? textOf(field, base[field.name])));
  const isChanged = ({ field, control }: Line) => control.value !== textOf(field, begun[field.name]);
  const checkLine = (line: Line): boolean => {
    const value = typedValue(line.field, line.control.value);
    const reason = isChanged(line) || value === null ? reasonAgainst(line.field, value) : null;
    line.say(reason);
    return reason === null;
  };
  for (const line of lines) {
    line.control.addEventListener("input", () => {
      line.say(null);
      typed();
    });
    line.control.addEventListener("change", () => checkLine(line));
  }
  const values = (of: Line[]) =>
    Object.fromEntries(of.map(({ field, control }) => [field.name, typedValue(field, control.value)]));
  const wrongLines = () => lines.filter(({ control }) => control.getAttribute("aria-invalid") === "true");
  return {
    element: h("div", { class: "fields" }, ...lines.map(({ element }) => element)),
    changed: () => values(lines.filter(isChanged)),
    filled: () => values(lines.filter(({ control }) => control.value.trim() !== "")),
    rebase(next, kept) {
      begun = next;
      for (const line of lines) {
        const { name } = line.field;
        line.control.value = textOf(line.field, name in kept ? kept[name] : next[name]);
        line.say(null);
      }
    },
    texts: () => Object.fromEntries(lines.map(({ field, control }) => [field.name, control.value])),
    refuse(problems) {
      const rest = { ...problems };
      for (const line of lines) {
        const reason = rest[line.field.name];
        if (reason !== undefined) line.say(reason);
        delete rest[line.field.name];
      }
      wrongLines()[0]?.control.focus();
      return rest;
    },
    check() {
      const good = lines.map(checkLine);
      wrongLines()[0]?.control.focus();
      return good.every(Boolean);
    },
    wrong: () => wrongLines().length,
    focusFirst: () => lines[0]?.control.focus(),
  };
}

function lineOf(app: App, layer: LayerDetail, field: Field, text: string): Line {
  const id = `field-${field.name}`;
  const control = controlOf(app, layer, field);
  control.id = id;
  control.value = text;
  control.setAttribute("aria-describedby", `${id}-wrong`);
  if (field.required) control.setAttribute("aria-required", "true");
  const wrong = h("p", { class: "wrong", id: `${id}-wrong` });
  const unit = field.unit === null ? "" : unitWord(app.store.get().lang, field.unit);
  const element = h(
    "div",
    { class: "field" },
    h(
      "label",
      { htmlFor: id },
      app.title(field.title),
      unit && h("span", { class: "unit" }, ` (${unit})`),
      field.required && h("span", { class: "needed", title: app.t("needed"), aria: { hidden: "true" } }, " *"),
    ),
    control,
    wrong,
  );
  const say = (reason: string | null) => {
    control.setAttribute("aria-invalid", String(reason !== null));
    fill(wrong, reason === null ? null : ruleInWords(app, reason));
  };
  return { field, control, element, say };
}

function controlOf(app: App, layer: LayerDetail, field: Field): Control {
  if (field.kind === "boolean") {
    const choices = [["true", app.t("yes")] as const, ["false", app.t("no")] as const];
    return h("select", {}, emptyOption(app, field), ...choices.map(([value, name]) => h("option", { value }, name)));
  }
  if (field.kind === "code" && field.book !== null) return codeSelect(app, layer, field, field.book);
  if (field.kind === "date") return h("input", { type: "date", min: "1900-01-01", max: "9999-12-31" });
  if (field.kind === "time") return h("input", { type: "datetime-local" });
  if (field.kind === "integer" || field.kind === "number") {
    const inputMode = field.kind === "integer" && (field.minimum ?? -1) >= 0 ? "numeric" : "decimal";
    return h("input", { type: "text", inputMode, autocomplete: "off" });
  }
  if (field.maxLength > LONG_TEXT) return h("textarea", { rows: 3, maxLength: field.maxLength });
  return h("input", { type: "text", maxLength: field.maxLength, autocomplete: "off" });
}

function emptyOption(app: App, field: Field): HTMLElement {
  return h("option", { value: "" }, field.required ? "" : app.t("none"));
}

/** Codes by their words; where a book holds several standards, under the name of each. */
function codeSelect(app: App, layer: LayerDetail, field: Field, book: string): HTMLSelectElement {
  const { lang } = app.store.get();
  const words = layer.books[book] ?? {};
  const option = (code: string) => h("option", { value: code }, `${words[code]?.[lang] ?? code}`);
  const byStandard = Object.entries(layer.standards[book] ?? {});
  const coded = (code: string) => h("option", { value: code }, `${words[code]?.[lang] ?? code} ${code}`);
  const groups = byStandard
    .sort(([a], [b]) => b.localeCompare(a))
    .map(([standard, codes]) => h("optgroup", { label: standard }, ...[...codes].sort().map(coded)));
  const placed = new Set(byStandard.flatMap(([, codes]) => codes));
  const others = Object.keys(words)
    .filter((code) => !placed.has(code))
    .map(option);
  return h("select", {}, emptyOption(app, field), ...others, ...groups);
}
