/** One's own account: who one is here, the password, the second factor, where one is signed in, and the way out. */

import * as session from "../city/session.ts";
import type { App } from "./app.ts";
import { fill, h } from "./dom.ts";
import { exercisesDialog } from "./exercises.ts";
import { Said, why } from "./why.ts";

/** Show the account of whoever is signed in. */
export function accountDialog(app: App): void {
  const dialog = h("dialog", { class: "account", aria: { labelledby: "account-title" } });
  // What was chosen here may change what is seen.
  let changed = false;
  dialog.onclose = () => {
    dialog.remove();
    if (changed) location.reload();
  };
  const view: View = {
    app,
    done: () => {
      changed = true;
    },
    show: (...parts) => fill(dialog, h("h2", { id: "account-title" }, app.t("peopleAccount")), ...parts),
    close: () => dialog.close(),
  };
  overview(view);
  document.body.append(dialog);
  dialog.showModal();
}

interface View {
  app: App;
  /** Something was changed that the page has to begin anew for. */
  done: () => void;
  show: (...parts: (Node | null)[]) => void;
  close: () => void;
}

function overview(view: View): void {
  const { app } = view;
  const { who } = app.city;
  const roles = who.roles.map((role) => titleOf(app, role)).join(app.t("peopleAnd"));
  const told: [string, string][] = [
    [app.t("peopleName"), `${who.name ?? ""}（${who.actor ?? ""}）`],
    [app.t("peopleRoles"), roles || app.t("peopleNone")],
    [app.t("peopleAreas"), partOf(app, who.areas)],
    [app.t("peopleDepartments"), partOf(app, who.departments)],
  ];
  const list = h("dl", {}, ...told.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
  const password = who.account?.outside ? null : button(app.t("peopleNewPassword"), () => passwordForm(view));
  const second = who.account?.secondFactor
    ? button(app.t("peopleUnenrol"), () => unenrolForm(view))
    : button(app.t("peopleEnrol"), () => enrolForm(view));
  view.show(
    who.due === "enrolment" ? h("p", { class: "wrong", role: "alert" }, app.t("why_enrolment_due")) : null,
    list,
    h(
      "div",
      { class: "choices" },
      password,
      second,
      button(app.t("peopleSessions"), () => void listSessions(view)),
      button(app.t("exTitle"), () => {
        view.close();
        exercisesDialog(app);
      }),
    ),
    h(
      "footer",
      {},
      button(app.t("close"), view.close),
      h("button", { type: "button", class: "primary", onclick: () => void leave() }, app.t("signOut")),
    ),
  );
}

async function leave(): Promise<void> {
  await session.end();
  location.reload();
}

const titleOf = (app: App, role: string): string => {
  const title = app.city.who.titles[role];
  return title === undefined ? role : app.title(title);
};
const partOf = (app: App, part: string[] | null): string =>
  part === null ? app.t("peopleAll") : part.join(app.t("peopleAnd")) || app.t("peopleNone");
const button = (text: string, onclick: () => void): HTMLElement => h("button", { type: "button", onclick }, text);

function passwordForm(view: View): void {
  const { app } = view;
  const old = field(app, "old", "peoplePassword", "current-password");
  const fresh = field(app, "new", "peopleNewPassword", "new-password");
  const again = field(app, "again", "peopleAgain", "new-password");
  ask(view, [old.row, fresh.row, again.row], app.t("peopleKeep"), async () => {
    if (fresh.input.value !== again.input.value) throw new Said(app.t("peopleNotTheSame"));
    await session.newPassword(old.input.value, fresh.input.value);
    view.close();
  });
}

function enrolForm(view: View): void {
  const { app } = view;
  const password = field(app, "password", "peoplePassword", "current-password");
  ask(view, [hint(app.t("peopleEnrolWhy")), password.row], app.t("peopleNext"), async () => {
    proveForm(view, await session.enrol(password.input.value));
  });
}

function proveForm(view: View, { secret, picture }: session.Enrolment): void {
  const { app } = view;
  const code = field(app, "code", "peopleCode", "one-time-code");
  const image = h("img", {
    class: "enrol",
    alt: app.t("peoplePicture"),
    src: `data:image/svg+xml,${encodeURIComponent(picture)}`,
  });
  const letters = h("p", { class: "hint" }, app.t("peopleSecret"), " ", h("code", {}, secret));
  ask(view, [hint(app.t("peopleScan")), image, letters, code.row], app.t("peopleKeep"), async () => {
    const { recovery } = await session.prove(code.input.value);
    view.done();
    view.show(
      hint(app.t("peopleRecovery")),
      h("ul", { class: "recovery" }, ...recovery.map((one) => h("li", {}, h("code", {}, one)))),
      h("footer", {}, h("button", { type: "button", class: "primary", onclick: view.close }, app.t("peopleKept"))),
    );
  });
}

function unenrolForm(view: View): void {
  const { app } = view;
  const password = field(app, "password", "peoplePassword", "current-password");
  ask(view, [hint(app.t("peopleUnenrolWhy")), password.row], app.t("peopleUnenrol"), async () => {
    await session.unenrol(password.input.value);
    view.done();
    view.close();
  });
}

async function listSessions(view: View): Promise<void> {
  const { app } = view;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const list = h("ul", { class: "sessions" });
  const draw = async (): Promise<void> => {
    const { sessions } = await session.sessions();
    fill(list, ...sessions.map((one) => entry(app, one, () => void act(() => session.revoke(one.id)))));
  };
  const act = async (first: () => Promise<unknown>): Promise<void> => {
    try {
      await first();
      await draw();
    } catch (error) {
      wrong.textContent = why(app, error);
    }
  };
  view.show(
    list,
    wrong,
    h(
      "footer",
      {},
      button(app.t("peopleBack"), () => overview(view)),
    ),
  );
  await act(async () => undefined);
}

function entry(app: App, one: session.SignedIn, end: () => void): HTMLElement {
  const seen = new Date(one.seen).toLocaleString("sv-SE", { timeZone: "Asia/Shanghai" }).slice(0, 16);
  const told = h("span", {}, `${seen} · ${one.address ?? ""}`, h("small", {}, one.agent ?? ""));
  return h("li", {}, told, one.here ? h("em", {}, app.t("peopleHere")) : button(app.t("peopleEnd"), end));
}

function ask(view: View, parts: Node[], yes: string, act: () => Promise<void>): void {
  const { app } = view;
  const wrong = h("p", { class: "wrong", role: "alert" });
  const send = h("button", { type: "submit", class: "primary" }, yes);
  const onsubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    send.disabled = true;
    wrong.textContent = "";
    act()
      .catch((error: unknown) => {
        wrong.textContent = why(app, error);
      })
      .finally(() => {
        send.disabled = false;
      });
  };
  const back = button(app.t("peopleBack"), () => overview(view));
  const form = h("form", { onsubmit }, ...parts, wrong, h("footer", {}, back, send));
  view.show(form);
  form.querySelector("input")?.focus();
}

type Named = "peoplePassword" | "peopleNewPassword" | "peopleAgain" | "peopleCode";

function field(
  app: App,
  name: string,
  word: Named,
  autocomplete: string,
): { row: HTMLElement; input: HTMLInputElement } {
  const type = word === "peopleCode" ? "text" : "password";
  const input = h("input", { id: `account-${name}`, type, autocomplete, required: true });
  return { row: h("div", {}, h("label", { htmlFor: input.id }, app.t(word)), input), input };
}

const hint = (text: string): HTMLElement => h("p", { class: "hint" }, text);
