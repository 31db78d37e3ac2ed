/** The keys of the desk, shown. */
import { h } from "../page/dom.ts";
import { type Bench, stepWord } from "./bench.ts";
import { CALL_KEYS, HELP, STEP_KEYS } from "./keys.ts";

export function showKeys(bench: Bench): void {
  const { app } = bench;
  if (document.querySelector("dialog.keys-help")) return;
  const line = (keys: readonly string[], words: string): HTMLElement[] => [
    h("dt", {}, ...keys.map((key) => h("kbd", {}, key))),
    h("dd", {}, words),
  ];
  const steps = Object.entries(STEP_KEYS).map(([step, key]) => line([key.toUpperCase()], stepWord(bench, step)));
  const dialog = h(
    "dialog",
    { class: "keys-help", aria: { labelledby: "keys-title" } },
    h("h2", { id: "keys-title" }, app.t("caseKeys")),
    h(
      "div",
      { class: "columns" },
      h("dl", {}, ...HELP.flatMap(({ keys, word }) => line(keys, app.t(word)))),
      h("dl", {}, ...steps.flat()),
      h("h3", {}, app.t("caseTab_callbacks")),
      h("dl", { class: "call-keys" }, ...CALL_KEYS.flatMap(({ keys, word }) => line(keys, app.t(word)))),
    ),
    h(
      "footer",
      {},
      h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, app.t("caseClose")),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}
