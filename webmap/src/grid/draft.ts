/** A report as it is being written: what it lacks, and what is sent of it. */
import type { LonLat } from "../city/api.ts";
import type { Report } from "../city/incidents.ts";

/** How the place came about. */
export type Placed = "position" | "map" | "grid";

export interface Draft {
  matter: string | null;
  place: { at: LonLat; how: Placed } | null;
  text: string;
  urgent: boolean;
  photos: number;
}

export const BLANK: Draft = { matter: null, place: null, text: "", urgent: false, photos: 0 };

/** What must still be given; a photo says as much as a text. */
export function missing({ matter, place, text, photos }: Draft): ("matter" | "place" | "text")[] {
  return [
    ...(matter === null ? (["matter"] as const) : []),
    ...(place === null ? (["place"] as const) : []),
    ...(text.trim() === "" && photos === 0 ? (["text"] as const) : []),
  ];
}

const DIGITS = 1e6;
const rounded = (value: number): number => Math.round(value * DIGITS) / DIGITS;

/** What the server is told; `name` is what the matter is called, for a report without words. */
export function reportOf({ matter, place, text, urgent }: Draft, name: string, channel = "worker"): Report {
  const description = text.trim() === "" ? name : text.trim();
  const at = place === null ? {} : { lon: rounded(place.at[0]), lat: rounded(place.at[1]) };
  return {
    ...(matter === null ? {} : { matter }),
    description,
    channel,
    level: urgent ? "urgent" : "general",
    ...at,
  };
}
