/** Topics: how the page is arranged for one task, as the server declares them. */
import type { Conditions } from "../page/conditions.ts";
import type { Look, View } from "../page/state.ts";
import type { Title } from "../words/i18n.ts";
import { get, Refused } from "./api.ts";

export type Panel = { title?: Title | null } & (
  | { kind: "figures"; indicators: string[] }
  | { kind: "bars"; indicator: string; by: string; top?: number }
  | { kind: "series"; indicator: string; days?: number }
  | { kind: "table"; indicators: string[]; by: string; top?: number }
  | { kind: "statuses"; layer: string; column: string }
  | { kind: "legend" }
);

export interface Topic {
  name: string;
  title: Title;
  about: Title;
  view: View | null;
  /** How often its figures are asked for anew. */
  refresh_s: number;
  /** From the bottom up. */
  layers: { layer: string; look?: Look; opacity?: number; conditions?: Conditions }[];
  rasters: string[];
  density: string | null;
  panels: Panel[];
  /** How long a wall shows it; null: a wall does not. */
  wall: { seconds: number } | null;
  /** Records that cannot wait: those that come to meet the conditions. */
  events?: { layer: string; conditions: Conditions }[];
}

/** The topics that are open to this page; none where the server has none. */
export async function topics(): Promise<Topic[]> {
  try {
    return (await get<{ topics: Topic[] }>("/topics")).topics;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return [];
    throw error;
  }
}
