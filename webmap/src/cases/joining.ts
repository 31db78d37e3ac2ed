/** "Add a phone": the code that a grid worker's camera reads, its address, and what is wrong with it. */
import { JOINING_CODE, joining } from "../city/joining.ts";
import { copyButton } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import type { Bench } from "./bench.ts";

export function addPhone(bench: Bench): void {
  const { app } = bench;
  if (document.querySelector("dialog.joining")) return;
  const told = h("div", { class: "joining-told" });
  const dialog = h(
    "dialog",
    { class: "joining", aria: { labelledby: "joining-title" } },
    h("h2", { id: "joining-title" }, app.t("joinTitle")),
    h("p", { class: "hint" }, app.t("joinHow")),
    told,
    h(
      "footer",
      {},
      h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, app.t("caseClose")),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  joining().then(
    ({ address, secure, reachable }) => {
      const code = h("img", { src: JOINING_CODE, alt: app.t("joinCode", { address }), width: 240, height: 240 });
      const wrong = [!reachable && app.t("joinUnreachable"), !secure && app.t("joinInsecure")];
      fill(
        told,
        ...wrong.map((text) => text && h("p", { class: "conflict", role: "note" }, text)),
        reachable && code,
        h("p", { class: "address" }, h("code", {}, address), copyButton(app, address)),
      );
    },
    (error: unknown) => fill(told, h("p", { class: "wrong", role: "alert" }, why(app, error))),
  );
}
