/** Whose notices a channel takes, in words; and a choice among names. */
import type { Channel } from "../city/channels.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import type { Names } from "./scope.ts";

/** So many digits of a code are the whole city's. */
export const CITY_DIGITS = 4;

export const cityLevel = (app: App): string => app.t("channelCityLevel", { name: app.title(app.city.city.title) });

export function reachOf(app: App, { department, area }: Channel, names: Names): string {
  if (department !== null) return names.departments.get(department) ?? department;
  if (area === null) return app.t("channelReach_city");
  return names.areas.get(area) ?? (area.length === CITY_DIGITS ? cityLevel(app) : area);
}

/** Something of a list; what stands in no list (any more) can be kept. */
export function choice(
  label: string,
  first: string,
  names: ReadonlyMap<string, string>,
  now: string | null | undefined,
): HTMLSelectElement {
  const listed = now == null || names.has(now) ? [...names] : [[now, now] as const, ...names];
  return h(
    "select",
    { aria: { label } },
    h("option", { value: "" }, first),
    ...listed.map(([value, text]) => h("option", { value, selected: value === now }, text)),
  );
}
