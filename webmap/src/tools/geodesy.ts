/**
 * Lengths and areas on the ellipsoid of WGS-84 (CGCS2000's differs by a tenth of a millimetre).
 *
 * Lengths by Vincenty's inverse formula, to a millimetre. Areas by projecting to the cylinder of equal area (Snyder
 * 1987, p. 81), exact for what is small; a side of 100 km bends by less than a ten-thousandth of such an area.
 */
import type { LonLat } from "../city/api.ts";

const A_M = 6_378_137;
const F = 1 / 298.257223563;
const B_M = A_M * (1 - F);
const E2 = F * (2 - F);
const E = Math.sqrt(E2);
const { abs, asin, atan2, cos, hypot, log, PI, sin, sqrt, tan, atan } = Math;
const radians = (degrees: number): number => (degrees * PI) / 180;
const degrees = (angle: number): number => (angle * 180) / PI;

/** Metres along the geodesic between two points; those on opposite sides of the earth are measured on a sphere. */
export function distance_m(from: LonLat, to: LonLat): number {
  const [u1, u2] = [from[1], to[1]].map((lat) => atan((1 - F) * tan(radians(lat)))) as [number, number];
  const apart = radians(to[0] - from[0]);
  let lambda = apart;
  for (let round = 0; round < 100; round++) {
    const east = cos(u2) * sin(lambda);
    const north = cos(u1) * sin(u2) - sin(u1) * cos(u2) * cos(lambda);
    const sinS = hypot(east, north);
    if (sinS === 0) return 0;
    const cosS = sin(u1) * sin(u2) + cos(u1) * cos(u2) * cos(lambda);
    const sigma = atan2(sinS, cosS);
    const sinA = (cos(u1) * cos(u2) * sin(lambda)) / sinS;
    const cos2A = 1 - sinA * sinA;
    const cosM = cos2A === 0 ? 0 : cosS - (2 * sin(u1) * sin(u2)) / cos2A;
    const c = (F / 16) * cos2A * (4 + F * (4 - 3 * cos2A));
    const next = apart + (1 - c) * F * sinA * (sigma + c * sinS * (cosM + c * cosS * (2 * cosM * cosM - 1)));
    if (abs(next - lambda) < 1e-12) return arc_m(sigma, sinS, cosS, cosM, cos2A);
    lambda = next;
  }
  return haversine_m(from, to);
}

function arc_m(sigma: number, sinS: number, cosS: number, cosM: number, cos2A: number): number {
  const u2 = (cos2A * (A_M ** 2 - B_M ** 2)) / B_M ** 2;
  const a = 1 + (u2 / 16384) * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)));
  const b = (u2 / 1024) * (256 + u2 * (-128 + u2 * (74 - 47 * u2)));
  const third = (b / 6) * cosM * (4 * sinS * sinS - 3) * (4 * cosM * cosM - 3);
  return B_M * a * (sigma - b * sinS * (cosM + (b / 4) * (cosS * (2 * cosM * cosM - 1) - third)));
}

function haversine_m([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const up = sin(radians(lat2 - lat1) / 2);
  const along = sin(radians(lon2 - lon1) / 2);
  return 2 * 6_371_008.8 * asin(sqrt(up * up + cos(radians(lat1)) * cos(radians(lat2)) * along * along));
}

/** Metres along a line of points. */
export function length_m(line: readonly LonLat[]): number {
  return line.slice(1).reduce((sum, point, index) => sum + distance_m(line[index] as LonLat, point), 0);
}

/** Square metres inside a ring, closed or not, whichever way it goes. */
export function area_m2(ring: readonly LonLat[]): number {
  const flat = ring.map(([lon, lat]): LonLat => [radians(lon), authalic(lat)]);
  const twice = flat.reduce((sum, [x, y], index) => {
    const [nextX, nextY] = flat[(index + 1) % flat.length] as LonLat;
    return sum + (nextX - x) * (nextY + y);
  }, 0);
  return (A_M * A_M * abs(twice)) / 4;
}

// Twice the sine of the authalic latitude, so to speak: Snyder's q (3-12).
function authalic(lat: number): number {
  const s = sin(radians(lat));
  return (1 - E2) * (s / (1 - E2 * s * s) - log((1 - E * s) / (1 + E * s)) / (2 * E));
}

/** Points all around a middle, `radius_m` away: by the curvature of the ellipsoid there, to a thousandth below 50 km. */
export function circle(middle: LonLat, radius_m: number, steps = 72): LonLat[] {
  const lat = radians(middle[1]);
  const w = 1 - E2 * sin(lat) ** 2;
  const prime_m = A_M / sqrt(w);
  const meridian_m = (A_M * (1 - E2)) / w ** 1.5;
  return Array.from({ length: steps + 1 }, (_, step): LonLat => {
    const bearing = (2 * PI * (step % steps)) / steps;
    const north = (radius_m * cos(bearing)) / meridian_m;
    // A parallel shortens on the way north, and curves away from the great circle that leaves eastwards.
    const bent = north - (tan(lat) * (radius_m * sin(bearing)) ** 2) / (2 * prime_m * meridian_m);
    const east = (radius_m * sin(bearing)) / (prime_m * cos(lat + bent));
    return [middle[0] + degrees(east), middle[1] + degrees(bent)];
  });
}
