/** Who is signed in, with which rights; signing in and out; the own password, sessions and second factor. */
import type { Title } from "../words/i18n.ts";
import { authorization, bearer, get, refusal, token, Unreachable } from "./api.ts";
import type { Exercise } from "./exercises.ts";

/** What has to be done before any right counts. */
export type Due = "password" | "enrolment";

export interface Who {
  /** The login name; of a token the name that stands in the change log; null for a visitor. */
  actor: string | null;
  name: string | null;
  roles: string[];
  titles: Record<string, Title>;
  /** Beginnings of administrative codes, or ids of grids; null is everywhere. */
  areas: string[] | null;
  departments: string[] | null;
  rights: string[];
  due: Due | null;
  /** In which exercise the session (or the token) is; null: in reality. */
  exercise: Exercise | null;
  /** Null for visitors and tokens. */
  account: { secondFactor: boolean; outside: boolean } | null;
  secondFactor: "optional" | "required";
  /** The name of the provider of OpenID Connect, where there is one. */
  provider: string | null;
}

export interface SignedIn {
  id: string;
  begun: string;
  seen: string;
  ends: string;
  address: string | null;
  agent: string | null;
  by: string;
  here: boolean;
}

export interface Enrolment {
  secret: string;
  uri: string;
  /** An SVG of the code that an authenticator reads. */
  picture: string;
}

/** Who asks, wherever they are. */
export const who = (): Promise<Who> => get("/session", undefined, bearer());
export const may = (whoever: Who, right: string): boolean => whoever.rights.includes(right);

export const begin = (login: string, password: string, code: string | null): Promise<unknown> =>
  send("POST", "/session", { login, password, ...(code === null ? {} : { code }) });
export const newPassword = (old: string, fresh: string): Promise<unknown> =>
  send("PUT", "/session/password", { old, new: fresh });
export const sessions = (): Promise<{ sessions: SignedIn[] }> => get("/session/all");
export const revoke = (id: string): Promise<unknown> => send("DELETE", `/session/all/${encodeURIComponent(id)}`);
export const enrol = (password: string): Promise<Enrolment> => send("POST", "/session/second-factor", { password });
export const prove = (code: string): Promise<{ recovery: string[] }> => send("PUT", "/session/second-factor", { code });
export const unenrol = (password: string): Promise<unknown> => send("DELETE", "/session/second-factor", { password });

/** Forget the token of this tab and end the session, wherever the server can be reached. */
export async function end(): Promise<void> {
  token.set(null);
  await send("DELETE", "/session").catch(() => undefined);
}

/** Ask for a change and read the answer; throws Refused or Unreachable. */
export async function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const json = body === undefined ? {} : { "Content-Type": "application/json" };
  let response: Response;
  try {
    const content = body === undefined ? null : JSON.stringify(body);
    response = await fetch(path, { method, headers: { ...authorization(), ...json }, body: content });
  } catch (cause) {
    throw new Unreachable(path, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return (response.status === 204 ? null : await response.json()) as T;
}
