/** Those who administer: accounts, roles, keys of machines, and how the audit chain stands. */
import type { Title } from "../words/i18n.ts";
import { authorization, get, refusal, Unreachable } from "./api.ts";
import { type SignedIn, send } from "./session.ts";

export interface Account {
  login: string;
  name: string;
  roles: string[];
  /** Beginnings of administrative codes, or ids of grids; null is everywhere. */
  areas: string[] | null;
  departments: string[] | null;
  active: boolean;
  mustChange: boolean;
  secondFactor: boolean;
  /** Signs in at a provider of OpenID Connect. */
  outside: boolean;
  madeAt: string;
  passwordAt: string | null;
  signedInAt: string | null;
  /** Until when the password that was given out opens it; null once its owner has chosen one. */
  oneTimeUntil: string | null;
  /** After too many attempts to sign in. */
  lockedUntil: string | null;
}

export interface Event {
  at: string;
  event: string;
  actor: string;
  address: string | null;
  facts: Record<string, unknown>;
}

export interface Role {
  name: string;
  title: Title;
  rights: string[];
  /** Whether the city changed or made it. */
  own: boolean;
  /** The rights with which it ships; null for one that the city made. */
  shipped: string[] | null;
  /** Of a token: no account holds it. */
  internal: boolean;
}

export type Right = Title & { right: string };

export interface Key {
  id: number;
  title: string;
  login: string | null;
  roles: string[];
  areas: string[] | null;
  departments: string[] | null;
  madeAt: string;
  endsAt: string;
}

export interface Audit {
  seal: { number: number; at: string; records: number; digest: string } | null;
  waitingS: number;
  roots: number;
  newestRoot: string | null;
  verify: string;
}

export interface Grant {
  roles: string[];
  areas: string[] | null;
  departments: string[] | null;
}

export interface OneTime {
  login: string;
  password: string;
}

const part = encodeURIComponent;
const of = (login: string): string => `/accounts/${part(login)}`;

export const accounts = (
  text: string,
  after: string,
  signal?: AbortSignal,
): Promise<{ accounts: Account[]; after: string | null }> =>
  get(`/accounts?limit=100&after=${part(after)}&q=${part(text)}`, signal);
export const account = (login: string): Promise<Account> => get(of(login));
export const makeAccount = (login: string, name: string): Promise<OneTime> =>
  send("POST", "/accounts", { login, name });
export const changeAccount = (login: string, change: { name?: string; active?: boolean }): Promise<Account> =>
  send("PATCH", of(login), change);
export const grant = (login: string, given: Grant): Promise<Account> => send("PUT", `${of(login)}/grant`, given);
export const newPassword = (login: string): Promise<OneTime> => send("POST", `${of(login)}/password`);
export const unlock = (login: string): Promise<null> => send("DELETE", `${of(login)}/lock`);
export const sessions = (login: string): Promise<{ sessions: SignedIn[] }> => get(`${of(login)}/sessions`);
export const endSessions = (login: string): Promise<{ ended: number }> => send("DELETE", `${of(login)}/sessions`);
export const events = (login: string): Promise<{ events: Event[] }> => get(`${of(login)}/events`);
export const roles = (): Promise<{ roles: Role[]; rights: Right[] }> => get("/roles");
export const changeRole = ({ name, title, rights }: Pick<Role, "name" | "title" | "rights">): Promise<Role> =>
  send("PUT", `/roles/${part(name)}`, { ...title, rights });
export const forgetRole = (name: string): Promise<null> => send("DELETE", `/roles/${part(name)}`);
export const keys = (): Promise<{ keys: Key[] }> => get("/keys");
export const makeKey = (given: Grant & { title: string; days: number }): Promise<Key & { key: string }> =>
  send("POST", "/keys", given);
export const revokeKey = (id: number): Promise<null> => send("DELETE", `/keys/${id}`);
export const audit = (): Promise<Audit> => get("/audit");

/** Make the accounts of a table; their one-time passwords come as a CSV, only this once. */
export const importAccounts = async (file: Blob, renew: boolean): Promise<Blob> =>
  (await sendTable(`/accounts/import?renew=${renew}`, file)).blob();
/** Give the accounts of a table the roles and scopes that stand there. */
export const importGrants = async (file: Blob): Promise<{ granted: number }> =>
  (await sendTable("/accounts/grants", file)).json();

async function sendTable(path: string, file: Blob): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { ...authorization(), "Content-Type": "text/csv" },
      body: file,
    });
  } catch (cause) {
    throw new Unreachable(path, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}
