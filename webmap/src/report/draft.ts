/** A resident's report as it is being written: what it lacks, and what is sent of it. */
import type { LonLat } from "../city/api.ts";
import type { Report } from "../city/incidents.ts";

export interface Draft {
  text: string;
  matter: string | null;
  at: LonLat | null;
  address: string;
  name: string;
  phone: string;
}
export const BLANK: Draft = { text: "", matter: null, at: null, address: "", name: "", phone: "" };

export type Lack = "text" | "matter" | "place";

export const missing = ({ text, matter, at }: Draft): Lack[] => [
  ...(text.trim().length < 2 ? (["text"] as const) : []),
  ...(matter === null ? (["matter"] as const) : []),
  ...(at === null ? (["place"] as const) : []),
];

const DIGITS = 1e6;
const rounded = (value: number): number => Math.round(value * DIGITS) / DIGITS;

/** What the server is told: of name and number only what was given. */
export function reportOf({ text, matter, at, address, name, phone }: Draft): Report {
  const contact = {
    ...(name.trim() === "" ? {} : { name: name.trim() }),
    ...(phone.trim() === "" ? {} : { phone: phone.trim() }),
  };
  return {
    channel: "public",
    description: text.trim(),
    ...(matter === null ? {} : { matter }),
    ...(at === null ? {} : { lon: rounded(at[0]), lat: rounded(at[1]) }),
    ...(address.trim() === "" ? {} : { address: address.trim() }),
    ...(Object.keys(contact).length === 0 ? {} : { contact }),
  };
}
