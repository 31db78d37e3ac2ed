/** How numbers fall into classes: equally many in each, natural breaks (Fisher and Jenks), or bounds put by hand. */
import type { Breaks } from "../page/state.ts";

/** Classes that a map tells apart at a glance. */
export const USUAL_CLASSES = 5;
/** The most bounds that someone may put by hand: nine classes. */
export const MOST_BOUNDS = 8;

/**
 * Classes by their edges, rising; class `i` is above edge `i` up to and with edge `i + 1`, the first one with its lower
 * edge, too. One edge alone is a class of one value; none, no class.
 */
export type Edges = readonly number[];

/** The classes of some values; bounds put by hand stay where they were put, with nothing beyond them left out. */
export function edgesOf(values: readonly number[], breaks: Breaks): Edges {
  if (values.length === 0) return [];
  const rising = [...values].sort((a, b) => a - b);
  if (breaks === "quantile") return legible(quantiles(rising, USUAL_CLASSES), rising);
  if (breaks === "jenks") return legible(naturalBreaks(rising, USUAL_CLASSES), rising);
  return [Number.NEGATIVE_INFINITY, ...breaks.slice(0, MOST_BOUNDS), Number.POSITIVE_INFINITY];
}

/** Which class a value is in; beyond the edges, the nearest one. */
export function classOf(edges: Edges, value: number): number {
  let at = 0;
  while (at < edges.length - 2 && value > (edges[at + 1] as number)) at++;
  return at;
}

/** How many classes there are between these edges. */
export const classCount = (edges: Edges): number => Math.min(edges.length, Math.max(edges.length - 1, 1));

/** Edges between which about equally many values lie; equal ones fall together, so that no class is empty by birth. */
export function quantiles(rising: readonly number[], classes: number): Edges {
  const edges = [];
  for (let n = 0; n <= classes; n++) edges.push(quantile(rising, n / classes));
  return unique(edges);
}

// Between two values in proportion, as NumPy does: webmap/classes.py has the same classes.
function quantile(rising: readonly number[], share: number): number {
  const place = (rising.length - 1) * share;
  const below = Math.floor(place);
  const low = rising[below] as number;
  const high = rising[Math.min(below + 1, rising.length - 1)] as number;
  return low + (high - low) * (place - below);
}

const unique = (edges: readonly number[]): number[] => edges.filter((edge, at) => at === 0 || edge !== edges[at - 1]);

/**
 * The edges of those classes within which values differ least: the least sum of squared distances from the means of the
 * classes there is (Fisher 1958; Jenks 1977). The edges are values, each the greatest of its class.
 */
export function naturalBreaks(rising: readonly number[], classes: number): Edges {
  const { values, within } = spread(rising);
  const count = Math.min(classes, values.length);
  const starts: number[][] = [];
  let costs = values.map((_, last) => within(0, last));
  for (let n = 1; n < count; n++) {
    const next = split(costs, within, n);
    starts.push(next.starts);
    costs = next.costs;
  }
  const edges = [values[values.length - 1] as number];
  let last = values.length - 1;
  for (const start of starts.reverse()) {
    last = (start[last] as number) - 1;
    edges.push(values[last] as number);
  }
  // A class of the least value alone has it as both its edges.
  return [...edges, values[0] as number].reverse();
}

type Within = (first: number, last: number) => number;

/** The different values, and the sum of squared distances from their mean of all those from one to another. */
function spread(rising: readonly number[]): { values: number[]; within: Within } {
  const values = unique(rising);
  const [n, sum, squares] = [[0], [0], [0]];
  const shift = values[0] as number; // sums of big numbers would lose the small differences
  let at = 0;
  for (const [index, value] of values.entries()) {
    const from = at;
    while (at < rising.length && rising[at] === value) at++;
    const [many, part] = [at - from, value - shift];
    n.push((n[index] as number) + many);
    sum.push((sum[index] as number) + many * part);
    squares.push((squares[index] as number) + many * part * part);
  }
  const between = (sums: readonly number[], first: number, last: number): number =>
    (sums[last + 1] as number) - (sums[first] as number);
  const within = (first: number, last: number): number =>
    Math.max(0, between(squares, first, last) - between(sum, first, last) ** 2 / between(n, first, last));
  return { values, within };
}

/**
 * One class more: for every end the cheapest start of the last class. The best start never moves back as the end moves
 * on, so halving the ends finds all of them in n log n steps where comparing every pair takes n².
 */
function split(costs: readonly number[], within: Within, least: number): { costs: number[]; starts: number[] } {
  const found: number[] = new Array(costs.length).fill(Number.POSITIVE_INFINITY);
  const starts: number[] = new Array(costs.length).fill(least);
  const search = (low: number, high: number, from: number, to: number): void => {
    if (low > high) return;
    const middle = (low + high) >> 1;
    for (let start = Math.max(from, least); start <= Math.min(to, middle); start++) {
      const cost = (costs[start - 1] as number) + within(start, middle);
      if (cost < (found[middle] as number)) {
        found[middle] = cost;
        starts[middle] = start;
      }
    }
    search(low, middle - 1, from, starts[middle] as number);
    search(middle + 1, high, starts[middle] as number, to);
  };
  search(least, costs.length - 1, least, costs.length - 1);
  return { costs: found, starts };
}

/** Of so many values one may change its class, so that the number between two classes can be a short one. */
const ONE_IN = 200;

/** Much the same classes with the shortest numbers between them; what a legend says of them is exact. */
export function legible(edges: Edges, rising: readonly number[]): Edges {
  const spare = Math.floor(rising.length / ONE_IN);
  return edges
    .map((edge, at) => {
      if (at === 0 && edges.length > 1) return outwards(edge, Math.floor);
      if (at === edges.length - 1) return outwards(edge, Math.ceil);
      const last = rising.findLastIndex((value) => value <= edge);
      const held = rising[Math.max(0, last - spare)] as number;
      const next = rising[Math.min(rising.length - 1, last + 1 + spare)] as number;
      return next > held ? shortest(held, next) : edge;
    })
    .filter((edge, at, all) => at < 2 || edge !== all[at - 1]);
}

// The outer edges part no classes: two digits will do.
function outwards(value: number, round: (value: number) => number): number {
  if (value === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return Number((round(Number((value / unit).toPrecision(12))) * unit).toPrecision(12));
}

/** The number with the fewest digits from `low` to below `high`. */
function shortest(low: number, high: number): number {
  for (let digits = 1; digits <= 15; digits++) {
    const nearest = Number(low.toPrecision(digits));
    const step = 10 ** (Math.floor(Math.log10(Math.abs(low) || 1)) + 1 - digits);
    for (const candidate of [nearest, Number((nearest + step).toPrecision(15))]) {
      if (candidate >= low && candidate < high) return candidate;
    }
  }
  return low;
}
