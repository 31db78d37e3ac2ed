/** The departments that answer for what happens, and who is responsible for a case, with the reasons. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";

export interface Department {
  code: string;
  title: Title;
  level: "city" | "county" | "town";
  area: string;
  /** Of the duty desk. */
  phone: string;
}

export interface Responsible {
  lead: Department;
  co: Department[];
  why: Title[];
}

export const departments = (): Promise<{ departments: Department[] }> => get("/departments");

export interface Matter {
  matter: string;
  admin_code?: string | null;
  grid_id?: string | null;
}

/** Who is responsible for a matter at a place. */
export function responsible({ matter, admin_code, grid_id }: Matter, signal?: AbortSignal): Promise<Responsible> {
  const query = new URLSearchParams({ matter });
  if (admin_code) query.set("admin_code", admin_code);
  if (grid_id) query.set("grid_id", grid_id);
  return get(`/duties/decide?${query}`, signal);
}
