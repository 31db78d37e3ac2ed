/** Records asked for by the place where they stand. */
import { authorization, type LonLat, type Properties, refusal, Unreachable } from "./api.ts";

export interface Selection {
  records: { id: string; properties: Properties }[];
  truncated: boolean;
}

interface Answer {
  truncated: boolean;
  features?: { features: { properties: Properties }[] };
}

const MOST = 1_000;

/** The records of a layer within some metres of a point, of those that a CQL2 filter takes; at most a thousand. */
export async function recordsNear(
  layer: string,
  coordinates: LonLat,
  { distance_m, filter }: { distance_m: number; filter: string | null },
): Promise<Selection> {
  const where = [{ relation: "near", geometry: { type: "Point", coordinates }, distance_m }];
  const question = { ask: "select", layer, where, limit: MOST, ...(filter === null ? {} : { filter }) };
  const headers = { "Content-Type": "application/json", ...authorization() };
  const response = await fetch("/query", { method: "POST", headers, body: JSON.stringify(question) }).catch((cause) => {
    throw new Unreachable("/query", { cause });
  });
  if (!response.ok) throw await refusal(response);
  const { features, truncated } = (await response.json()) as Answer;
  const records = features?.features ?? [];
  return { records: records.map(({ properties }) => ({ id: String(properties.id), properties })), truncated };
}
