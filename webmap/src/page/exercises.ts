/** Exercises in a dialog: those that one may join, and for who may, opening and closing them and reading their record. */

import * as city from "../city/exercises.ts";
import { may } from "../city/session.ts";
import { moment } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import type { App } from "./app.ts";
import { copied } from "./copy.ts";
import { fill, h } from "./dom.ts";
import { ask, go, leave } from "./exercise.ts";
import { figuresTable } from "./exercisefigures.ts";
import { why } from "./why.ts";

export const OPENS = "exercise.open";

interface View {
  app: App;
  wrong: HTMLElement;
  show: (...parts: (Node | false)[]) => void;
  close: () => void;
}

/** Show the exercises that are for whoever is signed in. */
export function exercisesDialog(app: App): void {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const dialog = h("dialog", { class: "exercises", aria: { labelledby: "exercises-title" } });
  dialog.onclose = () => dialog.remove();
  const view: View = {
    app,
    wrong,
    show(...parts) {
      wrong.textContent = "";
      fill(dialog, h("h2", { id: "exercises-title" }, app.t("exTitle")), ...parts);
    },
    close: () => dialog.close(),
  };
  document.body.append(dialog);
  view.show(h("p", { class: "hint" }, app.t("exWhy")));
  dialog.showModal();
  void overview(view);
}

async function overview(view: View): Promise<void> {
  const { app } = view;
  const found = await tried(view, city.exercises());
  if (found === null) return;
  const opens = may(app.city.who, OPENS);
  const shown = found.exercises.filter((one) => one.closedAt === null || one.yours || isHere(app, one));
  view.show(
    h("p", { class: "hint" }, app.t("exWhy")),
    shown.length === 0 && h("p", {}, app.t("exNone")),
    h("ul", {}, ...shown.map((one) => entry(view, one))),
    view.wrong,
    h(
      "footer",
      {},
      button(app.t("close"), view.close),
      opens &&
        app.city.who.exercise === null &&
        h("button", { type: "button", class: "primary", onclick: () => openForm(view) }, app.t("exOpenNew")),
    ),
  );
}

const isHere = (app: App, one: city.Exercise): boolean => app.city.who.exercise?.id === one.id;

function entry(view: View, one: city.Listed): HTMLElement {
  const { app } = view;
  const over = one.closedAt !== null;
  const here = isHere(app, one);
  const { lang } = app.store.get();
  const when = over
    ? app.t("exClosedBy", { at: moment(lang, one.closedAt ?? ""), by: one.closedBy ?? "" })
    : app.t("exOpenedBy", { at: moment(lang, one.openedAt), by: one.openedBy });
  const roles = one.roles.map((role) => titleOf(app, role));
  const facts = [when, one.area ?? "", roles.join(app.t("peopleAnd"))].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: [over ? "over" : "", here ? "here" : ""].join(" "), data: { exercise: one.id } },
    h("b", {}, over ? `${one.title}（${app.t("exOverMark")}）` : one.title),
    here && h("em", {}, ` ${app.t("exHere")}`),
    h("small", {}, facts),
    one.note !== null && h("small", {}, one.note),
    h("div", { class: "pair" }, ...doings(view, one)),
  );
}

function doings(view: View, one: city.Listed): (Node | false)[] {
  const { app } = view;
  const { account } = app.city.who;
  const over = one.closedAt !== null;
  const joins = async (): Promise<void> => {
    const asked = { text: app.t("exJoinSure", { title: one.title }), yes: app.t("exJoin"), no: app.t("exJoinNot") };
    await ask(app, { ...asked, act: () => go(one.id) });
  };
  const closes = async (): Promise<void> => {
    const asked = { text: app.t("exCloseSure", { title: one.title }), yes: app.t("exClose"), no: app.t("cancel") };
    const act = async (): Promise<void> => void (await city.close(one.id));
    if (await ask(app, { ...asked, act })) await overview(view);
  };
  const copy = button(app.t("exLink"), () => void copied(app, copy, `${location.origin}/#exercise=${one.id}`));
  return [
    account !== null && isHere(app, one) && button(app.t("exLeave"), () => void leave(app, one)),
    account !== null && !over && !isHere(app, one) && button(app.t("exJoin"), () => void joins()),
    !over && copy,
    one.yours && button(app.t("exRecord"), () => void recordOf(view, one.id)),
    one.yours && !over && button(app.t("exWall"), () => void wallFor(view, one)),
    one.yours && !over && button(app.t("exClose"), () => void closes()),
  ];
}

function openForm(view: View): void {
  const { app } = view;
  const title = field("title", { required: true, maxLength: 60 });
  const area = field("area", { maxLength: 15, inputMode: "numeric", pattern: "\\d{4}|\\d{6}|\\d{9}|\\d{15}" });
  const note = field("note", { maxLength: 500 });
  const submit = h("button", { type: "submit", class: "primary" }, app.t("exOpen"));
  const onsubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    submit.disabled = true;
    const made = {
      title: title.value.trim(),
      ...(note.value.trim() === "" ? {} : { note: note.value.trim() }),
      ...(area.value.trim() === "" ? {} : { area: area.value.trim() }),
    };
    if ((await tried(view, city.open(made))) !== null) await overview(view);
    submit.disabled = false;
  };
  const back = button(app.t("peopleBack"), () => void overview(view));
  const rows: [Word, HTMLInputElement][] = [
    ["exName", title],
    ["exArea", area],
    ["exNote", note],
  ];
  const parts = rows.map(([word, input]) => h("label", { htmlFor: input.id }, app.t(word), input));
  parts[1]?.append(h("span", { class: "hint" }, app.t("exAreaHint")));
  view.show(h("form", { onsubmit }, ...parts, view.wrong, h("footer", {}, back, submit)));
  title.focus();
}

/** The address of a wall that shows the exercise, told once. */
async function wallFor(view: View, one: city.Listed): Promise<void> {
  const { app } = view;
  const made = await tried(view, city.wallOf(one.id));
  if (made === null) return;
  const address = `${location.origin}${made.path}`;
  const copy = button(app.t("exWallCopy"), () => void copied(app, copy, address));
  copy.className = "primary";
  const back = button(app.t("peopleBack"), () => void overview(view));
  view.show(h("b", {}, one.title), h("p", {}, app.t("exWallWhy")), h("code", {}, address), h("footer", {}, back, copy));
}

async function recordOf(view: View, id: string): Promise<void> {
  const { app } = view;
  const { lang } = app.store.get();
  const found = await tried(view, city.exercise(id));
  if (found === null) return;
  const figures = await tried(view, city.figuresOf(id));
  const steps = paged(view, async (after) => {
    const part = await city.stepsIn(id, after);
    const rows = part.steps.map((one) => [
      `${moment(lang, one.at)} · ${one.actor} · ${app.title(one.title)}`,
      [one.of ?? "", one.incident, one.note ?? ""].filter(Boolean).join(" · "),
    ]);
    return { rows, after: part.after };
  });
  const notices = paged(view, async (after) => {
    const part = await city.outboxOf(id, after);
    const rows = part.notices.map((one) => [
      `${moment(lang, one.at)} · ${app.title(one.text)}`,
      app.t("exFor", { who: meantFor(app, one) }),
    ]);
    return { rows, after: part.after };
  });
  view.show(
    h("b", {}, found.title),
    h("p", {}, app.t("exCounts", found.counts)),
    h("h3", {}, app.t("exFigures")),
    figures === null ? h("p", {}, app.t("exNothing")) : figuresTable(app, figures),
    h("h3", {}, app.t("exSteps")),
    steps,
    h("h3", {}, app.t("exOutbox")),
    h("p", { class: "hint" }, app.t("exOutboxWhy")),
    notices,
    view.wrong,
    h(
      "footer",
      {},
      button(app.t("peopleBack"), () => void overview(view)),
    ),
  );
}

/** A list that asks for more as long as there is more. */
function paged(view: View, next: (after: number) => Promise<{ rows: string[][]; after: number | null }>): HTMLElement {
  const { app } = view;
  const list = h("ul", { class: "record" });
  const more = async (after: number): Promise<void> => {
    const part = await tried(view, next(after));
    if (part === null) return;
    list.querySelector(".more")?.remove();
    list.append(...part.rows.map(([head = "", rest = ""]) => h("li", {}, head, h("small", {}, rest))));
    const following = part.after;
    if (following !== null)
      list.append(
        h(
          "li",
          { class: "more" },
          button(app.t("exMore"), () => void more(following)),
        ),
      );
    if (list.childElementCount === 0) list.append(h("li", {}, app.t("exNothing")));
  };
  void more(0);
  return list;
}

/** What is answered; null for what was refused, which is told in the dialog. */
async function tried<T>({ app, wrong }: View, answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    wrong.textContent = why(app, error);
    return null;
  }
}

function field(name: string, more: Partial<HTMLInputElement>): HTMLInputElement {
  const input = h("input", { id: `exercise-${name}`, type: "text", autocomplete: "off" });
  for (const [key, value] of Object.entries(more)) Reflect.set(input, key, value);
  return input;
}

const COMMANDS: Record<number, Word> = { 0: "exCommand_0", 1: "exCommand_1", 2: "exCommand_2" };

function meantFor(app: App, { audience, channels }: city.Unsent): string {
  const { departments = [], people = [], command = -1, area, desk = false } = audience;
  const level = COMMANDS[command];
  const levels = level === undefined ? [] : [area ? `${app.t(level)}（${area}）` : app.t(level)];
  const all = [...departments, ...people, ...levels, ...(desk ? [app.t("exDesk")] : [])];
  const meant = all.join(app.t("peopleAnd")) || app.t("peopleNone");
  return channels.length === 0 ? meant : `${meant} · ${app.t("exBy", { channels: channels.join(app.t("peopleAnd")) })}`;
}

const titleOf = (app: App, role: string): string => {
  const title = app.city.who.titles[role];
  return title === undefined ? role : app.title(title);
};
const button = (text: string, onclick: () => void): HTMLButtonElement => h("button", { type: "button", onclick }, text);
