/** Where questions and their runs are kept: at the server for who may, else in this browser, in the same shape. */
import type { Draft, KeptQuestion, Page, Run, Summary } from "../city/questions.ts";
import * as questions from "../city/questions.ts";

export interface Shelf {
  /** At the server; else in this browser. */
  atServer: boolean;
  list(): Promise<KeptQuestion[]>;
  keep(title: string, question: Draft): Promise<KeptQuestion>;
  forget(id: string): Promise<void>;
  /** Ask a kept question, and keep what it found. */
  run(question: KeptQuestion, signal: AbortSignal): Promise<Page>;
  runs(id: string): Promise<Run[]>;
  summary(id: string, run: Run): Promise<Summary>;
}

const KEY = "chengtu.questions";
const MOST_KEPT = 50;
const MOST_RUNS = 12;
const MOST_ROWS = 1_000;

/** There is no more room in this browser. */
export class NoRoom extends Error {}

export async function openShelf(): Promise<Shelf> {
  const { keeps } = await questions.questions();
  return keeps ? serverShelf() : browserShelf(localStorage);
}

function serverShelf(): Shelf {
  return {
    atServer: true,
    list: async () => (await questions.questions()).questions,
    keep: questions.keep,
    forget: questions.forget,
    run: (question, signal) => questions.runAgain(question.id, signal),
    runs: async (id) => (await questions.runs(id)).runs,
    summary: async (id, run) => (await questions.run(id, run.id)).summary ?? EMPTY,
  };
}

const EMPTY: Summary = { rows: [], cut: false, measure: null, classes: null, bars: [] };

export interface Book {
  questions: KeptQuestion[];
  runs: Record<string, Run[]>;
}

/** Write a book down, without its oldest runs where they have no room; NoRoom where even the questions have none. */
export function write(book: Book, storage: Pick<Storage, "setItem">): void {
  try {
    storage.setItem(KEY, JSON.stringify(book));
  } catch (cause) {
    const lighter = withoutOldestRun(book);
    if (lighter === null) throw new NoRoom("the browser keeps no more", { cause });
    write(lighter, storage);
  }
}

function withoutOldestRun(book: Book): Book | null {
  const all = Object.entries(book.runs).flatMap(([id, runs]) => runs.map((run) => ({ id, run })));
  const oldest = all.sort((a, b) => Date.parse(a.run.at) - Date.parse(b.run.at))[0];
  if (oldest === undefined) return null;
  const { id, run } = oldest;
  return { ...book, runs: { ...book.runs, [id]: (book.runs[id] ?? []).filter((each) => each !== run) } };
}

function browserShelf(storage: Storage): Shelf {
  const read = (): Book => bookFrom(storage.getItem(KEY));
  return {
    atServer: false,
    async list() {
      const { questions: ready } = await questions.questions();
      const book = read();
      const last = (each: KeptQuestion): KeptQuestion => ({ ...each, last: book.runs[each.id]?.[0] ?? null });
      return [...ready, ...book.questions].map(last);
    },
    async keep(title, question) {
      const book = read();
      if (book.questions.length >= MOST_KEPT) throw new NoRoom("the browser keeps no more questions");
      const at = new Date().toISOString();
      const id = `here-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
      const kept = {
        id,
        title: { zh: title, en: title },
        about: null,
        question,
        ready: false,
        actor: null,
        at,
        last: null,
      };
      write({ ...book, questions: [kept, ...book.questions] }, storage);
      return kept;
    },
    async forget(id) {
      const book = read();
      const { [id]: _, ...runs } = book.runs;
      write({ questions: book.questions.filter((each) => each.id !== id), runs }, storage);
    },
    async run(question, signal) {
      const page = await questions.ask(question.question, signal);
      const summary = await questions.summary(page.id, signal);
      const book = read();
      const before = book.runs[question.id] ?? [];
      const run = runOf(page, summary, (before[0]?.id ?? 0) + 1);
      try {
        write({ ...book, runs: { ...book.runs, [question.id]: [run, ...before].slice(0, MOST_RUNS) } }, storage);
      } catch (error) {
        if (!(error instanceof NoRoom)) throw error; // the answer is there, whether or not it could be kept
      }
      return page;
    },
    runs: async (id) => read().runs[id] ?? [],
    summary: async (_, run) => run.summary ?? EMPTY,
  };
}

function runOf(page: Page, summary: Summary, id: number): Run {
  const rows = summary.rows.slice(0, MOST_ROWS);
  return {
    id,
    at: page.madeAt,
    actor: null,
    statement: page.statement,
    rows: page.count,
    truncated: page.truncated,
    synthetic: page.synthetic,
    summary: { ...summary, rows, cut: summary.cut || rows.length < summary.rows.length },
  };
}

/** What the browser holds; what makes no sense is left out. */
export function bookFrom(text: string | null): Book {
  try {
    const given = JSON.parse(text ?? "") as Partial<Book>;
    return {
      questions: Array.isArray(given.questions) ? given.questions : [],
      runs: typeof given.runs === "object" && given.runs !== null ? given.runs : {},
    };
  } catch {
    return { questions: [], runs: {} };
  }
}
