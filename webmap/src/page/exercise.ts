/** The mark of an exercise: a band over the page, a frame around it and a word before its title, as long as one is in it. */

import { ELSEWHERE } from "../city/api.ts";
import { type Exercise, enter, exercise as find } from "../city/exercises.ts";
import { who } from "../city/session.ts";
import type { App } from "./app.ts";
import { fill, h } from "./dom.ts";
import { why } from "./why.ts";
import "./exercise.css";

const CHANNEL = "chengtu-exercise";
const ASKED = "chengtu.exercise";
const ID = /^drill-\d{8}-\d{1,4}$/;
const LOOK_MS = 10_000;

/** Mark the page if its session is in an exercise, follow when that ends, and ask whoever came by a link to one. */
export function wearExercise(app: App): void {
  const { exercise } = app.city.who;
  const others = new BroadcastChannel(CHANNEL);
  others.onmessage = () => location.reload();
  addEventListener(ELSEWHERE, () => void reloaded());
  noteLink();
  if (exercise !== null) {
    const over = band(app, exercise);
    titled(app);
    follow(exercise, over);
  }
  void askedByLink(app);
}

/** Enter an exercise, or leave it (null); every page of this browser begins anew, since everything is another. */
export async function go(id: string | null): Promise<void> {
  await enter(id);
  const others = new BroadcastChannel(CHANNEL);
  others.postMessage("entered");
  others.close();
  location.reload();
}

/** Leave, after a question. */
export async function leave(app: App, exercise: Exercise): Promise<void> {
  const title = exercise.title;
  const asked = { text: app.t("exLeaveSure", { title }), yes: app.t("exLeave"), no: app.t("exStay") };
  await ask(app, { ...asked, act: () => go(null) });
}

/** A question before something is done; what goes wrong is told where it was asked. */
export function ask(
  app: App,
  { text, yes, no, act }: { text: string; yes: string; no: string; act: () => Promise<void> },
): Promise<boolean> {
  return new Promise((settle) => {
    const wrong = h("p", { class: "wrong", role: "alert" });
    const done = h("button", { type: "button", class: "primary" }, yes);
    const dialog = h(
      "dialog",
      { class: "exercise-ask", aria: { label: yes } },
      h("p", {}, text),
      wrong,
      h("footer", {}, h("button", { type: "button", class: "outlined", onclick: () => dialog.close() }, no), done),
    );
    done.onclick = async () => {
      done.disabled = true;
      try {
        await act();
        dialog.close("yes");
      } catch (error) {
        done.disabled = false;
        wrong.textContent = why(app, error);
      }
    };
    dialog.onclose = () => {
      dialog.remove();
      settle(dialog.returnValue === "yes");
    };
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** The band over the page; what comes back says that the exercise is over. */
function band(app: App, exercise: Exercise): (closed: boolean) => void {
  const root = document.documentElement;
  const element = h("aside", { class: "exercise-band", aria: { label: app.t("exMark") } });
  let closed = exercise.closedAt !== null;
  const draw = (): void => {
    root.dataset.exercise = closed ? "over" : "on";
    // A wall is in it by its token, and has nobody who could leave.
    const leaves = app.city.who.account !== null;
    const button = h("button", { type: "button", onclick: () => void leave(app, exercise) }, app.t("exLeave"));
    fill(
      element,
      h("strong", {}, app.t(closed ? "exOverMark" : "exMark")),
      h("b", {}, exercise.title),
      h("span", {}, app.t(closed ? "exBandOver" : "exBand")),
      leaves && button,
    );
  };
  draw();
  app.store.on(["lang"], draw);
  document.body.prepend(element);
  return (now) => {
    if (now === closed) return;
    closed = now;
    draw();
  };
}

/** The word stands before whatever the page calls itself. */
function titled(app: App): void {
  const mark = (): void => {
    const head = app.t("exHead");
    if (!document.title.startsWith(head)) document.title = `${head}${document.title}`;
  };
  const title = document.querySelector("title");
  if (title !== null) new MutationObserver(mark).observe(title, { childList: true });
  mark();
}

/** Look now and then whether the session still is where this page is, and whether the exercise still goes on. */
function follow(exercise: Exercise, over: (closed: boolean) => void): void {
  const look = async (): Promise<void> => {
    if (document.visibilityState === "hidden" || !navigator.onLine) return;
    const now = await who().catch(() => null); // out of reach: asked again
    if (now === null) return;
    if (now.exercise?.id !== exercise.id) location.reload();
    else over(now.exercise.closedAt !== null);
  };
  setInterval(() => void look(), LOOK_MS);
  document.addEventListener("visibilitychange", () => void look());
}

/** Begin anew where the session is; unless that changes nothing, which would go on for ever. */
async function reloaded(): Promise<void> {
  const last = Number(sessionStorage.getItem(CHANNEL) ?? 0);
  if (Date.now() - last < LOOK_MS) return;
  sessionStorage.setItem(CHANNEL, String(Date.now()));
  location.reload();
}

/** A link names an exercise once: the page's own fragment takes its place. */
function noteLink(): void {
  const parts = location.hash.replace(/^#/, "").split("&");
  const named = parts.find((part) => part.startsWith("exercise="));
  if (named === undefined) return;
  const id = named.slice("exercise=".length);
  if (ID.test(id)) sessionStorage.setItem(ASKED, id);
  const rest = parts.filter((part) => part !== named).join("&");
  history.replaceState(history.state, "", `${location.pathname}${location.search}${rest === "" ? "" : `#${rest}`}`);
}

async function askedByLink(app: App): Promise<void> {
  const id = sessionStorage.getItem(ASKED);
  const { who: whoever } = app.city;
  if (id === null || whoever.account === null) return;
  sessionStorage.removeItem(ASKED);
  if (whoever.exercise?.id === id) return;
  const title = await find(id).then(
    (found) => found.title,
    () => null,
  );
  if (title === null) return;
  const asked = { text: app.t("exJoinSure", { title }), yes: app.t("exJoin"), no: app.t("exJoinNot") };
  await ask(app, { ...asked, act: () => go(id) });
}

/** A link to what is seen now, by which others are asked to join first. */
export function linkWithin(app: App, href: string): string {
  const { exercise } = app.city.who;
  if (exercise === null) return href;
  const [path = "", hash = ""] = href.split("#", 2);
  return `${path}#${[`exercise=${exercise.id}`, hash].filter(Boolean).join("&")}`;
}
