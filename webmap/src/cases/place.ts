/** Which queue is shown, by which filters, and which case is open: what the URL of the page keeps. */

import { LEVELS, type Queue, type QueueAsked, STATES } from "../city/incidents.ts";
import type { Who } from "../city/session.ts";

export const TABS = ["new", "mine", "department", "overdue", "area", "supervision", "callbacks", "needs"] as const;
export type Tab = (typeof TABS)[number];
export const LIGHTS = ["red", "yellow", "green", "none"] as const;

/** Values that one may choose several of, and such that there is one of. */
export const SEVERAL = ["state", "level", "light"] as const;
export const SINGLE = ["channel", "matter", "town", "lead", "text"] as const;
export type Filters = Readonly<
  Record<(typeof SEVERAL)[number], readonly string[]> & Record<(typeof SINGLE)[number], string>
>;
export const NO_FILTERS: Filters = {
  state: [],
  level: [],
  light: [],
  channel: "",
  matter: "",
  town: "",
  lead: "",
  text: "",
};

/** What is shown beside the queue: nothing, a case, a need of a resident, or the form for a call. */
export type Beside = { kind: "case"; id: string } | { kind: "need"; id: number } | { kind: "intake" } | null;

export interface Place {
  tab: Tab;
  filters: Filters;
  beside: Beside;
}
export const START: Place = { tab: "new", filters: NO_FILTERS, beside: null };

/** A case waits for the desk until it is with a department. */
export const WAITING: readonly string[] = ["reported", "verified", "accepted", "registered"];
const ENDED: readonly string[] = ["closed", "rejected", "cancelled"];
export const OPEN: readonly string[] = STATES.filter((state) => !ENDED.includes(state));

const QUEUES: Record<Tab, Queue> = {
  new: "area",
  mine: "mine",
  department: "department",
  overdue: "overdue",
  area: "area",
  supervision: "overdue",
  callbacks: "area",
  needs: "area",
};

/** What the server is asked for; without a filter by state a tab shows what it is for. */
export function asked({ tab, filters }: Pick<Place, "tab" | "filters">): QueueAsked {
  const states = filters.state.length > 0 ? filters.state : tab === "new" ? WAITING : OPEN;
  const { channel, matter, town, lead, text, level, light } = filters;
  return { queue: QUEUES[tab], states, levels: level, lights: light, channel, matter, town, lead, text };
}

export const isFiltered = (filters: Filters): boolean =>
  SEVERAL.some((name) => filters[name].length > 0) || SINGLE.some((name) => filters[name] !== "");

const KNOWN: Record<(typeof SEVERAL)[number], readonly string[]> = { state: STATES, level: LEVELS, light: LIGHTS };
const CODE = /^[\w-]{1,32}$/;
const CASE = /^[\w-]{1,32}$/;
const NEED = /^[1-9]\d{0,14}$/;
const MOST_TEXT = 50;

const NEEDS_RIGHTS = ["need.take", "need.report", "visit.view"];

/** The tabs of somebody: needs and visits are for those who see some. */
export const tabsOf = ({ rights }: Pick<Who, "rights">): readonly Tab[] =>
  TABS.filter((tab) => tab !== "needs" || NEEDS_RIGHTS.some((right) => rights.includes(right)));

/** The queue that somebody begins with: what waits to be dispatched, their department's, or what was given to them. */
export function homeOf({ rights, departments }: Pick<Who, "rights" | "departments">): Tab {
  if (rights.includes("incident.dispatch")) return "new";
  return departments === null || departments.length > 0 ? "department" : "mine";
}

/** The place that a fragment stands for; what makes no sense is left out. */
export function placeFrom(fragment: string, home: Tab = START.tab): Place {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const several = SEVERAL.map((name) => [
    name,
    (given.get(name) ?? "").split(",").filter((value) => KNOWN[name].includes(value)),
  ]);
  const single = SINGLE.map((name) => {
    const value = given.get(name) ?? "";
    return [name, name === "text" ? value.slice(0, MOST_TEXT) : CODE.test(value) ? value : ""];
  });
  return {
    tab: TABS.find((tab) => tab === given.get("tab")) ?? home,
    filters: Object.fromEntries([...several, ...single]) as Filters,
    beside: besideFrom(given),
  };
}

function besideFrom(given: URLSearchParams): Beside {
  if (given.has("intake")) return { kind: "intake" };
  const [id, need] = [given.get("case") ?? "", given.get("need") ?? ""];
  if (CASE.test(id)) return { kind: "case", id };
  return NEED.test(need) ? { kind: "need", id: Number(need) } : null;
}

/** The part of the fragment that stands for a place. */
export function placeText({ tab, filters, beside }: Place): string {
  const parts = new URLSearchParams();
  parts.set("tab", tab);
  for (const name of SEVERAL) if (filters[name].length > 0) parts.set(name, filters[name].join(","));
  for (const name of SINGLE) if (filters[name] !== "") parts.set(name, filters[name]);
  if (beside?.kind === "case") parts.set("case", beside.id);
  if (beside?.kind === "need") parts.set("need", String(beside.id));
  if (beside?.kind === "intake") parts.set("intake", "");
  return parts.toString().replaceAll("%2C", ",");
}
