/** Who is responsible for a case, and why. */
import { responsible } from "../city/departments.ts";
import type { Incident } from "../city/incidents.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { type Bench, departmentWord } from "./bench.ts";

export function responsibleView(bench: Bench, incident: Incident, signal: AbortSignal): HTMLElement {
  const { app, departments } = bench;
  const reasons = h("ul", { class: "reasons" });
  const who = h("p", { class: "who" });
  const named = (codes: readonly string[]): string =>
    codes.map((code) => departmentWord(bench, code)).join(app.t("listComma"));
  const draw = (lead: string | null, co: readonly string[], proposed: boolean): void => {
    const phone = departments.find(({ code }) => code === lead)?.phone;
    const told = lead === null ? app.t("caseNobody") : departmentWord(bench, lead);
    fill(
      who,
      h("b", {}, told),
      phone !== undefined && h("span", { class: "phone" }, phone),
      proposed && h("span", { class: "hint" }, app.t("caseWouldBe")),
      co.length > 0 && h("span", { class: "co" }, app.t("caseHelping", { who: named(co) })),
    );
  };
  draw(incident.lead, incident.co, false);
  responsible(incident, signal).then(
    (found) => {
      if (incident.lead === null)
        draw(
          found.lead.code,
          found.co.map(({ code }) => code),
          true,
        );
      else if (incident.lead !== found.lead.code)
        reasons.append(h("li", {}, app.t("caseOtherThanDuty", { who: app.title(found.lead.title) })));
      reasons.append(...found.why.map((each) => h("li", {}, app.title(each))));
    },
    (error: unknown) => {
      if (!signal.aborted) reasons.append(h("li", {}, why(app, error)));
    },
  );
  return h("section", { class: "responsible" }, h("h3", {}, app.t("caseResponsible")), who, reasons);
}
