/** One account: how it stands, what may be done to it, its roles and scope, where it is signed in, and its record. */
import * as people from "../city/people.ts";
import { h, iconButton } from "../page/dom.ts";
import { DICTIONARY, type Word } from "../words/i18n.ts";
import { showOneTime, stateOf, titleOf } from "./accounts.ts";
import { at, attempt, button, come, type Desk, hint, scoped, sure } from "./common.ts";
import { type Names, scopeChoice } from "./scope.ts";

interface About {
  names: Names;
  titles: ReadonlyMap<string, people.Role>;
  /** Something was changed that the list tells, too. */
  changed: () => void;
  close: () => void;
}

export function accountView(element: HTMLElement, desk: Desk, login: string, about: About): void {
  void come(desk, element, async () => {
    const [one, where, told] = await Promise.all([people.account(login), people.sessions(login), people.events(login)]);
    const again = (): void => {
      about.changed();
      accountView(element, desk, login, about);
    };
    return [
      head(desk, one, about),
      facts(desk, one, about),
      ...acts(desk, one, again),
      grants(desk, one, about, again),
      sessions(desk, one, where.sessions, again),
      record(desk, told.events),
    ];
  });
}

function head({ app }: Desk, one: people.Account, { close }: About): HTMLElement {
  return h("header", {}, h("h2", {}, `${one.name}（${one.login}）`), iconButton("close", app.t("peopleClose"), close));
}

function facts({ app }: Desk, one: people.Account, { names, titles }: About): HTMLElement {
  const roles = one.roles.map((role) => titleOf(app, titles, role)).join(app.t("peopleAnd")) || app.t("peopleNone");
  const told: [string, string | Node][] = [
    [app.t("peopleState"), stateOf(app, one)],
    [app.t("peopleRoles"), roles],
    [app.t("peopleAreas"), scoped(app, one.areas, names.areas)],
    [app.t("peopleDepartments"), scoped(app, one.departments, names.departments)],
    [app.t("peopleLast"), at(app, one.signedInAt)],
  ];
  return h("dl", {}, ...told.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
}

function acts(desk: Desk, one: people.Account, again: () => void): HTMLElement[] {
  const { app } = desk;
  if (!desk.has("account.edit") && !desk.has("role.edit")) return [];
  if (one.login === app.city.who.actor) return [hint(app.t("peopleOwn"))];
  const { name, login } = one;
  const doing = (work: () => Promise<unknown>) => async (): Promise<void> => {
    await work();
    again();
  };
  const reset = doing(async () => showOneTime(app, login, (await people.newPassword(login)).password));
  const turn = doing(() => people.changeAccount(login, { active: !one.active }));
  const parts = [
    !one.outside &&
      button(app.t("peopleReset"), () => sure(desk, app.t("peopleResetSure", { name }), app.t("peopleSure"), reset)),
    one.active
      ? button(app.t("peopleStop"), () => sure(desk, app.t("peopleStopSure", { name }), app.t("peopleSure"), turn))
      : button(app.t("peopleStart"), () => void attempt(desk, turn)),
    one.lockedUntil !== null &&
      button(
        app.t("peopleUnlock"),
        () =>
          void attempt(
            desk,
            doing(() => people.unlock(login)),
          ),
      ),
  ];
  return [h("div", { class: "acts" }, ...parts)];
}

function grants(desk: Desk, one: people.Account, { names, titles }: About, again: () => void): HTMLElement {
  const { app } = desk;
  const heading = h("h3", {}, app.t("peopleGrant"));
  if (!desk.has("role.edit")) return h("section", {}, heading, hint(app.t("peopleGrantOnly")));
  if (one.login === app.city.who.actor) return h("section", {}, heading, hint(app.t("peopleOwn")));
  const boxes = [...titles.values()]
    .filter((role) => !role.internal)
    .map((role) => {
      const box = h("input", { type: "checkbox", value: role.name, checked: one.roles.includes(role.name) });
      return { box, row: h("label", {}, box, app.title(role.title)) };
    });
  const scope = scopeChoice(app, names, one);
  const save = async (): Promise<void> => {
    const roles = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    await people.grant(one.login, { roles, ...scope.value() });
    again();
  };
  const onsubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    void attempt(desk, save);
  };
  return h(
    "section",
    {},
    heading,
    h(
      "form",
      { class: "grant", onsubmit },
      h("fieldset", { class: "roles" }, h("legend", {}, app.t("peopleRoles")), ...boxes.map(({ row }) => row)),
      ...scope.elements,
      h("button", { type: "submit", class: "primary" }, app.t("peopleKeep")),
    ),
  );
}

function sessions(
  desk: Desk,
  one: people.Account,
  held: Awaited<ReturnType<typeof people.sessions>>["sessions"],
  again: () => void,
): HTMLElement {
  const { app } = desk;
  const end = async (): Promise<void> => {
    await people.endSessions(one.login);
    again();
  };
  const rows = held.map((each) =>
    h("li", {}, h("span", {}, `${at(app, each.seen)} · ${each.address ?? ""}`), h("small", {}, each.agent ?? "")),
  );
  return h(
    "section",
    {},
    h("h3", {}, app.t("peopleWhere")),
    held.length === 0 ? hint(app.t("peopleNowhere")) : h("ul", { class: "plain" }, ...rows),
    held.length > 0 && desk.has("role.edit") && button(app.t("peopleSignOutAll"), () => void attempt(desk, end)),
  );
}

function record({ app }: Desk, told: readonly people.Event[]): HTMLElement {
  const rows = told.map(({ at: when, event, actor, address }) => {
    const by = [app.t("peopleBy", { actor }), address].filter(Boolean).join(" · ");
    return h("li", {}, h("span", {}, `${at(app, when)} ${eventOf(app, event)}`), h("small", {}, by));
  });
  return h("section", {}, h("h3", {}, app.t("peopleEvents")), h("ul", { class: "plain" }, ...rows));
}

const eventOf = (app: Desk["app"], event: string): string => {
  const name = `peopleEvent_${event}`;
  return name in DICTIONARY.zh ? app.t(name as Word) : event;
};
