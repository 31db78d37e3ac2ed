/** Keys of machines: made with some of one's own roles, told once, revoked. */
import * as people from "../city/people.ts";
import { h } from "../page/dom.ts";
import { titleOf } from "./accounts.ts";
import { ask, at, button, cell, come, type Desk, hint, labelled, scoped, sure, table, toldOnce } from "./common.ts";
import { NO_NAMES } from "./scope.ts";

const DAYS = 365;
const MOST_DAYS = 730;

export function keysView(element: HTMLElement, desk: Desk): void {
  const { app } = desk;
  void come(desk, element, async () => {
    const { keys } = await people.keys();
    const again = (): void => keysView(element, desk);
    const headings = [
      app.t("peopleKeyTitle"),
      app.t("peopleKeyOwner"),
      app.t("peopleRoles"),
      app.t("peopleAreas"),
      app.t("peopleDepartments"),
      app.t("peopleKeyEnds"),
      app.t("peopleDo"),
    ];
    return [
      hint(app.t("peopleKeyWhy")),
      h(
        "div",
        { class: "tools" },
        button(app.t("peopleKeyNew"), () => newKey(desk, again), "primary"),
      ),
      keys.length === 0
        ? hint(app.t("peopleKeyNone"))
        : table(
            app.t("peopleTab_keys"),
            headings,
            keys.map((one) => row(desk, one, again)),
          ),
    ];
  });
}

function row(desk: Desk, one: people.Key, again: () => void): HTMLElement {
  const { app } = desk;
  const revoke = async (): Promise<void> => {
    await people.revokeKey(one.id);
    again();
  };
  const end = button(app.t("peopleKeyRevoke"), () =>
    sure(desk, app.t("peopleKeyRevokeSure", { name: one.title }), app.t("peopleSure"), revoke),
  );
  end.setAttribute("aria-label", `${app.t("peopleKeyRevoke")} ${one.title}`);
  return h(
    "tr",
    {},
    cell(`${one.title} #${one.id}`),
    cell(one.login ?? app.t("peopleNone")),
    cell(one.roles.map((role) => ownTitle(desk, role)).join(app.t("peopleAnd"))),
    cell(scoped(app, one.areas, NO_NAMES.areas)),
    cell(scoped(app, one.departments, NO_NAMES.departments)),
    cell(at(app, one.endsAt)),
    cell(end),
  );
}

const ownTitle = ({ app }: Desk, role: string): string => {
  const title = app.city.who.titles[role];
  return title === undefined ? titleOf(app, new Map(), role) : app.title(title);
};

function newKey(desk: Desk, made: () => void): void {
  const { app } = desk;
  const { roles, areas, departments } = app.city.who;
  const title = h("input", { required: true, maxLength: 60, autocomplete: "off" });
  const days = h("input", { type: "number", required: true, min: "1", max: String(MOST_DAYS), value: String(DAYS) });
  const boxes = roles.map((role) => {
    const box = h("input", { type: "checkbox", value: role, checked: roles.length === 1 });
    return { box, row: h("label", {}, box, ownTitle(desk, role)) };
  });
  const parts = [
    labelled(app.t("peopleKeyTitle"), title),
    labelled(app.t("peopleKeyDays"), days),
    h("fieldset", { class: "roles" }, h("legend", {}, app.t("peopleKeyRoles")), ...boxes.map((each) => each.row)),
  ];
  ask(app, app.t("peopleKeyNew"), parts, app.t("peopleMake"), async () => {
    const chosen = boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
    const given = { title: title.value.trim(), roles: chosen, areas, departments, days: Number(days.value) };
    const { key } = await people.makeKey(given);
    made();
    toldOnce(app, app.t("peopleKeySecret"), key, app.t("peopleKeySecretWhy"));
  });
}
