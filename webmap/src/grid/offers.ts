/** What can be done next with a task: what the server offers, and what will follow the worker's own steps that still wait. */
import type { LonLat } from "../city/api.ts";
import type { Carries, IncidentState, Need, Offer } from "../city/incidents.ts";
import type { Title } from "../words/i18n.ts";
import type { Act, Step } from "./acts.ts";

/** What a worker mostly came to do, in the order of the work. */
const WORK = ["verify", "sign", "arrive", "feedback", "check", "close", "self_handle", "dispose"];
// Once they have arrived, these steps make possible what follows; until then no server could offer it.
const FOLLOWING: Readonly<Record<string, Offer>> = {
  sign: later("arrive", "disposing", { zh: "到场", en: "Arrive" }, ["note", "photo", "place"]),
  arrive: later("feedback", "disposed", { zh: "处置反馈", en: "Report it done" }, ["photo", "place"]),
  dispose: later("feedback", "disposed", { zh: "处置反馈", en: "Report it done" }, ["photo", "place"]),
};
/** What this page can ask for. */
const ASKED: readonly Need[] = ["note", "proof", "photo", "reason", "finding", "until", "place"];

function later(step: string, to: IncidentState, title: Title, takes: Need[]): Offer {
  const needs: Need[] = step === "feedback" ? ["note"] : [];
  const offer = { step, to, title, allowed: true, why: null, needs, takes, reasons: [], findings: [] };
  return offer;
}

/** Whether everything that a step must carry can be given on a phone. */
export const doable = (offer: Offer): boolean => offer.needs.every((need) => ASKED.includes(need));

/** The steps that the worker may take now, what one came to do first. */
export function openSteps(offers: readonly Offer[], waiting: readonly Act[]): Offer[] {
  const last = waiting
    .map(({ doing }) => doing)
    .findLast((doing): doing is Step => doing.kind === "step" && doing.step !== "note");
  if (last !== undefined) {
    const next = FOLLOWING[last.step];
    const known = offers.find(({ step }) => step === next?.step);
    return next === undefined ? [] : [known?.allowed ? known : next];
  }
  const rank = ({ step }: Offer): number => (WORK.includes(step) ? WORK.indexOf(step) : WORK.length);
  return offers.filter(({ allowed }) => allowed).sort((a, b) => rank(a) - rank(b));
}

/** What a form holds. */
export interface Filled {
  note: string;
  reason: string;
  finding: string;
  /** A local date and time, as its input gives it. */
  until: string;
  photos: number;
}

/** Which of what a step must carry is still missing. */
export function lacking(offer: Offer, filled: Filled): Need[] {
  const note = filled.note.trim() !== "";
  const has: Record<string, boolean> = {
    note,
    photo: filled.photos > 0,
    proof: note || filled.photos > 0,
    reason: filled.reason !== "",
    finding: filled.finding !== "",
    until: filled.until !== "",
    place: true,
  };
  return offer.needs.filter((need) => !has[need]);
}

/** What the step carries, beside its photos. */
export function carriesOf(offer: Offer, filled: Filled, at: LonLat | null): Carries {
  const known = new Set<Need>([...offer.needs, ...offer.takes]);
  const note = filled.note.trim();
  const takesNote = known.has("note") || known.has("proof");
  return {
    ...(takesNote && note !== "" ? { note } : {}),
    ...(filled.reason === "" ? {} : { reason: filled.reason }),
    ...(filled.finding === "" ? {} : { finding: filled.finding }),
    ...(filled.until === "" ? {} : { until: new Date(filled.until).toISOString() }),
    ...(known.has("place") && at !== null ? { lon: at[0], lat: at[1] } : {}),
  };
}
