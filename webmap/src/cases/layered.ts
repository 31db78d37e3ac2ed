/** The layer of incidents on the map, filtered as the queue is. */
import type { Conditions } from "../page/conditions.ts";
import { OPEN, type Place, WAITING } from "./place.ts";

/** What a queue means in columns of the layer; those of whom only the server knows are named one by one. */
export function conditionsOf({ tab, filters }: Pick<Place, "tab" | "filters">, ids: readonly string[]): Conditions {
  if (tab === "mine" || tab === "department" || filters.text !== "") return { id: { in: ids } };
  const late = tab === "overdue" || tab === "supervision";
  const states = filters.state.length > 0 ? filters.state : tab === "new" ? WAITING : OPEN;
  const lights = filters.light.length > 0 ? filters.light : late ? ["red"] : [];
  return {
    state: { in: states },
    ...(lights.length > 0 ? { light: { in: lights } } : {}),
    ...(filters.level.length > 0 ? { level: { in: filters.level } } : {}),
    ...(filters.channel === "" ? {} : { channel: { in: [filters.channel] } }),
    ...(filters.matter === "" ? {} : { matter: { in: [filters.matter] } }),
    ...(filters.lead === "" ? {} : { lead: { in: [filters.lead] } }),
    ...(filters.town === "" ? {} : { admin_code: { starts: filters.town } }),
  };
}
