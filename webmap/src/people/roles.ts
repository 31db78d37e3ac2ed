/** What each role may do: a matrix of rights and roles in which one sees, and changes, what the city does otherwise. */
import * as people from "../city/people.ts";
import { fill, h } from "../page/dom.ts";
import { attempt, button, type Desk, sure } from "./common.ts";

export function rolesView(element: HTMLElement, desk: Desk): void {
  void attempt(desk, async () => {
    const told = await people.roles();
    if (desk.over.aborted) return;
    const { app } = desk;
    const again = (): void => rolesView(element, desk);
    const roles = told.roles.map((role) => new Column(desk, role, again));
    const known = new Set(told.rights.map(({ right }) => right));
    const single = told.roles.flatMap(({ rights, shipped }) => [...rights, ...(shipped ?? [])]);
    const others = [...new Set(single)].filter((right) => !known.has(right)).sort();
    const rights = [...told.rights, ...others.map((right) => ({ right, zh: right, en: right }))];
    const rows = rights.map((right) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, app.title(right), h("small", {}, right.right)),
        ...roles.map((role) => role.cell(right)),
      ),
    );
    const grid = h(
      "table",
      { class: "matrix", aria: { label: app.t("peopleMatrix") } },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, app.t("peopleRight")), ...roles.map((role) => role.head()))),
      h("tbody", {}, ...rows),
      desk.has("role.edit") && h("tfoot", {}, h("tr", {}, h("td", {}), ...roles.map((role) => role.foot))),
    );
    const key = h(
      "p",
      { class: "hint key" },
      h("span", { class: "mark", data: { change: "added" } }, app.t("peopleAdded")),
      h("span", { class: "mark", data: { change: "removed" } }, app.t("peopleRemoved")),
      app.t("peopleRoleReadOnly"),
    );
    const label = app.t("peopleMatrix");
    fill(element, key, h("div", { class: "scroll tall", tabIndex: 0, role: "region", aria: { label } }, grid));
  });
}

/** One role of the matrix. */
class Column {
  readonly foot = h("td", { class: "foot" });
  private readonly chosen: Set<string>;
  private readonly desk: Desk;
  private readonly role: people.Role;
  private readonly again: () => void;

  constructor(desk: Desk, role: people.Role, again: () => void) {
    this.desk = desk;
    this.role = role;
    this.again = again;
    this.chosen = new Set(role.rights);
    this.drawFoot();
  }

  private get fixed(): boolean {
    return !this.desk.has("role.edit") || this.desk.app.city.who.roles.includes(this.role.name);
  }

  head(): HTMLElement {
    const { app } = this.desk;
    const { own, shipped, name, title } = this.role;
    const said = !own ? app.t("peopleShipped") : app.t(shipped === null ? "peopleMade" : "peopleChanged");
    return h(
      "th",
      { scope: "col", class: own ? "own" : "" },
      app.title(title),
      h("small", {}, name),
      h("small", {}, said),
    );
  }

  cell({ right, zh, en }: people.Right): HTMLElement {
    const { app } = this.desk;
    const box = h("input", {
      type: "checkbox",
      checked: this.chosen.has(right),
      disabled: this.fixed,
      aria: { label: app.t("peopleHas", { role: app.title(this.role.title), right: app.title({ zh, en }) }) },
    });
    const element = h("td", {}, h("label", { class: "mark" }, box));
    const mark = (): void => {
      const { shipped } = this.role;
      const changed = shipped !== null && shipped.includes(right) !== box.checked;
      const label = element.firstElementChild as HTMLElement;
      if (changed) label.dataset.change = box.checked ? "added" : "removed";
      else delete label.dataset.change;
      label.title = changed ? app.t(box.checked ? "peopleAdded" : "peopleRemoved") : "";
    };
    box.onchange = () => {
      if (box.checked) this.chosen.add(right);
      else this.chosen.delete(right);
      mark();
      this.drawFoot();
    };
    mark();
    return element;
  }

  private drawFoot(): void {
    const { app } = this.desk;
    const { role } = this;
    const different = role.rights.length !== this.chosen.size || role.rights.some((right) => !this.chosen.has(right));
    const doing = (work: () => Promise<unknown>) => async (): Promise<void> => {
      await work();
      this.again();
    };
    const save = doing(() => people.changeRole({ name: role.name, title: role.title, rights: [...this.chosen] }));
    const back = doing(() => people.forgetRole(role.name));
    const name = app.title(role.title);
    fill(
      this.foot,
      different && button(app.t("peopleRoleSave"), () => void attempt(this.desk, save), "primary"),
      role.own &&
        !this.fixed &&
        button(app.t(role.shipped === null ? "peopleRoleDelete" : "peopleRoleBack"), () =>
          sure(this.desk, app.t("peopleRoleSure", { name }), app.t("peopleSure"), back),
        ),
    );
  }
}
