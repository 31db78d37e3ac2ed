/** Cases as files: the queue that is shown goes out, lines of another system come in, each refused one with its reason. */
import { type Brought, bring, FORMATS, filePath, type Lines } from "../city/exchange.ts";
import { download } from "../city/records.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { number } from "../words/format.ts";
import { type Bench, button } from "./bench.ts";
import { asked } from "./place.ts";

const LINES: readonly Lines[] = ["cases", "steps"];

/** Open the dialog; `brought` is called when lines were taken. */
export function exchangeDialog(bench: Bench, brought: () => void): void {
  const { app } = bench;
  if (document.querySelector("dialog.exchange")) return;
  const told = h("div", { class: "exchange-told", role: "status" });
  const dialog = h(
    "dialog",
    { class: "exchange", aria: { labelledby: "exchange-title" } },
    h("h2", { id: "exchange-title" }, app.t("exchangeTitle")),
    ...outgoing(bench, told),
    ...incoming(bench, told, brought),
    told,
    h(
      "footer",
      {},
      button(app.t("caseClose"), () => dialog.close(), "primary"),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

function outgoing(bench: Bench, told: HTMLElement): HTMLElement[] {
  const { app } = bench;
  const row = (lines: Lines): HTMLElement => {
    // Steps have no place of their own.
    const formats = FORMATS.filter((format) => lines === "cases" || format !== "geojson");
    const buttons = formats.map((format) =>
      button(app.t(`format_${format}`), () => {
        const path = filePath(asked(bench.place()), format, lines);
        void trying(bench, told, () => download(path, `${lines}.${format}`));
      }),
    );
    return h("p", { class: "formats", data: { lines } }, h("b", {}, app.t(`exchange_${lines}`)), ...buttons);
  };
  return [h("h3", {}, app.t("exchangeOut")), h("p", { class: "hint" }, app.t("exchangeOutHow")), ...LINES.map(row)];
}

function incoming(bench: Bench, told: HTMLElement, brought: () => void): HTMLElement[] {
  const { app } = bench;
  const system = h("input", {
    id: "exchange-system",
    maxLength: 40,
    autocomplete: "off",
    placeholder: app.t("exchangeSystemHow"),
  });
  const name = h("span", { class: "name" });
  const file = h("input", {
    type: "file",
    id: "exchange-file",
    class: "hidden-text",
    accept: ".csv,.txt,.xlsx,text/csv",
  });
  file.onchange = () => {
    name.textContent = file.files?.[0]?.name ?? "";
  };
  const send = h("button", { type: "submit", class: "outlined" }, app.t("exchangeSend"));
  const form = h(
    "form",
    { noValidate: true },
    h("label", { htmlFor: "exchange-system" }, app.t("exchangeSystem")),
    system,
    h(
      "div",
      { class: "file" },
      h("label", { htmlFor: "exchange-file", class: "outlined" }, app.t("exchangeFile")),
      file,
      name,
    ),
    send,
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const [chosen] = file.files ?? [];
    if (system.value.trim() === "" || chosen === undefined) {
      fill(told, h("p", { class: "wrong" }, app.t("exchangeNeeds")));
      return;
    }
    send.disabled = true;
    fill(told, app.t("exchangeSending"));
    void trying(bench, told, async () => {
      const done = await bring(chosen, system.value.trim());
      fill(told, ...outcome(bench, done));
      if (done.taken > 0) brought();
    }).finally(() => {
      send.disabled = false;
    });
  };
  return [h("h3", {}, app.t("exchangeIn")), h("p", { class: "hint" }, app.t("exchangeInHow")), form];
}

function outcome({ app }: Bench, { lines, taken, known, refused }: Brought): HTMLElement[] {
  const { lang } = app.store.get();
  const counts = { lines, taken, known, refused: refused.length };
  const shown = Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, number(lang, n)]));
  const items = refused.map((one) =>
    h(
      "li",
      {},
      h("b", {}, app.t("exchangeRow", { row: one.row })),
      ` ${[one.number, one.step, one.fields.join(", ")].filter(Boolean).join(" · ")} `,
      h("span", {}, app.title(one.why)),
    ),
  );
  return [h("p", {}, app.t("exchangeDone", shown)), h("ul", { class: "refused" }, ...items)];
}

async function trying({ app }: Bench, told: HTMLElement, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    fill(told, h("p", { class: "wrong", role: "alert" }, why(app, error)));
  }
}
