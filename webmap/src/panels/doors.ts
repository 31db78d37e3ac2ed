/** Every number is a door to the records behind it: a click sets their conditions and lists them, another goes back. */
import type { Door } from "../city/indicators.ts";
import { type Clause, type Conditions, sameConditions } from "../page/conditions.ts";
import type { Hovered, State, Store } from "../page/state.ts";

export interface Doors {
  isOpen(door: Door): boolean;
  /** Open a door, or close it if it is open. */
  toggle(door: Door): void;
  /** Close the list: back out of the door that led to it, if one did. */
  leave(): void;
}

/** What a door replaced, to go back to. */
interface Before {
  door: Door;
  conditions: Conditions | undefined;
  listed: string | null;
  layers: readonly string[];
}

/** The doors of a page; `arranged` gives the conditions of a layer that nobody has touched. */
export function createDoors(store: Store, arranged: (layer: string) => Conditions | undefined): Doors {
  let before: Before | null = null;
  const isOpen = (door: Door) => opened(store.get(), door);

  const close = (door: Door) => {
    const { conditions, layers } = store.get();
    const known = before !== null && sameDoor(before.door, door) ? before : null;
    const own = known === null ? arranged(door.layer) : known.conditions;
    before = null;
    store.set({
      conditions: put(conditions, door.layer, own),
      listed: known?.listed ?? null,
      layers:
        known === null || known.layers.includes(door.layer) ? layers : layers.filter((each) => each !== door.layer),
    });
  };
  const open = (door: Door) => {
    // From one door straight into another: back leads out of both.
    if (before !== null && isOpen(before.door)) close(before.door);
    const { conditions, listed, layers } = store.get();
    before = { door, conditions: conditions[door.layer], listed, layers };
    store.set({
      conditions: put(conditions, door.layer, door.conditions),
      listed: door.layer,
      layers: layers.includes(door.layer) ? layers : [...layers, door.layer],
      selected: null,
    });
  };
  return {
    isOpen,
    toggle: (door) => (isOpen(door) ? close(door) : open(door)),
    leave() {
      if (before !== null && isOpen(before.door)) close(before.door);
      else store.set({ listed: null });
    },
  };
}

const sameDoor = (a: Door, b: Door): boolean => a.layer === b.layer && sameConditions(a.conditions, b.conditions);

/** Whether the records behind a door are those that the page lists. */
export const opened = ({ listed, conditions }: State, door: Door): boolean =>
  listed === door.layer && sameConditions(conditions[door.layer], door.conditions);

function put(
  all: State["conditions"],
  layer: string,
  own: Conditions | undefined,
): Readonly<Record<string, Conditions>> {
  const { [layer]: _, ...rest } = all;
  return own === undefined || Object.keys(own).length === 0 ? rest : { ...rest, [layer]: own };
}

/** Whether a clause lets a value pass; ranges follow the order of the alphabet, which is that of dates and times. */
export function admits(clause: Clause, value: string | null): boolean {
  if ("in" in clause) return clause.in.includes(value);
  if (value === null) return false;
  if ("starts" in clause) return value.startsWith(clause.starts);
  return (clause.from === undefined || value >= clause.from) && (clause.to === undefined || value <= clause.to);
}

/** Whether what is hovered is what a row stands for, or part of it, as a town is of its county. */
export function behind({ door, by }: Row, hovered: Hovered | null): boolean {
  const own = standsFor(door, by);
  if (own === null || hovered === null || own.layer !== hovered.layer || own.column !== hovered.column) return false;
  const clause = door.conditions[own.column];
  return clause !== undefined && admits(clause, hovered.value);
}

/** A door, and what tells it from its neighbours: `city`, an area or a column. */
export interface Row {
  door: Door;
  by: string;
}

const AREA_COLUMNS: Readonly<Record<string, string>> = { county: "admin_code", town: "admin_code", grid: "grid_id" };

/** What a row stands for when it is pointed at: a column and its value; null where it stands for everything. */
export function standsFor(door: Door, by: string): Hovered | null {
  const clauses = Object.entries(door.conditions);
  const [column, clause] = clauses.find(([name]) => name === (AREA_COLUMNS[by] ?? by)) ?? clauses[0] ?? [];
  if (column === undefined || clause === undefined) return null;
  if ("starts" in clause) return { layer: door.layer, column, value: clause.starts };
  const [value, ...others] = "in" in clause ? clause.in : [];
  return value === undefined || others.length > 0 ? null : { layer: door.layer, column, value };
}
