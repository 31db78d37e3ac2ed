/** The way to a task: over the roads by the server's question, or where it cannot be asked, the straight line. */
import type { Position } from "geojson";
import type { LonLat } from "../city/api.ts";
import { ask } from "../city/questions.ts";
import { why } from "../page/why.ts";
import { number } from "../words/format.ts";
import { bearing_deg, compass, distance_m, distanceText } from "./near.ts";
import type { Phone } from "./phone.ts";

export interface Way {
  told: string;
  /** Null where nobody knows from where. */
  line: Position[] | null;
}

const PATIENCE_MS = 10_000;

/** The way from where the worker stands; it is told in words in any case. */
export async function wayTo(phone: Phone, to: LonLat): Promise<Way> {
  const { app, lang, shift } = phone;
  const from = shift.position()?.at;
  if (from === undefined) return { told: app.t("gridWayNeedsShift"), line: null };
  try {
    const answer = await ask({ ask: "route", start: from, end: to, by: "walking" }, AbortSignal.timeout(PATIENCE_MS));
    const way = answer.features?.features.find(({ properties }) => properties.part === "way");
    if (way?.geometry?.type !== "LineString") throw new TypeError("a route without a way");
    const { minutes, length_m } = way.properties;
    const told = { minutes: number(lang, Math.ceil(Number(minutes))), distance: distanceText(Number(length_m)) };
    return { told: app.t("gridWayTold", told), line: way.geometry.coordinates };
  } catch (error) {
    const direction = app.t(`gridDir_${compass(bearing_deg(from, to))}`);
    const distance = distanceText(distance_m(from, to));
    return { told: app.t("gridWayStraight", { distance, direction, why: why(app, error) }), line: [from, to] };
  }
}
