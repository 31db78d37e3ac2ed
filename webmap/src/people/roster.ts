/** Many people from one table: their accounts made with one-time passwords, or their roles and scopes granted. */
import * as people from "../city/people.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { button, type Desk, hint, refusedLines } from "./common.ts";

export function rosterDialog(desk: Desk, changed: () => void): void {
  const { app } = desk;
  const input = h("input", { type: "file", id: "roster", class: "hidden-text", accept: ".csv,.txt,text/csv" });
  const chosen = h("span", { class: "name" });
  input.onchange = () => {
    chosen.textContent = input.files?.[0]?.name ?? "";
    fill(told);
  };
  const renew = h("input", { type: "checkbox" });
  const told = h("div", { class: "told", role: "status" });
  const buttons: HTMLButtonElement[] = [];
  const run = (work: (file: File) => Promise<readonly Node[]>) => async (): Promise<void> => {
    const [file] = input.files ?? [];
    if (file === undefined) return input.focus();
    for (const each of buttons) each.disabled = true;
    try {
      fill(told, ...(await work(file)));
      changed();
    } catch (error) {
      fill(told, h("p", { class: "wrong", role: "alert" }, why(app, error)), refusedLines(app, error));
      if (!(error instanceof Error)) throw error;
    } finally {
      for (const each of buttons) each.disabled = false;
    }
  };
  const make = run(async (file) => {
    const passwords = await people.importAccounts(file, renew.checked);
    save(passwords);
    return [h("p", {}, app.t("peopleImportDone")), button(app.t("peopleImportAgain"), () => save(passwords))];
  });
  const grant = run(async (file) => {
    const { granted } = await people.importGrants(file);
    return [h("p", {}, app.t("peopleImportGranted", { n: granted }))];
  });
  if (desk.has("account.edit")) buttons.push(button(app.t("peopleImportMake"), () => void make(), "primary"));
  if (desk.has("role.edit")) buttons.push(button(app.t("peopleImportGrant"), () => void grant(), "primary"));
  const dialog = h(
    "dialog",
    { class: "people wide" },
    h("h2", {}, app.t("peopleImport")),
    hint(app.t("peopleImportWhy")),
    h(
      "div",
      { class: "file" },
      h("label", { htmlFor: "roster", class: "outlined" }, app.t("peopleFile")),
      input,
      chosen,
    ),
    desk.has("account.edit") && h("label", { class: "check" }, renew, app.t("peopleImportRenew")),
    told,
  );
  dialog.append(
    h(
      "footer",
      {},
      button(app.t("peopleClose"), () => dialog.close()),
      ...buttons,
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

function save(passwords: Blob): void {
  const url = URL.createObjectURL(passwords);
  h("a", { href: url, download: "passwords.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
