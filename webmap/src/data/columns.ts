/** What each column means: as it was guessed, and to be changed; values that all rows share. */
import type { Column, IntoField, Meanings } from "../city/intake.ts";
import { fill, h } from "../page/dom.ts";
import type { Word } from "../words/i18n.ts";
import { codesOf } from "./codes.ts";
import { action, attempt, cell, table } from "./desk.ts";
import { CLUES, lacking, type Meaning, meaningOf, ROLES, type Role, withMeaning } from "./draft.ts";
import type { Bench } from "./upload.ts";

export function columnsPart(bench: Bench): HTMLElement | null {
  const { app, report } = bench;
  const { columns, into } = report;
  if (columns === undefined || into === undefined || report.meanings === undefined) return null;
  const body = h("div", {});
  const draw = (): void => {
    const meanings = bench.choices().meanings ?? (report.meanings as Meanings);
    const rows = columns.map((column) => row(bench, column, meanings, draw));
    const headings = ["dataColumn", "dataSamples", "dataMeaning"] as const;
    fill(
      body,
      table(
        app.t("dataColumns"),
        headings.map((each) => app.t(each)),
        rows,
      ),
    );
  };
  draw();
  return h("section", {}, h("h3", {}, app.t("dataColumns")), body, constantsPart(bench));
}

function row(bench: Bench, column: Column, meanings: Meanings, redraw: () => void): HTMLElement {
  const { app, report } = bench;
  const now = meaningOf(meanings, column.header);
  const value = now === null ? "" : "role" in now ? `role ${now.role}` : `field ${now.field}`;
  const option = (key: string, text: string) => h("option", { value: key, selected: key === value }, text);
  const roles = ROLES.filter(
    (role) => report.shapes !== true || role === "id" || (CLUES as readonly string[]).includes(role),
  );
  const select = h(
    "select",
    { aria: { label: app.t("dataMeaningOf", { column: column.header }) } },
    option("", app.t("dataKeptOnly")),
    h("optgroup", { label: app.t("dataWhere") }, ...roles.map((role) => option(`role ${role}`, app.t(roleWord(role))))),
    h(
      "optgroup",
      { label: app.t("dataFields") },
      ...(report.into?.fields ?? []).map((field) => option(`field ${field.name}`, app.title(field.title))),
    ),
  );
  select.onchange = () => {
    const [kind, name = ""] = select.value.split(" ");
    const meaning: Meaning = kind === "role" ? { role: name as Role } : kind === "field" ? { field: name } : null;
    bench.change({ meanings: withMeaning(meanings, column.header, meaning) });
    redraw();
  };
  const unsure = column.alike && now !== null && "field" in now && now.field === column.field;
  return h(
    "tr",
    { class: now === null ? "unused" : "" },
    h("th", { scope: "row" }, column.header),
    cell(column.samples.join(" · "), "samples"),
    h("td", {}, select, unsure && h("span", { class: "hint" }, app.t("dataAlike"))),
  );
}

const roleWord = (role: Role): Word => `dataRole_${role}`;

/** Fields with one value for all rows: those that are lacking stand here by themselves. */
function constantsPart(bench: Bench): HTMLElement {
  const { app, report } = bench;
  const element = h("div", { class: "constants" });
  const fields = report.into?.fields ?? [];
  const draw = (): void => {
    const { constants } = bench.choices();
    const missing = lacking(report);
    const here = fields.filter(({ name }) => name in constants || missing.includes(name));
    const others = fields.filter((field) => !here.includes(field));
    const add = h(
      "select",
      { aria: { label: app.t("dataAddConstant") } },
      h("option", { value: "" }, app.t("dataAddConstant")),
      ...others.map(({ name, title }) => h("option", { value: name }, app.title(title))),
    );
    add.onchange = () => {
      const field = fields.find(({ name }) => name === add.value);
      if (field) add.before(constant(bench, field, draw));
    };
    fill(element, h("h3", {}, app.t("dataConstants")), ...here.map((field) => constant(bench, field, draw)), add);
  };
  draw();
  return element;
}

function constant(bench: Bench, { name, title, required }: IntoField, redraw: () => void): HTMLElement {
  const { app, report } = bench;
  const list = h("datalist", { id: `codes-${name}` });
  const input = h("input", {
    type: "text",
    value: bench.choices().constants[name] ?? "",
    id: `constant-${name}`,
    autocomplete: "off",
  });
  input.setAttribute("list", list.id);
  void attempt(bench, async () => {
    const codes = await codesOf(app, report, name);
    list.append(...codes.map(({ code, title: text }) => h("option", { value: text, label: code })));
  });
  const set = (value: string): void => {
    const { [name]: _, ...others } = bench.choices().constants;
    bench.change({ constants: value === "" ? others : { ...others, [name]: value } });
  };
  input.onchange = () => set(input.value.trim());
  const remove = action(
    app.t("dataRemove"),
    () => {
      set("");
      redraw();
    },
    "",
  );
  remove.setAttribute("aria-label", `${app.t("dataRemove")} ${app.title(title)}`);
  const label = h(
    "label",
    { htmlFor: input.id },
    app.title(title),
    required && h("span", { class: "hint" }, app.t("dataRequired")),
  );
  return h("div", { class: "constant" }, label, input, list, remove);
}
