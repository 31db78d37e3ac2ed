/** Where a phone goes to join: the address of the grid worker's page, and what would keep a phone from working there. */
import { get } from "./api.ts";

export interface Joining {
  address: string;
  /** Without HTTPS a phone gives the page no camera, no position and no work without a network. */
  secure: boolean;
  /** Whether the address means another machine than the one that asks. */
  reachable: boolean;
}

/** The same as a picture for cameras. */
export const JOINING_CODE = "/join.svg";
export const joining = (): Promise<Joining> => get("/join");
