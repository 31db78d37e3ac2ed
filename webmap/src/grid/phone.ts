/** What every view of the phone is given. */
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import type { Lang } from "../words/i18n.ts";
import type { Act } from "./acts.ts";
import type { Care } from "./care.ts";
import type { Cases } from "./cases.ts";
import type { Kept } from "./kept.ts";
import type { Done, Outbox } from "./outbox.ts";
import { noteRecent } from "./recent.ts";
import type { Shift } from "./shift.ts";
import type { Who } from "./who.ts";

export interface Phone {
  app: App;
  lang: Lang;
  who: Who;
  kept: Kept;
  outbox: Outbox;
  cases: Cases;
  shift: Shift;
  care: Care;
  /** Whether whoever is signed in has a right. */
  may(right: string): boolean;
  signOut(): Promise<void>;
  /** Say something in passing, where it is seen and read out. */
  say(text: string): void;
}

/** One of the page's views; `show` is told what follows its name in the address. */
export interface View {
  element: HTMLElement;
  show(part: string): void;
  /** Something of what is known changed while the view is open. */
  update(): void;
}

/** Keep what was done, or say that the phone has no room for it; whether it is kept. */
export async function done(phone: Phone, acts: readonly Done[]): Promise<boolean> {
  try {
    await phone.outbox.add(acts);
    for (const act of acts) await noteRecent(phone.kept, act);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    phone.say(phone.app.t("gridFull"));
    return false;
  }
}

/** What of a case waits on this phone. */
export const waitingOf = (phone: Phone, of: string): Act[] => phone.outbox.box().acts.filter((act) => act.of === of);

/** The code of a book of the incident layer in words. */
export function codeWord(phone: Phone, book: string, code: string): string {
  return phone.app.city.known("incident")?.books[book]?.[code]?.[phone.lang] ?? code;
}

/** Ask before what cannot be undone; whether the answer was yes. */
export function sure(text: string, yes: string, no: string): Promise<boolean> {
  return new Promise((settle) => {
    const close = (value: string): void => dialog.close(value);
    const dialog = h(
      "dialog",
      { class: "ask", aria: { label: yes } },
      h("p", {}, text),
      h(
        "footer",
        {},
        h("button", { type: "button", class: "outlined", onclick: () => close("") }, no),
        h("button", { type: "button", class: "primary danger", onclick: () => close("yes") }, yes),
      ),
    );
    dialog.onclose = () => {
      dialog.remove();
      settle(dialog.returnValue === "yes");
    };
    document.body.append(dialog);
    dialog.showModal();
  });
}
