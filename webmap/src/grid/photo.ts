/** Photos as they are sent: small enough for a slow network, upright, and without what cameras write into them. */

export const LONGEST_PX = 1_600;
export const MOST_PHOTOS = 6;
const QUALITY = 0.82;

/** The size of a picture that is no longer than allowed, in its own proportions. */
export function fitted(width: number, height: number, longest: number = LONGEST_PX): [width: number, height: number] {
  const shrunk = Math.min(1, longest / Math.max(width, height));
  return [Math.max(1, Math.round(width * shrunk)), Math.max(1, Math.round(height * shrunk))];
}

/** A JPEG drawn anew, so that no place, time or camera is left in it; rejects what is no picture. */
export async function lightened(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const [width, height] = fitted(picture.width, picture.height);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  if (context === null) throw new TypeError("this browser draws no pictures");
  context.fillStyle = "#ffffff"; // what a JPEG cannot show through
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  return new Promise((settle, fail) => {
    canvas.toBlob((blob) => (blob === null ? fail(new TypeError("no JPEG")) : settle(blob)), "image/jpeg", QUALITY);
  });
}
