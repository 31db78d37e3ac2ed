/** How the audit chain stands, and the command that checks it. */
import * as people from "../city/people.ts";
import { copyButton } from "../page/copy.ts";
import { h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { at, come, type Desk, hint } from "./common.ts";

export function auditView(element: HTMLElement, desk: Desk): void {
  const { app } = desk;
  const { lang } = app.store.get();
  void come(desk, element, async () => {
    const { seal, waitingS, roots, newestRoot, verify } = await people.audit();
    const said: [string, Node | string][] = [];
    if (seal === null) said.push([app.t("peopleAuditSeal"), app.t("peopleAuditNone")]);
    else {
      const told = { number: number(lang, seal.number), records: number(lang, seal.records), at: at(app, seal.at) };
      said.push([app.t("peopleAuditSeal"), app.t("peopleAuditSealOf", told)]);
      said.push([app.t("peopleAuditDigest"), h("code", {}, seal.digest)]);
    }
    const waits =
      waitingS > 0 ? app.t("peopleAuditLag", { n: number(lang, waitingS, 1) }) : app.t("peopleAuditCurrent");
    said.push([app.t("peopleAuditWaiting"), waits]);
    const kept =
      newestRoot === null ? app.t("peopleAuditNoRoots") : app.t("peopleAuditRootsOf", { n: roots, day: newestRoot });
    said.push([app.t("peopleAuditRoots"), kept]);
    const command = h("span", { class: "secret" }, h("code", {}, verify), copyButton(app, verify));
    said.push([app.t("peopleAuditVerify"), h("div", {}, command, hint(app.t("peopleAuditVerifyWhy")))]);
    return [h("dl", { class: "wide" }, ...said.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]))];
  });
}
