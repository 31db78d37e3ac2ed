/** What a step carries, read from a form: which parts the form needs, what lacks, and what is sent. */
import type { Carries, Level, Need, Offer } from "../city/incidents.ts";

/** What was filled in; photos that have been taken in already, by their ids. */
export interface Filled {
  note: string;
  reason: string;
  finding: string;
  /** "2026-11-23T18:00", in the time of the city. */
  until: string;
  lead: string;
  co: readonly string[];
  assignee: string;
  into: string;
  matter: string;
  level: Level | "";
  photos: readonly string[];
}
export const NOTHING_FILLED: Filled = {
  note: "",
  reason: "",
  finding: "",
  until: "",
  lead: "",
  co: [],
  assignee: "",
  into: "",
  matter: "",
  level: "",
  photos: [],
};

/** What a desk fills in; where somebody stands is for those who are on the spot. */
export type Part = Exclude<Need, "proof" | "place">;
const ORDER: readonly Part[] = [
  ...(["finding", "reason", "lead", "co", "assignee", "into", "until", "matter", "level", "note", "photo"] as const),
];

export const partsOf = ({ needs, takes }: Pick<Offer, "needs" | "takes">): Part[] => {
  const known = new Set([...needs, ...takes]);
  return ORDER.filter((part) => known.has(part) || (known.has("proof") && (part === "note" || part === "photo")));
};

const ASKED: readonly Need[] = ["lead", "co", "until"];

/** A step that needs nothing is taken at once; who it goes to, and until when, is asked all the same. */
export const atOnce = ({ needs, takes }: Pick<Offer, "needs" | "takes">): boolean =>
  needs.length === 0 && !takes.some((part) => ASKED.includes(part));

const has = (filled: Filled, need: Need): boolean => {
  switch (need) {
    case "proof":
      return filled.note.trim() !== "" || filled.photos.length > 0;
    case "photo":
      return filled.photos.length > 0;
    case "co":
      return filled.co.length > 0;
    case "place":
      return true;
    default:
      return filled[need].trim() !== "";
  }
};

/** What the step must carry and was not filled in. */
export const lacking = ({ needs }: Pick<Offer, "needs">, filled: Filled): Need[] =>
  needs.filter((need) => !has(filled, need));

/** What is sent with the step: only what it takes, and only what was filled in. */
export function carriesOf(offer: Pick<Offer, "needs" | "takes">, filled: Filled): Carries {
  const parts = new Set(partsOf(offer));
  const carries: Carries = {};
  for (const name of ["note", "reason", "finding", "lead", "assignee", "into", "matter"] as const) {
    const text = filled[name].trim();
    if (parts.has(name) && text !== "") carries[name] = text;
  }
  if (parts.has("level") && filled.level !== "") carries.level = filled.level;
  if (parts.has("until") && filled.until !== "") carries.until = `${filled.until}:00+08:00`;
  if (parts.has("co") && filled.co.length > 0) carries.co = [...filled.co];
  if (parts.has("photo") && filled.photos.length > 0) carries.photos = [...filled.photos];
  return carries;
}
