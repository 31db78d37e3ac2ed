/** What is pointed at and what is picked: table, chart and map tell each other. */

export interface Link {
  hovered(): number | null;
  picked(): ReadonlySet<number>;
  hover(at: number | null): void;
  /** Pick these rows, or none if just these are picked. */
  pick(rows: ReadonlySet<number>): void;
  clear(): void;
  on(listener: () => void): void;
}

export function createLink(): Link {
  let hovered: number | null = null;
  let picked: ReadonlySet<number> = new Set();
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    hovered: () => hovered,
    picked: () => picked,
    hover(at) {
      if (at === hovered) return;
      hovered = at;
      tell();
    },
    pick(rows) {
      const again = rows.size === picked.size && [...rows].every((at) => picked.has(at));
      picked = again ? new Set() : rows;
      tell();
    },
    clear() {
      hovered = null;
      picked = new Set();
      tell();
    },
    on: (listener) => void listeners.add(listener),
  };
}
