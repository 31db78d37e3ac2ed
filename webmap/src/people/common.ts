/** What the parts of the page share: who looks, how something is done and said, and small pieces of which views are made. */
import { Refused } from "../city/api.ts";
import { may } from "../city/session.ts";
import type { App } from "../page/app.ts";
import { copyButton } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";

export interface Desk {
  app: App;
  /** Whether whoever looks has a right. */
  has(right: string): boolean;
  /** Say at the top what went wrong, or nothing any more. */
  complain(text: string | null): void;
  /** Ends when another part is opened. */
  over: AbortSignal;
}

export const deskOf = (app: App, complain: Desk["complain"], over: AbortSignal): Desk => ({
  app,
  complain,
  over,
  has: (right) => may(app.city.who, right),
});

/** Do something; what goes wrong is said at the top. */
export async function attempt(desk: Desk, work: () => Promise<unknown>): Promise<void> {
  try {
    desk.complain(null);
    await work();
  } catch (error) {
    if (desk.over.aborted || (error instanceof DOMException && error.name === "AbortError")) return;
    desk.complain(why(desk.app, error));
    if (!(error instanceof Error)) throw error;
  }
}

export const button = (text: string, onclick: () => void, className = "outlined"): HTMLButtonElement =>
  h("button", { type: "button", class: className, onclick }, text);

export const hint = (text: string): HTMLElement => h("p", { class: "hint" }, text);

export const cell = (...parts: (Node | string)[]): HTMLElement => h("td", {}, ...parts);

/** A table that scrolls by itself where it is too wide. */
export function table(label: string, headings: readonly (string | Node)[], rows: readonly HTMLElement[]): HTMLElement {
  const head = h("tr", {}, ...headings.map((text) => h("th", { scope: "col" }, text)));
  const grid = h("table", { aria: { label } }, h("thead", {}, head), h("tbody", {}, ...rows));
  return h("div", { class: "scroll", tabIndex: 0, role: "region", aria: { label } }, grid);
}

export const at = (app: App, text: string | null, without: Word = "peopleNever"): string =>
  text === null ? app.t(without) : moment(app.store.get().lang, text);

/** A part of a scope in words: names where they are known, else codes. */
export function scoped(app: App, part: readonly string[] | null, names: ReadonlyMap<string, string>): string {
  if (part === null) return app.t("peopleAll");
  const told = part.slice(0, 4).map((code) => names.get(code) ?? code);
  const more = part.length > told.length ? ` +${part.length - told.length}` : "";
  return told.join(app.t("peopleAnd")) + more || app.t("peopleNone");
}

/** A field with its label above. */
export function labelled(text: string, field: HTMLElement, below = ""): HTMLElement {
  return h("label", { class: "field" }, h("span", {}, text), field, below && h("small", { class: "hint" }, below));
}

/** Something that is asked first, in a dialog; `yes` is what the button says. */
export function sure(desk: Desk, text: string, yes: string, act: () => Promise<unknown>): void {
  const dialog = opened([h("p", {}, text)]);
  const go = button(yes, () => void attempt(desk, act).finally(() => dialog.close()), "primary");
  dialog.append(
    h(
      "footer",
      {},
      button(desk.app.t("peopleCancel"), () => dialog.close()),
      go,
    ),
  );
  go.focus();
}

/** A dialog with a form; it stays open, and says why, when what it asks for is refused. */
export function ask(app: App, title: string, parts: readonly Node[], yes: string, act: () => Promise<unknown>): void {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const send = h("button", { type: "submit", class: "primary" }, yes);
  const onsubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    send.disabled = true;
    wrong.textContent = "";
    act()
      .then(() => dialog.close())
      .catch((error: unknown) => {
        wrong.textContent = why(app, error);
      })
      .finally(() => {
        send.disabled = false;
      });
  };
  const back = button(app.t("peopleCancel"), () => dialog.close());
  const dialog = opened([h("h2", {}, title), h("form", { onsubmit }, ...parts, wrong, h("footer", {}, back, send))]);
  dialog.querySelector("input")?.focus();
}

/** What is told only this once, with a way to copy it. */
export function toldOnce(app: App, title: string, secret: string, ...lines: readonly string[]): void {
  const code = h("p", { class: "secret" }, h("code", {}, secret), copyButton(app, secret));
  const dialog = opened([h("h2", {}, title), code, ...lines.map(hint)]);
  dialog.append(
    h(
      "footer",
      {},
      button(app.t("peopleKept"), () => dialog.close(), "primary"),
    ),
  );
  // Whoever presses Escape by mistake would have lost it.
  dialog.oncancel = (event) => event.preventDefault();
}

function opened(parts: readonly Node[]): HTMLDialogElement {
  const dialog = h("dialog", { class: "people" }, ...parts);
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** The lines of a table that were refused, each with its reason. */
export function refusedLines(app: App, error: unknown): HTMLElement | null {
  if (!(error instanceof Refused) || error.told.lines === undefined) return null;
  const { lines } = error.told;
  const rows = lines.map(({ line, login, cause, facts }) =>
    h("tr", {}, cell(String(line)), cell(login), cell(why(app, new Refused(422, cause, { cause, facts })))),
  );
  const headings = [app.t("peopleLine"), app.t("peopleLogin"), app.t("peopleReason")];
  const count = Number(error.told.facts?.count ?? lines.length);
  return h(
    "div",
    { class: "refused" },
    table(app.t("peopleReason"), headings, rows),
    count > lines.length && hint(app.t("peopleLinesMore", { n: lines.length })),
  );
}

/** Put something into an element while it is fetched, and what came then. */
export async function come(desk: Desk, element: HTMLElement, work: () => Promise<readonly Node[]>): Promise<void> {
  await attempt(desk, async () => {
    const parts = await work();
    if (!desk.over.aborted) fill(element, ...parts);
  });
}
