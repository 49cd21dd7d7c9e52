// The code by which a respondent reads a reply: drawn on the device, without a network too. Its hash
// goes with the response; the code itself is shown, and kept nowhere.
const SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Sixteen signs of Crockford's base 32, of five random bits each. */
export const newCode = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => SIGNS[byte % 32]).join("");

/** As a person reads it, in groups of four. */
export const grouped = (code) => code.match(/.{1,4}/g).join("-");

export async function hashOf(code) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
