/** The accounts: searched, listed, made one by one or from a table, and one of them opened beside. */
import * as people from "../city/people.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { accountView } from "./account.ts";
import { ask, at, attempt, button, cell, type Desk, hint, labelled, scoped, table, toldOnce } from "./common.ts";
import { rosterDialog } from "./roster.ts";
import { type Names, NO_NAMES, namesOf } from "./scope.ts";

const WAIT_MS = 250;

export function accountsView(element: HTMLElement, desk: Desk): void {
  const { app } = desk;
  const body = h("div", { class: "listed" });
  const beside = h("aside", { class: "person", hidden: true });
  const search = h("input", {
    type: "search",
    placeholder: app.t("peopleSearch"),
    aria: { label: app.t("peopleSearch") },
  });
  let names: Names = NO_NAMES;
  let titles: ReadonlyMap<string, people.Role> = new Map();
  let found: people.Account[] = [];
  let following: string | null = null;
  let opened: string | null = null;
  let asking = new AbortController();

  const load = async (more: boolean): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const signal = AbortSignal.any([asking.signal, desk.over]);
    const page = await people.accounts(search.value.trim(), more ? (following ?? "") : "", signal);
    found = more ? [...found, ...page.accounts] : page.accounts;
    following = page.after;
    draw();
  };
  const again = (more = false) => void attempt(desk, () => load(more));
  const open = (login: string): void => {
    opened = login;
    beside.hidden = false;
    accountView(beside, desk, login, { names, titles, changed: () => again(), close });
    draw();
    beside.focus();
  };
  const close = (): void => {
    opened = null;
    beside.hidden = true;
    fill(beside);
    draw();
  };
  const row = (one: people.Account): HTMLElement => {
    const name = button(one.login, () => open(one.login), "link");
    const roles = one.roles.map((role) => titleOf(app, titles, role)).join(app.t("peopleAnd")) || app.t("peopleNone");
    const line = h(
      "tr",
      { class: one.active ? "" : "closed" },
      cell(name),
      cell(one.name),
      cell(roles),
      cell(scoped(app, one.areas, names.areas)),
      cell(scoped(app, one.departments, names.departments)),
      cell(stateOf(app, one, true)),
      cell(at(app, one.signedInAt)),
    );
    if (one.login === opened) line.setAttribute("aria-selected", "true");
    return line;
  };
  const draw = (): void => {
    const headings = [
      app.t("peopleLogin"),
      app.t("peopleName"),
      app.t("peopleRoles"),
      app.t("peopleAreas"),
      app.t("peopleDepartments"),
      app.t("peopleState"),
      app.t("peopleLast"),
    ];
    fill(
      body,
      found.length === 0 ? hint(app.t("peopleNobody")) : table(app.t("peopleTab_accounts"), headings, found.map(row)),
      following !== null && button(app.t("peopleMore"), () => again(true)),
    );
  };
  let waiting: ReturnType<typeof setTimeout> | undefined;
  search.oninput = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => again(), WAIT_MS);
  };
  beside.tabIndex = -1;
  const tools = h(
    "div",
    { class: "tools" },
    search,
    desk.has("account.edit") && button(app.t("peopleNew"), () => newAccount(desk, () => again()), "primary"),
    (desk.has("account.edit") || desk.has("role.edit")) &&
      button(app.t("peopleImport"), () => rosterDialog(desk, () => again())),
  );
  fill(element, tools, h("div", { class: "split" }, body, beside));
  void attempt(desk, async () => {
    const [told] = await Promise.all([people.roles(), load(false)]);
    titles = new Map(told.roles.map((role) => [role.name, role]));
    draw();
    names = await namesOf(app, desk.over);
    draw();
  });
}

export const titleOf = (app: App, titles: ReadonlyMap<string, people.Role>, role: string): string => {
  const known = titles.get(role);
  return known === undefined ? role : app.title(known.title);
};

/** How an account stands, with a sign that is told apart without its colour; a list has no room for the time. */
export function stateOf(app: App, one: people.Account, brief = false): HTMLElement {
  const now = Date.now();
  const [kind, text] = !one.active
    ? ["closed", app.t("peopleState_closed")]
    : one.lockedUntil !== null
      ? ["locked", app.t("peopleState_locked", { at: at(app, one.lockedUntil) })]
      : one.oneTimeUntil === null
        ? ["active", app.t("peopleState_active")]
        : Date.parse(one.oneTimeUntil) <= now
          ? ["over", app.t("peopleState_over")]
          : ["waiting", app.t(brief ? "peopleState_new" : "peopleState_waiting", { at: at(app, one.oneTimeUntil) })];
  return h("span", { class: "state", data: { kind } }, text);
}

function newAccount(desk: Desk, made: () => void): void {
  const { app } = desk;
  const login = h("input", { required: true, minLength: 2, maxLength: 61, autocomplete: "off", spellcheck: false });
  const name = h("input", { required: true, maxLength: 60, autocomplete: "off" });
  const parts = [
    labelled(app.t("peopleLogin"), login, app.t("peopleLoginHint")),
    labelled(app.t("peopleName"), name),
    hint(app.t("peopleGrantOnly")),
  ];
  ask(app, app.t("peopleNew"), parts, app.t("peopleMake"), async () => {
    const { login: of, password } = await people.makeAccount(login.value.trim().toLowerCase(), name.value.trim());
    made();
    await showOneTime(app, of, password);
  });
}

/** The password of an account, which is told only now. */
export async function showOneTime(app: App, login: string, password: string): Promise<void> {
  const { oneTimeUntil, name } = await people.account(login);
  toldOnce(
    app,
    `${app.t("peopleOneTime")} · ${name}（${login}）`,
    password,
    app.t("peopleOneTimeUntil", { at: at(app, oneTimeUntil) }),
    app.t("peopleOneTimeWhy"),
  );
}
