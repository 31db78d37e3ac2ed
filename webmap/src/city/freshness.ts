/** Which tiles show an older state of the records than the server has: what was asked for before the last change. */

export interface Tile {
  z: number;
  x: number;
  y: number;
}

/** What a change touched: some tiles, some with all that lie under them, or every tile. */
export interface Change {
  tiles?: readonly string[];
  under?: readonly string[];
  all?: boolean;
}

export interface Freshness {
  /** Records changed in these tiles. */
  changed(change: Change): void;
  /** A tile is being asked for now; at `zoom` it is a picture of its own, also where that is deeper than the tile. */
  asked(tile: Tile, zoom: number): void;
  isStale(tile: Tile, zoom: number): boolean;
}

// Tiles at hand and changes behind them are few; past this many it is cheaper to ask again than to remember.
const MOST = 5000;

/** What is known of the tiles of one source. */
export function createFreshness(most = MOST): Freshness {
  let now = 0;
  let allAt = 0;
  const changedAt = new Map<string, number>();
  const underAt = new Map<string, number>();
  const askedAt = new Map<string, number>();

  const lastChange = ({ z, x, y }: Tile): number => {
    let last = Math.max(allAt, changedAt.get(`${z}/${x}/${y}`) ?? 0);
    for (let up = 0; underAt.size > 0 && up <= z; up++) {
      last = Math.max(last, underAt.get(`${z - up}/${x >> up}/${y >> up}`) ?? 0);
    }
    return last;
  };

  return {
    changed({ tiles = [], under = [], all = false }) {
      now += 1;
      for (const key of tiles) changedAt.set(key, now);
      for (const key of under) underAt.set(key, now);
      if (!all && changedAt.size + underAt.size <= most) return;
      allAt = now;
      changedAt.clear();
      underAt.clear();
    },
    asked(tile, zoom) {
      // A forgotten tile counts as asked for before any change: it is asked for once too often, never too seldom.
      if (askedAt.size >= most) askedAt.clear();
      askedAt.set(pictureKey(tile, zoom), now);
    },
    isStale: (tile, zoom) => lastChange(tile) > (askedAt.get(pictureKey(tile, zoom)) ?? 0),
  };
}

const pictureKey = ({ z, x, y }: Tile, zoom: number): string => `${Math.max(z, zoom)}:${z}/${x}/${y}`;
