/** Figures as a file: buttons that give them to the browser's downloads. */
import { reportPath } from "../city/indicators.ts";
import { download } from "../city/records.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";

const FORMATS = ["xlsx", "csv"] as const;

/** A button for each format, of a topic's figures or of those of one indicator. */
export function reportButtons(app: App, asked: Parameters<typeof reportPath>[1], key: string): HTMLElement {
  const problem = h("span", { role: "status" });
  const buttons = FORMATS.map((format) => {
    const text = app.t(`format_${format}`);
    const button = h(
      "button",
      {
        type: "button",
        data: { key: `report-${key}-${format}` },
        aria: { label: app.t("reportAs", { format: text }) },
      },
      text,
    );
    button.onclick = async () => {
      button.disabled = true;
      problem.textContent = app.t("exporting");
      try {
        await download(reportPath(format, asked), `${key}.${format}`);
        problem.textContent = "";
      } catch (error) {
        problem.textContent = app.t("failed", { why: error instanceof Error ? error.message : String(error) });
      }
      button.disabled = false;
    };
    return button;
  });
  return h("div", { class: "report" }, h("span", {}, app.t("reportOf")), ...buttons, problem);
}
