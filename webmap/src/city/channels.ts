/** Channels that notices go out by, and webhooks that departments' systems are told by: kept, tried, and what became of it. */
import type { Title } from "../words/i18n.ts";
import { get } from "./api.ts";
import { send } from "./session.ts";

export const KINDS = ["email", "sms", "wecom", "dingtalk", "webhook"] as const;
export type Kind = (typeof KINDS)[number];

/** How a channel or a webhook stands. */
export interface Standing {
  tried_at: string | null;
  sent_at: string | null;
  /** Since when nothing was taken; null while all is well. */
  failing_since: string | null;
  error: string | null;
  waiting: number;
}

/** A channel of a department, of an area, or (without both) of the whole city. */
export interface Channel extends Standing {
  id: number;
  kind: Kind;
  title: string;
  department: string | null;
  area: string | null;
  /** The kinds of notices that it takes; none: all. */
  kinds: string[];
  /** Masked; null when it does not open. */
  address: string | null;
  actor: string;
  at: string;
  paused_at: string | null;
}

export interface Notice {
  code: string;
  title: Title;
}

export interface Channels {
  channels: Channel[];
  /** The kinds that are set up here. */
  kinds: Kind[];
  notices: Notice[];
}

/** A channel as somebody wants it; a change without address or secret keeps those that it has. */
export interface Wanted {
  title: string;
  department: string | null;
  area: string | null;
  kinds: string[];
  address?: string;
  secret?: string;
}

export interface Webhook extends Standing {
  id: number;
  department: string;
  url: string;
  actor: string;
  at: string;
}

/** What became of one thing that was sent. */
export interface Sent {
  id: number;
  at: string;
  tries: number;
  next_at: string | null;
  sent_at: string | null;
  dead_at: string | null;
  status: number | null;
  error: string | null;
}

export interface NoticeSent extends Sent {
  /** Null: a test. */
  notice: number | null;
  recorded_at: string | null;
  incident: string | null;
  scenario: string | null;
  text: Title;
}

export interface StepSent extends Sent {
  incident: string;
  step: number;
  /** Which step. */
  name: string;
}

const older = (path: string, before: number | null): string =>
  before === null ? `${path}/sendings` : `${path}/sendings?before=${before}`;

export const channels = (): Promise<Channels> => get("/channels");
export const openChannel = (kind: Kind, wanted: Wanted): Promise<Channel & { secret?: string }> =>
  send("POST", "/channels", { kind, ...wanted });
export const changeChannel = (id: number, wanted: Wanted): Promise<Channel> => send("PUT", `/channels/${id}`, wanted);
export const pauseChannel = (id: number): Promise<null> => send("PUT", `/channels/${id}/pause`);
export const resumeChannel = (id: number): Promise<null> => send("DELETE", `/channels/${id}/pause`);
export const endChannel = (id: number): Promise<null> => send("DELETE", `/channels/${id}`);
/** Send a test notice; the number of its sending. */
export const tryChannel = (id: number): Promise<{ sending: number }> => send("POST", `/channels/${id}/try`);
/** The newest hundred, or those before a number. */
export const channelSendings = (id: number, before: number | null = null): Promise<{ sendings: NoticeSent[] }> =>
  get(older(`/channels/${id}`, before));

export const webhooks = (): Promise<{ webhooks: Webhook[] }> => get("/webhooks");
export const register = (department: string, url: string): Promise<Webhook & { secret: string }> =>
  send("POST", "/webhooks", { department, url });
export const endWebhook = (id: number): Promise<null> => send("DELETE", `/webhooks/${id}`);
export const webhookSendings = (id: number, before: number | null = null): Promise<{ sendings: StepSent[] }> =>
  get(older(`/webhooks/${id}`, before));
