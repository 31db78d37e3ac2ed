/** The card's questions and its answers: a dialog to decide in, and a line that tells what was done, with the way back. */
import type { App } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";

const TOLD_MS = 20_000;

/** Show a dialog; it is gone from the page once it is closed. */
export function dialogOf(app: App, title: string, ...children: (Node | string | null)[]): HTMLDialogElement {
  const id = "card-dialog-title";
  const dialog = h("dialog", { class: "card-dialog", aria: { labelledby: id } }, h("h2", { id }, title), ...children);
  dialog.append(iconButton("close", app.t("close"), () => dialog.close()));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask before something is done; `yes` names it, and `grave` marks what loses something. */
export function confirm(
  app: App,
  {
    title,
    text,
    yes,
    no = app.t("cancel"),
    grave = false,
  }: { title: string; text: string; yes: string; no?: string; grave?: boolean },
): Promise<boolean> {
  return new Promise((settle) => {
    // Settled by the click itself: the dialog's event comes later, perhaps after the next key.
    const answer = (sure: boolean) => () => {
      settle(sure);
      dialog.close();
    };
    const agree = h("button", { type: "button", class: grave ? "grave" : "primary", onclick: answer(true) }, yes);
    const stay = h("button", { type: "button", onclick: answer(false) }, no);
    const dialog = dialogOf(app, title, h("p", {}, text), h("footer", {}, stay, agree));
    dialog.addEventListener("close", () => settle(false));
    stay.focus();
  });
}

/** Tell what was done, with a button that undoes it, for some time and as long as someone is at it. */
export function tell(app: App, text: string, undo?: () => void): void {
  document.querySelector(".toast")?.remove();
  const line = h("p", { role: "status" });
  const toast = h("div", { class: "toast" }, line);
  const away = () => toast.remove();
  if (undo) {
    const button = h("button", { type: "button", class: "undo" }, app.t("undo"));
    button.onclick = () => {
      away();
      undo();
    };
    toast.append(button);
  }
  toast.append(iconButton("close", app.t("close"), away));
  document.body.append(toast);
  // Said once it is on the page: screen readers tell what changes in a status, not what it comes with.
  requestAnimationFrame(() => fill(line, text));
  let due = setTimeout(away, TOLD_MS);
  const wait = () => clearTimeout(due);
  const go = () => {
    wait();
    due = setTimeout(away, TOLD_MS);
  };
  for (const come of ["pointerenter", "focusin"]) toast.addEventListener(come, wait);
  for (const leave of ["pointerleave", "focusout"]) toast.addEventListener(leave, go);
}
