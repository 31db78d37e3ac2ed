/** A list as a file: the records that meet its conditions, in the format that is chosen. */

import { download, EXPORTS, type ExportFormat, kept } from "../city/records.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { failure } from "../page/why.ts";

export function exportMenu(app: App, layer: string, filter: string | null): HTMLElement {
  const select = h(
    "select",
    { class: "export", data: { key: "export" }, aria: { label: app.t("export") } },
    h("option", { value: "" }, app.t("export")),
    ...EXPORTS.map((format) => h("option", { value: format }, app.t(`format_${format}`))),
  );
  const first = select.options[0];
  const say = (text: string) => {
    if (first) first.textContent = text;
    select.value = "";
  };
  select.onchange = async () => {
    const format = select.value as ExportFormat;
    select.disabled = true;
    say(app.t("exporting"));
    try {
      const { exports, truncated } = await kept(layer, filter);
      await download(exports[format] ?? "", `${layer}.${format}`);
      say(app.t(truncated ? "exportCut" : "export"));
    } catch (error) {
      say(failure(app, error));
    }
    select.disabled = false;
  };
  return select;
}
