/** Cases as files: what is seen of a queue goes out, what another system says of its cases comes in. */
import type { Title } from "../words/i18n.ts";
import { authorization, refusal, Unreachable } from "./api.ts";
import { type QueueAsked, queuePath } from "./incidents.ts";

export const FORMATS = ["csv", "xlsx", "geojson"] as const;
export type Format = (typeof FORMATS)[number];
export type Lines = "cases" | "steps";

/** One line that was not taken, and why. */
export interface RefusedLine {
  row: number;
  number: string | null;
  step: string | null;
  fields: string[];
  why: Title;
}

export interface Brought {
  lines: number;
  taken: number;
  known: number;
  refused: RefusedLine[];
}

/** The address of a queue as a file; it is not cut into pages. */
export function filePath(asked: QueueAsked, format: Format, lines: Lines): string {
  const [path = "", query] = queuePath(asked).split("?");
  const wanted = new URLSearchParams(query);
  wanted.delete("limit");
  wanted.set("lines", lines);
  return `${path}/export.${format}?${wanted}`;
}

/** Bring a file of another system; what came before is left alone, so that sending it again does no harm. */
export async function bring(file: File, system: string): Promise<Brought> {
  const path = `/incidents/import?${new URLSearchParams({ system })}`;
  let response: Response;
  try {
    const headers = { ...authorization(), "Content-Type": "application/octet-stream" };
    response = await fetch(path, { method: "POST", headers, body: file });
  } catch (cause) {
    throw new Unreachable(path, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as Brought;
}
