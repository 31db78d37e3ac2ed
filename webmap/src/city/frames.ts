/** Coordinates of a point, given as lon, lat of EPSG:4326, in the frames that a city's people work in. */

export const FRAMES = ["EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:4550", "GCJ-02", "BD-09"] as const;
export type Frame = (typeof FRAMES)[number];
export type Pair = [x: number, y: number];

const { PI, abs, asinh, atan2, atanh, cos, cosh, hypot, sin, sinh, sqrt } = Math;
const RADIAN = PI / 180;

/** Coordinates in a frame: degrees lon, lat, or metres easting, northing. */
export function inFrame(frame: Frame, lon: number, lat: number): Pair {
  switch (frame) {
    case "EPSG:4326":
    case "EPSG:4490": // CGCS2000 stands within a metre of WGS-84
      return [lon, lat];
    case "EPSG:4549":
      return gaussKruger(lon, lat, 120);
    case "EPSG:4550":
      return gaussKruger(lon, lat, 123);
    case "GCJ-02":
      return toGcj02(lon, lat);
    case "BD-09":
      return toBd09(...toGcj02(lon, lat));
  }
}

/** Whether a frame is meant for this longitude: a 3° zone reaches 1.5° to either side of its meridian. */
export function meantFor(frame: Frame, lon: number): boolean {
  if (frame === "EPSG:4549") return abs(lon - 120) <= 1.5;
  if (frame === "EPSG:4550") return abs(lon - 123) <= 1.5;
  return true;
}

/** "120.89430, 31.98020" or "584524.9, 3540006.3": about a metre in degrees, a decimetre in metres. */
export function written(frame: Frame, lon: number, lat: number): string {
  const digits = frame === "EPSG:4549" || frame === "EPSG:4550" ? 1 : 5;
  return inFrame(frame, lon, lat)
    .map((value) => value.toFixed(digits))
    .join(", ");
}

// The CGCS2000 ellipsoid (GB 22021) and Krüger's series in the third flattening n, to its fourth power: below 1 mm
// within ten degrees of the meridian. The scale on the meridian is 1, the false easting 500 km.
const A = 6378137;
const F = 1 / 298.257222101;
const N = F / (2 - F);
const RECTIFYING = (A / (1 + N)) * (1 + N ** 2 / 4 + N ** 4 / 64);
const ALPHA = [
  N / 2 - (2 * N ** 2) / 3 + (5 * N ** 3) / 16 + (41 * N ** 4) / 180,
  (13 * N ** 2) / 48 - (3 * N ** 3) / 5 + (557 * N ** 4) / 1440,
  (61 * N ** 3) / 240 - (103 * N ** 4) / 140,
  (49561 * N ** 4) / 161280,
];

function gaussKruger(lon: number, lat: number, meridian: number): Pair {
  const e = sqrt(F * (2 - F));
  const s = sin(lat * RADIAN);
  const t = sinh(atanh(s) - e * atanh(e * s));
  const dl = (lon - meridian) * RADIAN;
  const xi = atan2(t, cos(dl));
  const eta = asinh(sin(dl) / hypot(t, cos(dl)));
  let east = eta;
  let north = xi;
  for (const [index, alpha] of ALPHA.entries()) {
    const k = 2 * (index + 1);
    east += alpha * cos(k * xi) * sinh(k * eta);
    north += alpha * sin(k * xi) * cosh(k * eta);
  }
  return [500_000 + RECTIFYING * east, RECTIFYING * north];
}

// GCJ-02 is secret; this is its public reconstruction on Krasovsky's ellipsoid, within 1–2 m of the real shift.
const KRASOVSKY = 6378245;
const EE = 0.006693421622965943;

function toGcj02(lon: number, lat: number): Pair {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const x = lon - 105;
  const y = lat - 35;
  const both = 20 * sin(6 * PI * x) + 20 * sin(2 * PI * x);
  const northward = 20 * sin(PI * y) + 40 * sin((PI * y) / 3) + 160 * sin((PI * y) / 12) + 320 * sin((PI * y) / 30);
  const eastward = 20 * sin(PI * x) + 40 * sin((PI * x) / 3) + 150 * sin((PI * x) / 12) + 300 * sin((PI * x) / 30);
  const dy = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + (2 / 3) * (both + northward);
  const dx = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + (2 / 3) * (both + eastward);
  const m = 1 - EE * sin(lat * RADIAN) ** 2;
  const metresLat = (KRASOVSKY * (1 - EE)) / (m * sqrt(m));
  const metresLon = (KRASOVSKY / sqrt(m)) * cos(lat * RADIAN);
  return [lon + dx / (metresLon * RADIAN), lat + dy / (metresLat * RADIAN)];
}

function toBd09(x: number, y: number): Pair {
  const k = (PI * 3000) / 180;
  const z = hypot(x, y) + 2e-5 * sin(y * k);
  const theta = atan2(y, x) + 3e-6 * cos(x * k);
  return [z * cos(theta) + 0.0065, z * sin(theta) + 0.006];
}

const STEP_DEG = 1e-5;
const CLOSE_ENOUGH_DEG = 1e-11;

/** Lon, lat of a pair in a frame, by Newton's method on `inFrame`; null where no place near China has such a pair. */
export function fromFrame(frame: Frame, x: number, y: number): Pair | null {
  let [lon, lat] = frame === "EPSG:4549" || frame === "EPSG:4550" ? [frame === "EPSG:4549" ? 120 : 123, 32] : [x, y];
  for (let turn = 0; turn < 20; turn += 1) {
    if (!(abs(lon) <= 180 && abs(lat) < 89)) return null;
    const [here, east, north] = [
      inFrame(frame, lon, lat),
      inFrame(frame, lon + STEP_DEG, lat),
      inFrame(frame, lon, lat + STEP_DEG),
    ];
    const [a, c] = [(east[0] - here[0]) / STEP_DEG, (east[1] - here[1]) / STEP_DEG];
    const [b, d] = [(north[0] - here[0]) / STEP_DEG, (north[1] - here[1]) / STEP_DEG];
    const [dx, dy, area] = [x - here[0], y - here[1], a * d - b * c];
    const [toEast, toNorth] = [(d * dx - b * dy) / area, (a * dy - c * dx) / area];
    lon += toEast;
    lat += toNorth;
    if (hypot(toEast, toNorth) < CLOSE_ENOUGH_DEG) return [lon, lat];
  }
  return null;
}
