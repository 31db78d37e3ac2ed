/** Signing in: with a login name and a password (and a code), with the provider of the city, or with a token. */

import * as api from "../city/api.ts";
import * as session from "../city/session.ts";
import { accountDialog } from "./account.ts";
import type { App } from "./app.ts";
import { fill, h } from "./dom.ts";
import { failure, Said, why } from "./why.ts";

/** Ask who it is; the page starts anew then, since what may be seen changes everywhere. */
export function signIn(app: App): void {
  const dialog = h("dialog", { class: "sign-in", aria: { labelledby: "sign-in-title" } });
  dialog.onclose = () => dialog.remove();
  withPassword(app, dialog);
  document.body.append(dialog);
  dialog.showModal();
}

export async function signOut(): Promise<void> {
  await session.end();
  location.reload();
}

/** Whose page this is, and the way in or out: a visitor signs in, everyone else sees their account. */
export function atTheDoor(app: App): void {
  const { who } = app.city;
  if (who.account !== null) accountDialog(app);
  else if (api.token.get() !== null) void signOut();
  else signIn(app);
}

/** What the head calls the way in or out. */
export function doorName(app: App): string {
  const { who } = app.city;
  if (who.account !== null) return app.t("peopleAccountOf", { name: who.name ?? who.actor ?? "" });
  return app.t(api.token.get() === null ? "signIn" : "signOut");
}

function withPassword(app: App, dialog: HTMLDialogElement): void {
  const login = field("login", "text", "username");
  const password = field("password", "password", "current-password");
  const code = field("code", "text", "one-time-code");
  const codeRow = h("div", { hidden: true }, label(app.t("peopleCode"), code), hint(app.t("peopleCodeHint")));
  const { provider } = app.city.who;
  const others = h(
    "p",
    { class: "others" },
    provider !== null && h("a", { class: "button", href: "/session/oidc" }, app.t("peopleProvider", { provider })),
    h("button", { type: "button", class: "link", onclick: () => withToken(app, dialog) }, app.t("peopleUseToken")),
  );
  const enter = async (): Promise<void> => {
    try {
      await session.begin(login.value, password.value, code.value.trim() || null);
    } catch (error) {
      const due = error instanceof api.Refused && error.told.code === "second_factor_due";
      if (due && codeRow.hidden) {
        codeRow.hidden = false;
        code.required = true;
        code.focus();
        return;
      }
      throw error;
    }
    api.token.set(null);
    await enterAs(app, dialog, password.value);
  };
  const parts = [label(app.t("peopleLogin"), login), label(app.t("peoplePassword"), password), codeRow];
  form(app, dialog, { title: app.t("signInTitle"), parts, yes: app.t("signIn"), act: enter, after: others });
}

/** What is due comes before the page. */
async function enterAs(app: App, dialog: HTMLDialogElement, password: string): Promise<void> {
  const who = await session.who();
  if (who.due === "password") return chooseAnother(app, dialog, password);
  if (who.due === "enrolment") {
    dialog.close();
    accountDialog({ ...app, city: { ...app.city, who } });
    return;
  }
  location.reload();
}

function chooseAnother(app: App, dialog: HTMLDialogElement, old: string): void {
  const fresh = field("new-password", "password", "new-password");
  const again = field("again", "password", "new-password");
  const choose = async (): Promise<void> => {
    if (fresh.value !== again.value) throw new Said(app.t("peopleNotTheSame"));
    await session.newPassword(old, fresh.value);
    await enterAs(app, dialog, fresh.value);
  };
  form(app, dialog, {
    title: app.t("peopleChoose"),
    parts: [
      hint(app.t("peopleChooseWhy")),
      label(app.t("peopleNewPassword"), fresh),
      label(app.t("peopleAgain"), again),
    ],
    yes: app.t("peopleKeep"),
    act: choose,
  });
}

function withToken(app: App, dialog: HTMLDialogElement): void {
  const input = h("input", {
    type: "password",
    id: "token",
    autocomplete: "off",
    required: true,
    aria: { describedby: "token-hint" },
  });
  const enter = async (): Promise<void> => {
    const given = input.value.trim();
    try {
      await api.get("/layers", undefined, { Authorization: `Bearer ${given}` });
    } catch (error) {
      const refused = error instanceof api.Refused && (error.status === 401 || error.status === 403);
      throw new Said(refused ? app.t("tokenWrong") : failure(app, error));
    }
    api.token.set(given);
    location.reload();
  };
  form(app, dialog, {
    title: app.t("signInTitle"),
    parts: [
      h("label", { htmlFor: "token" }, app.t("tokenLabel")),
      input,
      h("p", { id: "token-hint", class: "hint" }, app.t("tokenHint")),
    ],
    yes: app.t("signIn"),
    act: enter,
  });
}

interface Form {
  title: string;
  parts: Node[];
  yes: string;
  act: () => Promise<void>;
  after?: Node;
}

/** A form in the dialog; while its act goes on it cannot be sent again, and what is refused is told. */
function form(app: App, dialog: HTMLDialogElement, { title, parts, yes, act, after }: Form): void {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const send = h("button", { type: "submit", class: "primary" }, yes);
  const submitted = (event: SubmitEvent): void => {
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
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, app.t("cancel"));
  fill(
    dialog,
    h(
      "form",
      { method: "dialog", onsubmit: submitted },
      h("h2", { id: "sign-in-title" }, title),
      ...parts,
      wrong,
      h("footer", {}, cancel, send),
      after ?? null,
    ),
  );
  dialog.querySelector("input")?.focus();
}

const field = (name: string, type: string, autocomplete: string): HTMLInputElement =>
  h("input", { id: `sign-in-${name}`, name, type, autocomplete, required: name !== "code" });
const label = (text: string, input: HTMLInputElement): HTMLElement =>
  h("div", {}, h("label", { htmlFor: input.id }, text), input);
const hint = (text: string): HTMLElement => h("p", { class: "hint" }, text);
