/** What is not done every day: install the page, renew the kept map, sign out and leave nothing behind. */
import { h } from "../page/dom.ts";
import { exercisesDialog } from "../page/exercises.ts";
import { age } from "../words/format.ts";
import type { Offline } from "./offline.ts";
import { type Phone, sure } from "./phone.ts";
import { AREA } from "./rules.ts";

/** The browser's own offer to install the page, as Chromium makes it. */
export interface Installing extends Event {
  prompt(): Promise<unknown>;
}

export function openMenu(phone: Phone, offline: Offline, installing: Installing | null): void {
  const { app, who } = phone;
  const dialog = h("dialog", { class: "menu", aria: { label: app.t("gridMenu") } });
  const close = (): void => dialog.close();
  const chosen = (then: () => void): void => {
    close();
    then();
  };
  const act = (word: string, onclick: () => void): HTMLElement =>
    h("button", { type: "button", class: "outlined wide", onclick: () => chosen(onclick) }, word);
  dialog.append(
    h("h2", {}, app.t("gridSignedInAs", { name: who.name })),
    h("p", { class: "told" }, app.t("gridShiftWhy")),
    h("p", { class: "told" }, keptText(phone, offline)),
    ...(offline.works && offline.area !== null ? [act(app.t("gridKeepAgain"), offline.keepAgain)] : []),
    ...(installing === null ? [] : [act(app.t("gridInstall"), () => void installing.prompt())]),
    act(app.t("exTitle"), () => exercisesDialog(app)),
    act(app.t("signOut"), () => void leave(phone)),
    h("footer", {}, h("button", { type: "button", class: "primary", onclick: close }, app.t("close"))),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

function keptText({ app, lang }: Phone, { works, area, keeping }: Offline): string {
  if (!works) return app.t("gridNoWorker");
  if (keeping) return app.t("gridKeeping");
  if (area?.keptAt == null) return app.t("gridNotKept");
  return app.t("gridKeptAt", { age: age(lang, area.keptAt), n: area.tiles });
}

/** Sign out, and leave nothing of the account on the phone; what waits would be lost, so that is asked first. */
async function leave(phone: Phone): Promise<void> {
  const { app, outbox, shift } = phone;
  const waiting = outbox.box().acts.length;
  const asks = [
    ...(waiting > 0 ? [app.t("gridLeaveWaiting", { n: waiting })] : []),
    ...(navigator.onLine ? [] : [app.t("gridLeaveOffline")]),
  ];
  if (asks.length > 0 && !(await sure(asks.join(" "), app.t("gridLeave"), app.t("gridStay")))) return;
  await shift.end();
  await phone.kept.wipe();
  if ("caches" in globalThis) await caches.delete(AREA);
  await phone.signOut();
}
