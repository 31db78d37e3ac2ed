/** Who told of an incident, in the clear: for a purpose that the server records. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";
import { post } from "./incidents.ts";

export interface Person {
  name: string | null;
  phone: string | null;
  home: string | null;
}

export interface Purpose extends Title {
  code: string;
}

/** The purposes that are offered; Refused for those who may not read people at all. */
export const purposes = (): Promise<{ purposes: Purpose[] }> => get("/callers/purposes");
export const unmask = (caller: number, purpose: string): Promise<Person> =>
  post(`/callers/${caller}/unmask`, { purpose });
