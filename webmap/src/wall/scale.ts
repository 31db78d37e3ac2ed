/** The sizes of type on a wall, from the size of the screen and the distance from which it is read. */

/** Sizes in CSS pixels. */
export interface Scale {
  /** Text of Han characters alone. */
  han: number;
  /** Text with digits or letters. */
  latin: number;
  /** Key figures, which are read at a glance. */
  figure: number;
}

export interface Screen {
  /** Diagonal. */
  inches: number;
  /** In CSS pixels, of the whole screen. */
  width: number;
  height: number;
  /** How many times larger the browser draws a CSS pixel than the screen says. */
  zoom: number;
}

const MM_PER_INCH = 25.4;
/** NUREG-0700: no character under 16 minutes of arc; at a 150th of the distance it is read comfortably. */
export const LEAST_ARC = Math.tan((16 / 60) * (Math.PI / 180));
const COMFORTABLE_ARC = 1 / 150;
/**
 * Height of a character by the size of its font, in Noto Sans SC: a Han character fills 0.92 of it, digits and
 * capitals 0.733. What counts is the height of capitals, as in NUREG-0700.
 */
export const HAN_EM = 0.92;
export const CAPITAL_EM = 0.733;

/** How many millimetres high one CSS pixel is. */
export const pixelMm = ({ inches, width, height, zoom }: Screen): number =>
  ((inches * MM_PER_INCH) / Math.hypot(width, height)) * zoom;

/** The smallest sizes that can be read from `far_m` metres away. */
export function scaleOf(screen: Screen, far_m: number): Scale {
  const pixels = (arc: number) => (far_m * 1000 * arc) / pixelMm(screen);
  return {
    han: Math.ceil(pixels(LEAST_ARC) / HAN_EM),
    latin: Math.ceil(pixels(LEAST_ARC) / CAPITAL_EM),
    figure: Math.ceil(pixels(COMFORTABLE_ARC) / CAPITAL_EM),
  };
}

/** The screen that this window fills. */
export function screenNow(inches: number): Screen {
  // Only a browser's own zoom makes the inside of a full screen count other pixels than its outside.
  const ratio = outerWidth > 0 && outerWidth === screen.width ? outerWidth / innerWidth : 1;
  return { inches, width: screen.width, height: screen.height, zoom: Math.min(5, Math.max(0.25, ratio)) };
}

const LEAST_MAP = 0.655;
const COLUMN_EM = 11.6;

/** The layout, in pixels: how high the strip under the map is, how wide a lane of panels, and how many there are. */
export interface Layout {
  strip: number;
  lane: number;
  lanes: number;
}

/** As much beside the map as its text needs, and never so much that less than 65 % are left to the map. */
export function layoutOf({ han, latin }: Scale, width: number, height: number): Layout {
  const strip = Math.ceil(latin * 1.25);
  const most = Math.floor(width * (1 - LEAST_MAP / (1 - strip / height)));
  const wanted = COLUMN_EM * han;
  const lanes = Math.min(3, Math.max(1, Math.floor(most / wanted)));
  return { strip, lane: Math.floor(Math.min(wanted, most / lanes)), lanes };
}

/** By how many zooms a screen of this height is nearer than one of 1080 pixels when both show the same. */
export const closerBy = (height: number): number => Math.log2(height / 1080);

/** Whether a text has digits or letters, which are lower than Han characters of the same font size. */
export const hasLatin = (text: string): boolean => /[0-9A-Za-z]/.test(text);
