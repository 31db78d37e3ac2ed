/** How a call to a caller went, question by question: pure, so that it can be tried without a page. */
import type { Kind, Told } from "../city/callbacks.ts";

export type Question = "reached" | "solved" | "satisfied";

export type Answers = Readonly<Record<Question, boolean | null>>;
export const NOTHING_ANSWERED: Answers = { reached: null, solved: null, satisfied: null };

/** What is asked now: more only of somebody who was called back and reached. */
export const questionsOf = (kind: Kind, { reached }: Answers): readonly Question[] =>
  kind === "callback" && reached === true ? ["reached", "solved", "satisfied"] : ["reached"];

/** With this answer; who was not reached answered nothing else. */
export const answered = (answers: Answers, question: Question, yes: boolean): Answers =>
  question === "reached" && !yes ? { ...NOTHING_ANSWERED, reached: false } : { ...answers, [question]: yes };

/** The first question that waits for its answer; null when all are answered. */
export const nextOf = (kind: Kind, answers: Answers): Question | null =>
  questionsOf(kind, answers).find((question) => answers[question] === null) ?? null;

/** What is sent; null while a question waits. */
export function toldOf(kind: Kind, answers: Answers, text: string): Told | null {
  const { reached, solved, satisfied } = answers;
  if (reached === null || nextOf(kind, answers) !== null) return null;
  const words = text.trim();
  return {
    kind,
    reached,
    ...(kind === "callback" && reached && solved !== null && satisfied !== null ? { solved, satisfied } : {}),
    ...(words === "" ? {} : { text: words }),
  };
}
